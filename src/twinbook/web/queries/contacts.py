"""Every contact that Twinbook knows, by what came of it: counts, lists and single rows.

A list is ordered by index whatever the filter: all contacts of one outcome and one reason are a *cell*, a run of the
index, and a list merges the heads of the cells that it shows. So a page costs the same among a hundred contacts as
among a million, and its total is the sum of the cells.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity, Side
from twinbook.store import outcomes, words
from twinbook.store.database import Tx
from twinbook.store.outcomes import IN_STEP, Tally
from twinbook.store.schema import outcome
from twinbook.store.sql import chunks


class State(StrEnum):
    """The outcomes as people sort them: it is fine, it waits by itself, it needs somebody, it is left out."""

    IN_STEP = "in-step"
    WAITING = "waiting"
    REVIEW = "review"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def kinds(self) -> tuple[OutcomeKind, ...]:
        return IN_STEP if self is State.IN_STEP else (OutcomeKind(self.value),)


class Sort(StrEnum):
    """How a list is ordered."""

    RECENT = "recent"
    OLDEST = "oldest"
    NAME = "name"
    NAME_DOWN = "name-down"

    @property
    def descending(self) -> bool:
        return self in (Sort.RECENT, Sort.NAME_DOWN)

    @property
    def by_name(self) -> bool:
        return self in (Sort.NAME, Sort.NAME_DOWN)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which contacts to list: of these outcomes and reasons (empty: all), in whose name, email or id is `text`."""

    kinds: tuple[OutcomeKind, ...] = ()
    reasons: tuple[Reason, ...] = ()
    text: str = ""
    sort: Sort = Sort.RECENT


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: behind this row, or before it when going back. `value` is what the list is ordered by."""

    value: float | str
    side: Side
    record_id: str
    back: bool = False


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact in a list. Times are epoch seconds; `written` is what the last write was."""

    side: Side
    record_id: str
    salesforce_id: str | None
    netsuite_id: str | None
    name: str
    email: str | None
    kind: OutcomeKind
    reason: Reason | None
    detail: str
    looked_at: float
    written_at: float | None
    written: str | None


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Some rows of a list. `total` is None for a search: it looks at so many matches at most, and is `cut` where there
    may be more."""

    rows: list[ContactRow]
    total: int | None
    before: Position | None
    after: Position | None
    cut: bool = False


def counts(tx: Tx) -> list[Tally]:
    """How many contacts there are of each outcome and reason, the largest first."""
    return outcomes.tally(tx, Entity.CONTACT)


def by_state(cells: Sequence[Tally]) -> dict[State, int]:
    """Numbers by state, all states named."""
    return {state: sum(cell.number for cell in cells if cell.kind in state.kinds) for state in State}


def page(
    tx: Tx, wanted: Wanted, cells: Sequence[Tally], *, limit: int, at: Position | None = None
) -> ContactPage:
    """One page of a list, of at most `limit` rows. `cells` are the counts, which may be some seconds old."""
    back = at is not None and at.back
    chosen = [cell for cell in cells if _is_in(cell, wanted)]
    cut = False
    if wanted.text:
        keys = _matches(tx, wanted.text.strip())
        found, cut = _among(tx, wanted, keys, limit=limit + 1, at=at), len(keys) >= words.MOST_MATCHES
    else:
        found = _heads(tx, wanted, chosen, limit=limit + 1, at=at)
    rows, more = found[:limit], len(found) > limit
    if back:
        rows.reverse()
    has_before, has_after = (more, True) if back else (at is not None, more)
    return ContactPage(
        [_contact(row) for row in rows],
        None if wanted.text else sum(cell.number for cell in chosen),
        _position(rows[0], back=True) if rows and has_before else None,
        _position(rows[-1], back=False) if rows and has_after else None,
        cut,
    )


def _is_in(cell: Tally, wanted: Wanted) -> bool:
    return (not wanted.kinds or cell.kind in wanted.kinds) and (
        not wanted.reasons or cell.reason in wanted.reasons
    )


def _matches(tx: Tx, text: str) -> set[tuple[str, str]]:
    """Side and id of contacts in which words begin like this, or of which it is the id."""
    looked_for = words.words_of(text)
    found = tx.execute(words.matching(tx, looked_for)) if looked_for else ()
    return {(row.side, row.record_id) for row in found} | _with_id(tx, text)


def _among(
    tx: Tx, wanted: Wanted, keys: Collection[tuple[str, str]], *, limit: int, at: Position | None
) -> list[sa.Row[Any]]:
    """The first of these contacts that are wanted. They are few, so they are sorted as they are."""
    down = wanted.sort.descending != (at is not None and at.back)
    place = _place(wanted.sort)
    rows: list[sa.Row[Any]] = []
    for side in Side:
        ids = sorted(record_id for found_side, record_id in keys if found_side == side)
        for part in chunks(ids):
            # By the primary key, and sorted below: with an order the planner would walk an index of all contacts.
            listed = sa.select(*_COLUMNS, place[0].label("sort_value")).where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == Entity.CONTACT,
                outcome.c.side == side,
                outcome.c.record_id.in_(part),
            )
            rows += tx.execute(listed if at is None else listed.where(_beyond(place, at, down=down)))
    kinds, reasons = wanted.kinds or tuple(OutcomeKind), wanted.reasons
    rows = [row for row in rows if row.outcome in kinds and (not reasons or row.reason in reasons)]
    rows.sort(key=lambda row: (row.sort_value, row.side, row.record_id), reverse=down)
    return rows[:limit]


def _with_id(tx: Tx, text: str) -> set[tuple[str, str]]:
    """Contacts of which this is the id on either side."""
    rows = tx.execute(
        sa.select(outcome.c.side, outcome.c.record_id).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            outcome.c.counterpart_id == text,
        )
    )
    own = tx.execute(
        sa.select(outcome.c.side, outcome.c.record_id).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            outcome.c.side.in_(list(Side)),
            outcome.c.record_id == text,
        )
    )
    return {(row.side, row.record_id) for row in (*rows, *own)}


def _heads(
    tx: Tx, wanted: Wanted, cells: Sequence[Tally], *, limit: int, at: Position | None
) -> list[sa.Row[Any]]:
    """The first rows of all cells, merged."""
    if not cells:
        return []
    down = wanted.sort.descending != (at is not None and at.back)
    heads = [_head(tx, wanted, cell, down=down, limit=limit, at=at).subquery() for cell in cells]
    merged = sa.union_all(*(sa.select(head) for head in heads)).subquery()
    order = [merged.c.sort_value, merged.c.side, merged.c.record_id]
    return list(
        tx.execute(
            sa.select(merged).order_by(*(_directed(column, down=down) for column in order)).limit(limit)
        )
    )


def _head(
    tx: Tx, wanted: Wanted, cell: Tally, *, down: bool, limit: int, at: Position | None
) -> sa.Select[Any]:
    """The first rows of one cell. It is ordered by outcome and reason too, which are the same in all of its rows, so
    that the order is that of the index to both databases."""
    place = _place(wanted.sort)
    chosen = sa.select(*_COLUMNS, place[0].label("sort_value")).where(
        outcome.c.scope == tx.scope,
        outcome.c.entity == Entity.CONTACT,
        outcome.c.outcome == cell.kind,
        outcome.c.reason.is_(None) if cell.reason is None else outcome.c.reason == cell.reason,
    )
    if at is not None:
        chosen = chosen.where(_beyond(place, at, down=down))
    order = (outcome.c.outcome, outcome.c.reason, *place)
    return chosen.order_by(*(_directed(column, down=down) for column in order)).limit(limit)


def _place(sort: Sort) -> tuple[sa.ColumnElement[Any], ...]:
    """What orders a list; the first of them is the value of a position."""
    value = sa.func.lower(outcome.c.name) if sort.by_name else outcome.c.looked_at
    return (value, outcome.c.side, outcome.c.record_id)


def _beyond(place: tuple[sa.ColumnElement[Any], ...], at: Position, *, down: bool) -> sa.ColumnElement[bool]:
    here = sa.tuple_(*place)
    there = sa.tuple_(*(sa.literal(part) for part in (at.value, at.side.value, at.record_id)))
    return here < there if down else here > there


def _directed(column: sa.ColumnElement[Any], *, down: bool) -> sa.ColumnElement[Any]:
    return column.desc() if down else column.asc()


def _position(row: sa.Row[Any], *, back: bool) -> Position:
    return Position(row.sort_value, Side(row.side), row.record_id, back)


def _contact(row: sa.Row[Any]) -> ContactRow:
    in_salesforce = row.side == Side.SALESFORCE
    return ContactRow(
        side=Side(row.side),
        record_id=row.record_id,
        salesforce_id=row.record_id if in_salesforce else row.counterpart_id,
        netsuite_id=row.counterpart_id if in_salesforce else row.record_id,
        name=row.name,
        email=row.email,
        kind=OutcomeKind(row.outcome),
        reason=Reason(row.reason) if row.reason else None,
        detail=row.detail,
        looked_at=row.looked_at,
        written_at=row.written_at,
        written=row.written,
    )


_COLUMNS = (
    outcome.c.side,
    outcome.c.record_id,
    outcome.c.counterpart_id,
    outcome.c.name,
    outcome.c.email,
    outcome.c.outcome,
    outcome.c.reason,
    outcome.c.detail,
    outcome.c.looked_at,
    outcome.c.written_at,
    outcome.c.written,
)
