"""Whether a connection's flow is running or paused, and who decided it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import flow
from twinbook.store.sql import upsert


@dataclass(frozen=True, slots=True)
class Flow:
    paused: bool
    changed_at: float | None = None
    changed_by: str | None = None


def state(tx: Tx) -> Flow:
    row = tx.execute(sa.select(flow).where(flow.c.scope == tx.scope)).one_or_none()
    return Flow(False) if row is None else Flow(row.paused, row.changed_at, row.changed_by)


def set_paused(tx: Tx, paused: bool, *, by: str, now: float) -> None:
    upsert(tx, flow, [{"scope": tx.scope, "paused": paused, "changed_at": now, "changed_by": by}])
