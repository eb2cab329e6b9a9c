"""Rows of sections 3, 5 and 6 over the real protocols that no other scenario tells of; both ends checked."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from tests.scenario.looking import Acme, look, work_off
from tests.scenario.product import Product

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.records import Entity, Key, Side

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def acme(shared: Product) -> Acme:
    return await Acme.founded(shared)


@pytest.mark.row("3-4")
async def test_at_a_company_that_is_no_customer_it_is_skipped(shared: Product, acme: Acme) -> None:
    shared.configure("contacts", direction="both")
    there = await acme.there()
    await shared.netsuite.act("move_to_vendor", id=there)
    found = await look(shared, there, Side.NETSUITE)
    assert (found.kind, found.reason) == (OutcomeKind.SKIPPED, "NOT_A_CUSTOMER")
    assert await shared.salesforce.records("Contact", {"Email": acme.email}) == []


@pytest.mark.row("3-6")
async def test_a_rule_keeps_a_contact_of_netsuite_out(shared: Product, acme: Acme) -> None:
    rule = {"name": "no interns", "expression": "contact.Title != 'Intern'"}
    shared.configure("contacts", direction="both", rules=[rule])
    found = await look(shared, await acme.there(title="Intern"), Side.NETSUITE)
    assert (found.kind, found.reason) == (OutcomeKind.SKIPPED, "RULE")
    assert "no interns" in found.detail
    assert await shared.salesforce.records("Contact", {"Email": acme.email}) == []


@pytest.mark.row("3-7")
async def test_a_contact_that_carries_its_netsuite_id_is_adopted(shared: Product, acme: Acme) -> None:
    shared.configure("contacts", direction="both")
    there = await acme.there(email=None)
    here = await acme.here(Email=None, NetSuite_Id__c=there)
    assert await work_off(shared, Key(Entity.CONTACT, Side.NETSUITE, there)) is None, "a pair is shown once"
    assert (await shared.netsuite.read("contact", there))["custentity_twinbook_sf_id"] == here
    assert len(await shared.salesforce.records("Contact", {"AccountId": acme.account})) == 1


@pytest.mark.row("5-replaced", "3-1")
@pytest.mark.parametrize("carries", ["custentity_twinbook_sf_id", "externalId"])
@pytest.mark.parametrize("listed", [True, False])
async def test_the_winner_of_a_merge_in_netsuite_that_carries_the_id_is_adopted(
    shared: Product, acme: Acme, carries: str, listed: bool
) -> None:
    """A merge there is a delete of the loser, and some leave no trace of it. People copy the fields over first."""
    await shared.netsuite.set_switches(merge_leaves_deletedrecord=listed)
    here, there = await acme.pair(Title="Analyst")
    winner = await acme.there(firstName="Augusta", email="augusta@acme.example")
    await shared.netsuite.act("merge", master=winner, loser=there)
    carried = here if carries != "externalId" else f"SFC_{here}"
    await shared.netsuite.update("contact", winner, {carries: carried})
    found = await look(shared, here)
    assert (found.kind, found.counterpart_id) == (OutcomeKind.ADOPTED, winner)
    assert (await shared.salesforce.read("Contact", here))["NetSuite_Id__c"] == winner
    kept = await shared.netsuite.read("contact", winner)
    assert (kept["custentity_twinbook_sf_id"], kept["title"], kept["firstName"]) == (here, "Analyst", "Ada")
    assert await acme.count() == 1
    assert (await look(shared, here)).kind is OutcomeKind.UNCHANGED


@pytest.mark.row("5-gone")
async def test_a_merge_in_netsuite_whose_winner_carries_nothing_is_for_a_person(
    shared: Product, acme: Acme
) -> None:
    here, there = await acme.pair()
    winner = await acme.there(firstName="Augusta", email="augusta@acme.example")
    await shared.netsuite.act("merge", master=winner, loser=there)
    found = await look(shared, here)
    assert (found.kind, found.reason) == (OutcomeKind.REVIEW, "COUNTERPART_MISSING")
    assert await acme.count() == 1


@pytest.mark.row("5-inactive")
@pytest.mark.parametrize("mapped", [False, True])
async def test_inactivated_in_netsuite(shared: Product, acme: Acme, mapped: bool) -> None:
    shared.configure("contacts", direction="both")
    if mapped:
        row = {"salesforce": "DoNotCall", "netsuite": "isInactive", "kind": "boolean"}
        shared.configure("contacts", mapping=[row])
    here, there = await acme.pair()
    await shared.netsuite.act("inactivate", type="contact", id=there)
    found = await look(shared, here)
    assert found.kind is (OutcomeKind.UPDATED if mapped else OutcomeKind.UNCHANGED)
    assert (await shared.salesforce.read("Contact", here))["DoNotCall"] is mapped
    await shared.salesforce.update("Contact", here, {"Title": "Countess"})
    await look(shared, here)
    kept = await shared.netsuite.read("contact", there)
    assert (kept["isInactive"], kept["title"]) == (True, "Countess")


@pytest.mark.row("5-accounts")
async def test_another_parent_has_the_contacts_looked_at_and_reaches_the_customer(
    shared: Product, acme: Acme
) -> None:
    here, _ = await acme.pair()
    await look(shared, acme.account, entity=Entity.ACCOUNT)
    parent = await Acme.founded(shared)
    await look(shared, parent.account, entity=Entity.ACCOUNT)
    seen = await _last_look(shared, here)
    await shared.salesforce.update("Account", acme.account, {"ParentId": parent.account})
    await look(shared, acme.account, entity=Entity.ACCOUNT)
    assert (await shared.netsuite.read("customer", acme.customer))["parent"] == parent.customer
    assert await _last_look(shared, here) > seen


@pytest.mark.row("6-carries")
@pytest.mark.parametrize("evidence", ["custom field", "external id"])
async def test_a_customer_that_carries_its_id_is_adopted(shared: Product, acme: Acme, evidence: str) -> None:
    shared.configure("accounts", triggers=["all"])
    account = await shared.salesforce.insert("Account", {"Name": f"{acme.last_name} Holding"})
    carried = (
        {"custentity_twinbook_sf_id": account}
        if evidence == "custom field"
        else {"externalId": f"SFA_{account}"}
    )
    fields = {"companyName": f"Other than {acme.last_name}", "subsidiary": {"id": "1"}, **carried}
    customer = await shared.netsuite.insert("customer", fields)
    found = await look(shared, account, entity=Entity.ACCOUNT)
    assert (found.kind, found.counterpart_id) == (OutcomeKind.ADOPTED, customer)
    assert (await shared.salesforce.read("Account", account))["NetSuite_Id__c"] == customer
    assert (await shared.netsuite.read("customer", customer))["custentity_twinbook_sf_id"] == account


async def _last_look(p: Product, contact: str) -> Any:
    [told] = (await p.command("explain", contact, "--json")).json()
    return told["remembered"]["outcome"]["looked_at"]
