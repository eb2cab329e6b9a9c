"""Rows of section 2 over the real protocols: a Salesforce contact on its way to NetSuite, both ends checked."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from tests.scenario.looking import Acme, look
from tests.scenario.product import Product

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.records import Entity
from twinbook.store.outcomes import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def acme(shared: Product) -> Acme:
    return await Acme.founded(shared)


def stands(found: Outcome, kind: OutcomeKind, reason: str | None) -> None:
    assert (found.kind, found.reason) == (kind, reason), found.detail


async def linked(p: Product, here: str, there: str) -> bool:
    """Whether the two carry each other's id."""
    ours = (await p.salesforce.read("Contact", here)).get("NetSuite_Id__c")
    theirs = (await p.netsuite.read("contact", there)).get("custentity_twinbook_sf_id")
    return (ours, theirs) == (there, here)


@pytest.mark.row("2-2")
async def test_paused_it_waits_and_is_worked_off_on_resume(shared: Product, acme: Acme) -> None:
    assert (await shared.command("pause")).code == 0
    here = await acme.here()
    stands(await look(shared, here), OutcomeKind.WAITING, "PAUSED")
    assert await acme.count() == 0
    assert (await shared.command("resume")).code == 0
    await look(shared, here)
    assert await acme.count() == 1


@pytest.mark.row("2-3", "6-person")
async def test_a_person_account_is_skipped_as_contact_and_as_account(shared: Product) -> None:
    shared.configure("accounts", triggers=["all"])
    account = await shared.salesforce.insert(
        "Account", {"LastName": "Person", "FirstName": "Private", "PersonEmail": "private@home.example"}
    )
    contact = (await shared.salesforce.read("Account", account))["PersonContactId"]
    before = await shared.netsuite.count("contact"), await shared.netsuite.count("customer")
    stands(await look(shared, contact), OutcomeKind.SKIPPED, "PERSON_ACCOUNT")
    stands(await look(shared, account, entity=Entity.ACCOUNT), OutcomeKind.SKIPPED, "PERSON_ACCOUNT")
    assert (await shared.netsuite.count("contact"), await shared.netsuite.count("customer")) == before
    told = await shared.salesforce.read("Contact", contact)
    assert (told.get("NetSuite_Id__c"), told.get("NetSuite_Sync_Status__c")) == (None, None)


@pytest.mark.row("2-3")
async def test_a_linked_person_account_keeps_its_contact_out(shared: Product) -> None:
    """A hidden id on the account, set by whomever, does not let the person out."""
    customer = await shared.netsuite.insert("customer", {"companyName": "Home", "subsidiary": {"id": "1"}})
    account = await shared.salesforce.insert(
        "Account", {"LastName": "Linked", "PersonEmail": "linked@home.example", "NetSuite_Id__c": customer}
    )
    contact = (await shared.salesforce.read("Account", account))["PersonContactId"]
    stands(await look(shared, contact), OutcomeKind.SKIPPED, "PERSON_ACCOUNT")
    assert await shared.netsuite.records("contact", {"email": "linked@home.example"}) == []


@pytest.mark.row("2-4")
@pytest.mark.parametrize("setting", ["skip", "sync"])
async def test_without_an_account(shared: Product, acme: Acme, setting: str) -> None:
    shared.configure("contacts", contacts_without_account=setting)
    here = await acme.here(AccountId=None)
    found, there = await look(shared, here), None
    if setting == "skip":
        stands(found, OutcomeKind.SKIPPED, "NO_ACCOUNT")
    else:
        stands(found, OutcomeKind.CREATED, None)
        there = await shared.in_netsuite(here)
        assert there is not None
        assert (there["email"], there.get("company")) == (acme.email, None)
    assert (await shared.in_netsuite(here) is None) is (there is None)


@pytest.mark.row("2-7")
async def test_a_rule_that_is_false_is_named_with_what_it_saw(shared: Product, acme: Acme) -> None:
    rule = {"name": "no partners", "expression": "contact.LeadSource != 'Partner'"}
    shared.configure("contacts", rules=[rule])
    here = await acme.here(LeadSource="Partner")
    found = await look(shared, here)
    stands(found, OutcomeKind.SKIPPED, "RULE")
    assert "no partners" in found.detail
    assert any("Partner" in str(step) for step in found.trace)
    assert await acme.count() == 0
    await shared.salesforce.update("Contact", here, {"LeadSource": "Web"})
    await look(shared, here)
    assert await acme.count() == 1


