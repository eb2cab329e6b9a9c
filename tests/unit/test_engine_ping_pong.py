"""Five hundred pairs edited at random on both sides, with values that the systems trim, cut off and reformat.

After quiet both sides are equal under the map, whatever Twinbook wrote over is in the history, and a further run
writes nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from tests.memory.reformatting import Reformatting
from tests.memory.world import World, world

from twinbook.domain.agreement import agreement_on
from twinbook.domain.canonical import is_kept_form
from twinbook.domain.mapping import ConflictPolicy, ContactMapping, MappingRow, Overflow, default_mapping
from twinbook.domain.policy import Direction
from twinbook.domain.records import Entity, Key, Side, Value
from twinbook.store import journal

PAIRS, ACCOUNTS, ROUNDS, EDITS = 500, 20, 8, 300
EDITED = {
    "FirstName": ["Ada", " Grace ", "Edsger", "Maximilian-Alexander Theodor Ferdinand", None],
    "LastName": ["Lovelace", "Hopper  ", "Dijkstra", "von Brentano di Tremezzo-Lichtenstein"],
    "Title": [
        "Analyst",
        "Chief  Analyst",
        " Countess\r\n",
        "Head of " + "very " * 20 + "many things",
        "",
        None,
    ],
    "Phone": ["030 1234567", "+49 (30) 123-4567", "0049 30 1234567", "030/1234567 ", None],
    "MobilePhone": ["0170 1234567", "+49-170-1234567", "(0170) 1234567", None],
    "Description": ["first\r\nsecond ", "first\nsecond", "  outer  ", "x" * 1200, None],
    "MailingStreet": [
        "Main St 1",
        "Main St 1\r\n2nd floor",
        "Main St 1\nc/o Ada\n2nd floor\nback door",
        None,
    ],
    "MailingCity": ["Berlin", " Potsdam ", "Llanfairpwllgwyngyllgogerychwyrndrob", None],
    "MailingCountry": ["Germany", "DE", "Deutschland", "FR", None],
}


def mapping() -> ContactMapping:
    """Every row cuts what is too long; who wins a conflict changes from row to row."""
    winners = (ConflictPolicy.SALESFORCE, ConflictPolicy.NETSUITE)
    return ContactMapping(
        tuple(
            replace(row, on_overflow=Overflow.TRUNCATE, conflict=winners[number % 2])
            for number, row in enumerate(default_mapping().rows)
        )
    )


class Match:
    """The people on both sides of one connection, and what they saw vanish."""

    def __init__(self, w: World, seed: int) -> None:
        self.w = w
        self.random = random.Random(seed)
        self.rows = {
            row.salesforce: row for row in w.connection.contacts.mapping.rows if row.salesforce in EDITED
        }
        self.pairs = [(item.id, item.netsuite_id or "") for item in w.salesforce.contacts]
        self.written_over: Counter[tuple[str, Side, str, Value]] = Counter()

    def edit(self, pair: tuple[str, str] | None = None) -> tuple[str, Side]:
        """Somebody changes one to three fields of one contact on one side; which contact, and where."""
        here, there = pair or self.random.choice(self.pairs)
        names = self.random.sample(sorted(EDITED), self.random.randint(1, 3))
        if self.random.random() < 0.5:
            self.w.salesforce.user_edits(here, {name: self.random.choice(EDITED[name]) for name in names})
            return here, Side.SALESFORCE
        self.w.netsuite.user_edits(there, {self.rows[name].netsuite: self._fit(name) for name in names})
        return here, Side.NETSUITE

    def _fit(self, name: str) -> Value:
        """A value that a person could enter in NetSuite: it refuses what is too long."""
        schema = self.w.connection.contacts.netsuite_schema or {}
        length = schema[self.rows[name].netsuite].length or 1000
        fitting = [value for value in EDITED[name] if value is None or len(value) <= length]
        return self.random.choice(fitting)

    def values(self) -> dict[tuple[str, Side, str], Value]:
        """All edited fields of all pairs as the two systems show them."""
        shown: dict[tuple[str, Side, str], Value] = {}
        for contact in self.w.salesforce.contacts:
            there = self.w.netsuite.contact(contact.netsuite_id or "")
            for row in self.rows.values():
                shown[contact.id, Side.SALESFORCE, row.salesforce] = contact.fields[row.salesforce]
                shown[contact.id, Side.NETSUITE, row.netsuite] = there.fields[row.netsuite]
        return shown

    async def sync(self, *, until_quiet: bool) -> None:
        """Let Twinbook work, and note each value that it wrote over."""
        before = self.values()
        if until_quiet:
            await self.w.settle()
        else:
            await self.w.notice()
            await self.w.drain()
        after = self.values()
        for place, value in before.items():
            if after[place] != value:
                self.written_over[*place, value] += 1

    async def history(self) -> Counter[tuple[str, Side, str, Value]]:
        def read(tx: journal.Tx) -> Counter[tuple[str, Side, str, Value]]:
            found: Counter[tuple[str, Side, str, Value]] = Counter()
            for here, _ in self.pairs:
                for entry in journal.history(tx, salesforce_id=here, netsuite_id=None, limit=1000):
                    for change in entry.changes:
                        found[here, Side(change.side), change.field, change.before] += 1
            return found

        return await self.w.store.run(read)


def in_step(row: MappingRow, salesforce: Value, netsuite: Value) -> bool:
    """Equal under the map, or one of them what a system made of the other."""
    here, there = row.compared(Side.SALESFORCE, salesforce), row.compared(Side.NETSUITE, netsuite)
    return here == there or is_kept_form(here, there) or is_kept_form(there, here)


@pytest.mark.parametrize("seed", [1, 2])
async def test_five_hundred_pairs_come_to_rest_in_step(seed: int) -> None:
    async with world() as w:
        w.netsuite = Reformatting()
        w.connection = replace(w.connection, netsuite=w.netsuite)
        w._netsuite_cursor = (await w.netsuite.changes_since(Entity.CONTACT, None)).cursor
        w.configure(
            direction=Direction.BOTH,
            mapping=mapping(),
            salesforce_schema=await w.salesforce.describe(Entity.CONTACT),
            netsuite_schema=await w.netsuite.describe(Entity.CONTACT),
        )
        companies = [w.linked_account(f"Company {number}") for number in range(ACCOUNTS)]
        for number in range(PAIRS):
            account, customer = companies[number % ACCOUNTS]
            name, email = f"Person{number}", f"p{number}@acme.example"
            if number % 2:
                w.salesforce.user_creates_contact(LastName=name, Email=email, AccountId=account)
            else:
                w.netsuite.user_creates_contact(lastName=name, email=email, company=customer, subsidiary="1")
        await w.settle()
        match = Match(w, seed)
        assert len({there for _, there in match.pairs}) == len(w.netsuite.contacts) == PAIRS

        for number in range(ROUNDS):
            for _ in range(EDITS):
                match.edit()
            await match.sync(until_quiet=number % 3 == 2)
        await match.sync(until_quiet=True)

        assert await w.incidents() == []
        shown = match.values()
        apart = [
            (
                here,
                row.key,
                shown[here, Side.SALESFORCE, row.salesforce],
                shown[here, Side.NETSUITE, row.netsuite],
            )
            for here, _ in match.pairs
            for row in match.rows.values()
            if not in_step(
                row, shown[here, Side.SALESFORCE, row.salesforce], shown[here, Side.NETSUITE, row.netsuite]
            )
        ]
        assert apart == []
        assert match.written_over, "nobody was ever written over: this proves nothing"
        missing = match.written_over - await match.history()
        assert missing == Counter()
        await nothing_more_is_written(w, match)
        await what_nobody_contradicts_stays_as_it_was_entered(match)


async def what_nobody_contradicts_stays_as_it_was_entered(match: Match) -> None:
    """What the other system makes of an edit never comes back to where the edit was made."""
    edited = {match.edit(pair) for pair in match.pairs[:200]}
    before = match.values()
    await match.w.settle()
    after = match.values()
    changed = [place for place in before if place[:2] in edited and after[place] != before[place]]
    assert changed == []


async def nothing_more_is_written(w: World, match: Match) -> None:
    before = w.salesforce.writes, w.netsuite.writes
    keys = [Key(Entity.CONTACT, Side.SALESFORCE, here) for here, _ in match.pairs]
    await w.mark(*keys, *(Key(Entity.CONTACT, Side.NETSUITE, there) for _, there in match.pairs))
    await w.settle()
    assert (w.salesforce.writes, w.netsuite.writes) == before
    for here, _ in match.pairs:
        link = await w.link(here)
        assert link is not None
        assert agreement_on("LastName/lastName", link.agreed) is not None
