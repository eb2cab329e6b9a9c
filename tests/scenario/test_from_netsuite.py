"""Behaviour.md section 3 over the real protocols: contacts that begin in NetSuite, row by row, both ends checked."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenario.product import Product, has_reason, until

from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.connection import Connection
from twinbook.store import outcomes
from twinbook.store.outcomes import Outcome


async def ada(p: Product, customer: str | None, **fields: Any) -> str:
    """A person in NetSuite creates Ada."""
    given = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "ada@acme.example",
        "subsidiary": {"id": "1"},
    }
    company = {} if customer is None else {"company": {"id": customer}}
    return await p.netsuite.insert("contact", given | company | fields)


async def in_salesforce(p: Product, there: str) -> dict[str, Any] | None:
    """The Salesforce contact that carries this NetSuite id."""
    found = await p.salesforce.records("Contact", {"NetSuite_Id__c": there})
    assert len(found) <= 1, f"{there} has {len(found)} Salesforce contacts"
    return found[0] if found else None


async def arrives(p: Product, there: str) -> dict[str, Any]:
    async def paired() -> bool:
        here = await in_salesforce(p, there)
        known = (await p.netsuite.read("contact", there)).get("custentity_twinbook_sf_id")
        return here is not None and known == here["Id"]

    await until(paired)
    found = await in_salesforce(p, there)
    assert found is not None
    return found


async def shown(connection: Connection, there: str) -> Outcome | None:
    key = Key(Entity.CONTACT, Side.NETSUITE, there)
    return await connection.store.run(lambda tx: outcomes.find(tx, key))


async def stands(p: Product, connection: Connection, there: str, reason: str) -> Outcome:
    async def so() -> bool:
        found = await shown(connection, there)
        return found is not None and found.reason == reason

    await until(so)
    assert await in_salesforce(p, there) is None
    found = await shown(connection, there)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def both_directions(p: Product) -> None:
    p.configure("contacts", direction="both")


@pytest.mark.row("3-9")
@pytest.mark.parametrize("direction", ["both", "netsuite-to-salesforce"])
async def test_9_a_new_contact_is_created_with_both_ids(p: Product, direction: str) -> None:
    p.configure("contacts", direction=direction)
    account, customer = await p.linked_account()
    async with p.running():
        there = await ada(p, customer, title="Analyst", phone="+49 30 1234567")
        here = await arrives(p, there)
    assert (here["FirstName"], here["LastName"], here["Email"], here["Title"], here["AccountId"]) == (
        "Ada",
        "Lovelace",
        "ada@acme.example",
        "Analyst",
        account,
    )
    assert await p.netsuite.count("contact") == await p.salesforce.count("Contact") == 1
    address = (await p.netsuite.read("contact", there))["custentity_twinbook_link"]
    assert address == f"{p.sandbox.describe()['salesforce']['credentials']['login_url']}/{here['Id']}"


@pytest.mark.row("3-1", "2-9", "5-gone")
async def test_1_a_delete_of_a_linked_contact_is_a_review(p: Product) -> None:
    account, _ = await p.linked_account()
    p.configure("contacts", direction="salesforce-to-netsuite")
    contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    async with p.running() as connection:
        await p.salesforce.update("Contact", contact, {"Title": "Countess"})

        async def arrived() -> bool:
            return bool((await p.salesforce.read("Contact", contact)).get("NetSuite_Id__c"))

        await until(arrived)
        there = (await p.salesforce.read("Contact", contact))["NetSuite_Id__c"]
        await p.netsuite.delete("contact", there)
        await until(lambda: has_reason(connection, contact, "COUNTERPART_MISSING"))
    assert await p.netsuite.count("contact") == 0


@pytest.mark.row("3-1")
async def test_1_a_contact_that_vanishes_while_it_waits_is_no_contact(p: Product) -> None:
    customer = await p.netsuite.insert("customer", {"companyName": "Acme", "subsidiary": {"id": "1"}})
    async with p.running() as connection:
        there = await ada(p, customer)
        await stands(p, connection, there, "ACCOUNT_NOT_SYNCED")
        await p.netsuite.delete("contact", there)
        await stands(p, connection, there, "DELETED_IN_NETSUITE")


@pytest.mark.row("3-2")
async def test_2_paused_it_waits_and_is_worked_off_on_resume(p: Product) -> None:
    _, customer = await p.linked_account()
    async with p.running() as connection:
        assert (await p.command("pause")).code == 0
        there = await ada(p, customer)
        await stands(p, connection, there, "PAUSED")
        assert (await p.command("resume")).code == 0
        await arrives(p, there)


@pytest.mark.row("3-3")
async def test_3_without_a_company_it_is_skipped(p: Product) -> None:
    async with p.running() as connection:
        await stands(p, connection, await ada(p, None), "NO_COMPANY")


@pytest.mark.row("3-5")
async def test_5_it_waits_for_its_account_and_is_released_by_whomever_links_it(p: Product) -> None:
    customer = await p.netsuite.insert("customer", {"companyName": "Acme", "subsidiary": {"id": "1"}})
    async with p.running() as connection:
        there = await ada(p, customer)
        await stands(p, connection, there, "ACCOUNT_NOT_SYNCED")
        account = await p.salesforce.insert("Account", {"Name": "Acme"})
        await p.salesforce.update("Account", account, {"NetSuite_Id__c": customer})
        assert (await arrives(p, there))["AccountId"] == account


@pytest.mark.row("3-6", "3-8")
@pytest.mark.parametrize(
    ("settings", "fields", "reason"),
    [
        ({"test_mode": True}, {}, "TEST_MODE"),
        ({"create": False}, {}, "CREATE_DISABLED"),
        ({}, {"email": None}, "NO_EMAIL"),
    ],
)
async def test_6_and_8_what_the_settings_keep_out_says_why(
    p: Product, settings: dict[str, Any], fields: dict[str, Any], reason: str
) -> None:
    p.configure("contacts", **settings)
    _, customer = await p.linked_account()
    async with p.running() as connection:
        await stands(p, connection, await ada(p, customer, **fields), reason)


@pytest.mark.row("3-6")
async def test_6_a_locked_contact_is_skipped_until_it_is_unlocked(p: Product) -> None:
    p.configure("netsuite", locked_field="custentity_twinbook_locked")
    _, customer = await p.linked_account()
    async with p.running() as connection:
        there = await ada(p, customer, custentity_twinbook_locked=True)
        await stands(p, connection, there, "LOCKED")
        await p.netsuite.update("contact", there, {"custentity_twinbook_locked": False})
        await arrives(p, there)


@pytest.mark.row("3-7", "4-one-side")
async def test_7_an_edit_of_a_linked_contact_arrives_and_its_echo_writes_nothing(p: Product) -> None:
    _, customer = await p.linked_account()
    writes = ["collections.update", "collections.upsert"]
    async with p.running() as connection:
        there = await ada(p, customer)
        here = await arrives(p, there)
        await p.netsuite.update("contact", there, {"title": "Countess", "phone": "+49 30 7654321"})

        async def arrived() -> bool:
            return (await p.salesforce.read("Contact", here["Id"])).get("Title") == "Countess"

        await until(arrived)
        key = Key(Entity.CONTACT, Side.SALESFORCE, here["Id"])

        async def at_rest() -> bool:
            found = await connection.store.run(lambda tx: outcomes.find(tx, key))
            return found is not None and found.kind == "unchanged"

        await until(at_rest)
        before = await p.netsuite_writes(), await p.salesforce.calls(writes)
        found = await connection.store.run(lambda tx: outcomes.find(tx, key))
        assert found is not None
        await p.netsuite.update("contact", there, {"assistantPhone": "+49 30 1111111"})

        async def looked_again() -> bool:
            again = await connection.store.run(lambda tx: outcomes.find(tx, key))
            return again is not None and again.looked_at > found.looked_at

        await until(looked_again)
        assert (await p.netsuite_writes(), await p.salesforce.calls(writes)) == before
    assert (await p.salesforce.read("Contact", here["Id"]))["Phone"] == "+49 30 7654321"


@pytest.mark.row("3-9")
async def test_9_a_contact_of_the_account_with_its_email_is_adopted(p: Product) -> None:
    p.configure("contacts", direction="netsuite-to-salesforce")
    account, customer = await p.linked_account()
    contact = await p.contact(LastName="King", Email="ADA@acme.example", AccountId=account)
    async with p.running():
        there = await ada(p, customer, title="Analyst")
        here = await arrives(p, there)
    assert (here["Id"], here["LastName"], here["Title"]) == (contact, "King", "Analyst")
    assert await p.salesforce.count("Contact") == 1


@pytest.mark.row("3-9")
async def test_9_several_contacts_with_its_email_are_for_a_person_to_choose_from(p: Product) -> None:
    p.configure("contacts", direction="netsuite-to-salesforce")
    account, customer = await p.linked_account()
    ids = [
        await p.contact(LastName=name, Email="ada@acme.example", AccountId=account)
        for name in ("King", "Byron")
    ]
    async with p.running() as connection:
        found = await stands(p, connection, await ada(p, customer), "AMBIGUOUS_MATCH")
    assert set(ids) < set(found.choices)


@pytest.mark.row("3-9")
async def test_9_a_contact_with_its_email_that_belongs_to_another_is_taken(p: Product) -> None:
    _, customer = await p.linked_account()
    async with p.running() as connection:
        await arrives(p, await ada(p, customer))
        await stands(p, connection, await ada(p, customer, firstName="Augusta"), "MATCH_TAKEN")


@pytest.mark.row("3-10")
async def test_10_a_validation_rule_is_told_with_its_own_message(p: Product) -> None:
    _, customer = await p.linked_account()
    rule = {"type": "Contact", "field": "Title", "forbidden": "Analyst", "message": "No analysts here."}
    await p.salesforce.act("set_validation_rule", **rule)
    async with p.running() as connection:
        there = await ada(p, customer, title="Analyst")
        found = await stands(p, connection, there, "REFUSED_BY_SALESFORCE")
        assert "No analysts here." in found.detail
        await p.netsuite.update("contact", there, {"title": "Countess"})
        await arrives(p, there)


@pytest.mark.row("3-10")
@pytest.mark.parametrize("save_past", [False, True])
async def test_10_a_duplicate_alert_holds_it_up_unless_the_settings_save_past_it(
    p: Product, save_past: bool
) -> None:
    p.configure("salesforce", save_past_duplicate_alerts=save_past)
    _, customer = await p.linked_account()
    await p.contact(LastName="Elsewhere", Email="ada@acme.example")
    await p.salesforce.set_switches(duplicate_rule="alert")
    async with p.running() as connection:
        there = await ada(p, customer)
        if save_past:
            await arrives(p, there)
        else:
            await stands(p, connection, there, "REFUSED_BY_SALESFORCE")


async def test_an_import_in_netsuite_arrives_once_although_answers_are_lost(p: Product) -> None:
    customers = [(await p.linked_account(f"Company {n}"))[1] for n in range(10)]
    await p.salesforce.add_fault("drop_after_commit", kind="collections.upsert", times=2)
    async with p.running():
        for n in range(100):
            await ada(p, customers[n % 10], lastName=f"Number{n}", email=f"n{n}@acme.example")

        async def all_paired() -> bool:
            there = await p.netsuite.records("contact", limit=1000)
            return len(there) == 100 and all(item.get("custentity_twinbook_sf_id") for item in there)

        await until(all_paired, timeout=60)
    here = {item["Id"]: item["NetSuite_Id__c"] for item in await p.salesforce.records("Contact", limit=1000)}
    there = {
        item["custentity_twinbook_sf_id"]: item["id"]
        for item in await p.netsuite.records("contact", limit=1000)
    }
    assert here == there
    assert len(here) == 100


async def test_dry_run_and_back_fill_tell_the_same_of_both_lists(p: Product) -> None:
    """Contacts that begin in NetSuite, one of which Salesforce knows already; with an account that is linked first."""
    account, customer = await p.linked_account()
    known = await p.contact(
        FirstName="Grace", LastName="Hopper", Email="grace@acme.example", AccountId=account
    )
    await p.contact(FirstName="Edsger", LastName="Dijkstra", Email="edsger@acme.example", AccountId=account)
    there = await ada(p, customer)
    grace = await ada(p, customer, firstName="Grace", lastName="Hopper", email="grace@acme.example")
    await ada(p, None, email="nobody@acme.example")
    won = await p.salesforce.insert("Account", {"Name": "Globex"})
    stage = {"StageName": "Closed Won", "CloseDate": "2026-12-01"}
    await p.salesforce.insert("Opportunity", {"AccountId": won, "Name": "Deal", **stage})
    waiting = await p.contact(LastName="Liskov", Email="barbara@globex.example", AccountId=won)

    foreseen = (await p.command("plan", "--json")).json()
    assert {(row["side"], row["outcome"], row["reason"], row["number"]) for row in foreseen["counts"]} == {
        ("salesforce", "adopted", None, 1),
        ("salesforce", "created", None, 1),
        ("salesforce", "waiting", "ACCOUNT_NOT_SYNCED", 1),
        ("netsuite", "created", None, 1),
        ("netsuite", "skipped", "NO_COMPANY", 1),
    }
    assert {(row["name"], row["outcome"], row["trigger"]) for row in foreseen["accounts"]} == {
        ("Acme", "updated", None),
        ("Globex", "created", "closed-won"),
    }
    assert foreseen["released_by_accounts"] == 1
    assert await p.salesforce.count("Contact") == 3, "a dry run wrote something"

    filled = (await p.command("backfill", "--json")).json()
    counted = {(row["outcome"], row["reason"]): row["number"] for row in filled}
    assert counted == {("adopted", None): 1, ("created", None): 3, ("skipped", "NO_COMPANY"): 1}
    assert (await p.salesforce.read("Contact", known))["NetSuite_Id__c"] == grace
    assert await in_salesforce(p, there) is not None
    assert await p.in_netsuite(waiting) is not None
    again = (await p.command("backfill", "--json")).json()
    assert {(row["outcome"], row["reason"]): row["number"] for row in again} == {
        ("unchanged", None): 4,
        ("skipped", "NO_COMPANY"): 1,
    }
