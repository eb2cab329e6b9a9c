"""The safety valve through the engine: when far more vanishes than usual, everything stops until a person confirms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import CounterpartMissing, DeletedInSalesforce, MergedAway
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.engine.care import controls
from twinbook.engine.connection import Options
from twinbook.store import flows, journal
from twinbook.store.flows import Flow


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    """Stops at more than 10 % and more than 3 deletes; a lane takes few at a time."""
    options = Options(lanes=1, batch=2, stop_deletes_percent=10, stop_deletes_above=3)
    async with world(options=options, status=True) as made:
        yield made


async def twins(w: World, number: int) -> list[str]:
    account, _ = w.linked_account()
    made = [
        w.salesforce.user_creates_contact(LastName=f"N{n}", Email=f"n{n}@acme.example", AccountId=account)
        for n in range(number)
    ]
    await w.settle(rounds=200)
    assert len(w.netsuite.contacts) == number
    return made


async def flow(w: World) -> Flow:
    return await w.store.run(flows.state)


async def links_left(w: World, contacts: list[str]) -> int:
    found = [await w.link(contact) for contact in contacts]
    return sum(link is not None and link.state is LinkState.LINKED for link in found)


async def reasons(w: World, contacts: list[str]) -> list[Reason | None]:
    return [(await w.outcome(contact)).reason for contact in contacts]


async def confirm(w: World) -> int:
    now = w.clock.now()
    number = await w.store.run(lambda tx: controls.confirm(tx, by="ann", now=now))
    await w.settle(rounds=200)
    return number


def delete(w: World, contacts: list[str]) -> None:
    for contact in contacts:
        w.salesforce.user_deletes(contact)


async def test_an_ordinary_number_of_deletes_passes(w: World) -> None:
    made = await twins(w, 40)
    delete(w, made[:4])
    await w.settle()
    assert not (await flow(w)).stopped
    assert await links_left(w, made) == 36


async def test_few_deletes_pass_however_large_their_share(w: World) -> None:
    made = await twins(w, 4)
    delete(w, made[:3])
    await w.settle()
    assert not (await flow(w)).stopped
    assert await links_left(w, made) == 1


@pytest.mark.parametrize("policy", DeletedInSalesforce)
async def test_a_mass_delete_stops_the_flow(w: World, policy: DeletedInSalesforce) -> None:
    w.configure(deleted_in_salesforce=policy)
    made = await twins(w, 20)
    delete(w, made[:10])
    await w.settle(rounds=200)
    held = await flow(w)
    assert held.stopped
    assert "of 20 linked contacts" in (held.stopped_why or "")
    # No more than the limit allows was let through before.
    assert await links_left(w, made) >= 17
    assert len([c for c in w.netsuite.contacts if not c.inactive]) >= 17
    assert (await reasons(w, made[:10])).count(Reason.SAFETY_STOP) >= 7
    stops = [
        entry for entry in await w.store.run(lambda tx: journal.since(tx, 0)) if entry.what == "safety stop"
    ]
    assert [(entry.who, entry.why) for entry in stops] == [("twinbook", held.stopped_why)]


async def test_while_stopped_nothing_is_written_anywhere(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    made = await twins(w, 20)
    delete(w, made[:10])
    await w.settle(rounds=200)
    writes = w.netsuite.writes, w.salesforce.writes
    account, _ = w.linked_account("Globex")
    new = w.salesforce.user_creates_contact(LastName="New", Email="new@globex.example", AccountId=account)
    prospect = w.salesforce.user_creates_account("Prospect")
    w.salesforce.user_creates_opportunity(prospect, won=True)
    w.salesforce.user_edits(made[-1], {"Title": "Countess", "Push_to_NetSuite__c": True})
    await w.settle(rounds=200)
    assert (w.netsuite.writes, w.salesforce.writes) == writes
    for contact in (new, made[-1]):
        found = await w.outcome(contact)
        assert (found.kind, found.reason) == (OutcomeKind.WAITING, Reason.SAFETY_STOP)
    assert (await w.outcome(prospect, Entity.ACCOUNT)).reason is Reason.SAFETY_STOP


async def test_after_a_person_confirmed_everything_is_worked_off(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    made = await twins(w, 20)
    delete(w, made[:10])
    await w.settle(rounds=200)
    w.salesforce.user_edits(made[-1], {"Title": "Countess"})
    await w.settle(rounds=200)
    assert await confirm(w) >= 8
    assert not (await flow(w)).stopped
    assert await links_left(w, made) == 10
    assert len(w.netsuite.contacts) == 10
    assert Reason.SAFETY_STOP not in await reasons(w, made)
    assert {contact.fields.get("title") for contact in w.netsuite.contacts} == {None, "Countess"}
    entries = await w.store.run(lambda tx: journal.since(tx, 0))
    assert [entry.who for entry in entries if entry.what == "confirmed"] == ["ann"]
    carried_out = await w.history(made[9])
    assert "confirmed by ann" in carried_out[0].why


async def test_a_second_mass_delete_after_the_confirmation_stops_again(w: World) -> None:
    made = await twins(w, 40)
    delete(w, made[:10])
    await w.settle(rounds=200)
    await confirm(w)
    assert await links_left(w, made) == 30
    delete(w, made[10:20])
    await w.settle(rounds=200)
    assert (await flow(w)).stopped
    assert await links_left(w, made) >= 26


async def test_deletes_that_are_hours_apart_do_not_add_up(w: World) -> None:
    made = await twins(w, 20)
    for start in range(0, 9, 3):
        delete(w, made[start : start + 3])
        await w.settle(rounds=200)
        w.clock.at += 3601
    assert not (await flow(w)).stopped
    assert await links_left(w, made) == 11


async def test_retries_of_one_delete_do_not_add_up(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    made = await twins(w, 20)
    w.netsuite.throttle("delete_contact", times=12)
    delete(w, made[:2])
    await w.settle(rounds=200)
    assert not (await flow(w)).stopped
    assert await links_left(w, made) == 18


async def test_records_that_wait_for_a_person_are_not_counted_again(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.REVIEW)
    made = await twins(w, 40)
    for contact in made[:8]:
        w.salesforce.user_deletes(contact)
        await w.settle(rounds=200)
        w.clock.at += 3601
    await w.mark(*(Key(Entity.CONTACT, Side.SALESFORCE, contact) for contact in made))
    await w.settle(rounds=200)
    assert not (await flow(w)).stopped
    assert await reasons(w, made[:8]) == [Reason.DELETED_IN_SALESFORCE] * 8


@pytest.mark.parametrize("policy", CounterpartMissing)
async def test_a_netsuite_that_shows_nothing_stops_the_flow(w: World, policy: CounterpartMissing) -> None:
    w.configure(counterpart_missing=policy)
    made = await twins(w, 20)
    for contact in w.netsuite.contacts:
        w.netsuite.user_deletes(contact.id)
    await w.mark(*(Key(Entity.CONTACT, Side.SALESFORCE, contact) for contact in made))
    await w.settle(rounds=200)
    assert (await flow(w)).stopped
    assert len(w.netsuite.contacts) <= 3
    assert (await reasons(w, made)).count(Reason.SAFETY_STOP) >= 17


async def test_merges_are_not_counted(w: World) -> None:
    w.configure(merged_away=MergedAway.KEEP)
    made = await twins(w, 20)
    for loser in made[1:11]:
        w.salesforce.user_merges(made[0], loser)
    await w.settle(rounds=200)
    assert not (await flow(w)).stopped
    assert await reasons(w, made[1:11]) == [Reason.MERGED_AWAY] * 10


async def test_resuming_a_pause_does_not_release_a_safety_stop(w: World) -> None:
    made = await twins(w, 20)
    delete(w, made[:10])
    await w.settle(rounds=200)
    now = w.clock.now()
    await w.store.run(lambda tx: controls.pause(tx, by="ann", now=now))
    await w.store.run(lambda tx: controls.resume(tx, by="ann", now=now))
    await w.settle(rounds=200)
    held = await flow(w)
    assert (held.paused, held.stopped) == (False, True)


async def test_several_lanes_let_no_more_through_than_one(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    made = await twins(w, 20)
    w.connection = replace(w.connection, options=replace(w.connection.options, lanes=4, batch=200))
    delete(w, made)
    await w.settle(rounds=200)
    assert (await flow(w)).stopped
    assert len(w.netsuite.contacts) >= 17
