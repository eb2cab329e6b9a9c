"""Pairs edited at random on both sides of the real protocols come to rest in step; nothing is written afterwards."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest
from tests.scenario.product import Product, until

from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.connection import Connection
from twinbook.store import dirty_keys, journal
from twinbook.store.database import Tx

PAIRS, ROUNDS = 40, 3
WRITES = [f"collections.{kind}" for kind in ("create", "update", "upsert")]
FIELDS = {
    "FirstName": ("firstName", ["Ada", " Grace ", "Edsger"]),
    "Title": ("title", ["Analyst", "Chief  Analyst ", " Countess", None]),
    "Phone": ("phone", ["030 1234567", "+49 (30) 123-4567", "030/7654321 ", None]),
    "Description": ("comments", ["first\r\nsecond ", "first\nsecond", "  outer  ", None]),
}
Place = tuple[str, Side, str]


class Pairs:
    """The pairs of an installation, with what people do to them."""

    def __init__(self, p: Product, seed: int) -> None:
        self.p = p
        self.random = random.Random(seed)
        self.ids: dict[str, str] = {}

    async def find(self) -> bool:
        """Whether all contacts of either side are paired by now."""
        here = await self.p.salesforce.records("Contact", limit=1000)
        there = await self.p.netsuite.records("contact", limit=1000)
        self.ids = {item["Id"]: item["NetSuite_Id__c"] for item in here if item.get("NetSuite_Id__c")}
        carried = {item.get("custentity_twinbook_sf_id"): item["id"] for item in there}
        return self.ids == carried and len(self.ids) == PAIRS

    async def edit(self) -> None:
        for here, there in self.ids.items():
            if self.random.random() < 0.7:
                await self.p.salesforce.update("Contact", here, self._given(0))
            if self.random.random() < 0.7:
                await self.p.netsuite.update("contact", there, self._given(1))

    def _given(self, side: int) -> dict[str, Any]:
        names = self.random.sample(sorted(FIELDS), 2)
        return {(name, FIELDS[name][0])[side]: self.random.choice(FIELDS[name][1]) for name in names}

    async def values(self) -> dict[Place, Any]:
        here = {item["Id"]: item for item in await self.p.salesforce.records("Contact", limit=1000)}
        there = {item["id"]: item for item in await self.p.netsuite.records("contact", limit=1000)}
        shown: dict[Place, Any] = {}
        for id_, other in self.ids.items():
            for name, (namesake, _) in FIELDS.items():
                shown[id_, Side.SALESFORCE, name] = here[id_].get(name)
                shown[id_, Side.NETSUITE, namesake] = there[other].get(namesake)
        return shown

    async def apart(self) -> list[tuple[str, str, Any, Any]]:
        """Fields on which the sides differ by more than blanks, line ends and phone formats."""
        shown = await self.values()
        both = [
            (id_, name, shown[id_, Side.SALESFORCE, name], shown[id_, Side.NETSUITE, namesake])
            for id_ in self.ids
            for name, (namesake, _) in FIELDS.items()
        ]
        return [item for item in both if _plain(item[1], item[2]) != _plain(item[1], item[3])]

    async def in_step(self, connection: Connection) -> bool:
        waiting = await connection.store.run(lambda tx: dirty_keys.depth(tx, now=time.time()))
        return not (waiting.due or waiting.claimed or waiting.later) and not await self.apart()


def _plain(name: str, value: str | None) -> str | None:
    if name == "Phone" and value:
        return "".join(filter(str.isdigit, value))
    lines = (value or "").replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip() or None


async def _history(connection: Connection, ids: list[str]) -> Counter[tuple[str, Side, str, Any]]:
    def read(tx: Tx) -> Counter[tuple[str, Side, str, Any]]:
        return Counter(
            (id_, Side(change.side), change.field, change.before)
            for id_ in ids
            for entry in journal.history(tx, salesforce_id=id_, netsuite_id=None, limit=1000)
            for change in entry.changes
        )

    return await connection.store.run(read)


@pytest.mark.row("4-kept", "4-conflict")
async def test_pairs_edited_on_both_sides_come_to_rest_in_step(p: Product) -> None:
    p.configure("contacts", direction="both")
    account, customer = await p.linked_account()
    pairs = Pairs(p, seed=1)
    async with p.running():
        for number in range(PAIRS):
            name, email = f"Person{number}", f"p{number}@acme.example"
            if number % 2:
                await p.contact(LastName=name, Email=email, AccountId=account)
            else:
                company = {"company": {"id": customer}, "subsidiary": {"id": "1"}}
                await p.netsuite.insert("contact", {"lastName": name, "email": email, **company})
        await until(pairs.find, timeout=60)

    written_over: Counter[tuple[str, Side, str, Any]] = Counter()
    for _ in range(ROUNDS):
        await pairs.edit()
        before = await pairs.values()
        async with p.running() as connection:
            await until(lambda connection=connection: pairs.in_step(connection), timeout=60)
            after = await pairs.values()
            written_over += Counter(
                (*place, value) for place, value in before.items() if after[place] != value
            )

    assert written_over
    async with p.running() as connection:
        assert written_over - await _history(connection, list(pairs.ids)) == Counter()
        await until(lambda: pairs.in_step(connection), timeout=60)
        writes = await p.netsuite_writes(), await p.salesforce.calls(WRITES)
        keys = [Key(Entity.CONTACT, Side.SALESFORCE, id_) for id_ in pairs.ids]
        await connection.store.run(lambda tx: dirty_keys.mark(tx, keys, cause="test", now=time.time()))
        connection.wake.ring()
        await until(lambda: pairs.in_step(connection), timeout=60)
        assert (await p.netsuite_writes(), await p.salesforce.calls(WRITES)) == writes
