"""What people decided about records in review. A decision is taken once: when it is carried out, it is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.domain.records import Entity, Key, Side
from twinbook.store.database import Tx
from twinbook.store.schema import decision
from twinbook.store.sql import chunks, upsert


@dataclass(frozen=True, slots=True)
class Decision:
    """One of the choices that were listed with a record's outcome, and who took it."""

    choice: str
    by: str
    at: float


def take(tx: Tx, key: Key, choice: str, *, by: str, now: float) -> None:
    """Decide, or decide anew."""
    row = {"scope": tx.scope, "entity": key.entity, "side": key.side, "record_id": key.id}
    upsert(tx, decision, [row | {"choice": choice, "decided_by": by, "decided_at": now}])


def of_records(tx: Tx, entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, Decision]:
    """Open decisions by record id."""
    found: dict[str, Decision] = {}
    for part in chunks(ids):
        rows = tx.execute(
            sa.select(decision).where(
                decision.c.scope == tx.scope,
                decision.c.entity == entity,
                decision.c.side == side,
                decision.c.record_id.in_(part),
            )
        )
        found |= {row.record_id: Decision(row.choice, row.decided_by, row.decided_at) for row in rows}
    return found


def withdraw(tx: Tx, keys: Sequence[Key]) -> int:
    """Forget what was decided about these records; how many decisions there were."""
    gone = 0
    for key in keys:
        gone += tx.execute(
            sa.delete(decision).where(
                decision.c.scope == tx.scope,
                decision.c.entity == key.entity,
                decision.c.side == key.side,
                decision.c.record_id == key.id,
            )
        ).rowcount
    return gone


def drop(tx: Tx, key: Key, done: Decision) -> None:
    """Forget a decision that was carried out, unless somebody has decided anew meanwhile."""
    tx.execute(
        sa.delete(decision).where(
            decision.c.scope == tx.scope,
            decision.c.entity == key.entity,
            decision.c.side == key.side,
            decision.c.record_id == key.id,
            decision.c.decided_at == done.at,
        )
    )