@pytest.mark.row("2-8")
async def test_in_test_mode_only_the_tagged_go_out(shared: Product, acme: Acme) -> None:
    shared.configure("contacts", test_mode=True)
    here = await acme.here(Description="nothing special")
    stands(await look(shared, here), OutcomeKind.SKIPPED, "TEST_MODE")
    assert await acme.count() == 0
    await shared.salesforce.update("Contact", here, {"Description": "try [twinbook-test]"})
    stands(await look(shared, here), OutcomeKind.CREATED, None)
    assert await acme.count() == 1


@pytest.mark.row("2-10", "2-11")
@pytest.mark.parametrize("held", ["locked", "update off"])
async def test_a_linked_contact_that_is_held_is_left_alone(shared: Product, acme: Acme, held: str) -> None:
    shared.configure("netsuite", locked_field="custentity_twinbook_locked")
    here, there = await acme.pair(Title="Analyst")
    if held == "locked":
        await shared.netsuite.update("contact", there, {"custentity_twinbook_locked": True})
    else:
        shared.configure("contacts", update=False)
    await shared.salesforce.update("Contact", here, {"Title": "Countess"})
    reason = "LOCKED" if held == "locked" else "UPDATE_DISABLED"
    stands(await look(shared, here), OutcomeKind.SKIPPED, reason)
    assert (await shared.netsuite.read("contact", there))["title"] == "Analyst"


@pytest.mark.row("2-12", "4-cleared")
async def test_the_email_of_a_linked_contact_changes_and_is_cleared(shared: Product, acme: Acme) -> None:
    here, there = await acme.pair()
    for email in (f"new.{acme.email}", None):
        await shared.salesforce.update("Contact", here, {"Email": email})
        stands(await look(shared, here), OutcomeKind.UPDATED, None)
        assert (await shared.netsuite.read("contact", there)).get("email") == email
    assert await acme.count() == 1


@pytest.mark.row("2-13")
async def test_without_an_email_it_is_skipped(shared: Product, acme: Acme) -> None:
    stands(await look(shared, await acme.here(Email=None)), OutcomeKind.SKIPPED, "NO_EMAIL")
    assert await acme.count() == 0


@pytest.mark.row("2-14")
@pytest.mark.parametrize("evidence", ["custom field", "external id"])
async def test_who_carries_its_id_is_adopted(shared: Product, acme: Acme, evidence: str) -> None:
    """Another email and another name do not matter."""
    here = await acme.here()
    carried = (
        {"custentity_twinbook_sf_id": here} if evidence == "custom field" else {"externalId": f"SFC_{here}"}
    )
    there = await acme.there(email="other@acme.example", firstName="Augusta", **carried)
    stands(await look(shared, here), OutcomeKind.ADOPTED, None)
    assert await linked(shared, here, there)
    assert await acme.count() == 1


@pytest.mark.row("2-15")
@pytest.mark.parametrize("setting", ["review", "create"])
async def test_when_all_of_its_email_belong_to_others(shared: Product, acme: Acme, setting: str) -> None:
    shared.configure("contacts", shared_email=setting)
    await acme.pair()
    here = await acme.here(FirstName="Augusta")
    found = await look(shared, here)
    if setting == "review":
        stands(found, OutcomeKind.REVIEW, "MATCH_TAKEN")
        assert await acme.count() == 1
    else:
        stands(found, OutcomeKind.CREATED, None)
        assert await acme.count() == 2


@pytest.mark.row("2-16", "4-adoption")
async def test_the_one_of_its_email_at_the_customer_is_adopted(shared: Product, acme: Acme) -> None:
    """Email in another spelling; a value beats a blank, Salesforce's beats NetSuite's, and no blank erases."""
    there = await acme.there(email=acme.email.upper(), title="Countess", phone="030 1234567")
    here = await acme.here(Title="Analyst", Fax="030 7654321")
    stands(await look(shared, here), OutcomeKind.ADOPTED, None)
    assert await linked(shared, here, there)
    kept = await shared.netsuite.read("contact", there)
    assert (kept["title"], kept["phone"], kept["fax"]) == ("Analyst", "030 1234567", "030 7654321")
    assert await acme.count() == 1


