"""Where each source of changes was read up to. A cursor moves in the transaction that stores the keys it covers."""

from __future__ import annotations

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import cursor
from twinbook.store.sql import upsert


def position(tx: Tx, stream: str) -> str | None:
    return tx.execute(
        sa.select(cursor.c.position).where(cursor.c.scope == tx.scope, cursor.c.stream == stream)
    ).scalar()


def move(tx: Tx, stream: str, to: str, *, now: float) -> None:
    upsert(tx, cursor, [{"scope": tx.scope, "stream": stream, "position": to, "updated_at": now}])


def forget(tx: Tx, stream: str) -> None:
    tx.execute(sa.delete(cursor).where(cursor.c.scope == tx.scope, cursor.c.stream == stream))


def ages(tx: Tx) -> dict[str, float]:
    """When each stream last moved."""
    rows = tx.execute(sa.select(cursor.c.stream, cursor.c.updated_at).where(cursor.c.scope == tx.scope))
    return {row.stream: row.updated_at for row in rows}
