"""The main job over the real protocols: what a user does in Salesforce is in NetSuite, both ends checked."""

from __future__ import annotations

import pytest
from tests.scenario.product import Product, backfill, has_reason, outcome, until

from twinbook.domain.plan import OutcomeKind

# The kinds of call that write to Salesforce, as the sandbox counts them.
WRITES = ["collections.update"]


@pytest.mark.row("2-20")
async def test_a_new_contact_arrives_with_both_ids(p: Product) -> None:
    account, customer = await p.linked_account()
    async with p.running():
        contact = await p.contact(
            FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", Title="Analyst", AccountId=account
        )

        async def arrived() -> bool:
            return bool((await p.salesforce.read("Contact", contact)).get("NetSuite_Id__c"))

        await until(arrived)
    there = await p.in_netsuite(contact)
    assert there is not None
    assert there["company"] == customer
    assert (there["firstName"], there["lastName"], there["email"], there["title"]) == (
        "Ada",
        "Lovelace",
        "ada@acme.example",
        "Analyst",
    )
    assert there["externalId"] == f"SFC_{contact}"
    assert (await p.salesforce.read("Contact", contact))["NetSuite_Id__c"] == there["id"]


@pytest.mark.row("2-12", "4-one-side", "4-same", "4-kept")
async def test_an_edit_arrives_and_its_echo_writes_nothing(p: Product) -> None:
    account, _ = await p.linked_account()
    contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    async with p.running() as connection:
        await p.salesforce.update("Contact", contact, {"Title": "Countess", "Email": "ada.king@acme.example"})

        async def arrived() -> bool:
            there = await p.in_netsuite(contact)
            return there is not None and (there.get("title"), there.get("email")) == (
                "Countess",
                "ada.king@acme.example",
            )

        await until(arrived)

        async def at_rest() -> bool:
            found = await outcome(connection, contact)
            return found is not None and found.kind is OutcomeKind.UNCHANGED

        await until(at_rest)
        writes = await p.netsuite_writes()
        await p.salesforce.update("Contact", contact, {"LeadSource": "Web"})
        looked = (await outcome(connection, contact)).looked_at  # type: ignore[union-attr]

        async def looked_again() -> bool:
            found = await outcome(connection, contact)
            return found is not None and found.looked_at > looked

        await until(looked_again)
        assert await p.netsuite_writes() == writes


@pytest.mark.row("2-5", "6-released", "6-triggers", "6-created")
async def test_a_prospects_contacts_are_released_by_a_won_opportunity(p: Product) -> None:
    async with p.running() as connection:
        account = await p.salesforce.insert("Account", {"Name": "Prospect"})
        opportunity = await p.salesforce.insert(
            "Opportunity",
            {"Name": "First", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2030-01-31"},
        )
        contacts = [
            await p.contact(LastName=f"Waits{n}", Email=f"w{n}@p.example", AccountId=account)
            for n in range(3)
        ]
        for contact in contacts:
            await until(lambda contact=contact: has_reason(connection, contact, "ACCOUNT_NOT_SYNCED"))
        assert await p.netsuite.count("contact") == 0
        await p.salesforce.update("Opportunity", opportunity, {"StageName": "Closed Won"})
        for contact in contacts:

            async def arrived(contact: str = contact) -> bool:
                return await p.in_netsuite(contact) is not None

            await until(arrived)
    [customer] = await p.netsuite.records("customer", {"companyName": "Prospect"})
    assert customer["externalId"] == f"SFA_{account}"
    assert (await p.salesforce.read("Account", account))["NetSuite_Id__c"] == customer["id"]


@pytest.mark.row("2-5", "6-linked")
async def test_a_link_made_by_somebody_else_releases_the_contacts(p: Product) -> None:
    async with p.running() as connection:
        account = await p.salesforce.insert("Account", {"Name": "Prospect"})
        contact = await p.contact(LastName="Waits", Email="w@p.example", AccountId=account)
        await until(lambda: has_reason(connection, contact, "ACCOUNT_NOT_SYNCED"))
        customer = await p.netsuite.insert(
            "customer", {"companyName": "Other Name", "subsidiary": {"id": "1"}}
        )
        await p.salesforce.update("Account", account, {"NetSuite_Id__c": customer})

        async def arrived() -> bool:
            return await p.in_netsuite(contact) is not None

        await until(arrived)


@pytest.mark.row("2-6")
async def test_a_role_given_later_lets_the_contact_through_the_filter(p: Product) -> None:
    p.configure("contacts", role_filter=["Decision Maker"])
    account, _ = await p.linked_account()
    async with p.running() as connection:
        contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
        await until(lambda: has_reason(connection, contact, "ROLE_FILTER"))
        await p.salesforce.insert(
            "AccountContactRole", {"AccountId": account, "ContactId": contact, "Role": "Decision Maker"}
        )

        async def arrived() -> bool:
            return await p.in_netsuite(contact) is not None

        await until(arrived)


async def test_without_change_events_the_org_is_polled(p: Product) -> None:
    for entity in ("Contact", "Account", "Opportunity"):
        await p.salesforce.act("disable_entity", entity=entity)
    account, _ = await p.linked_account()
    async with p.running():
        contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)

        async def arrived() -> bool:
            return await p.in_netsuite(contact) is not None

        await until(arrived)


async def test_events_that_were_missed_while_stopped_are_caught_up(p: Product) -> None:
    account, _ = await p.linked_account()
    async with p.running():
        pass
    contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    async with p.running():

        async def arrived() -> bool:
            return await p.in_netsuite(contact) is not None

        await until(arrived)


async def test_a_thousand_contacts_are_filled_in_and_a_second_run_writes_nothing(p: Product) -> None:
    accounts = [(await p.linked_account(f"Account {number}"))[0] for number in range(40)]
    people = [
        {
            "FirstName": "Person",
            "LastName": f"Number {number}",
            "Email": f"person{number}@example.com",
            "AccountId": accounts[number % len(accounts)],
        }
        for number in range(1000)
    ]
    p.sandbox.salesforce.insert_many("Contact", people)
    async with p.connected() as connection:
        await backfill(connection)
        assert await p.netsuite.count("contact") == 1000
        assert await ids_agree(p) == 1000
        first = await p.netsuite_writes(), await p.salesforce.calls(WRITES)
        assert min(first) > 0
        await backfill(connection)
        assert (await p.netsuite_writes(), await p.salesforce.calls(WRITES)) == first


async def ids_agree(p: Product) -> int:
    """Every contact of a linked account with an email of its own is in NetSuite exactly once, and both bear the
    other's id; the number of pairs."""
    contacts = await p.salesforce.records("Contact", limit=10_000)
    there = await p.netsuite.records("contact", limit=10_000)
    carried = [item["custentity_twinbook_sf_id"] for item in there if item.get("custentity_twinbook_sf_id")]
    assert len(carried) == len(set(carried)), "two NetSuite contacts carry the same Salesforce id"
    by_id = {item["id"]: item for item in there}
    pairs = 0
    for contact in contacts:
        netsuite_id = contact.get("NetSuite_Id__c")
        if netsuite_id:
            assert by_id[netsuite_id]["custentity_twinbook_sf_id"] == contact["Id"]
            pairs += 1
    assert pairs == len(carried)
    return pairs
