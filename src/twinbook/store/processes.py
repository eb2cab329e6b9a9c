"""The processes that work on a connection, for people who look from outside: since when, and with which settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import process
from twinbook.store.sql import upsert

# Seconds between two signs of life, and after how many without one a process no longer counts.
SIGN_SECONDS, GONE_SECONDS = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class Process:
    """One process at work since a time (epoch seconds). `version` is the number of the version of the settings that it
    works with, None where those of its file are no stored version. `calls` is how many calls to NetSuite it had in
    flight at most since its last sign of life, of the `calls_limit` that all processes may have together."""

    name: str
    version: int | None
    since: float
    calls: int | None = None
    calls_limit: int | None = None


def sign(tx: Tx, found: Process, *, now: float) -> None:
    """Say that it works. Rows of those that died long ago go with it."""
    upsert(tx, process, [{"scope": tx.scope, **asdict(found), "seen_at": now}])
    dead = process.c.seen_at < now - 100 * GONE_SECONDS
    tx.execute(sa.delete(process).where(process.c.scope == tx.scope, dead))


def leave(tx: Tx, name: str) -> None:
    tx.execute(sa.delete(process).where(process.c.scope == tx.scope, process.c.name == name))


def at_work(tx: Tx, *, now: float) -> list[Process]:
    """Those that work now, the first to begin first."""
    alive = (process.c.scope == tx.scope, process.c.seen_at >= now - GONE_SECONDS)
    rows = tx.execute(sa.select(process).where(*alive).order_by(process.c.since, process.c.name))
    return [Process(row.name, row.version, row.since, row.calls, row.calls_limit) for row in rows]


def told(found: Sequence[Process]) -> str:
    """In words: how many processes work, with which versions of the settings."""
    if not found:
        return "no process is at work"
    counted = Counter(item.version for item in found)
    if len(counted) == 1:
        many = "" if len(found) == 1 else f" in {len(found)} processes"
        return f"settings: {_version(found[0].version)}{many}"
    parts = (f"{_version(version)} in {number} of {len(found)}" for version, number in counted.items())
    return f"settings: {', '.join(parts)} processes"


def _version(number: int | None) -> str:
    return "as in the file" if number is None else f"version {number}"
