"""What sweeps found: one row for each contact and kind of drift, with the values of both sides and what was done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.domain.drift import Difference, Drift, DriftKind
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.store.database import Tx
from twinbook.store.schema import drift, outcome
from twinbook.store.sql import chunks, upsert


@dataclass(frozen=True, slots=True)
class Found:
    """A finding about one contact. `key` is what is looked at to put it right."""

    key: Key
    drift: Drift
    salesforce_id: str | None
    netsuite_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A stored finding. `queued_at` says since when it is to be put right; `outcome` is what the latest look after
    that came to, None before."""

    id: int
    run_id: int
    found: Found
    found_at: float
    queued_at: float | None
    queued_by: str | None
    outcome: OutcomeKind | None
    reason: Reason | None


def add(tx: Tx, run_id: int, found: Sequence[Found], *, now: float) -> None:
    """Store findings; the same finding of the same sweep stands once."""
    rows = [
        {
            "scope": tx.scope,
            "run_id": run_id,
            "side": item.key.side,
            "record_id": item.key.id,
            "kind": item.drift.kind,
            "salesforce_id": item.salesforce_id,
            "netsuite_id": item.netsuite_id,
            "name": item.name,
            "why": item.drift.why,
            "fields": [asdict(field) for field in item.drift.fields],
            "found_at": now,
        }
        for item in found
    ]
    keys = (drift.c.run_id, drift.c.side, drift.c.record_id, drift.c.kind)
    upsert(tx, drift, rows, keys=keys)


def tally(tx: Tx, run_id: int) -> dict[DriftKind, int]:
    rows = tx.execute(
        sa.select(drift.c.kind, sa.func.count())
        .where(drift.c.scope == tx.scope, drift.c.run_id == run_id)
        .group_by(drift.c.kind)
    )
    return {DriftKind(kind): number for kind, number in map(tuple, rows)}


def to_queue(
    tx: Tx,
    run_id: int,
    *,
    limit: int,
    kinds: Collection[DriftKind] = (),
    record_ids: Collection[str] = (),
) -> list[tuple[int, Key]]:
    """Findings that nobody is putting right yet, all or only some, in the order in which they were found."""
    wanted = [drift.c.scope == tx.scope, drift.c.run_id == run_id, drift.c.queued_at.is_(None)]
    if kinds:
        wanted.append(drift.c.kind.in_(list(kinds)))
    if record_ids:
        ids = list(record_ids)
        wanted.append(sa.or_(drift.c.salesforce_id.in_(ids), drift.c.netsuite_id.in_(ids)))
    rows = tx.execute(
        sa.select(drift.c.id, drift.c.side, drift.c.record_id)
        .where(*wanted)
        .order_by(drift.c.id)
        .limit(limit)
    )
    return [(number, Key(Entity.CONTACT, Side(side), id_)) for number, side, id_ in map(tuple, rows)]


def queued(tx: Tx, numbers: Sequence[int], *, by: str, now: float) -> None:
    for part in chunks(numbers):
        tx.execute(sa.update(drift).where(drift.c.id.in_(part)).values(queued_at=now, queued_by=by))


def lines(
    tx: Tx, run_id: int, *, kinds: Collection[DriftKind] = (), after: int = 0, limit: int = 1000
) -> list[Line]:
    """Findings of a sweep in the order in which they were found, each with what came of it."""
    wanted = [drift.c.scope == tx.scope, drift.c.run_id == run_id, drift.c.id > after]
    if kinds:
        wanted.append(drift.c.kind.in_(list(kinds)))
    looked = sa.and_(
        outcome.c.scope == drift.c.scope,
        outcome.c.entity == Entity.CONTACT,
        outcome.c.side == drift.c.side,
        outcome.c.record_id == drift.c.record_id,
        outcome.c.looked_at >= drift.c.queued_at,
    )
    rows = tx.execute(
        sa.select(drift, outcome.c.outcome, outcome.c.reason)
        .select_from(drift.outerjoin(outcome, looked))
        .where(*wanted)
        .order_by(drift.c.id)
        .limit(limit)
    )
    return [_line(row) for row in rows]


def _line(row: sa.Row[Any]) -> Line:
    fields = tuple(Difference(**item) for item in row.fields)
    return Line(
        row.id,
        row.run_id,
        Found(
            Key(Entity.CONTACT, Side(row.side), row.record_id),
            Drift(DriftKind(row.kind), row.why, fields),
            row.salesforce_id,
            row.netsuite_id,
            row.name,
        ),
        row.found_at,
        row.queued_at,
        row.queued_by,
        OutcomeKind(row.outcome) if row.outcome else None,
        Reason(row.reason) if row.reason else None,
    )
