"""Looking after links over the real protocols, by the command line: deciding matches, undoing, rebuilding, and taking
over the links of another product."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.scenario.product import Product, until

from twinbook.store.schema import link

CELIGO_SALESFORCE, CELIGO_NETSUITE = "celigo_sfnsio__NetSuite_Id__c", "custentity_celigo_sfio_sf_id"


async def _there(p: Product, customer: str, email: str, last_name: str, **fields: Any) -> str:
    return await p.netsuite.insert(
        "contact",
        {
            "firstName": "Ada",
            "lastName": last_name,
            "email": email,
            "company": {"id": customer},
            "subsidiary": {"id": "1"},
            **fields,
        },
    )


async def _in_netsuite(p: Product, id_: str) -> dict[str, Any]:
    [found] = await p.netsuite.records("contact", {"id": id_})
    return found


async def _in_salesforce(p: Product, id_: str, type_: str = "Contact") -> dict[str, Any]:
    [found] = await p.salesforce.records(type_, {"Id": id_})
    return found


async def test_matches_are_decided_in_a_file_before_go_live(p: Product, tmp_path: Path) -> None:
    account, customer = await p.linked_account()
    two = [await _there(p, customer, "ada@acme.example", name) for name in ("Byron", "King")]
    contact = await p.contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    out = await p.contact(LastName="=HYPERLINK(0)", Email="out@acme.example", AccountId=account)
    file = tmp_path / "matches.csv"

    shown = await p.command("match", "--csv", str(file))
    assert (shown.code, "ambiguous" in shown.out) == (1, True)
    assert {row["kind"] for row in (await p.command("match", "--json")).json()["contacts"]} == {
        "ambiguous",
        "create",
    }
    with file.open(encoding="utf-8-sig", newline="") as read:
        rows = {row["salesforce_id"]: row for row in csv.DictReader(read)}
    assert rows[out]["name"].startswith("'=")
    assert all(id_ in rows[contact]["candidates"] for id_ in two)

    def save(decided: dict[str, str]) -> None:
        with file.open("w", encoding="utf-8-sig", newline="") as write:
            writer = csv.DictWriter(write, list(rows[contact]), delimiter=";")
            writer.writeheader()
            writer.writerows(row | {"decision": decided[id_]} for id_, row in rows.items())

    save({contact: two[1], out: "perhaps"})
    refused = await p.command("match", "--decide", str(file))
    assert (refused.code, "column decision" in refused.err, "perhaps" in refused.err) == (2, True, True)
    save({contact: two[1], out: "skip"})
    assert (await p.command("match", "--decide", str(file))).code == 0

    filled = await p.command("backfill", "--json")
    assert {(item["outcome"], item["reason"]) for item in filled.json()} == {
        ("adopted", None),
        ("skipped", "LEFT_OUT"),
    }
    assert (await _in_netsuite(p, two[1]))["custentity_twinbook_sf_id"] == contact
    assert (await _in_netsuite(p, two[0])).get("custentity_twinbook_sf_id") is None
    [explained] = (await p.command("explain", contact, "--json")).json()
    assert "chose" in explained["remembered"]["history"][0]["why"]


async def test_what_was_written_is_undone_and_not_written_back(p: Product) -> None:
    account, _ = await p.linked_account()
    contact = await p.contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", Title="Countess", AccountId=account
    )
    assert (await p.command("backfill")).code == 0
    await p.salesforce.update("Contact", contact, {"Title": "Queen"})
    assert (await p.command("backfill")).code == 0
    there = await p.in_netsuite(contact)
    assert there is not None
    assert there["title"] == "Queen"
    [explained] = (await p.command("explain", contact, "--json")).json()
    number = str(explained["remembered"]["history"][0]["id"])

    shown = await p.command("undo", number)
    assert (shown.code, "'Queen' -> 'Countess'" in shown.out) == (0, True)
    assert (await _in_netsuite(p, there["id"]))["title"] == "Queen", "it was only to be shown"
    assert (await p.command("undo", number, "--yes")).code == 0
    assert (await _in_netsuite(p, there["id"]))["title"] == "Countess"

    async with p.running():
        await p.salesforce.update("Contact", contact, {"FirstName": "Augusta"})

        async def arrived() -> bool:
            return (await _in_netsuite(p, there["id"]))["firstName"] == "Augusta"

        await until(arrived)
    assert (await _in_netsuite(p, there["id"]))["title"] == "Countess"

    assert (await p.command("undo", "--since", "1d", "--yes")).code == 0
    gone = await _in_netsuite(p, there["id"])
    assert gone["isInactive"] is True
    filled = (await p.command("backfill", "--json")).json()
    assert [(item["outcome"], item["reason"]) for item in filled] == [("skipped", "LEFT_OUT")]
    assert (await p.command("undo", "4711")).code == 1
    assert (await p.command("undo")).code == 2
    assert (await p.command("undo", "--since", "yesterday")).code == 2


async def test_losing_the_store_and_rebuilding_gives_the_same_links(p: Product, tmp_path: Path) -> None:
    account, _ = await p.linked_account()
    for number in range(5):
        await p.contact(LastName=f"No {number}", Email=f"no{number}@acme.example", AccountId=account)
    assert (await p.command("backfill")).code == 0
    before = (await p.command("status", "--json")).json()
    pairs = await _links(p)
    assert len(pairs) == 6
    for lost in tmp_path.glob("*.db*"):
        lost.unlink()
    await p.netsuite.reset_counters()

    dry = await p.command("rebuild", "--json")
    assert (dry.code, dry.json()["restored"]) == (0, 0)
    assert (await p.command("rebuild", "--write", "--json")).json()["restored"] == 6
    after = (await p.command("status", "--json")).json()
    for name in ("linked_contacts", "linked_accounts"):
        assert after[name] == before[name]
    assert await _links(p) == pairs
    filled = (await p.command("backfill", "--json")).json()
    assert [(item["outcome"], item["number"]) for item in filled] == [("unchanged", 5)]
    assert (await p.command("rebuild", "--json")).json()["known"] == 6


async def _links(p: Product) -> set[tuple[str, str, str | None]]:
    """The link table as it stands."""
    async with p.connected() as connection:
        rows = await connection.store.read(lambda tx: tx.execute(sa.select(link)).all())
        return {(row.entity, row.salesforce_id, row.netsuite_id) for row in rows}


async def test_a_customer_that_was_created_wrongly_is_undone(p: Product) -> None:
    account = await p.salesforce.insert("Account", {"Name": "Globex"})
    stage = {"Name": "Deal", "StageName": "Closed Won", "CloseDate": "2030-01-31"}
    await p.salesforce.insert("Opportunity", {"AccountId": account, **stage})
    assert (await p.command("backfill")).code == 0
    [customer] = await p.netsuite.records("customer", {"companyName": "Globex"})
    undone = await p.command("undo", "--since", "1d", "--yes", "--json")
    assert (undone.code, [item["step"] for item in undone.json()["undo"]]) == (0, ["inactivate"])
    assert (await p.netsuite.read("customer", customer["id"]))["isInactive"] is True
    assert (await p.salesforce.read("Account", account))["NetSuite_Id__c"] is None
    assert (await p.command("backfill")).code == 0
    [explained] = (await p.command("explain", account, "--json")).json()
    assert explained["plan"]["reason"] == "LEFT_OUT"
    assert await p.netsuite.count("customer") == 1


async def test_links_of_celigo_are_taken_over(p: Product) -> None:
    await p.salesforce.set_switches(celigo_package=True)
    await p.netsuite.act(
        "deploy_field", script_id=CELIGO_NETSUITE, max_length=300, applies_to=["contact", "customer"]
    )
    customer = await p.netsuite.insert("customer", {"companyName": "Acme", "subsidiary": {"id": "1"}})
    account = await p.salesforce.insert("Account", {"Name": "Acme", CELIGO_SALESFORCE: customer})
    await p.netsuite.update("customer", customer, {CELIGO_NETSUITE: account})
    there = await _there(p, customer, "byron@acme.example", "Byron")
    contact = await p.contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account, **{CELIGO_SALESFORCE: there}
    )
    await p.netsuite.update("contact", there, {CELIGO_NETSUITE: contact})
    odd = await p.contact(
        LastName="Odd", Email="odd@acme.example", AccountId=account, **{CELIGO_SALESFORCE: there}
    )

    shown = await p.command("adopt", "--preset", "celigo-io")
    assert (shown.code, "contradictory" in shown.out, odd in shown.out) == (1, True, True), shown.err
    assert (await _in_salesforce(p, contact)).get("NetSuite_Id__c") is None
    taken = (await p.command("adopt", "--preset", "celigo-io", "--yes", "--json")).json()
    assert (taken["linked"], taken["refused"]) == (2, [])
    assert (await _in_salesforce(p, account, "Account"))["NetSuite_Id__c"] == customer
    assert (await _in_salesforce(p, contact))["NetSuite_Id__c"] == there
    assert (await _in_netsuite(p, there))["custentity_twinbook_sf_id"] == contact

    assert (await p.command("backfill")).code == 0
    assert (await _in_netsuite(p, there))["lastName"] == "Lovelace"
    assert (await p.in_netsuite(odd))["id"] != there  # type: ignore[index]
