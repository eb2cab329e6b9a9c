"""What went wrong and is not yet right: at most one open incident a record. A success closes it by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.records import Entity, Key, Side
from twinbook.store.database import Tx
from twinbook.store.schema import incident
from twinbook.store.sql import chunks


class IncidentKind(StrEnum):
    """`retrying` ends by itself; `failed` waits for a change of the record, the settings, or a person."""

    RETRYING = "retrying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Incident:
    """One open or closed incident of one record."""

    id: int
    key: Key
    kind: IncidentKind
    code: str
    field: str | None
    message: str
    remedy: str
    attempts: int
    opened_at: float
    seen_at: float
    closed_at: float | None
    closed_by: str | None


def report(tx: Tx, key: Key, error: SideError, *, now: float, attempts: int) -> None:
    """Open an incident for the record, or bring its open one up to date."""
    permanent = isinstance(error, PermanentError)
    values: dict[str, Any] = {
        "kind": IncidentKind.FAILED if permanent else IncidentKind.RETRYING,
        "code": error.code,
        "field": error.field if isinstance(error, PermanentError) else None,
        "message": error.message,
        "remedy": error.remedy if isinstance(error, PermanentError) else "Nothing: it is retried by itself.",
        "attempts": attempts,
        "seen_at": now,
    }
    if not tx.execute(sa.update(incident).where(*_open(tx, key)).values(values)).rowcount:
        tx.execute(
            sa.insert(incident).values(
                scope=tx.scope,
                entity=key.entity,
                side=key.side,
                record_id=key.id,
                opened_at=now,
                **values,
            )
        )


def close(tx: Tx, keys: Iterable[Key], *, by: str, now: float) -> None:
    """Close whatever is open for these records."""
    by_kind: dict[tuple[Entity, Side], list[str]] = {}
    for key in keys:
        by_kind.setdefault((key.entity, key.side), []).append(key.id)
    for (entity, side), ids in by_kind.items():
        for part in chunks(ids):
            tx.execute(
                sa.update(incident)
                .where(
                    incident.c.scope == tx.scope,
                    incident.c.entity == entity,
                    incident.c.side == side,
                    incident.c.record_id.in_(part),
                    incident.c.closed_at.is_(None),
                )
                .values(closed_at=now, closed_by=by)
            )


def open_ones(tx: Tx, *, limit: int = 1000) -> list[Incident]:
    """Open incidents, newest first."""
    rows = tx.execute(
        sa.select(incident)
        .where(incident.c.scope == tx.scope, incident.c.closed_at.is_(None))
        .order_by(incident.c.seen_at.desc())
        .limit(limit)
    )
    return [_incident(row) for row in rows]


def by_id(tx: Tx, incident_id: int) -> Incident | None:
    row = tx.execute(
        sa.select(incident).where(incident.c.scope == tx.scope, incident.c.id == incident_id)
    ).one_or_none()
    return None if row is None else _incident(row)


def of_record(tx: Tx, key: Key) -> Incident | None:
    """The open incident of a record."""
    row = tx.execute(sa.select(incident).where(*_open(tx, key))).one_or_none()
    return None if row is None else _incident(row)


def tally(tx: Tx) -> Sequence[tuple[IncidentKind, str, int]]:
    """Open incidents by kind and code."""
    rows = tx.execute(
        sa.select(incident.c.kind, incident.c.code, sa.func.count().label("number"))
        .where(incident.c.scope == tx.scope, incident.c.closed_at.is_(None))
        .group_by(incident.c.kind, incident.c.code)
    )
    return [(IncidentKind(row.kind), row.code, row.number) for row in rows]


def _open(tx: Tx, key: Key) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        incident.c.scope == tx.scope,
        incident.c.entity == key.entity,
        incident.c.side == key.side,
        incident.c.record_id == key.id,
        incident.c.closed_at.is_(None),
    )


def _incident(row: sa.Row[Any]) -> Incident:
    return Incident(
        row.id,
        Key(Entity(row.entity), Side(row.side), row.record_id),
        IncidentKind(row.kind),
        row.code,
        row.field,
        row.message,
        row.remedy,
        row.attempts,
        row.opened_at,
        row.seen_at,
        row.closed_at,
        row.closed_by,
    )
