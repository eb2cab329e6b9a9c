"""The queue of what is yet to be sent to recipients: it survives a crash, and has a limit for each of them.

A delivery that is taken becomes due again after a while: should its process die, another one sends it. So a message
may arrive twice, and carries an id by which that can be seen; it is never lost silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import delivery, recipient

# What may wait for one recipient, and what is kept of what was given up.
MOST_WAITING = 10_000
MOST_DEAD = 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient. `attempts` counts the one it was taken for; `problem` is why the last failed."""

    id: int
    recipient_id: int
    content: Mapping[str, Any]
    created_at: float
    due_at: float
    attempts: int
    problem: str
    dead_at: float | None


def put(tx: Tx, recipient_id: int, content: Mapping[str, Any], *, now: float) -> bool:
    """Queue a message; false, and counted, where too many wait for this recipient already."""
    waiting = sa.select(sa.func.count()).select_from(delivery)
    full = waiting.where(delivery.c.recipient_id == recipient_id, delivery.c.dead_at.is_(None))
    if tx.execute(full).scalar_one() >= MOST_WAITING:
        mine = recipient.c.id == recipient_id
        tx.execute(sa.update(recipient).where(mine).values(dropped=recipient.c.dropped + 1))
        return False
    row = {"recipient_id": recipient_id, "content": dict(content), "created_at": now, "due_at": now}
    tx.execute(sa.insert(delivery).values(row | {"attempts": 0, "problem": ""}))
    return True


def take(tx: Tx, *, limit: int, until: float, now: float) -> list[Delivery]:
    """What is due, oldest first, for this process alone until then (epoch seconds)."""
    wanted = (
        sa.select(delivery)
        .where(delivery.c.dead_at.is_(None), delivery.c.due_at <= now)
        .order_by(delivery.c.due_at, delivery.c.id)
        .limit(limit)
    )
    taken = [_delivery(row) for row in tx.execute(wanted)]
    if taken:
        ids = [item.id for item in taken]
        claim = {"due_at": until, "attempts": delivery.c.attempts + 1}
        tx.execute(sa.update(delivery).where(delivery.c.id.in_(ids)).values(claim))
    return taken


def any_due(tx: Tx, *, now: float) -> bool:
    due = sa.select(delivery.c.id).where(delivery.c.dead_at.is_(None), delivery.c.due_at <= now)
    return tx.execute(due.limit(1)).one_or_none() is not None


def sent(tx: Tx, delivery_id: int) -> None:
    tx.execute(sa.delete(delivery).where(delivery.c.id == delivery_id))


def failed(tx: Tx, delivery_id: int, problem: str, *, due_at: float) -> None:
    """It is tried again then."""
    mine = delivery.c.id == delivery_id
    tx.execute(sa.update(delivery).where(mine).values(problem=problem, due_at=due_at))


def give_up(tx: Tx, delivery_id: int, problem: str, *, now: float) -> None:
    """It is tried no more, and kept for people to see; of those the oldest make room."""
    mine = delivery.c.id == delivery_id
    tx.execute(sa.update(delivery).where(mine).values(problem=problem, dead_at=now))
    kept = (
        sa.select(delivery.c.id)
        .where(delivery.c.dead_at.is_not(None))
        .order_by(delivery.c.dead_at.desc(), delivery.c.id.desc())
        .limit(MOST_DEAD)
        .subquery()
    )
    tx.execute(
        sa.delete(delivery).where(delivery.c.dead_at.is_not(None), delivery.c.id.not_in(sa.select(kept.c.id)))
    )


def revive(tx: Tx, delivery_id: int, *, now: float) -> bool:
    """Try one again that was given up; false where there is none."""
    dead = (delivery.c.id == delivery_id, delivery.c.dead_at.is_not(None))
    again = {"dead_at": None, "due_at": now, "attempts": 0}
    return tx.execute(sa.update(delivery).where(*dead).values(again)).rowcount > 0


def dead(tx: Tx, *, limit: int = 100) -> list[Delivery]:
    """What was given up, the latest first."""
    wanted = sa.select(delivery).where(delivery.c.dead_at.is_not(None)).order_by(delivery.c.dead_at.desc())
    return [_delivery(row) for row in tx.execute(wanted.limit(limit))]


def waiting(tx: Tx) -> dict[int, int]:
    """How many wait, by recipient."""
    wanted = sa.select(delivery.c.recipient_id, sa.func.count().label("number")).where(
        delivery.c.dead_at.is_(None)
    )
    rows = tx.execute(wanted.group_by(delivery.c.recipient_id))
    return {row.recipient_id: row.number for row in rows}


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        row.id,
        row.recipient_id,
        row.content,
        row.created_at,
        row.due_at,
        row.attempts,
        row.problem,
        row.dead_at,
    )
