"""A contact that Twinbook itself fails on: the others of its batch go through, and it is shown and tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from structlog.testing import capture_logs
from tests.memory.poison import POISON, Defective, defective
from tests.memory.world import World, world

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity
from twinbook.engine.running.listing import Lister
from twinbook.store import dirty_keys, runs
from twinbook.store.incidents import IncidentKind
from twinbook.store.runs import RunKind, RunState


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    # The usual way of printing a fault shows every value of a whole world in memory.
    with capture_logs():
        async with world() as made:
            yield made


def with_defect(w: World) -> Defective:
    w.connection, client = defective(w.connection)
    return client


async def people(w: World) -> list[str]:
    """Seven contacts, the poisonous one amid them."""
    account, _ = w.linked_account()
    await w.settle()
    names = ["N0", "N1", "N2", POISON, "N4", "N5", "N6"]
    return [
        w.salesforce.user_creates_contact(LastName=name, Email=f"{name}@acme.example", AccountId=account)
        for name in names
    ]


async def test_the_others_go_through_and_it_is_shown_and_tried_again_ever_more_rarely(w: World) -> None:
    client = with_defect(w)
    made = await people(w)
    await w.notice()
    await w.drain()
    assert len(w.netsuite.contacts) == 6
    shown = await w.outcome(made[3])
    assert (shown.kind, shown.reason) == (OutcomeKind.FAILED, Reason.INTERNAL_ERROR)
    [incident] = await w.incidents()
    assert (incident.key.id, incident.kind, incident.code) == (made[3], IncidentKind.FAILED, "INTERNAL_ERROR")
    assert POISON not in incident.message
    waits = []
    for _ in range(8):
        due = await w.store.read(dirty_keys.next_due)
        assert due is not None
        waits.append(due - w.clock.at)
        w.clock.at = due
        await w.drain()
    assert min(waits) > 0.4 and max(waits[4:]) > 3 * max(waits[:2])
    client.cured = True
    await w.settle()
    assert (await w.outcome(made[3])).written == OutcomeKind.CREATED
    assert await w.incidents() == []
    assert len(w.netsuite.contacts) == 7


async def test_a_back_fill_ends_without_it(w: World) -> None:
    with_defect(w)
    made = await people(w)
    now = w.clock.now()
    await w.store.run(lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now))
    for _ in range(50):
        await w.list_runs()
        w.clock.at += 60.0
        await Lister(w.connection).step()
        if not await w.store.read(runs.unfinished):
            break
    [run] = await w.store.read(lambda tx: runs.latest(tx, limit=1))
    assert run.state is RunState.DONE
    assert len(w.netsuite.contacts) == 6
    assert (await w.outcome(made[3])).reason is Reason.INTERNAL_ERROR


async def test_a_sweep_comes_to_its_end_and_has_it_shown(w: World) -> None:
    made = await people(w)
    await w.settle()
    client = with_defect(w)
    client.reads_fail = True
    w.salesforce.user_edits(made[1], {"Title": "Director"})
    w.salesforce.user_edits(made[3], {"Title": "King"})
    found = await w.sweep(thorough=True)
    assert [line.found.salesforce_id for line in await w.drift(found)] == [made[1]]
    assert (await w.outcome(made[3])).reason is Reason.INTERNAL_ERROR
    titles = {contact.fields.get("lastName"): contact.fields.get("title") for contact in w.netsuite.contacts}
    assert (titles["N1"], titles[POISON]) == ("Director", None)
