"""Versions of a connection's settings: who changed what when, and what people have changed and not saved yet.

The settings file is the truth; a version is what it said at one time, without secrets, so that it can be compared and
brought back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import settings_draft, settings_version

# Who changed what was changed in the file itself.
BY_HAND = "somebody, in the file"

MOST_VERSIONS = 500
"""Older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the settings: what the file gave from `at` on (epoch seconds), by dotted place."""

    id: int
    at: float
    who: str
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes that are not saved. `digest` names the state of the file that they were made to."""

    digest: str
    changes: Mapping[tuple[str, ...], Any]
    at: float


def add(tx: Tx, who: str, snapshot: Mapping[str, Any], *, now: float) -> int:
    """Store a new state, and forget what is too old; returns its number."""
    made = tx.execute(
        sa.insert(settings_version).values(scope=tx.scope, at=now, who=who, snapshot=dict(snapshot))
    )
    key = made.inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    mine = settings_version.c.scope == tx.scope
    kept = sa.select(settings_version.c.id).where(mine).order_by(settings_version.c.id.desc())
    last = tx.execute(kept.offset(MOST_VERSIONS).limit(1)).scalar()
    if last is not None:
        tx.execute(sa.delete(settings_version).where(mine, settings_version.c.id <= last))
    number: int = key[0]
    return number


def latest(tx: Tx, *, limit: int, before: int | None = None) -> list[Version]:
    """The latest states, newest first, from before the one with the number `before`."""
    wanted = sa.select(settings_version).where(settings_version.c.scope == tx.scope)
    if before is not None:
        wanted = wanted.where(settings_version.c.id < before)
    rows = tx.execute(wanted.order_by(settings_version.c.id.desc()).limit(limit))
    return [_version(row) for row in rows]


def newest(tx: Tx) -> int:
    """The number of the latest state, 0 where there is none."""
    found = sa.select(sa.func.max(settings_version.c.id)).where(settings_version.c.scope == tx.scope)
    return tx.execute(found).scalar() or 0


def by_id(tx: Tx, number: int) -> Version | None:
    mine = (settings_version.c.scope == tx.scope, settings_version.c.id == number)
    row = tx.execute(sa.select(settings_version).where(*mine)).one_or_none()
    return None if row is None else _version(row)


def draft(tx: Tx, who: str) -> Draft | None:
    """What this person has changed and not saved."""
    row = tx.execute(sa.select(settings_draft).where(*_of(tx, who))).one_or_none()
    return row and Draft(row.digest, {tuple(place): value for place, value in row.changes}, row.at)


def keep_draft(tx: Tx, who: str, kept: Draft) -> None:
    """Keep it in place of the one before; without changes, none is kept."""
    discard(tx, who)
    if kept.changes:
        changes = [[list(place), value] for place, value in kept.changes.items()]
        tx.execute(
            sa.insert(settings_draft).values(
                scope=tx.scope, who=who, digest=kept.digest, changes=changes, at=kept.at
            )
        )


def discard(tx: Tx, who: str) -> None:
    tx.execute(sa.delete(settings_draft).where(*_of(tx, who)))


def _of(tx: Tx, who: str) -> tuple[sa.ColumnElement[bool], ...]:
    return settings_draft.c.scope == tx.scope, settings_draft.c.who == who


def _version(row: sa.Row[Any]) -> Version:
    return Version(row.id, row.at, row.who, row.snapshot)
