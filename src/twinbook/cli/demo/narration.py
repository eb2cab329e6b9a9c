"""Telling, line by line, what Twinbook does while it does it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from twinbook.domain.records import Entity, Value
from twinbook.store import journal, outcomes
from twinbook.store.database import Store, Tx
from twinbook.store.journal import Entry
from twinbook.store.outcomes import Outcome

LOOK_EVERY = 0.2
COLOURS = {"created": "green", "adopted": "cyan", "updated": "blue", "waiting": "yellow", "skipped": "yellow"}
BOOKKEEPING = (
    "NetSuite_Id__c",
    "NetSuite_Sync_Status__c",
    "NetSuite_Sync_Message__c",
    "NetSuite_Last_Sync__c",
)


@dataclass(slots=True)
class Narrator:
    """Follows the journal and the outcomes of a store from the moment it is made."""

    store: Store
    console: Console
    _last_entry: int = 0
    _last_look: float = 0.0

    async def follow(self) -> None:
        """Print what happens, until cancelled."""
        self._last_entry = await self.store.read(journal.last_id)
        self._last_look = await self.store.read(outcomes.last_look)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Print what happened since the last look."""

        def read(tx: Tx) -> tuple[list[Entry], list[Outcome]]:
            return journal.since(tx, self._last_entry), outcomes.unwritten_since(tx, self._last_look)

        entries, found = await self.store.read(read)
        for entry in entries:
            self._last_entry = entry.id
            self.console.print(_told(entry), soft_wrap=True)
        for item in found:
            self._last_look = max(self._last_look, item.looked_at)
            self.console.print(_shown(item), soft_wrap=True)


def _told(entry: Entry) -> Text:
    ids = f"{entry.salesforce_id} ↔ {entry.netsuite_id}"
    line = Text.assemble(
        (f"{entry.what:<17}", COLOURS.get(entry.what, "magenta")), f"{entry.entity.value} {ids}  "
    )
    fields = [f"{item.field} {_value(item.after)}" for item in entry.changes if item.field not in BOOKKEEPING]
    if entry.entity is Entity.ACCOUNT:
        return line.append(entry.why, "dim")
    return line.append(", ".join(fields[:4]) + (" …" if len(fields) > 4 else ""), "dim")


def _shown(item: Outcome) -> Text:
    return Text.assemble(
        (f"{item.kind.value:<17}", COLOURS.get(item.kind.value, "red")),
        f"{item.key.entity.value} {item.name} ",
        (f"{item.reason or ''} ", "bold"),
        (item.detail, "dim"),
    )


def _value(value: Value) -> str:
    text = "(empty)" if value is None else str(value).replace("\n", " / ")
    return text if len(text) <= 40 else text[:39] + "…"
