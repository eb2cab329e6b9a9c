"""The account flow in a whole connection in memory: parents, agreement, crashes, mergers, decisions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.plan import OutcomeKind, Trigger
from twinbook.domain.policy import Accounts, Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Link, LinkState, NetSuiteCustomer, Side
from twinbook.engine.care import controls
from twinbook.store import decisions, dirty_keys, links
from twinbook.store.outcomes import Outcome

ALL = frozenset({Trigger.ALL})


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


async def outcome(w: World, account: str) -> Outcome:
    return await w.outcome(account, Entity.ACCOUNT)


async def link(w: World, account: str) -> Link | None:
    found = await w.store.run(lambda tx: links.by_salesforce(tx, Entity.ACCOUNT, [account]))
    return found.get(account)


def customer(w: World, account: str) -> NetSuiteCustomer:
    id_ = w.salesforce.account(account).netsuite_id
    return next(item for item in w.netsuite.customers if item.id == id_)


def won(w: World, account: str) -> None:
    w.salesforce.user_creates_opportunity(account, won=True)


def chain(w: World, length: int) -> list[str]:
    """Accounts below each other, the highest first."""
    made: list[str] = []
    for level in range(length):
        above = {"ParentId": made[-1]} if made else {}
        made.append(w.salesforce.user_creates_account(f"Level {level}", **above))
    return made


async def test_an_account_that_waits_for_its_parent_says_so_and_is_synced_later() -> None:
    async with world(status=True) as w:
        w.configure_accounts(triggers=ALL)
        above = w.salesforce.user_creates_account("Above")
        below = w.salesforce.user_creates_account("Below", ParentId=above)
        w.salesforce.user_edits(above, {"ParentId": below})
        await w.settle()
        assert w.salesforce.account(below).status == "Review"
        assert (w.salesforce.account(below).status_message or "").startswith("PARENT_CYCLE: ")
        w.salesforce.user_edits(above, {"ParentId": None})
        await w.settle()
        for account in (above, below):
            shown = w.salesforce.account(account)
            assert (shown.status, shown.status_message) == ("Synced", None)
            assert shown.netsuite_link == f"https://netsuite.example/{shown.netsuite_id}"


class TestTriggers:
    async def test_a_quote_counts_only_where_it_is_chosen(self, w: World) -> None:
        account = w.salesforce.user_creates_account("Acme")
        w.salesforce.user_creates_quote(account)
        await w.settle()
        assert (await outcome(w, account)).reason is Reason.NO_TRIGGER
        w.configure_accounts(triggers=frozenset({Trigger.QUOTE}))
        w.salesforce.user_creates_quote(account)
        await w.settle()
        assert customer(w, account).name == "Acme"

    async def test_by_hand(self, w: World) -> None:
        account = w.salesforce.user_creates_account("Acme")
        await w.settle()
        key = Key(Entity.ACCOUNT, Side.SALESFORCE, account)
        await w.store.run(lambda tx: controls.push(tx, key, now=w.clock.now()))
        await w.settle()
        assert customer(w, account).external_id == f"SFA_{account}"


class TestParents:
    @pytest.mark.parametrize("length", [2, 3, 11])
    async def test_parents_are_linked_first(self, w: World, length: int) -> None:
        made = chain(w, length)
        await w.settle()
        assert not w.netsuite.customers
        won(w, made[-1])
        await w.settle()
        customers = [customer(w, account) for account in made]
        assert [item.parent_id for item in customers] == [None, *(item.id for item in customers[:-1])]
        assert len(w.netsuite.customers) == length

    async def test_only_what_is_above_is_linked(self, w: World) -> None:
        top, middle, _, beside = (
            *chain(w, 3),
            w.salesforce.user_creates_account("Beside"),
        )
        won(w, middle)
        await w.settle()
        assert {item.id for item in w.netsuite.customers} == {customer(w, top).id, customer(w, middle).id}
        assert w.salesforce.account(beside).netsuite_id is None

    async def test_all_at_once_keeps_the_order(self, w: World) -> None:
        w.configure_accounts(triggers=ALL)
        made = chain(w, 5)
        await w.mark(*(Key(Entity.ACCOUNT, Side.SALESFORCE, id_) for id_ in reversed(made)))
        await w.settle()
        customers = [customer(w, account) for account in made]
        assert [item.parent_id for item in customers] == [None, *(item.id for item in customers[:-1])]

    async def test_too_deep_is_for_a_person_and_links_nothing(self, w: World) -> None:
        made = chain(w, 12)
        won(w, made[-1])
        await w.settle()
        assert (await outcome(w, made[-1])).reason is Reason.PARENTS_TOO_DEEP
        assert not w.netsuite.customers

    @pytest.mark.parametrize("length", [1, 2, 3])
    async def test_a_circle_is_for_a_person_and_ends(self, w: World, length: int) -> None:
        made = chain(w, length)
        w.salesforce.user_edits(made[0], {"ParentId": made[-1]})
        below = w.salesforce.user_creates_account("Below", ParentId=made[-1])
        won(w, below)
        won(w, made[0])
        await w.settle()
        for account in (below, made[0]):
            assert (await outcome(w, account)).reason is Reason.PARENT_CYCLE
        assert not w.netsuite.customers

    async def test_a_child_waits_while_its_parent_is_for_a_person(self, w: World) -> None:
        w.netsuite.user_creates_customer("Level 0", subsidiary="1")
        w.netsuite.user_creates_customer("Level 0", subsidiary="1")
        top, child = chain(w, 2)
        won(w, child)
        await w.settle()
        assert (await outcome(w, top)).reason is Reason.AMBIGUOUS_CUSTOMER
        waiting = await outcome(w, child)
        assert (waiting.kind, waiting.reason) == (OutcomeKind.WAITING, Reason.PARENT_NOT_SYNCED)
        assert top in waiting.detail
        chosen = (await outcome(w, top)).choices[0]
        await self.decide(w, top, chosen)
        await w.settle()
        assert customer(w, child).parent_id == chosen

    async def decide(self, w: World, account: str, choice: str) -> None:
        key, now = Key(Entity.ACCOUNT, Side.SALESFORCE, account), w.clock.now()
        await w.store.run(lambda tx: decisions.take(tx, key, choice, by="Ann", now=now))
        await w.mark(key)

    async def test_a_parent_that_is_linked_by_somebody_else_releases_the_child(self, w: World) -> None:
        w.netsuite.user_creates_customer("Level 0", subsidiary="1")
        w.netsuite.user_creates_customer("Level 0", subsidiary="1")
        top, child = chain(w, 2)
        won(w, child)
        await w.settle()
        theirs = w.netsuite.user_creates_customer("Theirs", subsidiary="1")
        w.salesforce.user_edits(top, {"NetSuite_Id__c": theirs})
        await w.settle()
        assert customer(w, child).parent_id == theirs

    async def test_a_late_parent_is_set_and_taken_away_again(self, w: World) -> None:
        child, below = w.linked_account("Child")
        await w.settle()
        top = w.salesforce.user_creates_account("Top")
        w.salesforce.user_edits(child, {"ParentId": top})
        await w.settle()
        assert customer(w, child).parent_id is None
        won(w, top)
        await w.settle()
        assert customer(w, child).parent_id == customer(w, top).id
        w.salesforce.user_edits(child, {"ParentId": None})
        await w.settle()
        assert customer(w, child).parent_id is None
        assert customer(w, child).id == below

    async def test_a_deleted_parent_lets_its_child_go_on(self, w: World) -> None:
        w.netsuite.user_creates_customer("Level 0", subsidiary="1")
        w.netsuite.user_creates_customer("Level 0", subsidiary="1")
        top, child = chain(w, 2)
        won(w, child)
        await w.settle()
        w.salesforce.user_deletes(top)
        await w.settle()
        assert customer(w, child).parent_id is None


class TestFields:
    async def test_what_the_target_kept_is_agreed_and_nothing_goes_to_and_fro(self, w: World) -> None:
        account, below = w.linked_account()
        w.configure_accounts(direction=Direction.BOTH)
        w.salesforce.user_edits(account, {"Phone": "+49 (30) 12", "BillingCity": " Berlin "})
        w.netsuite.user_edits(below, {"fax": "030-99"})
        await w.settle()
        known = await link(w, account)
        assert known is not None
        assert known.agreed["Phone/phone"] == "+493012"
        assert w.salesforce.account(account).fields["Fax"] == "030-99"
        assert customer(w, account).fields["address.city"] == "Berlin"
        writes = w.netsuite.writes + w.salesforce.writes
        await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, account))
        await w.settle()
        assert w.netsuite.writes + w.salesforce.writes == writes

    @pytest.mark.parametrize("direction", Direction)
    async def test_each_side_s_edit_travels_as_the_direction_allows(
        self, w: World, direction: Direction
    ) -> None:
        w.configure_accounts(direction=direction)
        account, below = w.linked_account()
        await w.settle()
        w.salesforce.user_edits(account, {"Phone": "1"})
        w.netsuite.user_edits(below, {"fax": "2"})
        await w.settle()
        arrived = customer(w, account).fields["phone"], w.salesforce.account(account).fields["Fax"]
        assert arrived == (
            "1" if direction.reaches(Side.NETSUITE) else None,
            "2" if direction.reaches(Side.SALESFORCE) else None,
        )

    async def test_the_journal_tells_the_values(self, w: World) -> None:
        account, _ = w.linked_account()
        await w.settle()
        w.salesforce.user_edits(account, {"Phone": "1"})
        await w.settle()
        entry = (await w.history(account))[0]
        assert (entry.what, entry.changes[0].field, entry.changes[0].before, entry.changes[0].after) == (
            "account updated",
            "phone",
            None,
            "1",
        )

    async def test_a_refused_field_opens_the_gate_all_the_same(self, w: World) -> None:
        account, below = w.linked_account()
        contact = w.salesforce.user_creates_contact(LastName="A", Email="a@a.example", AccountId=account)
        w.netsuite.refuse(below, PermanentError("REFUSED", "No.", remedy="Ask."))
        w.salesforce.user_edits(account, {"Phone": "1"})
        await w.settle()
        failed = await outcome(w, account)
        assert (failed.kind, failed.reason) == (OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE)
        assert w.salesforce.contact(contact).netsuite_id
        w.netsuite.refuse(below, None)
        w.salesforce.user_edits(account, {"Phone": "2"})
        await w.settle()
        assert customer(w, account).fields["phone"] == "2"
        assert not await w.incidents()

    async def test_a_link_made_by_hand_lets_contacts_out_though_a_field_is_refused(self, w: World) -> None:
        account = w.salesforce.user_creates_account("Acme", Phone="1")
        contact = w.salesforce.user_creates_contact(LastName="A", Email="a@a.example", AccountId=account)
        await w.settle()
        assert (await w.outcome(contact)).reason is Reason.ACCOUNT_NOT_SYNCED
        below = w.netsuite.user_creates_customer("Acme", subsidiary="1")
        w.netsuite.refuse(below, PermanentError("REFUSED", "No.", remedy="Ask."))
        w.salesforce.user_edits(account, {"NetSuite_Id__c": below})
        await w.settle()
        assert (await outcome(w, account)).kind is OutcomeKind.FAILED
        assert w.salesforce.contact(contact).netsuite_id

    async def test_salesforce_s_refusal_is_called_so(self, w: World) -> None:
        w.configure_accounts(direction=Direction.BOTH)
        account, below = w.linked_account()
        await w.settle()
        w.salesforce.refuse(
            account, PermanentError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", remedy="Ask.")
        )
        w.netsuite.user_edits(below, {"fax": "2"})
        await w.settle()
        assert (await outcome(w, account)).reason is Reason.REFUSED_BY_SALESFORCE

    @pytest.mark.parametrize(
        "kind", ["create_customer", "update_accounts", "update_customer", "find_customers"]
    )
    @pytest.mark.parametrize("lost", [False, True])
    async def test_a_failing_call_is_repeated_and_nothing_is_made_twice(
        self, w: World, kind: str, lost: bool
    ) -> None:
        w.configure_accounts(triggers=ALL)
        side: Any = w.salesforce if kind == "update_accounts" else w.netsuite
        if lost and kind != "find_customers":
            side.lose_answer(kind)
        else:
            side.fail(kind, TemporaryError("DOWN", "Down."))
        account = w.salesforce.user_creates_account("Acme", Phone="1")
        await w.settle()
        w.salesforce.user_edits(account, {"Phone": "2"})
        await w.settle()
        assert [item.fields["phone"] for item in w.netsuite.customers] == ["2"]
        assert (await link(w, account)).state is LinkState.LINKED  # type: ignore[union-attr]

    async def test_a_customer_that_is_gone_is_for_a_person(self, w: World) -> None:
        account, below = w.linked_account()
        await w.settle()
        w.netsuite.user_deletes(below)
        await w.settle()
        assert (await outcome(w, account)).reason is Reason.CUSTOMER_MISSING

    async def test_gate_only_neither_reads_nor_writes_customers(self, w: World) -> None:
        w.configure_accounts(accounts=Accounts.GATE_ONLY, triggers=ALL, direction=Direction.BOTH)
        account, _ = w.linked_account()
        contact = w.salesforce.user_creates_contact(LastName="A", Email="a@a.example", AccountId=account)
        prospect = w.salesforce.user_creates_account("Prospect", ParentId=account)
        w.salesforce.user_edits(account, {"Phone": "1"})
        await w.settle()
        assert w.salesforce.contact(contact).netsuite_id
        assert (await outcome(w, prospect)).reason is Reason.GATE_ONLY
        assert w.netsuite.calls["update_customer"] == w.netsuite.calls["create_customer"] == 0


class TestMergers:
    async def test_the_winner_inherits_the_customer(self, w: World) -> None:
        loser, below = w.linked_account("Old")
        contact = w.salesforce.user_creates_contact(LastName="A", Email="a@a.example", AccountId=loser)
        winner = w.salesforce.user_creates_account("New")
        await w.settle()
        there = w.salesforce.contact(contact).netsuite_id
        w.salesforce.user_merges(winner, loser)
        await w.settle()
        assert customer(w, winner).id == below
        assert customer(w, winner).salesforce_id == winner
        assert customer(w, winner).name == "New"
        assert w.salesforce.contact(contact).netsuite_id == there
        assert (await w.outcome(contact)).kind is OutcomeKind.UNCHANGED
        assert "handed over" in [entry.what for entry in await w.history(loser)]

    async def test_a_winner_with_a_customer_keeps_it_and_the_contacts_move(self, w: World) -> None:
        loser, _ = w.linked_account("Old")
        winner, kept = w.linked_account("New")
        contact = w.salesforce.user_creates_contact(LastName="A", Email="a@a.example", AccountId=loser)
        await w.settle()
        w.salesforce.user_merges(winner, loser)
        await w.settle()
        assert customer(w, winner).id == kept
        there = w.netsuite.contact(w.salesforce.contact(contact).netsuite_id or "")
        assert there.company_id == kept

    async def test_contacts_of_both_are_looked_at_though_no_event_tells_of_them(self, w: World) -> None:
        loser, _ = w.linked_account("Old")
        winner, kept = w.linked_account("New")
        contact = w.salesforce.user_creates_contact(LastName="A", Email="a@a.example", AccountId=loser)
        await w.settle()
        w.salesforce.user_merges(winner, loser)
        await w.store.run(
            lambda tx: dirty_keys.mark(tx, [account_key(loser)], cause="test", now=w.clock.now())
        )
        await w.drain()
        assert w.netsuite.contact(w.salesforce.contact(contact).netsuite_id or "").company_id == kept


def account_key(id_: str) -> Key:
    return Key(Entity.ACCOUNT, Side.SALESFORCE, id_)