@pytest.mark.row("2-17")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, None),
        ({"other_company": "review"}, "OTHER_COMPANY"),
        ({"match_scope": "account"}, None),
    ],
)
async def test_the_one_of_its_email_elsewhere(
    shared: Product, acme: Acme, settings: dict[str, Any], reason: str | None
) -> None:
    shared.configure("contacts", **settings)
    elsewhere = None if not settings else {"id": (await Acme.founded(shared)).customer}
    there = await acme.there(company=elsewhere)
    before = (await shared.netsuite.read("contact", there)).get("company")
    here = await acme.here()
    found = await look(shared, here)
    company = (await shared.netsuite.read("contact", there)).get("company")
    if not settings:
        stands(found, OutcomeKind.ADOPTED, None)
        assert (await linked(shared, here, there), company) == (True, acme.customer)
    elif reason:
        stands(found, OutcomeKind.REVIEW, reason)
        assert (await acme.count(), company) == (0, before)
    else:
        stands(found, OutcomeKind.CREATED, None)
        assert (await acme.count(), company) == (1, before)


@pytest.mark.row("2-18")
async def test_of_several_a_person_chooses_active_ones_first(shared: Product, acme: Acme) -> None:
    several = [await acme.there(firstName=name) for name in ("Ada", "Augusta")]
    retired = await acme.there(firstName="Byron", isInactive=True)
    here = await acme.here()
    found = await look(shared, here)
    stands(found, OutcomeKind.REVIEW, "AMBIGUOUS_MATCH")
    assert set(several) < set(found.choices)
    assert retired not in found.choices
    await shared.netsuite.update("contact", several[0], {"isInactive": True})
    stands(await look(shared, here), OutcomeKind.ADOPTED, None)
    assert await linked(shared, here, several[1])


@pytest.mark.row("2-19")
async def test_with_create_off_nothing_is_created(shared: Product, acme: Acme) -> None:
    shared.configure("contacts", create=False)
    stands(await look(shared, await acme.here()), OutcomeKind.SKIPPED, "CREATE_DISABLED")
    assert await acme.count() == 0


@pytest.mark.row("2-clash")
@pytest.mark.parametrize("case", ["same person", "another", "review"])
async def test_a_taken_name(shared: Product, acme: Acme, case: str) -> None:
    shared.configure("contacts", name_clash="review" if case == "review" else "suffix")
    email = None if case == "same person" else "other@acme.example"
    there = await acme.there(email=email)
    here = await acme.here()
    found = await look(shared, here)
    if case == "same person":
        stands(found, OutcomeKind.ADOPTED, None)
        assert (await linked(shared, here, there), await acme.count()) == (True, 1)
    elif case == "review":
        stands(found, OutcomeKind.REVIEW, "NAME_CLASH")
        assert await acme.count() == 1
    else:
        stands(found, OutcomeKind.CREATED, None)
        made = await shared.in_netsuite(here)
        assert made is not None
        assert (made["firstName"], made["lastName"]) == ("Ada", acme.last_name)
        assert made["entityId"].startswith(f"Ada {acme.last_name} (003")
        assert await acme.count() == 2


@pytest.mark.row("2-refused")
async def test_a_refusal_is_told_in_netsuites_words_and_closed_by_a_later_success(
    shared: Product, acme: Acme
) -> None:
    words = "A workflow forbids this contact."
    await shared.netsuite.set_switches(user_event_reject=words)
    here = await acme.here()
    found = await look(shared, here)
    stands(found, OutcomeKind.FAILED, "REFUSED_BY_NETSUITE")
    assert words in found.detail
    assert (await shared.command("status", "--json")).json()["errors"]["failed"] == 1
    await shared.netsuite.set_switches(user_event_reject="")
    stands(await look(shared, here), OutcomeKind.CREATED, None)
    assert (await shared.command("status", "--json")).json()["errors"]["failed"] == 0
    assert await acme.count() == 1


@pytest.mark.rest_only("the fault meets a call of REST; of the RESTlet: tests/contract/test_netsuite_side.py")
@pytest.mark.row("2-retry")
async def test_an_answer_that_is_lost_leads_to_no_second_contact(shared: Product, acme: Acme) -> None:
    shared.configure("retry", base_seconds=0.1)
    await shared.netsuite.add_fault("drop_after_commit", kind="contact.put", times=1)
    here = await acme.here()
    await look(shared, here)
    found = await look(shared, here)
    assert found.kind in (OutcomeKind.CREATED, OutcomeKind.ADOPTED, OutcomeKind.UNCHANGED)
    there = await shared.in_netsuite(here)
    assert there is not None
    assert (await linked(shared, here, there["id"]), await acme.count()) == (True, 1)
