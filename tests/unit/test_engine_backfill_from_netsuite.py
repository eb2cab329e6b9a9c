"""Contacts of NetSuite in dry run and back-fill: what is foreseen is what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.memory.people import ada
from tests.memory.world import World, world

from twinbook.domain.policy import Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Side
from twinbook.engine.insight.preview import Preview
from twinbook.engine.running.listing import Lister
from twinbook.store import dirty_keys, runs
from twinbook.store.runs import RunKind


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        made.configure(direction=Direction.BOTH)
        yield made


def populate(w: World) -> None:
    """Some of everything that can become of a contact of NetSuite."""
    account, customer = w.linked_account()
    closed = w.netsuite.user_creates_customer("Globex", subsidiary="1")
    ada(w, customer, email="new@acme.example")
    ada(w, customer, email="twice@acme.example", firstName="One")
    ada(w, customer, email="Twice@acme.example", firstName="Two")
    ada(w, customer, email="known@acme.example", firstName="Known")
    w.salesforce.user_creates_contact(LastName="Known", Email="known@acme.example", AccountId=account)
    w.salesforce.user_creates_contact(LastName="Ours", Email="ours@acme.example", AccountId=account)
    ada(w, None, email="alone@acme.example", firstName="Alone")
    ada(w, closed, email="waits@globex.example", firstName="Waits")
    ada(w, customer, email=None, firstName="Silent")


async def fill(w: World) -> dict[Side, int]:
    """A back-fill of both lists."""
    now = w.clock.now()
    ids = {
        side: await w.store.run(
            lambda tx, side=side: runs.start(
                tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now, side=side
            )
        )
        for side in Side
    }
    await w.list_runs()
    return ids


async def counted(w: World, run_id: int) -> Counter[str]:
    rows = await w.store.run(lambda tx: runs.counts(tx, [run_id]))
    return Counter({f"{kind} {reason or ''}".strip(): number for kind, reason, number in rows})


async def test_what_the_dry_run_says_is_what_the_back_fill_does(w: World) -> None:
    populate(w)
    w.netsuite.page_size = 2
    preview = Preview(w.connection)
    foreseen = {
        Side.SALESFORCE: Counter(
            [f"{item.plan.outcome} {item.plan.reason or ''}".strip() async for item in preview.contacts()]
        ),
        Side.NETSUITE: Counter(
            [f"{item.plan.outcome} {item.plan.reason or ''}".strip() async for item in preview.newcomers()]
        ),
    }
    assert foreseen[Side.NETSUITE] == {
        "created": 2,
        "review MATCH_TAKEN": 1,
        "skipped NO_COMPANY": 1,
        "waiting ACCOUNT_NOT_SYNCED": 1,
        "skipped NO_EMAIL": 1,
    }
    assert w.salesforce.writes == w.netsuite.writes == 0
    ids = await fill(w)
    for side, run_id in ids.items():
        assert await counted(w, run_id) == foreseen[side]
    assert len(w.salesforce.contacts) == len([c for c in w.netsuite.contacts if c.salesforce_id]) == 4


async def test_a_pair_is_looked_at_once_though_both_sides_list_it(w: World) -> None:
    populate(w)
    await w.settle()
    for _ in range(2):
        writes = w.salesforce.writes, w.netsuite.writes
        w.clock.at += 10
        ids = await fill(w)
        assert (w.salesforce.writes, w.netsuite.writes) == writes
        of_netsuite = await counted(w, ids[Side.NETSUITE])
        assert "unchanged" not in of_netsuite
        assert sum(of_netsuite.values()) == len(w.netsuite.contacts) - len(w.salesforce.contacts)


async def test_a_listing_that_is_cut_off_goes_on_where_it_was(w: World) -> None:
    populate(w)
    w.netsuite.page_size = 2
    now = w.clock.now()
    run_id = await w.store.run(
        lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now, side=Side.NETSUITE)
    )
    await Lister(w.connection).step()
    run = await w.store.run(lambda tx: runs.by_id(tx, run_id))
    assert (run.listed, run.total) == (2, 7)
    assert run.position == w.netsuite.contacts[1].id
    await w.list_runs()
    await w.settle()
    await w.list_runs()
    run = await w.store.run(lambda tx: runs.by_id(tx, run_id))
    assert (run.state, run.listed) == (runs.RunState.DONE, 7)


async def test_what_was_deleted_unnoticed_is_found_when_it_is_no_longer_listed(w: World) -> None:
    there = ada(w, None)
    await w.settle()
    w.netsuite.user_deletes(there)
    w.clock.at += 10
    await fill(w)
    found = await w.outcome_in_netsuite(there)
    assert found is not None
    assert found.reason is Reason.DELETED_IN_NETSUITE


@pytest.mark.parametrize("first", list(Side))
async def test_netsuite_is_listed_after_salesforce_whichever_began_first(w: World, first: Side) -> None:
    populate(w)
    now = w.clock.now()
    for side in (first, first.other):
        await w.store.run(
            lambda tx, side=side: runs.start(
                tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now, side=side
            )
        )
    await Lister(w.connection).step()
    listed = {run.side: run.listed for run in await w.store.run(runs.unfinished)}
    assert listed == {Side.SALESFORCE: 2, Side.NETSUITE: 0}
    assert (await w.store.run(lambda tx: dirty_keys.depth(tx, now=now))).due == 2
