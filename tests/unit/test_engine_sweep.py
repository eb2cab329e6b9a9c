"""Sweeps through the engine: what no event has told is found, shown, and put right; what is in step costs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.drift import DriftKind
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.engine.care import controls
from twinbook.engine.running.sweep.sweeper import Sweeper
from twinbook.store import dirty_keys, flows, sweeps
from twinbook.store.drifts import Line
from twinbook.store.runs import RunState
from twinbook.store.sweeps import Met, Sweep


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        made.salesforce.page_size = made.netsuite.page_size = 4
        yield made


async def twins(w: World, number: int) -> list[str]:
    account, _ = w.linked_account()
    made = [
        w.salesforce.user_creates_contact(LastName=f"N{n}", Email=f"n{n}@acme.example", AccountId=account)
        for n in range(number)
    ]
    await w.settle(rounds=200)
    return made


async def counterpart(w: World, contact: str) -> str:
    link = await w.link(contact)
    assert link is not None and link.netsuite_id is not None
    return link.netsuite_id


def shown(lines: list[Line]) -> list[tuple[DriftKind, str | None, OutcomeKind | None]]:
    return [(line.found.drift.kind, line.found.salesforce_id, line.outcome) for line in lines]


async def test_what_is_in_step_is_compared_by_its_versions_alone(w: World) -> None:
    await twins(w, 10)
    reads = w.salesforce.calls["read_contacts"]
    found = await w.sweep()
    assert (found.salesforce_listed, found.netsuite_listed) == (10, 10)
    assert (found.compared, w.salesforce.calls["read_contacts"]) == (0, reads)
    assert found.run.state is RunState.DONE
    assert await w.drift(found) == []


async def test_an_edit_that_no_event_told_is_found_and_put_right(w: World) -> None:
    made = await twins(w, 6)
    w.salesforce.user_edits(made[3], {"Title": "Director"})
    found = await w.sweep()
    [line] = await w.drift(found)
    assert (line.found.drift.kind, line.outcome) == (DriftKind.DIFFERENT, OutcomeKind.UPDATED)
    [field] = line.found.drift.fields
    assert (field.field, field.salesforce, field.netsuite, field.agreed) == (
        "Title/title",
        "Director",
        None,
        None,
    )
    title = {contact.id: contact.fields.get("title") for contact in w.netsuite.contacts}
    assert title[await counterpart(w, made[3])] == "Director"
    again = await w.sweep()
    assert await w.drift(again) == []


async def test_a_sweep_that_only_reports_writes_nothing(w: World) -> None:
    made = await twins(w, 3)
    w.salesforce.user_edits(made[0], {"Title": "Director"})
    writes = (w.salesforce.writes, w.netsuite.writes)
    found = await w.sweep(repairs=False)
    [line] = await w.drift(found)
    assert (line.queued_at, line.outcome) == (None, None)
    assert (w.salesforce.writes, w.netsuite.writes) == writes


async def test_an_edit_in_netsuite_that_stays_there_is_no_drift_and_is_read_once(w: World) -> None:
    made = await twins(w, 3)
    w.netsuite.user_edits(await counterpart(w, made[0]), {"title": "Chief"})
    first, second = await w.sweep(), await w.sweep()
    assert await w.drift(first) == []
    # The direction carries Salesforce to NetSuite only: the edit is left alone.
    assert (first.compared, second.compared) == (1, 0)


async def test_both_sides_that_came_to_show_the_same_are_remembered(w: World) -> None:
    made = await twins(w, 3)
    w.salesforce.user_edits(made[0], {"Title": "Chief"})
    w.netsuite.user_edits(await counterpart(w, made[0]), {"title": "Chief"})
    found = await w.sweep()
    assert shown(await w.drift(found)) == [(DriftKind.UNREMEMBERED, made[0], OutcomeKind.UNCHANGED)]
    link = await w.link(made[0])
    assert link is not None and link.agreed["Title/title"] == "Chief"


async def test_a_merge_in_netsuite_without_a_trace_is_found(w: World) -> None:
    made = await twins(w, 30)
    winner, loser = await counterpart(w, made[0]), await counterpart(w, made[1])
    w.netsuite.user_merges(winner, loser)
    w.netsuite.forget_deletes()
    await w.settle()
    assert (await w.outcome(made[1])).kind is not OutcomeKind.REVIEW
    found = await w.sweep()
    assert shown(await w.drift(found)) == [(DriftKind.MISSING, made[1], OutcomeKind.REVIEW)]
    assert (await w.outcome(made[1])).reason is Reason.COUNTERPART_MISSING
    # What a person has to decide is told once, and not every night.
    assert await w.drift(await w.sweep()) == []


@pytest.mark.parametrize("purged", [False, True])
async def test_a_delete_in_salesforce_that_no_event_told_is_found(w: World, purged: bool) -> None:
    made = await twins(w, 30)
    w.salesforce.user_deletes(made[7])
    if purged:
        w.salesforce.user_purges(made[7])
    found = await w.sweep()
    assert shown(await w.drift(found)) == [(DriftKind.MISSING, made[7], OutcomeKind.SKIPPED)]
    link = await w.link(made[7])
    assert link is not None and link.state is LinkState.CLOSED


async def test_a_contact_that_nobody_noticed_is_found_unlinked(w: World) -> None:
    await twins(w, 3)
    account = w.salesforce.contacts[0].account_id
    new = w.salesforce.user_creates_contact(LastName="New", Email="new@acme.example", AccountId=account)
    found = await w.sweep()
    assert shown(await w.drift(found)) == [(DriftKind.UNLINKED, new, OutcomeKind.CREATED)]


async def test_contacts_of_an_account_that_was_linked_unnoticed_go_out(w: World) -> None:
    account = w.salesforce.user_creates_account("Acme")
    contact = w.salesforce.user_creates_contact(LastName="N", Email="n@acme.example", AccountId=account)
    await w.settle()
    assert (await w.outcome(contact)).reason is Reason.ACCOUNT_NOT_SYNCED
    idle = await w.sweep()
    assert (idle.compared, await w.drift(idle)) == (0, [])
    customer = w.netsuite.user_creates_customer("Acme", subsidiary="1")
    w.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
    found = await w.sweep()
    assert shown(await w.drift(found)) == [(DriftKind.UNLINKED, contact, OutcomeKind.CREATED)]


async def test_an_id_that_somebody_changed_by_hand_is_contradictory(w: World) -> None:
    made = await twins(w, 3)
    w.salesforce.user_edits(made[0], {"NetSuite_Id__c": "999999"})
    found = await w.sweep(repairs=False)
    [line] = await w.drift(found)
    assert line.found.drift.kind is DriftKind.CONTRADICTORY
    assert "999999" in line.found.drift.why


async def test_a_copy_that_carries_somebodys_id_is_extra(w: World) -> None:
    made = await twins(w, 3)
    w.netsuite.user_creates_contact(lastName="Copy", subsidiary="1", custentity_twinbook_sf_id=made[0])
    found = await w.sweep(repairs=False)
    [line] = await w.drift(found)
    assert line.found.drift.kind is DriftKind.EXTRA
    assert line.found.key.side is Side.NETSUITE


async def test_newcomers_in_netsuite_are_of_concern_only_where_they_travel(w: World) -> None:
    await twins(w, 2)
    company = w.netsuite.contacts[0].company_id
    new = w.netsuite.user_creates_contact(
        lastName="Neu", email="neu@acme.example", company=company, subsidiary="1"
    )
    assert await w.drift(await w.sweep()) == []
    w.configure(direction=Direction.BOTH)
    [line] = await w.drift(await w.sweep())
    assert (line.found.drift.kind, line.found.key) == (
        DriftKind.UNLINKED,
        Key(Entity.CONTACT, Side.NETSUITE, new),
    )
    assert len(w.salesforce.contacts) == 3


async def test_a_thorough_sweep_trusts_no_version(w: World) -> None:
    made = await twins(w, 6)
    w.netsuite.user_edits_unseen(await counterpart(w, made[2]), {"title": "Wrong"})
    w.configure(direction=Direction.BOTH)
    quick = await w.sweep()
    assert (quick.compared, await w.drift(quick)) == (0, [])
    thorough = await w.sweep(thorough=True)
    assert thorough.compared == 6
    assert shown(await w.drift(thorough)) == [(DriftKind.DIFFERENT, made[2], OutcomeKind.UPDATED)]


async def test_what_is_in_the_queue_is_no_drift(w: World) -> None:
    made = await twins(w, 3)
    w.salesforce.user_edits(made[0], {"Title": "Director"})
    await w.notice()
    found = await w.sweep(drain=False)
    assert await w.drift(found) == []


async def test_a_sweep_that_is_cut_off_goes_on_where_it_was(w: World) -> None:
    made = await twins(w, 12)
    w.salesforce.user_edits(made[11], {"Title": "Director"})
    now = w.clock.now()
    await w.store.run(lambda tx: sweeps.start(tx, thorough=False, repairs=True, by="test", now=now))
    lists = w.salesforce.calls["list_keys"]
    for _ in range(2):
        await Sweeper(w.connection).step()
    found = await w.sweep()
    # Three pages of four and no page twice, whoever listed them.
    assert w.salesforce.calls["list_keys"] - lists == 3
    assert found.salesforce_listed == 12
    assert shown(await w.drift(found)) == [(DriftKind.DIFFERENT, made[11], OutcomeKind.UPDATED)]


async def test_a_sweep_waits_while_the_flow_is_paused(w: World) -> None:
    made = await twins(w, 3)
    w.salesforce.user_edits(made[0], {"Title": "Director"})
    await w.store.run(lambda tx: controls.pause(tx, by="ann", now=w.clock.now()))
    held = await w.sweep()
    assert (held.run.state, held.salesforce_listed) == (RunState.LISTING, 0)
    await w.store.run(lambda tx: controls.resume(tx, by="ann", now=w.clock.now()))
    found = await w.sweep()
    assert shown(await w.drift(found)) == [(DriftKind.DIFFERENT, made[0], OutcomeKind.UPDATED)]


class TestSafetyValves:
    """Nothing is written before all is known."""

    async def stopped(self, w: World) -> Sweep:
        writes = (w.salesforce.writes, w.netsuite.writes)
        found = await w.sweep()
        flow = await w.store.run(flows.state)
        assert flow.stopped and found.stopped_why == flow.stopped_why
        assert (w.salesforce.writes, w.netsuite.writes) == writes
        return found

    async def confirm(self, w: World) -> None:
        await w.store.run(lambda tx: controls.confirm(tx, by="ann", now=w.clock.now()))
        await w.settle(rounds=200)
        assert not (await w.store.run(flows.state)).stopped

    @pytest.mark.parametrize("side", list(Side))
    async def test_a_side_that_lists_nothing(self, w: World, side: Side) -> None:
        await twins(w, 5)
        (w.salesforce if side is Side.SALESFORCE else w.netsuite).hidden = True
        found = await self.stopped(w)
        assert found.stopped_why == f"{side.system} suddenly lists no contacts, and 5 are linked"
        assert found.run.state is RunState.DONE

    async def test_too_many_deletes(self, w: World) -> None:
        made = await twins(w, 60)
        for contact in made[:21]:
            w.netsuite.user_deletes(await counterpart(w, contact))
        w.netsuite.forget_deletes()
        found = await self.stopped(w)
        assert "21 of 60 linked contacts deleted" in (found.stopped_why or "")
        assert {(await w.outcome(contact)).reason for contact in made[:21]} == {Reason.SAFETY_STOP}
        await self.confirm(w)
        assert {(await w.outcome(contact)).reason for contact in made[:21]} == {Reason.COUNTERPART_MISSING}

    async def test_an_ordinary_number_of_deletes_passes(self, w: World) -> None:
        made = await twins(w, 60)
        for contact in made[:20]:
            w.netsuite.user_deletes(await counterpart(w, contact))
        w.netsuite.forget_deletes()
        await w.sweep()
        assert not (await w.store.run(flows.state)).stopped

    async def test_too_many_changes(self, w: World) -> None:
        made = await twins(w, 40)
        for contact in made[:21]:
            w.salesforce.user_edits(contact, {"Title": "Overwritten"})
        found = await self.stopped(w)
        assert "21 of 40 linked contacts" in (found.stopped_why or "")
        await self.confirm(w)
        titles = [contact.fields.get("title") for contact in w.netsuite.contacts]
        assert titles.count("Overwritten") == 21

    async def test_half_of_the_links_may_change(self, w: World) -> None:
        made = await twins(w, 44)
        for contact in made[:22]:
            w.salesforce.user_edits(contact, {"Title": "New"})
        await w.sweep()
        assert not (await w.store.run(flows.state)).stopped

    async def test_the_limits_are_settings(self, w: World) -> None:
        options = replace(w.connection.options, stop_changes_above=2, stop_changes_percent=10)
        w.connection = replace(w.connection, options=options)
        made = await twins(w, 10)
        for contact in made[:3]:
            w.salesforce.user_edits(contact, {"Title": "New"})
        await self.stopped(w)

    async def test_a_report_stops_nothing(self, w: World) -> None:
        made = await twins(w, 40)
        for contact in made[:21]:
            w.salesforce.user_edits(contact, {"Title": "Overwritten"})
        found = await w.sweep(repairs=False)
        assert found.stopped_why is not None
        assert not (await w.store.run(flows.state)).stopped
        assert await w.store.run(dirty_keys.next_due) is None


def test_a_bit_a_link() -> None:
    met = Met()
    for number in (1, 8, 1_000_000):
        met.add(number)
    again = Met(bytes(met))
    assert [number for number in (0, 1, 7, 8, 9, 1_000_000, 2_000_000) if number in again] == [
        1,
        8,
        1_000_000,
    ]
    assert len(bytes(met)) == 125_001
