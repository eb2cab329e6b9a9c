"""Undoing what Twinbook wrote to accounts and customers, and saying what of deletes cannot be undone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.memory.world import World, world

from twinbook.domain.plan import OutcomeKind, Trigger
from twinbook.domain.policy import DeletedInSalesforce
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care.pairs import AccountPairs, ContactPairs
from twinbook.engine.care.undo import Undoer
from twinbook.engine.care.undoing import Step, Undo
from twinbook.store.dirty_keys import BY_HAND
from twinbook.store.journal import Selection


async def undo(w: World, of: type[AccountPairs | ContactPairs] = AccountPairs, **chosen: Any) -> Undo:
    undoer, found = Undoer(w.connection, of(w.connection)), list[Undo]()
    async for batch in undoer.batches(Selection(**chosen)):
        found += batch
        carried = await undoer.carry_out(batch, by="grace")
        assert [item.refused for item in carried if item.refused] == []
    [one] = found
    return one


async def entry(w: World, account: str) -> int:
    return (await w.history(account))[0].id


async def look(w: World, account: str) -> None:
    await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, account))
    await w.settle()


def won(w: World, name: str = "Acme") -> str:
    account = w.salesforce.user_creates_account(name, Phone="030 1")
    w.salesforce.user_creates_opportunity(account, won=True)
    return account


async def test_a_customer_that_was_created_is_made_inactive_and_the_account_left_out() -> None:
    async with world() as w:
        account = won(w)
        await w.settle()
        [customer] = w.netsuite.customers
        one = await undo(w, entry_id=await entry(w, account))
        assert one.step is Step.INACTIVATE
        [after] = w.netsuite.customers
        assert (after.id, after.inactive) == (customer.id, True)
        assert w.salesforce.account(account).netsuite_id is None
        for _ in range(2):
            await look(w, account)
            found = await w.outcome(account, Entity.ACCOUNT)
            assert (found.kind, found.reason) == (OutcomeKind.SKIPPED, Reason.LEFT_OUT)
        assert len(w.netsuite.customers) == 1
        told = [(item.what, item.who) for item in await w.history(account)]
        assert told[:2] == [("account unlinked", "grace"), ("undone", "grace")]


async def test_a_customer_that_was_matched_wrongly_is_taken_apart_and_keeps_what_it_had() -> None:
    async with world() as w:
        customer = w.netsuite.user_creates_customer("Acme", subsidiary="1", phone="040 2")
        account = won(w)
        await w.settle()
        assert w.salesforce.account(account).netsuite_id == customer
        one = await undo(w, entry_id=await entry(w, account))
        assert one.step is Step.TAKE_APART
        [after] = w.netsuite.customers
        assert (after.inactive, after.salesforce_id, after.fields["phone"]) == (False, None, "040 2")
        assert w.salesforce.account(account).netsuite_id is None
        await look(w, account)
        assert (await w.outcome(account, Entity.ACCOUNT)).reason is Reason.LEFT_OUT
        assert w.salesforce.account(account).netsuite_id is None


async def test_an_update_of_a_customer_is_undone_until_the_field_is_edited_again() -> None:
    async with world() as w:
        account = won(w)
        await w.settle()
        w.salesforce.user_edits(account, {"Phone": "030 99"})
        await w.settle()
        one = await undo(w, entry_id=await entry(w, account))
        assert [(item.field, item.restored) for item in one.restored] == [("phone", "030 1")]
        await look(w, account)
        assert w.netsuite.customers[0].fields["phone"] == "030 1"
        w.salesforce.user_edits(account, {"Phone": "030 77"})
        await w.settle()
        assert w.netsuite.customers[0].fields["phone"] == "030 77"


async def test_asked_for_by_hand_an_account_that_was_left_out_is_linked_again() -> None:
    async with world() as w:
        w.configure_accounts(triggers=frozenset({Trigger.CLOSED_WON}))
        account = won(w)
        await w.settle()
        await undo(w, entry_id=await entry(w, account))
        await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, account), cause="asked for by hand")
        await w.settle()
        assert w.salesforce.account(account).netsuite_id is None, "any other cause changes nothing"
        await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, account), cause=BY_HAND)
        await w.settle()
        assert w.salesforce.account(account).netsuite_id is not None


@pytest.mark.parametrize("undeleted", [False, True])
async def test_a_delete_cannot_be_undone_and_says_what_to_do(undeleted: bool) -> None:
    async with world() as w:
        w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
        account, _ = w.linked_account()
        here = w.salesforce.user_creates_contact(LastName="King", Email="k@acme.example", AccountId=account)
        await w.settle()
        w.salesforce.user_deletes(here)
        await w.settle()
        number = (await w.history(here))[0].id
        if undeleted:
            w.salesforce.user_undeletes(here)
        one = await undo(w, ContactPairs, entry_id=number)
        assert one.step is Step.NOTHING
        assert ("undelete the Salesforce contact" in one.obstacle) is not undeleted
        assert "NetSuite" in one.obstacle
