"""Who wrote what, when, and what he knew: the account that the invariants are checked against.

Every change of a record is told to the ledger by the systems themselves, with its author: a person, or a *batch* of
the engine. Of a batch it is known which records it had read, and how they were then. So the ledger can tell an edit
that the engine wrote over knowingly from one that was made between its look and its write, which neither system lets
anybody exclude; and a second record made of one source from a record that had to be made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from tests.memory.observing import Touched

from twinbook.domain.canonical import is_kept_form
from twinbook.domain.ids import salesforce_id_of
from twinbook.domain.mapping import ContactMapping, MappingRow
from twinbook.domain.records import Entity, Fields, Side, Value

Place = tuple[Side, str]
Spot = tuple[Side, str, str]
"""A field of a record."""


@dataclass(slots=True)
class Batch:
    """Work of the engine that belongs together. `seen` are the versions of the records it has read."""

    number: int
    life: str
    seen: dict[Place, int] = field(default_factory=dict)


AUTHOR: ContextVar[Batch | None] = ContextVar("author_of_changes", default=None)
"""Who is writing at the moment; None for people."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person entered. `version` orders all changes of both systems."""

    version: int
    value: Value


@dataclass(frozen=True, slots=True)
class Overwritten:
    """An edit that the engine wrote over, having seen it, before it reached the other side."""

    spot: Spot
    value: Value
    batch: int


class Ledger:
    """`partner` holds the links of contacts as the store has them, both ways."""

    def __init__(self, mapping: ContactMapping, id_field: str = "NetSuite_Id__c") -> None:
        self._rows = {
            side: {row.field_on(side): row for row in mapping.rows if row.salesforce and row.netsuite}
            for side in Side
        }
        self._id_field = id_field
        self.version = 0
        self.versions: dict[Place, int] = {}
        self.by_people: dict[Place, int] = {}
        self.alive: dict[Place, Fields] = {}
        self.partner: dict[Place, str] = {}
        self.paired_at: dict[Place, int] = {}
        self.problems: list[str] = []
        self.overwritten: list[Overwritten] = []
        self.unseen = 0
        self.written: list[Place] = []
        self._edits: dict[Spot, Edit] = {}
        self._shown: dict[Spot, list[tuple[int, Value]]] = {}
        self._sources: dict[tuple[Spot, str], int] = {}

    def read(self, batch: Batch, side: Side, ids: Iterable[str]) -> None:
        """The batch looked at these records just now."""
        for id_ in ids:
            batch.seen[side, id_] = self.versions.get((side, id_), 0)

    def last_read(self, seen: Mapping[Place, int], place: Place) -> bool:
        """Whether the latest change of a record by a person had been made when it was read."""
        return seen.get(place, -1) >= self.by_people.get(place, 0)

    def touched(self, record: Touched) -> None:
        """A system has stored a change."""
        self.version += 1
        place, batch = (record.side, record.id), AUTHOR.get()
        self.versions[place] = self.version
        if batch is None:
            self.by_people[place] = self.version
        else:
            self.written.append(place)
        if record.entity is not Entity.CONTACT:
            return
        before = self.alive.pop(place, None)
        if record.alive:
            if before is None and batch is not None:
                self._created(record)
            self._compare(place, before or {}, record.fields, batch)
            self.alive[place] = record.fields
        elif batch is not None:
            self._deleted(place, batch)

    # Invariant 1

    def _created(self, record: Touched) -> None:
        """One source record never yields two: no living record may belong to the source already."""
        if record.side is Side.NETSUITE:
            source = salesforce_id_of(str(record.fields.get("externalId")))
            twins = self._twins(Side.NETSUITE, source, "custentity_twinbook_sf_id")
        else:
            source = _text(record.fields.get(self._id_field))
            twins = self._twins(Side.SALESFORCE, source, self._id_field)
        twins.discard(record.id)
        if twins:
            self.problems.append(
                f"1 one source, two targets: {source} got {record.side} {record.id} besides {sorted(twins)}"
            )

    def _twins(self, side: Side, source: str | None, id_field: str) -> set[str]:
        if source is None:
            return set()
        held = self.partner.get((side.other, source))
        found = {held} if held is not None and (side, held) in self.alive else set()
        for (on, id_), fields in self.alive.items():
            carries = fields.get(id_field) == source or fields.get("externalId") == f"SFC_{source}"
            if on is side and carries:
                found.add(id_)
        return found

    # Invariant 2 and 6

    def _compare(self, place: Place, before: Fields, after: Fields, batch: Batch | None) -> None:
        side, id_ = place
        for name, row in self._rows[side].items():
            old, new = before.get(name), after.get(name)
            if old == new:
                continue
            spot = (side, id_, name)
            self._shown.setdefault(spot, []).append((self.version, new))
            if row.compared(side, old) == row.compared(side, new):
                continue
            if batch is None:
                self._edits[spot] = Edit(self.version, new)
                continue
            edit = self._edits.pop(spot, None)
            if edit is not None:
                self._written_over(spot, row, edit, batch)
            self._in_order(spot, batch)

    def _written_over(self, spot: Spot, row: MappingRow, edit: Edit, batch: Batch) -> None:
        if self._reached(spot, row, edit):
            return
        if batch.seen.get(spot[:2], 0) < edit.version:
            self.unseen += 1
        else:
            self.overwritten.append(Overwritten(spot, edit.value, batch.number))

    def _reached(self, spot: Spot, row: MappingRow, edit: Edit) -> bool:
        """Whether the other side showed it while it stood."""
        side, id_, _ = spot
        other = self.partner.get((side, id_))
        if other is None:
            return False
        wanted = row.compared(side, edit.value)
        there = (side.other, other, row.field_on(side.other))
        history = self._shown.get(there, [])
        then = [value for version, value in history if version <= edit.version][-1:] or [None]
        since = [value for version, value in history if version > edit.version]
        return any(
            is_kept_form(wanted, found) or is_kept_form(found, wanted)
            for found in (row.compared(side.other, value) for value in (*then, *since))
        )

    def _in_order(self, spot: Spot, batch: Batch) -> None:
        """What was read earlier never overwrites what was read later."""
        source = self.partner.get(spot[:2])
        if source is None:
            return
        read = batch.seen.get((spot[0].other, source))
        if read is None:
            return
        last = self._sources.get((spot, source), 0)
        if read < last:
            self.problems.append(
                f"6 older over newer: batch {batch.number} of {batch.life} wrote {spot} from version {read} of "
                f"{source}; version {last} had been written"
            )
        self._sources[spot, source] = read

    def _deleted(self, place: Place, batch: Batch) -> None:
        """The edit wins over the delete."""
        for spot, edit in list(self._edits.items()):
            since = self.paired_at.get(place, self.version)
            if spot[:2] != place or not since < edit.version <= batch.seen.get(place, 0):
                continue
            if not self._reached(spot, self._rows[place[0]][spot[2]], edit):
                self.problems.append(
                    f"2 lost edit: batch {batch.number} deleted {place} with the edit of {spot[2]}"
                )

    def edit_at(self, spot: Spot) -> Edit | None:
        """The edit of a person that stands there."""
        return self._edits.get(spot)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
