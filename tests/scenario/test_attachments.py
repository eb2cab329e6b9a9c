"""Contacts with several accounts over the real protocols: attached, with roles, and detached; both ends checked."""

from __future__ import annotations

import pytest
from tests.scenario.product import Product, has_reason, outcome, until

PRIMARY = "-10"


@pytest.fixture(autouse=True)
def attaching(p: Product) -> None:
    p.configure(
        "contacts",
        attach_relations=True,
        primary_contact=True,
        role_map={"Decision Maker": "2", "Influencer": "1"},
    )


async def attached(p: Product, contact: str) -> dict[str, str | None]:
    """The roles of a NetSuite contact by customer; its own company without a role is left out."""
    company = (await p.netsuite.read("contact", contact))["company"]
    pairs = await p.netsuite.records("companyContactRelationship")
    mine = (pair for pair in pairs if str(pair["contact"]) == contact)
    roles = {str(pair["company"]): pair["role"] and str(pair["role"]) for pair in mine}
    own = str(company["id"] if isinstance(company, dict) else company)
    return {customer: role for customer, role in roles.items() if customer != own or role is not None}


async def becomes(p: Product, contact: str, wanted: dict[str, str | None]) -> None:
    async def so() -> bool:
        return await attached(p, contact) == wanted

    await until(so)


async def ada(p: Product, account: str) -> tuple[str, str]:
    """Ada in step: her id on both sides."""
    here = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)

    async def paired() -> bool:
        return bool((await p.salesforce.read("Contact", here)).get("NetSuite_Id__c"))

    await until(paired)
    return here, str((await p.salesforce.read("Contact", here))["NetSuite_Id__c"])


async def relate(p: Product, contact: str, account: str, roles: str) -> str:
    fields = {"ContactId": contact, "AccountId": account, "Roles": roles}
    return await p.salesforce.insert("AccountContactRelation", fields)


async def test_a_relation_comes_changes_and_goes(p: Product) -> None:
    acme, _ = await p.linked_account("Acme")
    globex, customer = await p.linked_account("Globex")
    async with p.running():
        here, there = await ada(p, acme)
        assert await attached(p, there) == {}
        relation = await relate(p, here, globex, "Influencer")
        await becomes(p, there, {customer: "1"})
        await p.salesforce.update("AccountContactRelation", relation, {"Roles": "Influencer;Decision Maker"})
        await becomes(p, there, {customer: "2"})
        await p.salesforce.delete("AccountContactRelation", relation)
        await becomes(p, there, {})
        assert await p.netsuite.count("contact") == 1


async def test_the_primary_contact_of_its_own_account(p: Product) -> None:
    acme, customer = await p.linked_account("Acme")
    async with p.running():
        here, there = await ada(p, acme)
        fields = {"ContactId": here, "AccountId": acme, "Role": "Influencer", "IsPrimary": True}
        role = await p.salesforce.insert("AccountContactRole", fields)
        await becomes(p, there, {customer: PRIMARY})
        await p.salesforce.delete("AccountContactRole", role)
        await becomes(p, there, {})
        assert str((await p.in_netsuite(here) or {})["id"]) == there


async def test_a_relation_waits_until_its_account_is_linked(p: Product) -> None:
    acme, _ = await p.linked_account("Acme")
    initech = await p.salesforce.insert("Account", {"Name": "Initech"})
    async with p.running():
        here, there = await ada(p, acme)
        await relate(p, here, initech, "Influencer")
        fields = {"companyName": "Initech", "subsidiary": {"id": "1"}}
        customer = await p.netsuite.insert("customer", fields)
        await p.salesforce.update("Account", initech, {"NetSuite_Id__c": customer})
        await becomes(p, there, {customer: "1"})


async def test_an_attachment_that_a_person_made_stays(p: Product) -> None:
    acme, _ = await p.linked_account("Acme")
    _, customer = await p.linked_account("Globex")
    initech, other = await p.linked_account("Initech")
    async with p.running():
        here, there = await ada(p, acme)
        await p.netsuite.act("attach", company=customer, contact=there, role=None)
        relation = await relate(p, here, initech, "")
        await becomes(p, there, {customer: None, other: None})
        await p.salesforce.delete("AccountContactRelation", relation)
        await becomes(p, there, {customer: None})


async def test_a_refusal_is_shown_and_creates_no_second_contact(p: Product) -> None:
    p.configure("contacts", role_map={"Influencer": "424242"})
    acme, _ = await p.linked_account("Acme")
    globex, _ = await p.linked_account("Globex")
    async with p.running() as connection:
        here, there = await ada(p, acme)
        await relate(p, here, globex, "Influencer")
        await until(lambda: has_reason(connection, here, "REFUSED_BY_NETSUITE"))
        found = await outcome(connection, here)
        assert found is not None
        assert found.counterpart_id == there
        assert await p.netsuite.count("contact") == 1
