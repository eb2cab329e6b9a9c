"""The package of packages/salesforce is all that an org needs: deployed into the sandbox, whose integration user then may
do what its permission sets allow and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenario.product import Product, until

PACKAGE = Path(__file__).parents[2] / "packages" / "salesforce"
BASE = PACKAGE / "force-app"


def metadata(root: Path, suffix: str, *names: str) -> list[str]:
    """The files of a kind, all or those of these names."""
    found = {path.name.split(".")[0]: path.read_text() for path in root.glob(f"**/*.{suffix}-meta.xml")}
    return [text for name, text in found.items() if name in names or not names]


async def deploy(p: Product, *permission_sets: str, options: tuple[str, ...] = ()) -> None:
    """What docs/install-salesforce.md says, done by hand."""
    stats = await p.salesforce.act("event_stats")
    for entity in stats["enabled"]:
        await p.salesforce.act("disable_entity", entity=entity)
    roots = [BASE, *(PACKAGE / "options" / name for name in options)]
    sets = [text for root in (BASE, PACKAGE / "options") for text in metadata(root, "permissionset", *permission_sets)]
    members = [text for root in roots for text in metadata(root, "platformEventChannelMember")]
    await p.salesforce.act("assign_permission_sets", metadata=sets)
    await p.salesforce.act("deploy_channel_members", metadata=members)


async def test_one_way_works_with_the_integration_set_alone(p: Product) -> None:
    await deploy(p, "Twinbook_Integration")
    found = (await p.command("doctor", "--json")).json()
    assert [check for check in found if check["verdict"] != "ok" and check["name"] != "store"] == []
    account = await p.salesforce.insert("Account", {"Name": "Acme", "Phone": "+44 20 7946 0001"})
    contact = await p.contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account, MailingCity="London"
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
    await deploy(p, "Twinbook_Integration", "Twinbook_Integration_Both_Ways")
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
