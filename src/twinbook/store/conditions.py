"""How each connection is, and what is left of the allowances of its systems: for people who look from outside the
process that does the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from twinbook.domain.ports import Allowance
from twinbook.store.database import Tx
from twinbook.store.schema import allowance, condition
from twinbook.store.sql import upsert


class State(StrEnum):
    """`in-step`: watching both systems; `retrying`: it failed, and is tried again by itself; `stopped`: whoever watched
    it ended."""

    IN_STEP = "in-step"
    RETRYING = "retrying"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of a connection since a time, and where it failed: the code, what happened and what to do, and when it
    is tried again. Of one in step, they say what is not as it should be."""

    state: State
    since: float
    code: str | None = None
    detail: str = ""
    next_try_at: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """An allowance, and when it was so."""

    allowance: Allowance
    at: float


def note(tx: Tx, now_is: Condition) -> None:
    """Store a condition; a state that lasts keeps the time it began."""
    before = of(tx)
    lasts = before is not None and before.state is now_is.state
    since = before.since if lasts and before is not None else now_is.since
    row = {
        "scope": tx.scope,
        "state": now_is.state,
        "since": since,
        "code": now_is.code,
        "detail": now_is.detail,
        "next_try_at": now_is.next_try_at,
    }
    upsert(tx, condition, [row])


def remark(tx: Tx, code: str | None, detail: str) -> None:
    """Say more of a connection that is in step; of one that is not, its own condition says enough."""
    mine = (condition.c.scope == tx.scope) & (condition.c.state == State.IN_STEP)
    tx.execute(sa.update(condition).where(mine).values(code=code, detail=detail))


def of(tx: Tx) -> Condition | None:
    row = tx.execute(sa.select(condition).where(condition.c.scope == tx.scope)).one_or_none()
    return (
        None if row is None else Condition(State(row.state), row.since, row.code, row.detail, row.next_try_at)
    )


def allow(tx: Tx, found: Sequence[Allowance], *, now: float) -> None:
    """Store what is left of allowances."""
    rows = [
        {"scope": tx.scope, "name": item.name, "used": item.used, "most": item.limit, "seen_at": now}
        for item in found
    ]
    upsert(tx, allowance, rows)


def allowances(tx: Tx) -> list[Seen]:
    rows = tx.execute(sa.select(allowance).where(allowance.c.scope == tx.scope).order_by(allowance.c.name))
    return [Seen(Allowance(row.name, row.used, row.most), row.seen_at) for row in rows]
