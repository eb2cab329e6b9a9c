"""Which requests were answered, so that one that is sent again is not carried out again. Kept for a day."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import answered

KEPT_SECONDS = 86_400.0
# A request that is not answered after so long was cut off, and may be sent again.
CUT_OFF_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` is None while the request is still worked on."""

    request_hash: str
    status: int | None
    sealed: str


def begin(tx: Tx, caller: str, key: str, request_hash: str, *, now: float) -> Answered | None:
    """Note that a request is worked on from now on; what stands where it was begun before, then nothing is noted."""
    forget_old(tx, now=now)
    mine = (answered.c.caller == caller, answered.c.key == key)
    cut_off = (answered.c.status.is_(None), answered.c.created_at < now - CUT_OFF_SECONDS)
    tx.execute(sa.delete(answered).where(*mine, *cut_off))
    row = tx.execute(sa.select(answered).where(*mine)).one_or_none()
    if row is not None:
        return Answered(row.request_hash, row.status, row.sealed)
    new = {"caller": caller, "key": key, "request_hash": request_hash, "sealed": "", "created_at": now}
    tx.execute(sa.insert(answered).values(new))
    return None


def finish(tx: Tx, caller: str, key: str, status: int, sealed: str) -> None:
    mine = (answered.c.caller == caller, answered.c.key == key)
    tx.execute(sa.update(answered).where(*mine).values(status=status, sealed=sealed))


def forget(tx: Tx, caller: str, key: str) -> None:
    """The request changed nothing: it may be sent again with the same key."""
    tx.execute(sa.delete(answered).where(answered.c.caller == caller, answered.c.key == key))


def forget_old(tx: Tx, *, now: float) -> int:
    return tx.execute(sa.delete(answered).where(answered.c.created_at < now - KEPT_SECONDS)).rowcount
