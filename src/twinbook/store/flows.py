"""Whether a connection's flow is running, paused by a person, or stopped by a safety valve."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import flow
from twinbook.store.sql import upsert

TWINBOOK = "twinbook"


@dataclass(frozen=True, slots=True)
class Flow:
    """`changed_…` say who last paused or resumed it. `stopped_why` is a plain sentence while a valve holds it."""

    paused: bool
    changed_at: float | None = None
    changed_by: str | None = None
    stopped_at: float | None = None
    stopped_why: str | None = None

    @property
    def stopped(self) -> bool:
        return self.stopped_at is not None


def state(tx: Tx) -> Flow:
    row = tx.execute(sa.select(flow).where(flow.c.scope == tx.scope)).one_or_none()
    if row is None:
        return Flow(False)
    return Flow(row.paused, row.changed_at, row.changed_by, row.stopped_at, row.stopped_why)


def set_paused(tx: Tx, paused: bool, *, by: str, now: float) -> None:
    upsert(tx, flow, [{"scope": tx.scope, "paused": paused, "changed_at": now, "changed_by": by}])


def stop(tx: Tx, *, why: str, now: float) -> None:
    """Hold the flow until a person confirms."""
    new = {"scope": tx.scope, "paused": False, "changed_at": now, "changed_by": TWINBOOK}
    stopped = {"stopped_at": now, "stopped_why": why}
    upsert(tx, flow, [new | stopped], update=dict(stopped))


def confirm(tx: Tx) -> None:
    """Let the flow go on that a valve holds."""
    tx.execute(sa.update(flow).where(flow.c.scope == tx.scope).values(stopped_at=None, stopped_why=None))
