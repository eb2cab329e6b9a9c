"""Which pings were received lately: so that none counts twice, however many processes take them in, and none too many.

Rows are forgotten once their signature is too old to be accepted, which bounds the table.
"""

from __future__ import annotations

from enum import Enum, auto

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import ping

MINUTE = 60.0


class Reception(Enum):
    """What becomes of a ping."""

    NEW = auto()
    REPEATED = auto()
    TOO_MANY = auto()


def receive(tx: Tx, nonce: str, *, until: float, most_a_minute: int, now: float) -> Reception:
    """Note a ping by the nonce of its signature, which is accepted until the given time (epoch seconds)."""
    tx.execute(sa.delete(ping).where(ping.c.scope == tx.scope, ping.c.valid_until < now))
    if _count(tx, ping.c.nonce == nonce):
        return Reception.REPEATED
    if _count(tx, ping.c.received_at > now - MINUTE) >= most_a_minute:
        return Reception.TOO_MANY
    row = {"scope": tx.scope, "nonce": nonce, "received_at": now, "valid_until": until}
    tx.execute(sa.insert(ping).values(row))
    return Reception.NEW


def _count(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    statement = sa.select(sa.func.count()).select_from(ping).where(ping.c.scope == tx.scope, condition)
    return int(tx.execute(statement).scalar_one())
