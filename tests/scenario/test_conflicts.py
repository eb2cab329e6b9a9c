"""Conflicts that are left to a person, decided over the command line while the engine runs; both ends checked."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scenario.product import Product, has_reason, outcome, until

from twinbook.engine.connection import Connection

MAPPING = [{"salesforce": "Title", "netsuite": "title", "conflict": "review"}]


async def in_conflict(p: Product) -> tuple[str, str]:
    """Ada, whose title was changed on both sides while nothing ran: both ids."""
    p.configure("contacts", direction="both")
    p.configure("contacts", mapping=MAPPING)
    account, _ = await p.linked_account()
    here = await p.contact(FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    async with p.running():
        await p.salesforce.update("Contact", here, {"Title": "Analyst"})

        async def paired() -> bool:
            there = await p.in_netsuite(here)
            known = (await p.salesforce.read("Contact", here)).get("NetSuite_Id__c")
            return there is not None and there["id"] == known and there["title"] == "Analyst"

        await until(paired)
    there = (await p.salesforce.read("Contact", here))["NetSuite_Id__c"]
    await p.salesforce.update("Contact", here, {"Title": "Baroness"})
    await p.netsuite.update("contact", there, {"title": "Countess"})
    return here, there


async def titles(p: Product, here: str, there: str) -> tuple[Any, Any]:
    ours = await p.salesforce.read("Contact", here)
    return ours["Title"], (await p.netsuite.read("contact", there))["title"]


@pytest.mark.row("4-review")
async def test_a_conflict_is_decided_with_a_value_that_neither_side_has(p: Product) -> None:
    here, there = await in_conflict(p)
    async with p.running() as connection:
        await until(lambda: has_reason(connection, here, "CONFLICT"))
        assert await titles(p, here, there) == ("Baroness", "Countess")
        [listed] = (await p.command("choose", "--json")).json()
        assert listed["choices"] == ["salesforce", "netsuite"]
        assert "'Baroness'" in listed["detail"]
        assert "'Countess'" in listed["detail"]

        refused = await p.command("choose", here, "--set", f"Title={'x' * 150}")
        assert (refused.code, "takes at most" in refused.err) == (2, True), refused.err
        assert await titles(p, here, there) == ("Baroness", "Countess")

        assert (await p.command("choose", there, "--set", "title=Duchess")).code == 0

        async def settled() -> bool:
            return await titles(p, here, there) == ("Duchess", "Duchess")

        await until(settled)
        await until(lambda: _decided(connection, here))
        [told] = (await p.command("explain", here, "--json")).json()
        lost = {
            (change["side"], change["before"], change["after"])
            for entry in told["remembered"]["history"]
            for change in entry["changes"]
            if change["lost"]
        }
        assert lost == {("salesforce", "Baroness", "Duchess"), ("netsuite", "Countess", "Duchess")}


@pytest.mark.row("4-review", "4-conflict")
async def test_a_conflict_is_decided_for_one_side_and_the_history_says_who_lost(p: Product) -> None:
    here, there = await in_conflict(p)
    async with p.running() as connection:
        await until(lambda: has_reason(connection, here, "CONFLICT"))
        assert (await p.command("choose", here, "netsuite")).code == 0

        async def settled() -> bool:
            return await titles(p, here, there) == ("Countess", "Countess")

        await until(settled)
        await until(lambda: _decided(connection, here))
        shown = (await p.command("explain", here)).out
        assert "salesforce Title: 'Baroness' -> 'Countess'" in shown
        assert "NetSuite's value; 'Baroness' lost the conflict; noticed" in shown


async def _decided(connection: Connection, contact: str) -> bool:
    """Whether the decision is carried out, and told."""
    found = await outcome(connection, contact)
    return found is not None and found.reason is None
