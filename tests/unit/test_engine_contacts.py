"""The life of a contact through the engine, over both systems in memory. Both ends are checked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction, NameClash
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.engine.care import controls
from twinbook.engine.connection import Options, StatusFields
from twinbook.store.incidents import IncidentKind


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


async def test_a_contact_of_a_linked_account_is_created_and_both_ids_are_stored(w: World) -> None:
    account, customer = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    [there] = w.netsuite.contacts
    assert (there.fields["firstName"], there.fields["lastName"], there.email) == (
        "Ada",
        "Lovelace",
        "ada@acme.example",
    )
    assert there.company_id == customer
    assert there.salesforce_id == contact
    assert there.external_id == f"SFC_{contact}"
    assert w.salesforce.contact(contact).netsuite_id == there.id
    link = await w.link(contact)
    assert link is not None
    assert (link.netsuite_id, link.state) == (there.id, LinkState.LINKED)


async def test_the_echo_of_our_own_write_writes_nothing(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    writes = w.netsuite.writes, w.salesforce.writes
    await w.mark(*(key for key in [(await w.outcome(contact)).key]))
    await w.settle()
    assert (w.netsuite.writes, w.salesforce.writes) == writes
    assert (await w.outcome(contact)).kind is OutcomeKind.UNCHANGED
    assert (await w.outcome(contact)).written == "created"


async def test_an_edit_reaches_netsuite_by_the_stored_id_a_changed_email_included(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    w.salesforce.user_edits(contact, {"Email": "ada.king@acme.example", "Title": "Countess"})
    await w.settle()
    [there] = w.netsuite.contacts
    assert (there.email, there.fields["title"]) == ("ada.king@acme.example", "Countess")
    assert [entry.what for entry in await w.history(contact)] == ["updated", "created"]
    changes = {
        change.field: (change.before, change.after) for change in (await w.history(contact))[0].changes
    }
    assert changes["email"] == ("ada@acme.example", "ada.king@acme.example")


async def test_clearing_the_email_of_a_linked_contact_travels(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    w.salesforce.user_edits(contact, {"Email": None})
    await w.settle()
    assert w.netsuite.contacts[0].email is None


async def test_a_contact_is_matched_by_email_and_updated_not_duplicated(w: World) -> None:
    account, customer = w.linked_account()
    there = w.netsuite.user_creates_contact(
        firstName="Ada",
        lastName="Byron",
        email="ADA@acme.example ",
        company=customer,
        subsidiary="1",
        phone="030 1234567",
    )
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    [found] = w.netsuite.contacts
    assert (found.id, found.fields["lastName"], found.fields["phone"]) == (there, "Lovelace", "030 1234567")
    assert w.salesforce.contact(contact).netsuite_id == there
    assert found.salesforce_id == contact
    assert (await w.history(contact))[0].what == "adopted"


async def test_a_prospects_contact_waits_and_is_released_when_its_account_is_linked_by_whomever(
    w: World,
) -> None:
    account = w.salesforce.user_creates_account("Prospect")
    ids = [
        w.salesforce.user_creates_contact(LastName=name, Email=f"{name}@p.example", AccountId=account)
        for name in ("Ada", "Grace", "Edsger")
    ]
    await w.settle()
    assert w.netsuite.contacts == []
    for contact in ids:
        found = await w.outcome(contact)
        assert (found.kind, found.reason) == (OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED)
    customer = w.netsuite.user_creates_customer("Prospect", subsidiary="1")
    w.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
    await w.settle()
    assert {item.salesforce_id for item in w.netsuite.contacts} == set(ids)


async def test_a_won_opportunity_makes_the_customer_and_sends_all_contacts(w: World) -> None:
    account = w.salesforce.user_creates_account("Prospect")
    opportunity = w.salesforce.user_creates_opportunity(account)
    for name in ("Ada", "Grace"):
        w.salesforce.user_creates_contact(LastName=name, Email=f"{name}@p.example", AccountId=account)
    await w.settle()
    assert w.netsuite.customers == []
    w.salesforce.user_wins(opportunity)
    await w.settle()
    [customer] = w.netsuite.customers
    assert (customer.name, customer.external_id, customer.salesforce_id) == (
        "Prospect",
        f"SFA_{account}",
        account,
    )
    assert w.salesforce.account(account).netsuite_id == customer.id
    assert {item.company_id for item in w.netsuite.contacts} == {customer.id}
    assert len(w.netsuite.contacts) == 2


async def test_pushing_an_account_links_the_customer_of_the_same_name_and_resets_the_checkbox(
    w: World,
) -> None:
    customer = w.netsuite.user_creates_customer("Prospect", subsidiary="1")
    account = w.salesforce.user_creates_account("Prospect")
    w.salesforce.user_creates_contact(LastName="Ada", Email="ada@p.example", AccountId=account)
    await w.settle()
    w.salesforce.user_edits(account, {"Push_to_NetSuite__c": True})
    await w.settle()
    assert [item.id for item in w.netsuite.customers] == [customer]
    assert w.salesforce.account(account).netsuite_id == customer
    assert w.salesforce.account(account).push_requested is False
    assert len(w.netsuite.contacts) == 1


async def test_the_push_checkbox_of_a_contact_is_reset_with_the_outcome(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Nomail", AccountId=account, Push_to_NetSuite__c=True
    )
    await w.settle()
    assert (await w.outcome(contact)).reason is Reason.NO_EMAIL
    assert w.salesforce.contact(contact).push_requested is False


async def test_two_contacts_that_share_a_mailbox_are_decided_one_after_the_other(w: World) -> None:
    account, _ = w.linked_account()
    ids = [
        w.salesforce.user_creates_contact(LastName=name, Email="info@acme.example", AccountId=account)
        for name in ("Ada", "Grace")
    ]
    await w.settle()
    kinds = {(await w.outcome(contact)).kind for contact in ids}
    assert len(w.netsuite.contacts) == 1
    assert OutcomeKind.REVIEW in kinds
    review = [
        item for item in [await w.outcome(contact) for contact in ids] if item.kind is OutcomeKind.REVIEW
    ]
    assert review[0].reason is Reason.MATCH_TAKEN


async def test_a_name_that_is_taken_by_somebody_else_gets_a_distinct_one(w: World) -> None:
    account, customer = w.linked_account()
    w.netsuite.user_creates_contact(
        firstName="Ada", lastName="Lovelace", email="other@acme.example", company=customer, subsidiary="1"
    )
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    assert len(w.netsuite.contacts) == 2
    [mine] = [item for item in w.netsuite.contacts if item.salesforce_id == contact]
    assert mine.name.startswith("Ada Lovelace (003")
    assert (mine.fields["firstName"], mine.fields["lastName"]) == ("Ada", "Lovelace")
    assert w.salesforce.contact(contact).netsuite_id == mine.id


async def test_a_lost_answer_to_a_create_never_leads_to_a_second_contact(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    w.netsuite.lose_answer("create_contact")
    await w.settle()
    [there] = w.netsuite.contacts
    assert w.salesforce.contact(contact).netsuite_id == there.id
    assert await w.incidents() == []


async def test_a_failed_write_back_of_the_id_is_repaired_without_a_second_create(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    w.salesforce.fail("update_contacts", TemporaryError("TIMEOUT", "no answer"), times=2)
    await w.settle()
    [there] = w.netsuite.contacts
    assert w.netsuite.calls["create_contact"] == 1
    assert w.salesforce.contact(contact).netsuite_id == there.id


async def test_temporary_refusals_are_shown_as_retrying_and_close_by_themselves(w: World) -> None:
    account, _ = w.linked_account()
    await w.settle()
    w.salesforce.user_creates_contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    w.netsuite.throttle("create_contact", times=1)
    await w.notice()
    await w.drain()
    [shown] = await w.incidents()
    assert shown.kind is IncidentKind.RETRYING
    await w.settle()
    assert len(w.netsuite.contacts) == 1
    assert await w.incidents() == []


async def test_a_permanent_refusal_is_shown_with_its_remedy_and_a_later_success_closes_it(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    refusal = PermanentError(
        "USER_ERROR", "Please enter value(s) for: Category.", field="category", remedy="Fill it."
    )
    w.netsuite.refuse(f"SFC_{contact}", refusal)
    await w.settle()
    found = await w.outcome(contact)
    assert (found.kind, found.reason) == (OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE)
    [shown] = await w.incidents()
    assert (shown.code, shown.field, shown.remedy) == ("USER_ERROR", "category", "Fill it.")
    w.netsuite.refuse(f"SFC_{contact}", None)
    await w.store.run(lambda tx: controls.retry(tx, [shown], now=w.clock.now()))
    await w.settle()
    assert await w.incidents() == []
    assert len(w.netsuite.contacts) == 1


async def test_one_refused_contact_does_not_hold_up_the_others_of_its_batch(w: World) -> None:
    account, _ = w.linked_account()
    ids = [
        w.salesforce.user_creates_contact(
            LastName=f"Number{n}", Email=f"n{n}@acme.example", AccountId=account
        )
        for n in range(10)
    ]
    w.netsuite.refuse(f"SFC_{ids[3]}", PermanentError("USER_ERROR", "no"))
    await w.settle()
    assert {item.salesforce_id for item in w.netsuite.contacts} == set(ids) - {ids[3]}


async def test_paused_changes_wait_and_are_worked_off_on_resume(w: World) -> None:
    account, _ = w.linked_account()
    await w.settle()
    await w.store.run(lambda tx: controls.pause(tx, by="ada", now=w.clock.now()))
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    assert (await w.outcome(contact)).reason is Reason.PAUSED
    assert w.netsuite.contacts == []
    await w.store.run(lambda tx: controls.resume(tx, by="ada", now=w.clock.now()))
    await w.settle()
    assert len(w.netsuite.contacts) == 1


async def test_a_contact_deleted_in_salesforce_keeps_its_netsuite_contact_and_can_come_back(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    w.salesforce.user_deletes(contact)
    await w.settle()
    assert (await w.outcome(contact)).reason is Reason.DELETED_IN_SALESFORCE
    link = await w.link(contact)
    assert link is not None
    assert link.state is LinkState.CLOSED
    assert len(w.netsuite.contacts) == 1
    w.salesforce.user_undeletes(contact)
    w.salesforce.user_edits(contact, {"Title": "Countess"})
    await w.settle()
    [there] = w.netsuite.contacts
    assert there.fields["title"] == "Countess"
    link = await w.link(contact)
    assert link is not None
    assert link.state is LinkState.LINKED


async def test_the_status_fields_say_what_became_of_it_and_are_written_only_when_they_change() -> None:
    async with world(status=True) as w:
        account, _ = w.linked_account()
        good = w.salesforce.user_creates_contact(
            LastName="Lovelace", Email="ada@acme.example", AccountId=account
        )
        bad = w.salesforce.user_creates_contact(LastName="Nomail", AccountId=account)
        prospect = w.salesforce.user_creates_account("Prospect")
        waiting = w.salesforce.user_creates_contact(LastName="Waits", Email="w@p.example", AccountId=prospect)
        await w.settle()
        assert w.salesforce.contact(good).status == "Synced"
        assert w.salesforce.contact(bad).status == "Skipped"
        assert (w.salesforce.contact(bad).status_message or "").startswith("NO_EMAIL: ")
        assert w.salesforce.contact(waiting).status is None
        assert (
            w.salesforce.contact(good).netsuite_link
            == f"https://netsuite.example/{w.netsuite.contacts[0].id}"
        )
        assert w.salesforce.contact(bad).netsuite_link is None
        assert w.salesforce.account(account).status == "Synced"
        assert w.salesforce.account(prospect).status is None
        writes = w.salesforce.writes
        for contact in (good, bad, waiting):
            await w.mark((await w.outcome(contact)).key)
        for id_ in (account, prospect):
            await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, id_))
        await w.settle()
        assert w.salesforce.writes == writes


async def test_status_fields_that_are_not_installed_cause_no_writes() -> None:
    only_status = StatusFields("NetSuite_Sync_Status__c")
    async with world(options=Options(lanes=1, status_fields=only_status)) as w:
        account, _ = w.linked_account()
        bad = w.salesforce.user_creates_contact(LastName="Nomail", AccountId=account)
        await w.settle()
        assert w.salesforce.contact(bad).status == "Skipped"
        assert w.salesforce.contact(bad).status_message is None
        writes = w.salesforce.writes
        await w.mark((await w.outcome(bad)).key)
        await w.settle()
        assert w.salesforce.writes == writes


async def test_an_edit_that_could_not_be_written_is_written_later_and_not_taken_for_agreed(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    w.salesforce.user_edits(contact, {"Title": "Countess"})
    w.netsuite.throttle("update_contact", times=2)
    await w.settle()
    assert w.netsuite.contacts[0].fields["title"] == "Countess"


async def test_a_refused_edit_stays_an_edit_and_is_written_when_it_is_allowed(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    [there] = w.netsuite.contacts
    w.netsuite.refuse(there.id, PermanentError("USER_ERROR", "The period is locked."))
    w.salesforce.user_edits(contact, {"Title": "Countess"})
    await w.settle()
    assert (await w.outcome(contact)).kind is OutcomeKind.FAILED
    w.netsuite.refuse(there.id, None)
    await w.store.run(lambda tx: controls.retry(tx, controls.open_incidents(tx, []), now=w.clock.now()))
    await w.settle()
    assert w.netsuite.contacts[0].fields["title"] == "Countess"


async def test_a_login_that_is_refused_fails_no_contact(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    refusal = PermanentError("INVALID_LOGIN", "certificate expired", remedy="Renew it.")
    w.netsuite.fail("find_contacts", refusal, times=3)
    w.salesforce.user_edits(contact, {"Title": "Countess"})
    await w.notice()
    await w.drain()
    [shown] = await w.incidents()
    assert (shown.code, shown.remedy) == ("INVALID_LOGIN", "Renew it.")
    await w.settle()
    assert w.netsuite.contacts[0].fields["title"] == "Countess"
    assert await w.incidents() == []


async def test_a_name_clash_under_review_writes_nothing_and_leaves_no_intent(w: World) -> None:
    w.configure(name_clash=NameClash.REVIEW)
    account, customer = w.linked_account()
    w.netsuite.user_creates_contact(
        firstName="Ada", lastName="Lovelace", email="other@acme.example", company=customer, subsidiary="1"
    )
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    found = await w.outcome(contact)
    assert (found.kind, found.reason) == (OutcomeKind.REVIEW, Reason.NAME_CLASH)
    assert len(w.netsuite.contacts) == 1
    assert await w.link(contact) is None


async def test_an_edit_in_netsuite_reaches_salesforce_when_both_directions_are_on(w: World) -> None:
    w.configure(direction=Direction.BOTH)
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    [there] = w.netsuite.contacts
    w.netsuite.user_edits(there.id, {"title": "Countess"})
    w.salesforce.fail("update_contacts", TemporaryError("TIMEOUT", "no answer"), times=2)
    await w.mark((await w.outcome(contact)).key)
    await w.settle()
    assert w.salesforce.contact(contact).fields["Title"] == "Countess"
    assert w.netsuite.contacts[0].fields["title"] == "Countess"


async def test_a_customer_that_moves_to_another_account_takes_the_gate_with_it(w: World) -> None:
    first, customer = w.linked_account("First")
    second = w.salesforce.user_creates_account("Second")
    moved = w.salesforce.user_creates_contact(LastName="Waits", Email="w@second.example", AccountId=second)
    await w.settle()
    w.salesforce.user_edits(first, {"NetSuite_Id__c": None})
    w.salesforce.user_edits(second, {"NetSuite_Id__c": customer})
    await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, second))
    await w.drain()
    late = w.salesforce.user_creates_contact(LastName="Late", Email="late@first.example", AccountId=first)
    await w.settle()
    assert [item.salesforce_id for item in w.netsuite.contacts] == [moved]
    assert (await w.outcome(late)).reason is Reason.ACCOUNT_NOT_SYNCED


async def test_a_link_that_the_store_forgot_is_found_by_the_id_in_salesforce(w: World) -> None:
    account, customer = w.linked_account()
    there = w.netsuite.user_creates_contact(
        firstName="Ada", lastName="Byron", email="old@acme.example", company=customer, subsidiary="1"
    )
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada",
        LastName="Lovelace",
        Email="new@acme.example",
        AccountId=account,
        NetSuite_Id__c=there,
    )
    await w.settle()
    [found] = w.netsuite.contacts
    assert (found.id, found.email, found.salesforce_id) == (there, "new@acme.example", contact)


async def test_a_mailbox_is_free_again_when_the_contact_that_held_it_is_no_longer_created(w: World) -> None:
    account, _ = w.linked_account()
    await w.settle()
    first = w.salesforce.user_creates_contact(LastName="First", Email="info@acme.example", AccountId=account)
    w.netsuite.throttle("create_contact", times=1)
    await w.notice()
    await w.drain()
    w.salesforce.user_edits(first, {"Email": None})
    second = w.salesforce.user_creates_contact(
        LastName="Second", Email="info@acme.example", AccountId=account
    )
    await w.settle()
    assert (await w.outcome(first)).reason is Reason.NO_EMAIL
    assert [item.salesforce_id for item in w.netsuite.contacts] == [second]


async def test_an_undeleted_contact_goes_on_with_what_was_agreed(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", Title="Analyst", AccountId=account
    )
    await w.settle()
    w.salesforce.user_deletes(contact)
    await w.settle()
    w.salesforce.user_undeletes(contact)
    w.salesforce.user_edits(contact, {"Title": None})
    await w.settle()
    [there] = w.netsuite.contacts
    assert there.fields.get("title") is None, "clearing on purpose travels: this is no adoption"
