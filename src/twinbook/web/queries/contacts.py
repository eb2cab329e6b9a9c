"""Every contact that Twinbook knows, by what came of it: counts, lists and single rows.

A list is ordered by index whatever the filter: all contacts of one outcome and one reason are a *cell*, a run of the
index, and a list merges the heads of the cells that it shows. So a page costs the same among a hundred contacts as
among a million, and its total is the sum of the cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity, Side
from twinbook.store import outcomes
from twinbook.store.database import Tx
from twinbook.store.outcomes import IN_STEP, Tally
from twinbook.store.schema import outcome


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
    """Some rows of a list. `total` is None where counting would mean reading them all (a search)."""

    rows: list[ContactRow]
    total: int | None
    before: Position | None
    after: Position | None


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
    chosen = [cell for cell in cells if _is_in(cell, wanted)]
    back = at is not None and at.back
    found = list(_heads(tx, wanted, chosen, limit=limit + 1, at=at))
    rows = found[:limit]
    more = len(found) > limit
    if back:
        rows.reverse()
    has_before, has_after = (more, True) if back else (at is not None, more)
    return ContactPage(
        [_contact(row) for row in rows],
        None if wanted.text else sum(cell.number for cell in chosen),
        _position(rows[0], back=True) if rows and has_before else None,
        _position(rows[-1], back=False) if rows and has_after else None,
    )


def _is_in(cell: Tally, wanted: Wanted) -> bool:
    return (not wanted.kinds or cell.kind in wanted.kinds) and (
        not wanted.reasons or cell.reason in wanted.reasons
    )


def _heads(
    tx: Tx, wanted: Wanted, cells: Sequence[Tally], *, limit: int, at: Position | None
) -> Iterator[sa.Row[Any]]:
    """The first rows of all cells, merged."""
    if not cells:
        return
    down = wanted.sort.descending != (at is not None and at.back)
    heads = [_head(tx, wanted, cell, down=down, limit=limit, at=at).subquery() for cell in cells]
    merged = sa.union_all(*(sa.select(head) for head in heads)).subquery()
    order = [merged.c.sort_value, merged.c.side, merged.c.record_id]
    yield from tx.execute(
        sa.select(merged).order_by(*(_directed(column, down=down) for column in order)).limit(limit)
    )


def _head(
    tx: Tx, wanted: Wanted, cell: Tally, *, down: bool, limit: int, at: Position | None
) -> sa.Select[Any]:
    """The first rows of one cell. It is ordered by outcome and reason too, which are the same in all of its rows, so
    that the order is that of the index to both databases."""
    value = sa.func.lower(outcome.c.name) if wanted.sort.by_name else outcome.c.looked_at
    place = (value, outcome.c.side, outcome.c.record_id)
    chosen = sa.select(*_COLUMNS, value.label("sort_value")).where(
        outcome.c.scope == tx.scope,
        outcome.c.entity == Entity.CONTACT,
        outcome.c.outcome == cell.kind,
        outcome.c.reason.is_(None) if cell.reason is None else outcome.c.reason == cell.reason,
    )
    if wanted.text:
        chosen = chosen.where(_holds(wanted.text))
    if at is not None:
        here = sa.tuple_(*place)
        there = sa.tuple_(*(sa.literal(part) for part in (at.value, at.side.value, at.record_id)))
        chosen = chosen.where(here < there if down else here > there)
    order = (outcome.c.outcome, outcome.c.reason, *place)
    return chosen.order_by(*(_directed(column, down=down) for column in order)).limit(limit)


def _holds(text: str) -> sa.ColumnElement[bool]:
    plain = text.strip().lower()
    return sa.or_(
        outcome.c.record_id == text.strip(),
        outcome.c.counterpart_id == text.strip(),
        sa.func.lower(outcome.c.name).contains(plain, autoescape=True),
        outcome.c.email.contains(plain, autoescape=True),
    )


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
