"""What went wrong and is not yet right: at most one open incident a record. A success closes it by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.records import Entity, Key, Side
from twinbook.store.database import Tx
from twinbook.store.schema import incident, incident_note
from twinbook.store.sql import chunks

# Quoted values, addresses, and words that hold a digit.
_VARYING = re.compile(r"""'[^']*'|"[^"]*"|\S+@\S+|\S*\d\S*""")


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
    shape: str = ""
    assignee: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """What incidents of one group have in common."""

    code: str
    field: str | None
    shape: str


@dataclass(frozen=True, slots=True)
class Group:
    """The open incidents of one cause. `number` is that of the newest, whose message and remedy stand for all."""

    cause: Cause
    number: int
    count: int
    unassigned: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote about an incident."""

    at: float
    who: str
    text: str


def shape_of(message: str) -> str:
    """The message without values, ids and numbers, so that the same cause reads the same for every record."""
    return _VARYING.sub("…", message)


def report(tx: Tx, key: Key, error: SideError, *, now: float, attempts: int) -> None:
    """Open an incident for the record, or bring its open one up to date."""
    permanent = isinstance(error, PermanentError)
    values: dict[str, Any] = {
        "kind": IncidentKind.FAILED if permanent else IncidentKind.RETRYING,
        "code": error.code,
        "field": error.field if isinstance(error, PermanentError) else None,
        "message": error.message,
        "shape": shape_of(error.message),
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


def groups(tx: Tx, *, limit: int = 200) -> list[Group]:
    """Open incidents by cause, the newest first."""
    newest = sa.func.max(incident.c.seen_at)
    rows = tx.execute(
        sa.select(
            incident.c.code,
            incident.c.field,
            incident.c.shape,
            sa.func.max(incident.c.id).label("number"),
            sa.func.count().label("found"),
            sa.func.count().filter(incident.c.assignee.is_(None)).label("unassigned"),
            sa.func.min(incident.c.opened_at).label("first_at"),
            newest.label("last_at"),
        )
        .where(incident.c.scope == tx.scope, incident.c.closed_at.is_(None))
        .group_by(incident.c.code, incident.c.field, incident.c.shape)
        .order_by(newest.desc())
        .limit(limit)
    )
    return [
        Group(
            Cause(row.code, row.field, row.shape),
            row.number,
            row.found,
            row.unassigned,
            row.first_at,
            row.last_at,
        )
        for row in rows
    ]


def of_cause(tx: Tx, cause: Cause, *, limit: int, after: int | None = None) -> list[Incident]:
    """Open incidents of one cause, the newest first; `after` is the number of the last one that was seen."""
    wanted = sa.select(incident).where(
        incident.c.scope == tx.scope,
        incident.c.closed_at.is_(None),
        incident.c.code == cause.code,
        incident.c.field.is_(None) if cause.field is None else incident.c.field == cause.field,
        incident.c.shape == cause.shape,
    )
    if after is not None:
        wanted = wanted.where(incident.c.id < after)
    return [_incident(row) for row in tx.execute(wanted.order_by(incident.c.id.desc()).limit(limit))]


def open_with(tx: Tx, ids: Sequence[int]) -> list[Incident]:
    """The open ones among these numbers."""
    found: list[Incident] = []
    for part in chunks(ids):
        rows = tx.execute(
            sa.select(incident).where(
                incident.c.scope == tx.scope, incident.c.closed_at.is_(None), incident.c.id.in_(part)
            )
        )
        found += [_incident(row) for row in rows]
    return found


def assign(tx: Tx, ids: Sequence[int], login: str | None) -> None:
    """Say whose these incidents are; None: nobody's."""
    for part in chunks(ids):
        mine = (incident.c.scope == tx.scope, incident.c.id.in_(part))
        tx.execute(sa.update(incident).where(*mine).values(assignee=login))


def tag(tx: Tx, found: Sequence[Incident], name: str) -> None:
    """Add a tag to incidents that do not bear it."""
    for item in found:
        if name not in item.tags:
            mine = (incident.c.scope == tx.scope, incident.c.id == item.id)
            tx.execute(sa.update(incident).where(*mine).values(tags=[*item.tags, name]))


def untag(tx: Tx, found: Sequence[Incident], name: str) -> None:
    """Take a tag off."""
    for item in found:
        if name in item.tags:
            mine = (incident.c.scope == tx.scope, incident.c.id == item.id)
            kept = [other for other in item.tags if other != name]
            tx.execute(sa.update(incident).where(*mine).values(tags=kept))


def note(tx: Tx, ids: Sequence[int], text: str, *, by: str, now: float) -> None:
    """Write the same about each of these incidents."""
    if ids:
        row = {"at": now, "who": by, "text": text}
        tx.execute(sa.insert(incident_note), [{"incident_id": id_, **row} for id_ in ids])


def notes_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[Note]]:
    """What was written about incidents, the newest first, by their numbers."""
    found: dict[int, list[Note]] = {}
    for part in chunks(ids):
        rows = tx.execute(
            sa.select(incident_note)
            .where(incident_note.c.incident_id.in_(part))
            .order_by(incident_note.c.id.desc())
        )
        for row in rows:
            found.setdefault(row.incident_id, []).append(Note(row.at, row.who, row.text))
    return found


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
        row.shape,
        row.assignee,
        tuple(row.tags),
    )
