"""What changed since a cursor: polling on lastmodifieddate and deletedrecord (netsuite.md 4.4, 4.5).

Times stay in NetSuite's own terms: the zone of SuiteQL dates is not documented, so a watermark is a value that
NetSuite itself gave, never this machine's time. A record becomes visible some time after the moment it is stamped
with, so each look goes back by an overlap. Records that were seen already are dropped, once they were seen again
after the second they are stamped with had surely passed: two edits within one second share a stamp. While the overlap
holds more than a page, as after a back-fill, it is read once a minute, and by so much further back; the looks in
between, which would read the same thousands of rows again and again, go back by seconds. Now and then a look goes back
by more than an hour: should the stamps be local time, they fall back by an hour once a year.
An edit that carries the stamp of one already settled cannot be told from it; the sweep finds it.

What was seen is remembered in memory for the one cursor that was handed out last. A caller that presents another
cursor (it crashed, or could not store the last one) gets the overlap once more: repeats cost time, losses do not
happen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from typing import Any, Final

import orjson

from twinbook.domain.errors import PermanentError
from twinbook.domain.ports import Changes
from twinbook.domain.records import Entity, Key, Side
from twinbook.domain.versions import SETTLED_AFTER_S
from twinbook.netsuite.metadata import RECORD_TYPES
from twinbook.netsuite.suiteql import PAGE, TIME_FORMAT, Row, SuiteQL, id_literal, literal, timestamp

BEGINNING: Final = "1970-01-01 00:00:00"
CLOSE_OVERLAP: Final = timedelta(seconds=10)
FULL_EVERY_S: Final = 60.0
WIDE_OVERLAP: Final = timedelta(minutes=65)
WIDE_EVERY_S: Final = 600.0
_PYTHON_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Position:
    """How far one table was read: everything up to `at`; within a long look, also up to `page` (time, id)."""

    at: str
    page: tuple[str, str] | None = None

    def floor(self, overlap: timedelta, start: str) -> str:
        """Where a look begins: so much before `at`, yet not before polling was begun."""
        if self.page is not None:
            return self.page[0]
        moment = datetime.strptime(self.at, _PYTHON_TIME)
        return max(start, (moment - overlap).strftime(_PYTHON_TIME))

    def after(self, rows: Sequence[Row], page_size: int) -> Position:
        """The position once these rows were read, in the order of (stamp, id)."""
        last = (rows[-1]["stamp"], rows[-1]["id"]) if rows else self.page
        if len(rows) == page_size:
            return Position(self.at, page=last)
        return Position(max(self.at, last[0]) if last else self.at)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Positions in both tables, where polling was begun, and a number that tells apart what was handed out."""

    start: str
    changed: Position
    deleted: Position
    serial: int = 0

    @property
    def begins_look(self) -> bool:
        return self.changed.page is None and self.deleted.page is None

    def wants(self, position: Position) -> bool:
        """Whether this look goes on there: one that is done waits for the other, or the two would never end."""
        return position.page is not None or self.begins_look

    def text(self) -> str:
        return orjson.dumps(self).decode()

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises `PermanentError` INVALID_CURSOR for a text that `text()` did not make."""
        try:
            raw: dict[str, Any] = orjson.loads(text)
            start, changed, deleted = raw["start"], _position(raw["changed"]), _position(raw["deleted"])
            return cls(_time(start), changed, deleted, int(raw["serial"]))
        except (ValueError, KeyError, TypeError) as problem:
            raise PermanentError(
                "INVALID_CURSOR",
                "The stored NetSuite polling position cannot be read.",
                remedy="Run `twinbook backfill`: it compares everything and starts polling anew.",
            ) from problem


@dataclass(frozen=True, slots=True)
class Table:
    """A table to poll, with its id, its time, and a condition that every look has."""

    name: str
    id: str
    time: str
    condition: str = ""


@dataclass(slots=True)
class _Sighting:
    """When a record was first seen as it is now, and whether it was seen again late enough."""

    stamp: str
    first_at: float
    settled: bool = False


@dataclass(slots=True)
class _Memory:
    """Sightings that belong to one handed-out cursor; when the last look went far back, and when one went back by the
    overlap; whether that is `long`: more than a page."""

    cursor: str
    wide_at: float
    full_at: float = -inf
    long: bool = True
    seen: dict[tuple[str, str], _Sighting] = field(default_factory=dict)


class ChangeFeed:
    """Polls one account. `monotonic` is in seconds; `read_deleted` needs the permission on deleted records."""

    def __init__(
        self,
        suiteql: SuiteQL,
        *,
        overlap: timedelta,
        monotonic: Callable[[], float],
        read_deleted: bool = True,
        page: int = PAGE,
    ) -> None:
        self._suiteql = suiteql
        self._overlap = overlap
        self._monotonic = monotonic
        self._read_deleted = read_deleted
        self._page = page
        self._memories: dict[Entity, _Memory] = {}

    async def since(self, entity: Entity, text: str | None) -> Changes:
        """Keys of records that changed or were deleted since a cursor; a missing cursor starts now."""
        if text is None:
            return Changes((), (await self._now(entity)).text(), more=False)
        cursor = Cursor.parse(text)
        memory = self._recall(entity, text)
        overlap = self._reach(memory) if cursor.begins_look else self._overlap
        changed, deleted = cursor.changed, cursor.deleted
        ids: list[str] = []
        gone: list[str] = []
        if cursor.wants(changed):
            rows = await self._look(_live(entity), changed, cursor.start, overlap)
            ids = self._unseen(memory.seen, "live", rows)
            changed = changed.after(rows, self._page)
        if self._read_deleted and cursor.wants(deleted):
            rows = await self._look(_deleted(entity), deleted, cursor.start, overlap)
            gone = self._unseen(memory.seen, "gone", rows)
            deleted = deleted.after(rows, self._page)
        keys = _keys(entity, [*ids, *gone])
        after = Cursor(cursor.start, changed, deleted, cursor.serial + (1 if keys else 0))
        memory.cursor = after.text()
        more = changed.page is not None or deleted.page is not None
        memory.long |= more
        self._memories[entity] = _without_old(memory, after)
        return Changes(keys, memory.cursor, more, frozenset(_keys(entity, gone)))

    def _recall(self, entity: Entity, text: str) -> _Memory:
        """A copy of what was seen up to this cursor; nothing when another one was handed out last."""
        known = self._memories.get(entity)
        if known is None or known.cursor != text:
            return _Memory(text, wide_at=self._monotonic())
        return replace(known, seen=dict(known.seen))

    def _reach(self, memory: _Memory) -> timedelta:
        """How far a look that begins now goes back. Between two looks by the full overlap the position moves on by less
        than the time between them: going back by so much more, the later one misses nothing."""
        now = self._monotonic()
        if now - memory.wide_at >= WIDE_EVERY_S:
            overlap, memory.wide_at = WIDE_OVERLAP, now
        elif not memory.long:
            overlap = self._overlap
        elif now - memory.full_at >= FULL_EVERY_S:
            overlap = self._overlap + timedelta(seconds=FULL_EVERY_S)
        else:
            return min(CLOSE_OVERLAP, self._overlap)
        memory.full_at, memory.long = now, False
        return overlap

    async def _now(self, entity: Entity) -> Cursor:
        table = _live(entity)
        newest_stamp = _stamp(f"MAX(t.{table.time})")
        rows = await self._suiteql.query(f"SELECT {newest_stamp} AS stamp FROM {table.name} t")  # noqa: S608
        newest = rows[0].get("stamp", BEGINNING) if rows else BEGINNING
        return Cursor(newest, Position(newest), Position(newest))

    async def _look(self, table: Table, position: Position, start: str, overlap: timedelta) -> Sequence[Row]:
        floor = position.floor(overlap, start)
        return await self._suiteql.first(_sql(table, position, floor), self._page)

    def _unseen(self, seen: dict[tuple[str, str], _Sighting], kind: str, rows: Sequence[Row]) -> list[str]:
        now = self._monotonic()
        ids: list[str] = []
        for row in rows:
            key, stamp = (kind, row["id"]), row["stamp"]
            known = seen.get(key)
            if known is None or known.stamp != stamp:
                seen[key] = _Sighting(stamp, now)
                ids.append(row["id"])
            elif not known.settled and now - known.first_at >= SETTLED_AFTER_S:
                seen[key] = _Sighting(stamp, known.first_at, settled=True)
                ids.append(row["id"])
        return ids


def _sql(table: Table, position: Position, floor: str) -> str:
    """Rows from `floor` on in the order of (second, id), after the page that was read last.

    Stamps are compared by whole seconds: a column may hold fractions that `TO_CHAR` does not show.
    """
    stamp = _stamp(f"t.{table.time}")
    conditions = [f"t.{table.time} >= {timestamp(floor)}"]
    if table.condition:
        conditions.append(table.condition)
    if position.page is not None:
        later, id_ = timestamp(_next_second(position.page[0])), id_literal(position.page[1])
        conditions.append(f"(t.{table.time} >= {later} OR t.{table.id} > {id_})")
    where = " AND ".join(conditions)
    return (
        f"SELECT t.{table.id} AS id, {stamp} AS stamp FROM {table.name} t "  # noqa: S608  (all escaped)
        f"WHERE {where} ORDER BY {stamp}, t.{table.id}"
    )


def _live(entity: Entity) -> Table:
    return Table(RECORD_TYPES[entity].value, "id", "lastmodifieddate")


def _deleted(entity: Entity) -> Table:
    """The spelling of `type` is unverified (netsuite.md 4.4), hence LOWER."""
    condition = f"LOWER(t.type) = {literal(RECORD_TYPES[entity].value)}"
    return Table("deletedrecord", "recordid", "deleteddate", condition)


def _keys(entity: Entity, ids: Sequence[str]) -> tuple[Key, ...]:
    return tuple(Key(entity, Side.NETSUITE, id_) for id_ in dict.fromkeys(ids))


def _stamp(time: str) -> str:
    return f"TO_CHAR({time}, '{TIME_FORMAT}')"


def _next_second(stamp: str) -> str:
    return (datetime.strptime(stamp, _PYTHON_TIME) + timedelta(seconds=1)).strftime(_PYTHON_TIME)


def _without_old(memory: _Memory, cursor: Cursor) -> _Memory:
    """Only sightings that a later look can meet again, however far it goes back."""
    at = {"live": cursor.changed.at, "gone": cursor.deleted.at}
    floors = {kind: Position(stamp).floor(WIDE_OVERLAP, cursor.start) for kind, stamp in at.items()}
    kept = {key: sighting for key, sighting in memory.seen.items() if sighting.stamp >= floors[key[0]]}
    return replace(memory, seen=kept)


def _position(raw: dict[str, Any]) -> Position:
    page = raw["page"]
    return Position(_time(raw["at"]), None if page is None else (_time(page[0]), id_literal(str(page[1]))))


def _time(text: Any) -> str:
    datetime.strptime(text, _PYTHON_TIME)
    return str(text)
