"""The data set in both systems fits together, and comes again by order."""

from collections.abc import AsyncIterator

import pytest

from twinbook_sandbox.client import SandboxClient
from twinbook_sandbox.launch import Sandbox, SandboxOptions


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(accounts=40, contacts=300)) as running:
        yield running


async def test_linked_accounts_and_customers_point_at_each_other(sandbox: Sandbox) -> None:
    accounts = sandbox.salesforce.list("Account", {}, 100, 0)
    linked = [account for account in accounts if account["NetSuite_Id__c"]]
    assert len(accounts) == 40
    assert 15 <= len(linked) <= 32
    for account in linked:
        customer = sandbox.netsuite.read("customer", account["NetSuite_Id__c"])
        assert customer is not None
        assert customer["custentity_twinbook_sf_id"] == account["Id"]
        assert customer["companyName"] == account["Name"]
        won = sandbox.salesforce.list("Opportunity", {"AccountId": account["Id"], "IsWon": True}, 10, 0)
        assert len(won) == 1
    for prospect in (account for account in accounts if not account["NetSuite_Id__c"]):
        assert not sandbox.salesforce.list("Opportunity", {"AccountId": prospect["Id"], "IsWon": True}, 10, 0)


async def test_netsuite_knows_contacts_by_email_and_none_is_linked(sandbox: Sandbox) -> None:
    emails = {(c["Email"] or "").lower() for c in sandbox.salesforce.list("Contact", {}, 1000, 0)} - {""}
    known = sandbox.netsuite.list("contact", {}, 1000, 0)
    shared = [contact for contact in known if contact["email"] in emails]
    assert len(shared) > 10
    assert all(contact["custentity_twinbook_sf_id"] is None for contact in known)
    assert all(
        contact["NetSuite_Id__c"] is None for contact in sandbox.salesforce.list("Contact", {}, 1000, 0)
    )
    assert any(contact["company"] is None for contact in known)


async def test_roles_of_all_three_kinds_exist(sandbox: Sandbox) -> None:
    for type_ in ("AccountContactRole", "AccountContactRelation", "OpportunityContactRole"):
        assert sandbox.salesforce.count(type_) > 0


@pytest.mark.parametrize("system", ["salesforce", "netsuite"])
async def test_seeding_anew_by_either_port_fills_both(sandbox: Sandbox, system: str) -> None:
    first = [contact["Name"] for contact in sandbox.salesforce.list("Contact", {}, 1000, 0)]
    sandbox.salesforce.insert("Contact", {"LastName": "Gone after the seed"})
    async with SandboxClient(sandbox.describe()[system]["base_url"]) as client:
        made = await client.seed(accounts=40, contacts=300, seed=1)
    assert made["salesforce.Contact"] == 300
    assert [contact["Name"] for contact in sandbox.salesforce.list("Contact", {}, 1000, 0)] == first
    assert sandbox.netsuite.count("customer") == made["netsuite.customer"]
