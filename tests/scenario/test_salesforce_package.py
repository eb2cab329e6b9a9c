"""The package of packages/salesforce is all that an org needs: it is deployed into the sandbox, whose integration user
then may do what its permission sets allow and nothing else."""

from __future__ import annotations

from typing import Any

from tests.scenario.deployment import deploy
from tests.scenario.product import Product, until


async def test_one_way_works_with_the_integration_set_alone(p: Product) -> None:
    await deploy(p.salesforce, "Twinbook_Integration")
    found = (await p.command("doctor", "--json")).json()
    assert [check for check in found if check["verdict"] != "ok" and check["name"] != "store"] == []
    account = await p.salesforce.insert("Account", {"Name": "Acme", "Phone": "+44 20 7946 0001"})
    contact = await p.contact(
        FirstName="Ada",
        LastName="Lovelace",
        Email="ada@acme.example",
        AccountId=account,
        MailingCity="London",
    )
    async with p.running():
        await p.salesforce.insert(
            "Opportunity",
            {"Name": "Engine", "AccountId": account, "StageName": "Closed Won", "CloseDate": "2026-01-01"},
        )

        async def synced() -> bool:
            return (await shown(p, contact))["NetSuite_Sync_Status__c"] == "Synced"

        await until(synced)
        there = await p.in_netsuite(contact)
        assert there is not None
        assert (there["email"], there["firstName"]) == ("ada@acme.example", "Ada")
        panel = await shown(p, contact)
        assert panel["NetSuite_Id__c"] == there["id"]
        assert panel["NetSuite_Link__c"].endswith(f"/app/common/entity/contact.nl?id={there['id']}")
        assert (await p.salesforce.read("Account", account))["NetSuite_Sync_Status__c"] == "Synced"

        await p.salesforce.update("Contact", contact, {"Push_to_NetSuite__c": True, "Title": "Countess"})

        async def pushed() -> bool:
            return not (await shown(p, contact))["Push_to_NetSuite__c"]

        await until(pushed)
        assert (await p.in_netsuite(contact) or {})["title"] == "Countess"


async def test_both_ways_needs_the_second_set_and_no_more(p: Product) -> None:
    p.configure("contacts", direction="both")
    await deploy(p.salesforce, "Twinbook_Integration", "Twinbook_Integration_Both_Ways")
    account, customer = await p.linked_account()
    async with p.running():
        made = await p.netsuite.insert(
            "contact",
            {
                "firstName": "Mary",
                "lastName": "Somerville",
                "email": "mary@acme.example",
                "company": {"id": customer},
                "subsidiary": {"id": "1"},
            },
        )

        async def arrived() -> bool:
            return bool(await p.salesforce.records("Contact", {"NetSuite_Id__c": made}))

        await until(arrived)
        [contact] = await p.salesforce.records("Contact", {"NetSuite_Id__c": made})
        assert (contact["AccountId"], contact["Email"]) == (account, "mary@acme.example")


async def shown(p: Product, contact: str) -> dict[str, Any]:
    record: dict[str, Any] = await p.salesforce.read("Contact", contact)
    return record
