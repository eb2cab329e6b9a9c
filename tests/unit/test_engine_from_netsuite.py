"""Contacts that begin in NetSuite, through the engine, over both systems in memory. Both ends are checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from tests.memory.people import ada
from tests.memory.world import World, world

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction, SharedEmail
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.domain.rules import Rule
from twinbook.engine.care import controls
from twinbook.engine.insight.explain import Explainer
from twinbook.engine.running.lanes import Lane
from twinbook.store import decisions, flows

FROM_NETSUITE = [Direction.BOTH, Direction.NETSUITE_TO_SALESFORCE]


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world(status=True) as made:
        made.configure(direction=Direction.BOTH)
        yield made


async def stands(w: World, there: str, kind: OutcomeKind, reason: Reason) -> None:
    """Nothing came of it in Salesforce, and its NetSuite key says why."""
    await w.settle()
    found = await w.outcome_in_netsuite(there)
    assert found is not None
    assert (found.kind, found.reason) == (kind, reason)
    assert found.detail
    assert not any(w.salesforce.calls[kind] for kind in ("upsert_contacts", "update_contacts"))


@pytest.mark.parametrize("direction", FROM_NETSUITE)
async def test_a_new_contact_arrives_with_both_ids(w: World, direction: Direction) -> None:
    w.configure(direction=direction)
    account, customer = w.linked_account()
    there = ada(w, customer, title="Analyst", phone="030 1234567")
    await w.settle()
    [here] = w.salesforce.contacts
    assert (
        here.fields["FirstName"],
        here.fields["LastName"],
        here.fields["Email"],
        here.fields["Title"],
    ) == (
        "Ada",
        "Lovelace",
        "ada@acme.example",
        "Analyst",
    )
    assert (here.account_id, here.netsuite_id, here.status) == (account, there, "Synced")
    assert w.netsuite.contact(there).salesforce_id == here.id
    assert len(w.netsuite.contacts) == 1
    link = await w.link(here.id)
    assert link is not None
    assert (link.netsuite_id, link.state, link.agreed["Title/title"]) == (there, LinkState.LINKED, "Analyst")
    assert [entry.what for entry in await w.history(here.id)] == ["created"]
    assert (await w.outcome(here.id)).written == "created"
    assert await w.outcome_in_netsuite(there) is None, "a pair is shown once"


async def test_after_a_creation_a_further_look_writes_nothing(w: World) -> None:
    _, customer = w.linked_account()
    there = ada(w, customer)
    await w.settle()
    writes = w.netsuite.writes, w.salesforce.writes
    await w.mark(
        Key(Entity.CONTACT, Side.NETSUITE, there), (await w.outcome(w.salesforce.contacts[0].id)).key
    )
    await w.settle()
    assert (w.netsuite.writes, w.salesforce.writes) == writes
    assert (await w.outcome(w.salesforce.contacts[0].id)).kind is OutcomeKind.UNCHANGED


async def test_the_default_direction_leaves_contacts_of_netsuite_alone(w: World) -> None:
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    _, customer = w.linked_account()
    there = ada(w, customer)
    await w.settle()
    assert w.salesforce.contacts == []
    assert await w.outcome_in_netsuite(there) is None, "not even looked at"


async def test_without_a_company_it_is_skipped(w: World) -> None:
    await stands(w, ada(w, None), OutcomeKind.SKIPPED, Reason.NO_COMPANY)


async def test_a_company_that_is_no_customer_is_skipped(w: World) -> None:
    vendor = ada(w, None, firstName="A", lastName="Vendor", email=None)
    there = ada(w, vendor)
    await stands(w, there, OutcomeKind.SKIPPED, Reason.NOT_A_CUSTOMER)


async def test_it_waits_for_its_account_and_is_released_when_that_becomes_linked_by_whomever(
    w: World,
) -> None:
    customer = w.netsuite.user_creates_customer("Acme", subsidiary="1")
    there = ada(w, customer)
    await stands(w, there, OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED)
    account = w.salesforce.user_creates_account("Acme")
    w.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
    await w.settle()
    [here] = w.salesforce.contacts
    assert (here.account_id, here.netsuite_id) == (account, there)
    assert await w.outcome_in_netsuite(there) is None


async def test_paused_it_waits_and_is_worked_off_on_resume(w: World) -> None:
    _, customer = w.linked_account()
    await w.store.run(lambda tx: flows.set_paused(tx, True, by="test", now=w.clock.now()))
    there = ada(w, customer)
    await stands(w, there, OutcomeKind.WAITING, Reason.PAUSED)
    await w.store.run(lambda tx: controls.resume(tx, by="test", now=w.clock.now()))
    await w.settle()
    assert [contact.netsuite_id for contact in w.salesforce.contacts] == [there]


@pytest.mark.parametrize(
    ("settings", "fields", "reason"),
    [
        ({"rules": (Rule("never", "contact.LastName == 'Nobody'"),)}, {}, Reason.RULE),
        ({}, {"custentity_twinbook_locked": True}, Reason.LOCKED),
        ({"test_mode": True}, {}, Reason.TEST_MODE),
        ({"create": False}, {}, Reason.CREATE_DISABLED),
        ({}, {"email": None}, Reason.NO_EMAIL),
    ],
)
async def test_what_the_settings_keep_out_is_skipped_with_its_reason(
    w: World, settings: dict[str, Any], fields: dict[str, Any], reason: Reason
) -> None:
    w.configure(**settings)
    _, customer = w.linked_account()
    await stands(w, ada(w, customer, **fields), OutcomeKind.SKIPPED, reason)


@pytest.mark.parametrize("direction", FROM_NETSUITE)
async def test_a_contact_of_the_account_with_its_email_is_adopted(w: World, direction: Direction) -> None:
    account, customer = w.linked_account()
    w.configure(direction=direction, create=False)
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="King", Email="ADA@acme.example", AccountId=account
    )
    w.configure(direction=Direction.NETSUITE_TO_SALESFORCE)
    await w.settle()
    w.configure(direction=direction, create=True)
    there = ada(w, customer, title="Analyst")
    await w.settle()
    assert [(item.id, item.netsuite_id) for item in w.salesforce.contacts] == [(here, there)]
    assert w.salesforce.contact(here).fields["Title"] == "Analyst", "a value beats a blank"
    assert w.salesforce.contact(here).fields["LastName"] == "King", "two values: Salesforce's"
    assert w.netsuite.contact(there).salesforce_id == here
    expected = "King" if direction is Direction.BOTH else "Lovelace"
    assert w.netsuite.contact(there).fields["lastName"] == expected
    assert "adopted" in [entry.what for entry in await w.history(here)]
    assert await w.outcome_in_netsuite(there) is None


async def test_a_contact_with_its_email_at_another_account_is_nobody_it_could_adopt(w: World) -> None:
    _, customer = w.linked_account()
    other, _ = w.linked_account("Other")
    w.configure(direction=Direction.NETSUITE_TO_SALESFORCE)
    w.salesforce.user_creates_contact(LastName="King", Email="ada@acme.example", AccountId=other)
    there = ada(w, customer)
    await w.settle()
    assert sorted(str(item.netsuite_id) for item in w.salesforce.contacts) == sorted([there, "None"])


async def test_neither_of_two_takes_a_contact_that_a_person_is_asked_about(w: World) -> None:
    account, customer = w.linked_account()
    here = w.salesforce.user_creates_contact(LastName="Byron", Email="ada@acme.example", AccountId=account)
    two = [ada(w, customer), ada(w, customer, lastName="King", email="ADA@acme.example")]
    await w.settle()
    assert w.salesforce.contact(here).netsuite_id is None
    shown = [await w.outcome_in_netsuite(there) for there in two]
    assert [(found.reason, found.choices) for found in shown if found] == [
        (Reason.AMBIGUOUS_MATCH, (here, "new"))
    ] * 2
    asked = await w.outcome(here)
    assert (asked.reason, asked.choices) == (Reason.AMBIGUOUS_MATCH, (*sorted(two), "new"))
    key = Key(Entity.CONTACT, Side.SALESFORCE, here)
    await w.store.run(lambda tx: decisions.take(tx, key, two[1], by="test", now=w.clock.now()))
    await w.mark(key)
    await w.settle()
    assert w.salesforce.contact(here).netsuite_id == two[1]
    assert w.netsuite.contact(two[0]).salesforce_id is None


async def test_several_contacts_with_its_email_are_for_a_person_to_choose_from(w: World) -> None:
    w.configure(direction=Direction.NETSUITE_TO_SALESFORCE)
    account, customer = w.linked_account()
    ids = [
        w.salesforce.user_creates_contact(LastName=name, Email="ada@acme.example", AccountId=account)
        for name in ("King", "Byron")
    ]
    there = ada(w, customer)
    await stands(w, there, OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH)
    found = await w.outcome_in_netsuite(there)
    assert found is not None
    assert found.choices == (*sorted(ids), "new")
    key = Key(Entity.CONTACT, Side.NETSUITE, there)
    await w.store.run(lambda tx: decisions.take(tx, key, ids[1], by="test", now=w.clock.now()))
    await w.mark(key)
    await w.settle()
    assert w.salesforce.contact(ids[1]).netsuite_id == there
    left = await w.store.run(lambda tx: decisions.of_records(tx, Entity.CONTACT, Side.NETSUITE, [there]))
    assert left == {}


async def test_a_contact_with_its_email_that_belongs_to_another_is_taken(w: World) -> None:
    _, customer = w.linked_account()
    ada(w, customer)
    await w.settle()
    writes = w.salesforce.writes
    second = ada(w, customer, firstName="Augusta")
    await w.settle()
    found = await w.outcome_in_netsuite(second)
    assert found is not None
    assert (found.kind, found.reason) == (OutcomeKind.REVIEW, Reason.MATCH_TAKEN)
    assert w.salesforce.writes == writes
    w.configure(shared_email=SharedEmail.CREATE)
    await w.mark(found.key)
    await w.settle()
    assert len(w.salesforce.contacts) == 2


async def test_two_contacts_that_share_a_mailbox_are_decided_one_after_the_other(w: World) -> None:
    _, customer = w.linked_account()
    ids = [ada(w, customer), ada(w, customer, firstName="Augusta")]
    await w.settle()
    assert len(w.salesforce.contacts) == 1
    outcomes = [await w.outcome_in_netsuite(id_) for id_ in ids]
    assert [found.reason for found in outcomes if found] == [Reason.MATCH_TAKEN]


async def test_a_refusal_by_salesforce_is_shown_with_its_own_message_and_heals(w: World) -> None:
    _, customer = w.linked_account()
    there = ada(w, customer)
    refusal = PermanentError(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A phone is needed.", remedy="Correct the contact."
    )
    w.salesforce.refuse(there, refusal)
    await w.settle()
    found = await w.outcome_in_netsuite(there)
    assert found is not None
    assert (found.kind, found.reason) == (OutcomeKind.FAILED, Reason.REFUSED_BY_SALESFORCE)
    assert "A phone is needed." in found.detail
    [incident] = await w.incidents()
    assert incident.key == found.key
    w.salesforce.refuse(there, None)
    w.netsuite.user_edits(there, {"phone": "030 1234567"})
    await w.settle()
    assert [item.netsuite_id for item in w.salesforce.contacts] == [there]
    assert await w.incidents() == []


async def test_a_value_that_salesforce_cannot_hold_is_found_before_it_is_sent(w: World) -> None:
    w.configure(salesforce_schema=await w.salesforce.describe(Entity.CONTACT))
    _, customer = w.linked_account()
    there = ada(w, customer, phone="0" * 32, title="T" * 99, lastName=None, entityId="Ada")
    await stands(w, there, OutcomeKind.FAILED, Reason.REQUIRED_FIELD_MISSING)
    found = await w.outcome_in_netsuite(there)
    assert found is not None
    assert "LastName" in found.detail


@pytest.mark.parametrize("kind", ["upsert_contacts", "update_contact", "read_contacts", "find_contacts"])
@pytest.mark.parametrize("direction", FROM_NETSUITE)
async def test_lost_answers_and_outages_never_lead_to_a_second_contact(
    w: World, direction: Direction, kind: str
) -> None:
    w.configure(direction=direction)
    _, customer = w.linked_account()
    there = ada(w, customer, title="Analyst")
    down = TemporaryError("SERVER_UNAVAILABLE", "down")
    if kind == "upsert_contacts":
        w.salesforce.fail(kind, down, after_commit=True)
    elif kind == "update_contact":
        w.netsuite.lose_answer(kind)
    else:
        w.salesforce.fail(kind, down, times=2)
    await w.settle()
    [here] = w.salesforce.contacts
    assert (here.netsuite_id, w.netsuite.contact(there).salesforce_id) == (there, here.id)
    assert len(w.netsuite.contacts) == 1
    assert here.fields["Title"] == "Analyst"
    link = await w.link(here.id)
    assert link is not None
    assert (link.netsuite_id, link.state) == (there, LinkState.LINKED)


async def test_an_id_that_netsuite_refuses_at_first_is_written_later(w: World) -> None:
    _, customer = w.linked_account()
    there = ada(w, customer)
    w.netsuite.fail("update_contact", TemporaryError("SERVER_UNAVAILABLE", "down"), times=3)
    await w.settle()
    [here] = w.salesforce.contacts
    assert w.netsuite.contact(there).salesforce_id == here.id


async def test_one_person_created_on_both_sides_at_once_gets_one_pair(w: World) -> None:
    account, customer = w.linked_account()
    there = ada(w, customer)
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    assert [item.id for item in w.netsuite.contacts] == [there]
    assert [(item.id, item.netsuite_id) for item in w.salesforce.contacts] == [(here, there)]


async def test_lanes_that_look_at_one_person_from_both_sides_at_the_same_time_make_one_pair(w: World) -> None:
    """Lanes are held up before each call in turn, so that they meet in every order."""
    accounts = [w.linked_account(f"Company {n}") for n in range(30)]
    turns = iter(range(10_000_000))

    async def dawdle(_: str) -> None:
        for _ in range(next(turns) * 7 % 5):
            await asyncio.sleep(0)

    w.netsuite.before_call = dawdle
    w.salesforce.before_call = dawdle
    w.connection = replace(w.connection, options=replace(w.connection.options, lanes=6))
    for n, (account, customer) in enumerate(accounts):
        ada(w, customer, email=f"ada{n}@acme.example")
        w.salesforce.user_creates_contact(
            FirstName="Ada", LastName="Lovelace", Email=f"ada{n}@acme.example", AccountId=account
        )
    for _ in range(12):
        await w.notice()
        await asyncio.gather(*(Lane(w.connection).drain() for _ in range(6)))
        w.clock.at += 1
    await w.settle()
    assert len(w.netsuite.contacts) == len(w.salesforce.contacts) == 30
    pairs = {(item.id, item.netsuite_id) for item in w.salesforce.contacts}
    assert pairs == {(item.salesforce_id, item.id) for item in w.netsuite.contacts}


def meanwhile(w: World, system: Any, kind: str, act: Callable[[], Awaitable[None]]) -> list[str]:
    """Let something happen right before the next call of a kind; the list is filled once it did."""
    happened: list[str] = []

    async def interrupt(called: str) -> None:
        if called == kind and not happened:
            happened.append(called)
            await act()

    system.before_call = interrupt
    return happened


async def test_a_netsuite_contact_steps_aside_for_one_that_is_just_being_created_from_salesforce(
    w: World,
) -> None:
    account, customer = w.linked_account()
    there: list[str] = []

    async def entered_in_netsuite_too() -> None:
        there.append(ada(w, customer, firstName="Augusta"))
        await w.notice_netsuite()
        await Lane(w.connection).drain()

    happened = meanwhile(w, w.netsuite, "create_contact", entered_in_netsuite_too)
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    assert happened
    link = await w.link(here)
    assert link is not None
    [made] = [item for item in w.netsuite.contacts if item.external_id == f"SFC_{here}"]
    assert (link.netsuite_id, w.salesforce.contact(here).netsuite_id) == (made.id, made.id)
    assert w.netsuite.contact(there[0]).salesforce_id is None
    left = await w.outcome_in_netsuite(there[0])
    assert left is not None
    assert left.reason is Reason.MATCH_TAKEN
    assert len(w.salesforce.contacts) == 1


async def test_a_new_salesforce_contact_steps_aside_until_its_link_is_stored(w: World) -> None:
    """Its event arrives before the lane that created it has read the answer."""
    _, customer = w.linked_account()
    await w.settle()

    async def event_of_the_new_contact() -> None:
        await w.notice()
        await Lane(w.connection).drain()

    there = ada(w, customer)
    await w.notice_netsuite()
    w.salesforce.calls.clear()
    happened: list[str] = []

    async def interrupt(called: str) -> None:
        if called == "read_contacts" and w.salesforce.calls["upsert_contacts"] and not happened:
            happened.append(called)
            await event_of_the_new_contact()

    w.salesforce.before_call = interrupt
    await w.settle()
    assert happened
    [here] = w.salesforce.contacts
    assert [item.id for item in w.netsuite.contacts] == [there]
    assert [entry.what for entry in await w.history(here.id)] == ["created"]
    assert (await w.outcome(here.id)).kind is OutcomeKind.UNCHANGED


async def test_ids_that_both_records_carry_find_a_lost_link_again(w: World) -> None:
    account, customer = w.linked_account()
    w.configure(direction=Direction.NETSUITE_TO_SALESFORCE)
    here = w.salesforce.user_creates_contact(LastName="King", AccountId=account, Phone="030 7654321")
    there = ada(w, customer, email=None, custentity_twinbook_sf_id=here)
    await w.settle()
    link = await w.link(here)
    assert link is not None
    assert link.netsuite_id == there
    assert w.salesforce.contact(here).netsuite_id == there
    assert w.salesforce.contact(here).fields["Phone"] == "030 7654321"


async def test_a_salesforce_contact_that_carries_its_id_is_never_written_over(w: World) -> None:
    account, customer = w.linked_account()
    w.configure(direction=Direction.NETSUITE_TO_SALESFORCE)
    there = ada(w, customer, title="Analyst")
    here = w.salesforce.user_creates_contact(
        LastName="King", Title="Countess", AccountId=account, NetSuite_Id__c=there
    )
    await w.settle()
    assert len(w.salesforce.contacts) == 1
    assert w.salesforce.contact(here).fields["Title"] == "Countess"
    assert w.salesforce.contact(here).fields["Email"] == "ada@acme.example"


async def test_a_contact_that_vanishes_before_it_was_linked_is_no_contact(w: World) -> None:
    customer = w.netsuite.user_creates_customer("Acme", subsidiary="1")
    there = ada(w, customer)
    await stands(w, there, OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED)
    w.netsuite.user_deletes(there)
    await stands(w, there, OutcomeKind.SKIPPED, Reason.DELETED_IN_NETSUITE)


@pytest.mark.parametrize("name", ["id", "email"])
async def test_a_contact_that_lives_in_netsuite_only_is_explained(w: World, name: str) -> None:
    customer = w.netsuite.user_creates_customer("Acme", subsidiary="1")
    there = ada(w, customer)
    await w.settle()
    [found] = await Explainer(w.connection).explain({"id": there, "email": "Ada@acme.example"}[name])
    assert (found.salesforce_id, found.netsuite_id, found.name) == (None, there, "Ada Lovelace")
    assert found.plan is not None
    assert found.plan.reason is Reason.ACCOUNT_NOT_SYNCED
    assert found.remembered.outcome is not None
    w.netsuite.fail("*", TemporaryError("SERVER_UNAVAILABLE", "down"), times=1)
    [remembered] = await Explainer(w.connection).explain(there)
    assert (remembered.netsuite_id, remembered.plan) == (there, None)


async def test_a_contact_of_netsuite_that_was_never_looked_at_is_explained_too(w: World) -> None:
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    there = ada(w, w.linked_account()[1])
    [found] = await Explainer(w.connection).explain(there)
    assert found.plan is not None
    assert found.plan.reason is Reason.DIRECTION_OFF
    assert await Explainer(w.connection).explain("999999") == []


async def test_a_contact_of_netsuite_can_be_pushed_and_decided_by_its_id(w: World) -> None:
    _, customer = w.linked_account()
    first = ada(w, customer)
    await w.settle()
    second = ada(w, customer, firstName="Augusta")
    await w.settle()
    key = await w.store.run(lambda tx: controls.key_of(tx, second))
    assert key == Key(Entity.CONTACT, Side.NETSUITE, second)
    await w.store.run(lambda tx: controls.choose(tx, key, "new", by="test", now=w.clock.now()))
    await w.settle()
    here = {item.netsuite_id: item.id for item in w.salesforce.contacts}
    assert here.keys() == {first, second}
    pushed = await w.store.run(lambda tx: controls.key_of(tx, second))
    assert pushed == Key(Entity.CONTACT, Side.SALESFORCE, here[second])
    assert await w.store.run(lambda tx: controls.key_of(tx, "999999")) is None


async def test_hundreds_of_new_contacts_take_few_calls(w: World) -> None:
    """An import in NetSuite: one call each to write the id back, the rest shared by the batch."""
    customers = [w.linked_account(f"Company {n}")[1] for n in range(20)]
    await w.settle()
    for n in range(200):
        ada(w, customers[n % 20], lastName=f"Number{n}", email=f"n{n}@acme.example")
    w.salesforce.calls.clear()
    w.netsuite.calls.clear()
    await w.notice_netsuite()
    await w.drain()
    assert len(w.salesforce.contacts) == 200
    assert w.netsuite.calls["update_contact"] == 200
    assert w.salesforce.calls.total() <= 5, w.salesforce.calls
    assert w.netsuite.calls.total() - 200 <= 3, w.netsuite.calls
