"""Sweeps as users run them: from the command line, over the real protocols."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.scenario.product import Product, backfill, product


@pytest_asyncio.fixture
async def p(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as made:
        yield made


async def synced(p: Product, number: int = 6) -> list[str]:
    account, _ = await p.linked_account()
    made = [
        await p.contact(LastName=f"N{n}", Email=f"n{n}@acme.example", AccountId=account)
        for n in range(number)
    ]
    async with p.connected() as connection:
        await backfill(connection)
    return made


async def test_what_happened_while_nobody_looked_is_found_and_put_right(p: Product) -> None:
    # So that the list comes by the Bulk API.
    p.configure("salesforce", bulk_from=5)
    made = await synced(p)
    first = await p.command("sweep", "--json")
    assert (first.code, first.json()["drift"]) == (0, [])

    await p.salesforce.update("Contact", made[0], {"Title": "Director"})
    merged = await p.in_netsuite(made[1])
    assert merged is not None
    await p.netsuite.delete("contact", str(merged["id"]))

    reported = await p.command("sweep", "--report-only", "--json")
    assert reported.code == 1
    kinds = {line["salesforce_id"]: line["kind"] for line in reported.json()["drift"]}
    assert kinds == {made[0]: "different", made[1]: "missing"}
    assert {line["done"] for line in reported.json()["drift"]} == {"only reported"}

    repaired = await p.command("sweep", "--json")
    done = {line["salesforce_id"]: line["done"] for line in repaired.json()["drift"]}
    assert done == {made[0]: "updated", made[1]: "review COUNTERPART_MISSING"}
    there = await p.in_netsuite(made[0])
    assert there is not None and there["title"] == "Director"
    assert (await p.command("sweep", "--json")).json()["drift"] == []

    table = await p.command("drift", "show", str(repaired.json()["sweep"]["number"]))
    assert "Director" in table.out and "COUNTERPART_MISSING" in table.out
    cells = await p.command("drift", "show", str(reported.json()["sweep"]["number"]), "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(cells.out)))
    assert {(row["field"], row["salesforce"]) for row in rows} == {("Title/title", "Director"), ("", "")}


async def test_repair_on_request(p: Product) -> None:
    made = await synced(p, 3)
    await p.salesforce.update("Contact", made[0], {"Title": "Director"})
    # All of this happened within a second: that the time of modification stayed as it was misleads nobody.
    await p.command("sweep", "--report-only")
    asked = await p.command("drift", "repair", made[0], "--json")
    assert asked.json()["queued"] == 1
    # The next process that works takes it up.
    await p.command("backfill", "--json")
    there = await p.in_netsuite(made[0])
    assert there is not None and there["title"] == "Director"
    assert (await p.command("drift", "--json")).json()["drift"][0]["done"] == "updated"


async def test_mistakes_are_told(p: Product) -> None:
    none = await p.command("drift")
    assert "No sweep has run yet" in none.out
    assert (await p.command("drift", "show", "7")).code == 2
    assert (await p.command("drift", "repair")).code == 2
    await p.command("pause")
    held = await p.command("sweep")
    assert held.code == 1 and "twinbook resume" in held.err
