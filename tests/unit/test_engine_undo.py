"""Undoing what Twinbook wrote: what is restored, what is left alone, and that the engine does not write it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.memory.world import World, world

from twinbook.domain.errors import PermanentError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care.pairs import AccountPairs, ContactPairs
from twinbook.engine.care.undo import Undoer
from twinbook.engine.care.undoing import Step, Undo
from twinbook.store import decisions, runs
from twinbook.store.journal import Selection
from twinbook.store.runs import RunKind


async def _undo(
    w: World, *, carry_out: bool = True, of: type[ContactPairs | AccountPairs] = ContactPairs, **chosen: Any
) -> list[Undo]:
    undoer, found = Undoer(w.connection, of(w.connection)), []
    async for batch in undoer.batches(Selection(**chosen)):
        found += batch
        if carry_out:
            assert [item.refused for item in await undoer.carry_out(batch, by="grace") if item.refused] == []
    return found


async def _linked(w: World, **fields: Any) -> tuple[str, str]:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account, **fields
    )
    await w.settle()
    link = await w.link(contact)
    assert link is not None
    return contact, str(link.netsuite_id)


async def _quiet(w: World, contact: str) -> None:
    """A further look at the pair writes nothing."""
    writes = w.netsuite.writes + w.salesforce.writes
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, contact))
    await w.settle()
    assert w.netsuite.writes + w.salesforce.writes == writes


async def _edited(w: World, contact: str, **fields: Any) -> int:
    """An edit that Twinbook carries over; the number of its journal entry."""
    w.salesforce.user_edits(contact, fields)
    await w.settle()
    return (await w.history(contact))[0].id


async def test_an_update_is_undone_and_not_written_back_until_the_field_is_edited_again() -> None:
    for direction in (Direction.SALESFORCE_TO_NETSUITE, Direction.BOTH):
        async with world() as w:
            w.configure(direction=direction)
            contact, there = await _linked(w, Title="Countess")
            entry = await _edited(w, contact, Title="Queen", Phone="+44 20 7946 0000")
            [undo] = await _undo(w, entry_id=entry)
            assert undo.step is Step.RESTORE
            assert {(item.field, item.restored) for item in undo.restored} == {
                ("title", "Countess"),
                ("phone", None),
            }
            shown = w.netsuite.contact(there).fields
            assert (shown["title"], shown["phone"]) == ("Countess", None)
            await _quiet(w, contact)
            assert w.salesforce.contact(contact).fields["Title"] == "Queen", "the source is left alone"
            assert (await w.outcome(contact)).kind is OutcomeKind.UNCHANGED
            newest = (await w.history(contact))[0]
            assert (newest.what, newest.who) == ("undone", "grace")
            await _edited(w, contact, FirstName="Augusta")
            assert w.netsuite.contact(there).fields["title"] == "Countess"
            await _edited(w, contact, Title="Empress")
            assert w.netsuite.contact(there).fields["title"] == "Empress"


async def test_it_is_only_shown_unless_carried_out() -> None:
    async with world() as w:
        contact, _ = await _linked(w)
        entry = await _edited(w, contact, Title="Queen")
        writes = w.netsuite.writes
        [undo] = await _undo(w, carry_out=False, entry_id=entry)
        assert [(item.field, item.shows, item.restored) for item in undo.fields] == [("title", "Queen", None)]
        assert w.netsuite.writes == writes


async def test_what_somebody_changed_since_is_left_alone_and_told() -> None:
    async with world() as w:
        contact, there = await _linked(w, Title="Countess", Department="Sums")
        entry = await _edited(w, contact, Title="Queen", Phone="+44 20 7946 0000")
        w.netsuite.user_edits(there, {"title": "Que"})
        [undo] = await _undo(w, entry_id=entry)
        assert {(item.field, item.obstacle) for item in undo.fields} == {
            ("title", "it was changed since"),
            ("phone", ""),
        }
        shown = w.netsuite.contact(there).fields
        assert (shown["title"], shown["phone"]) == ("Que", None)


async def test_what_twinbook_itself_wrote_later_is_left_alone_too() -> None:
    async with world() as w:
        contact, there = await _linked(w, Title="Countess")
        first = await _edited(w, contact, Title="Queen")
        await _edited(w, contact, Title="Empress")
        [undo] = await _undo(w, entry_id=first)
        assert (undo.step, undo.fields[0].obstacle) == (Step.NOTHING, "it was changed since")
        assert w.netsuite.contact(there).fields["title"] == "Empress"


async def test_several_entries_lead_back_to_the_first() -> None:
    async with world() as w:
        contact, there = await _linked(w, Title="Countess")
        w.clock.at += 60
        began = w.clock.at
        await _edited(w, contact, Title="Queen")
        await _edited(w, contact, Title="Empress")
        await _undo(w, since=began)
        assert w.netsuite.contact(there).fields["title"] == "Countess"
        await _undo(w, since=began)
        assert w.netsuite.contact(there).fields["title"] == "Countess"


async def test_an_undo_can_be_undone() -> None:
    async with world() as w:
        contact, there = await _linked(w, Title="Countess")
        await _undo(w, entry_id=await _edited(w, contact, Title="Queen"))
        await _undo(w, entry_id=(await w.history(contact))[0].id)
        assert w.netsuite.contact(there).fields["title"] == "Queen"
        await _quiet(w, contact)


async def test_a_value_that_netsuite_cut_off_counts_as_what_was_written() -> None:
    async with world() as w:
        contact, there = await _linked(w, Phone="+1 (415) 555-0100")
        entry = await _edited(w, contact, Phone="+1 415 555 0199  ")
        await _undo(w, entry_id=entry)
        assert w.netsuite.contact(there).fields["phone"] == "+1 (415) 555-0100"
        await _quiet(w, contact)


async def test_a_created_contact_is_made_inactive_never_deleted_and_not_created_again() -> None:
    async with world() as w:
        contact, there = await _linked(w)
        [undo] = await _undo(w, entry_id=(await w.history(contact))[0].id)
        assert undo.step is Step.INACTIVATE
        assert w.netsuite.contact(there).inactive
        await _quiet(w, contact)
        assert (await w.outcome(contact)).reason is Reason.LEFT_OUT
        await _edited(w, contact, Title="Queen")
        assert w.netsuite.contact(there).fields["title"] is None
        assert len(w.netsuite.contacts) == 1
        key = Key(Entity.CONTACT, Side.SALESFORCE, contact)
        await w.store.run(lambda tx: decisions.withdraw(tx, [key]))
        await w.mark(key)
        await w.settle()
        assert w.netsuite.contact(there).fields["title"] == "Queen"


async def test_a_created_contact_that_somebody_edited_stays() -> None:
    async with world() as w:
        contact, there = await _linked(w)
        w.netsuite.user_edits(there, {"title": "Queen"})
        [undo] = await _undo(w, entry_id=(await w.history(contact))[0].id)
        assert (undo.step, "edited since" in undo.obstacle) == (Step.NOTHING, True)
        assert not w.netsuite.contact(there).inactive


async def test_a_wrong_match_is_taken_apart_and_not_made_again() -> None:
    for direction in (Direction.SALESFORCE_TO_NETSUITE, Direction.BOTH):
        async with world() as w:
            w.configure(direction=direction)
            account, customer = w.linked_account()
            there = w.netsuite.user_creates_contact(
                firstName="Adam",
                lastName="Smith",
                email="info@acme.example",
                company=customer,
                subsidiary="1",
            )
            contact = w.salesforce.user_creates_contact(
                FirstName="Ada", LastName="Lovelace", Email="info@acme.example", AccountId=account
            )
            await w.settle()
            assert (await w.outcome(contact)).written == "adopted"
            [undo] = await _undo(w, entry_id=(await w.history(contact))[-1].id)
            assert undo.step is Step.TAKE_APART
            back = w.netsuite.contact(there)
            assert (back.fields["firstName"], back.fields["lastName"], back.salesforce_id) == (
                "Adam",
                "Smith",
                None,
            )
            assert w.salesforce.contact(contact).netsuite_id is None
            assert await w.link(contact) is None
            await _quiet(w, contact)
            assert (await w.outcome(contact)).reason is Reason.LEFT_OUT


async def test_a_whole_run_is_undone() -> None:
    async with world() as w:
        account, _ = w.linked_account()
        ids = [
            w.salesforce.user_creates_contact(
                LastName=f"No {i}", Email=f"no{i}@acme.example", AccountId=account
            )
            for i in range(7)
        ]
        run = await w.store.run(
            lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.OPPORTUNITY, by="grace", now=w.clock.now())
        )
        await w.mark(*(Key(Entity.CONTACT, Side.SALESFORCE, id_) for id_ in ids[:5]), run_id=run)
        w.connection = replace(w.connection, options=replace(w.connection.options, batch=2))
        await w.settle()
        found = await _undo(w, run_id=run)
        assert [undo.salesforce_id for undo in found] == ids[:5]
        inactive = {contact.salesforce_id for contact in w.netsuite.contacts if contact.inactive}
        assert inactive == set(ids[:5])


async def test_a_refusal_is_told_and_the_pair_stays_as_it_is() -> None:
    async with world() as w:
        contact, there = await _linked(w, Title="Countess")
        entry = await _edited(w, contact, Title="Queen")
        w.netsuite.refuse(there, PermanentError("RCRD_LOCKED", "The record is locked."))
        undoer = Undoer(w.connection, ContactPairs(w.connection))
        [batch] = [found async for found in undoer.batches(Selection(entry_id=entry))]
        [carried] = await undoer.carry_out(batch, by="grace")
        assert "RCRD_LOCKED" in carried.refused
        w.netsuite.refuse(there, None)
        await _quiet(w, contact)
        assert w.netsuite.contact(there).fields["title"] == "Queen"
        assert (await w.history(contact))[0].what == "updated"


async def test_a_crash_after_the_write_does_not_turn_the_restored_value_into_an_edit() -> None:
    async with world() as w:
        w.configure(direction=Direction.BOTH)
        contact, there = await _linked(w, Title="Countess")
        entry = await _edited(w, contact, Title="Queen")
        undoer = Undoer(w.connection, ContactPairs(w.connection))
        [batch] = [found async for found in undoer.batches(Selection(entry_id=entry))]
        w.salesforce.fail("read_contacts", PermanentError("GONE", "the process was killed here"), times=1)
        try:
            await undoer.carry_out(batch, by="grace")
            raise AssertionError("it was not cut off")
        except PermanentError:
            pass
        assert w.netsuite.contact(there).fields["title"] == "Countess"
        await _quiet(w, contact)
        assert w.salesforce.contact(contact).fields["Title"] == "Queen"
