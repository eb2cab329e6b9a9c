"""Finding changes by asking again and again: the cursor over (SystemModstamp, Id) that loses nothing.

A record gets its SystemModstamp before its transaction commits, so a row may appear behind rows that were read
already. Each look therefore starts `overlap` seconds before the newest row known, and rows that were delivered
are remembered, so that quiet records are not delivered again and again. Once a look, begun `overlap` seconds
after the newest row was first seen, found nothing newer, all before that row is settled and never read again.
Durations are measured on our clock, moments on the org's; the two are never compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from twinbook.domain.errors import PermanentError
from twinbook.salesforce import soql

REMEMBERED: Final = 1000
"""Rows of the overlap that a cursor remembers; older ones are delivered again, which costs time only."""

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of (SystemModstamp, Id). Without an id: before all rows of that moment."""

    moment: datetime
    id: str = ""

    def condition(self) -> str:
        """The SOQL condition for all rows after this place; the first half lets the org use its index."""
        at = soql.moment(self.moment)
        if not self.id:
            return f"SystemModstamp >= {at}"
        return f"SystemModstamp >= {at} AND (SystemModstamp > {at} OR Id > {soql.record_id(self.id)})"


@dataclass(frozen=True, slots=True)
class PollCursor:
    """Where polling stands. `newest` was first seen at `seen_at`; up to `settled` nothing can still appear.

    `page` is where the next page of an unfinished look starts, `began` when it began. `delivered` holds
    the rows of the overlap: id → SystemModstamp, newest last. Clock times are epoch seconds of our clock.
    """

    newest: Position
    seen_at: float
    settled: Position
    page: Position | None = None
    began: float = 0.0
    delivered: Mapping[str, str] = field(default_factory=dict)

    def start(self, overlap: float) -> Position:
        """Where the next query starts."""
        if self.page is not None:
            return self.page
        back = self.newest.moment - timedelta(seconds=overlap)
        return Position(back) if back > self.settled.moment else self.settled

    def fresh(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """The ids of rows that were not delivered in this state before."""
        return [row["Id"] for row in rows if self.delivered.get(row["Id"]) != row["SystemModstamp"]]

    def advance(
        self, rows: Sequence[Mapping[str, Any]], now: float, overlap: float, *, more: bool
    ) -> PollCursor:
        """The cursor after a page of rows; `more` when further pages follow in this look."""
        began = now if self.page is None else self.began
        last = Position(parse(rows[-1]["SystemModstamp"]), rows[-1]["Id"]) if rows else self.newest
        newer = last.moment > self.newest.moment or (
            last.moment == self.newest.moment and last.id != self.newest.id
        )
        moved = replace(self, newest=last, seen_at=began) if newer else self
        waited = not more and began - moved.seen_at >= overlap
        return replace(
            moved,
            settled=moved.newest if waited else self.settled,
            page=last if more else None,
            began=began if more else 0.0,
            delivered={} if waited else _remembered(moved, rows, overlap),
        )

    def encode(self) -> str:
        return orjson.dumps(
            [
                _plain(self.newest),
                self.seen_at,
                _plain(self.settled),
                _plain(self.page) if self.page else None,
                self.began,
                self.delivered,
            ]
        ).decode()


def decode(cursor: str) -> PollCursor:
    """The cursor that `encode` wrote; `PermanentError` for any other text."""
    try:
        newest, seen_at, settled, page, began, delivered = orjson.loads(cursor)
        return PollCursor(
            _position(newest),
            seen_at,
            _position(settled),
            _position(page) if page else None,
            began,
            delivered,
        )
    except (ValueError, TypeError) as problem:
        raise PermanentError(
            "INVALID_CURSOR",
            "the stored cursor is not one of polling",
            remedy="Start polling anew, then sweep.",
        ) from problem


def parse(stamp: str) -> datetime:
    """A moment as the REST API writes it: `2026-09-21T12:15:23.000+0000`."""
    return datetime.fromisoformat(stamp)


def _remembered(cursor: PollCursor, rows: Sequence[Mapping[str, Any]], overlap: float) -> Mapping[str, str]:
    oldest = cursor.newest.moment - timedelta(seconds=overlap)
    known = dict(cursor.delivered)
    for row in rows:
        known.pop(row["Id"], None)
        known[row["Id"]] = row["SystemModstamp"]
    kept = [(id_, stamp) for id_, stamp in known.items() if parse(stamp) >= oldest]
    return dict(kept[-REMEMBERED:])


def _plain(position: Position) -> tuple[str, str]:
    return position.moment.isoformat(), position.id


def _position(plain: Sequence[str]) -> Position:
    return Position(datetime.fromisoformat(plain[0]), plain[1])
