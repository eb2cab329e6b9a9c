"""The durable queue: which records must be looked at again. It holds keys, never payloads.

A key is *marked* by whoever noticed something, *claimed* by one lane with a random token and a lease, and *settled*
when its outcome is stored. Records of one group (an account with its contacts) are never claimed by two lanes at
the same time, so a record never meets itself. A key that is marked while it is claimed stays dirty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

import sqlalchemy as sa

from twinbook.domain.records import Entity, Key, Side
from twinbook.store.database import Tx
from twinbook.store.schema import dirty, outcome
from twinbook.store.sql import chunks, incoming, upsert

Statement = TypeVar("Statement", sa.Select[Any], sa.Update, sa.Delete)


# The cause of a mark that a person asked for. It stays with the key until it is worked off, whoever else marks it:
# for an account it is a trigger.
BY_HAND = "by hand"

CLAIM_LOST = "a lane lost its claim"

# A key that failed so often (some minutes of backoff) is shown as retrying; a run no longer waits for it.
PATIENT_TRIES = 8


class Priority(IntEnum):
    """Lower goes first: people's edits before retries, retries before sweeps and back-fill."""

    LIVE = 0
    RETRY = 1
    SWEEP = 2


@dataclass(frozen=True, slots=True)
class Claimed:
    """A key that one lane works on, with the state it was claimed in."""

    key: Key
    seq: int
    priority: Priority
    attempts: int
    cause: str
    marked_at: float
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Queued:
    """Where a key stands in the queue."""

    due_at: float
    attempts: int
    cause: str
    claimed: bool


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is waiting: keys that are due, keys that wait for a later try, keys being worked on."""

    due: int
    later: int
    claimed: int
    oldest_marked_at: float | None


@dataclass(frozen=True, slots=True)
class Debounce:
    """Waiting for the end of a burst of edits: a key is due `seconds` after its latest mark, but never later than
    `longest` seconds after its first one, so that a record that is edited for ever still goes out."""

    seconds: float = 0.0
    longest: float = 60.0


AT_ONCE = Debounce()


# Asked all the time, also by an idle engine: making a statement takes longer than running it.
_UNCLAIMED = (dirty.c.scope == sa.bindparam("b_scope"), dirty.c.claim.is_(None))
_NEXT_DUE = sa.select(sa.func.min(dirty.c.due_at)).where(*_UNCLAIMED)
_SOME_DUE = (
    sa.select(sa.literal(1))
    .where(*_UNCLAIMED, dirty.c.due_at <= sa.bindparam("b_now"))
    .limit(sa.bindparam("b_cap", type_=sa.Integer))
)
_DUE = sa.select(sa.func.count()).select_from(_SOME_DUE.subquery())


def mark(
    tx: Tx,
    keys: Sequence[Key],
    *,
    cause: str,
    now: float,
    priority: Priority = Priority.LIVE,
    groups: Mapping[Key, str] | None = None,
    run_id: int | None = None,
    debounce: Debounce = AT_ONCE,
) -> None:
    """Make keys dirty. Marking again never loses an earlier mark, and makes a key more urgent; only marks that
    `debounce` put off a key that waits for nothing but the end of a burst.

    `groups` names the account of keys where the caller knows it; otherwise the last known one is used.
    """
    if not keys:
        return
    known = _known_groups(tx, keys)
    rows = [
        {
            "scope": tx.scope,
            "entity": key.entity,
            "side": key.side,
            "record_id": key.id,
            "group_id": (groups or {}).get(key) or known.get(key) or key.id,
            "priority": int(priority),
            "due_at": now + debounce.seconds,
            "seq": 1,
            "attempts": 0,
            "cause": cause,
            "marked_at": now,
            "run_id": run_id,
        }
        for key in dict.fromkeys(keys)
    ]
    more_urgent = incoming("priority") < dirty.c.priority
    upsert(
        tx,
        dirty,
        rows,
        update={
            "seq": dirty.c.seq + 1,
            "due_at": _due_again(debounce, now),
            "priority": sa.case((more_urgent, incoming("priority")), else_=dirty.c.priority),
            "cause": sa.case(
                (dirty.c.cause == BY_HAND, dirty.c.cause),
                (sa.or_(more_urgent, incoming("cause") == BY_HAND), incoming("cause")),
                else_=dirty.c.cause,
            ),
            "run_id": sa.func.coalesce(incoming("run_id"), dirty.c.run_id),
        },
    )


def _due_again(debounce: Debounce, now: float) -> sa.ColumnElement[float]:
    """When a key that is marked again is due. One that is worked on, or that waits for the end of a burst, is put off;
    one that a lane could take by now, that failed before, or that a person asked for, is not."""
    earlier = sa.case((incoming("due_at") < dirty.c.due_at, incoming("due_at")), else_=dirty.c.due_at)
    if not debounce.seconds:
        return earlier
    latest = dirty.c.marked_at + debounce.longest
    put_off = sa.case((incoming("due_at") < latest, incoming("due_at")), else_=latest)
    in_burst = sa.and_(
        dirty.c.attempts == 0,
        dirty.c.priority == int(Priority.LIVE),
        dirty.c.cause != BY_HAND,
        sa.or_(dirty.c.due_at > now, dirty.c.claim.is_not(None)),
    )
    return sa.case((in_burst, put_off), else_=earlier)


def claim(
    tx: Tx, *, token: str, limit: int, now: float, lease_until: float, least_urgent: Priority = Priority.SWEEP
) -> list[Claimed]:
    """Take up to `limit` of the most urgent keys whose groups no other lane works on.

    All of them are equally urgent: an edit that a person waits for never shares its batch, and so its time, with
    back-fill.
    """
    busy = sa.select(dirty.c.group_id).where(dirty.c.scope == tx.scope, dirty.c.claim.is_not(None))
    found = tx.execute(
        sa.select(dirty)
        .where(
            dirty.c.scope == tx.scope,
            dirty.c.claim.is_(None),
            dirty.c.priority <= int(least_urgent),
            dirty.c.due_at <= now,
            dirty.c.group_id.not_in(busy),
        )
        .order_by(dirty.c.priority, dirty.c.due_at)
        .limit(limit)
    ).all()
    claimed = [
        Claimed(
            _key(row), row.seq, Priority(row.priority), row.attempts, row.cause, row.marked_at, row.run_id
        )
        for row in found
        if row.priority == found[0].priority
    ]
    if claimed:
        tx.execute(
            _by_key(sa.update(dirty)).values(claim=token, lease_until=lease_until),
            [_parameters(tx, item.key) for item in claimed],
        )
    return claimed


def hold(tx: Tx, key: Key, *, token: str, cause: str, now: float, lease_until: float) -> bool:
    """Claim one key by name, dirty or not, so that no lane works on its group meanwhile; False while one does."""
    mark(tx, [key], cause=cause, now=now)
    mine = sa.select(dirty.c.group_id).where(
        dirty.c.scope == tx.scope,
        dirty.c.entity == key.entity,
        dirty.c.side == key.side,
        dirty.c.record_id == key.id,
    )
    busy = (dirty.c.scope == tx.scope, dirty.c.claim.is_not(None), dirty.c.group_id.in_(mine))
    if tx.execute(sa.select(sa.exists().where(*busy))).scalar_one():
        return False
    tx.execute(_by_key(sa.update(dirty)).values(claim=token, lease_until=lease_until), _parameters(tx, key))
    return True


def let_go(tx: Tx, *, token: str) -> None:
    """End a hold. Its key stays dirty: whatever was done meanwhile is looked at."""
    held = (dirty.c.scope == tx.scope, dirty.c.claim == token)
    tx.execute(sa.update(dirty).where(*held).values(claim=None, lease_until=None))


def settle(tx: Tx, done: Sequence[Claimed], *, token: str, now: float) -> list[Key]:
    """Take finished keys off the queue and return those that were no longer this lane's.

    Keys that were marked again meanwhile stay. What was lost to another lane is marked dirty again: whatever this
    lane wrote late is looked at once more.
    """
    lost = []
    for item in done:
        parameters = {**_parameters(tx, item.key), "b_seq": item.seq, "b_token": token}
        mine = sa.and_(dirty.c.claim == sa.bindparam("b_token"))
        removed = tx.execute(
            _by_key(sa.delete(dirty)).where(mine, dirty.c.seq == sa.bindparam("b_seq")), parameters
        ).rowcount
        if removed:
            continue
        # Marked again meanwhile: it stays, but the run it was listed by has its answer.
        run_id = dirty.c.run_id if item.run_id is None else None
        again = _by_key(sa.update(dirty)).where(mine)
        kept = tx.execute(
            again.values(claim=None, lease_until=None, attempts=0, run_id=run_id), parameters
        ).rowcount
        if not kept:
            lost.append(item.key)
    mark(tx, lost, cause=CLAIM_LOST, now=now, priority=Priority.RETRY)
    return lost


def put_back(tx: Tx, item: Claimed, *, token: str, due_at: float, failed: bool, now: float) -> None:
    """Give a key back to be tried again at `due_at`, or at once if it was marked meanwhile. One that has `failed`, and
    not only stepped aside, is no longer a live edit but a retry. One that was lost to another lane is marked dirty
    again, as `settle` does: this lane may have written late, too."""
    kept = tx.execute(
        _by_key(sa.update(dirty))
        .where(dirty.c.claim == sa.bindparam("b_token"))
        .values(
            claim=None,
            lease_until=None,
            due_at=sa.case((dirty.c.seq > item.seq, dirty.c.due_at), else_=due_at),
            attempts=dirty.c.attempts + 1,
            priority=sa.case(
                (dirty.c.priority < int(Priority.RETRY), int(Priority.RETRY if failed else item.priority)),
                else_=dirty.c.priority,
            ),
        ),
        {**_parameters(tx, item.key), "b_token": token},
    ).rowcount
    if not kept:
        mark(tx, [item.key], cause=CLAIM_LOST, now=now, priority=Priority.RETRY)


def renew(tx: Tx, *, token: str, lease_until: float) -> int:
    """Extend the lease of all keys of a claim; the number of keys that are still held."""
    return tx.execute(
        sa.update(dirty)
        .where(dirty.c.scope == tx.scope, dirty.c.claim == token)
        .values(lease_until=lease_until)
    ).rowcount


def release_claims(tx: Tx, *, expired_at: float | None = None) -> int:
    """Free what dead lanes held: all claims, or only those whose lease ended before `expired_at`."""
    statement = sa.update(dirty).where(dirty.c.scope == tx.scope, dirty.c.claim.is_not(None))
    if expired_at is not None:
        statement = statement.where(dirty.c.lease_until < expired_at)
    return tx.execute(statement.values(claim=None, lease_until=None)).rowcount


def any_expired(tx: Tx, *, now: float) -> bool:
    """Whether a lane may have died over its batch."""
    expired = (dirty.c.scope == tx.scope, dirty.c.claim.is_not(None), dirty.c.lease_until < now)
    return bool(tx.execute(sa.select(sa.exists().where(*expired))).scalar_one())


def is_held(tx: Tx, *, token: str) -> bool:
    """Whether a claim still stands."""
    held = (dirty.c.scope == tx.scope, dirty.c.claim == token)
    return bool(tx.execute(sa.select(sa.exists().where(*held))).scalar_one())


def hasten(tx: Tx, *, by: float) -> None:
    """Make every key due so many seconds earlier: the clock was set back."""
    tx.execute(sa.update(dirty).where(dirty.c.scope == tx.scope).values(due_at=dirty.c.due_at - by))


def mistrust_times(tx: Tx, *, now: float, longest_wait: float) -> None:
    """No key waits longer than a backoff may last, whatever the clock showed when it was put back; one that never
    failed waits for nothing."""
    mine = dirty.c.scope == tx.scope
    tx.execute(sa.update(dirty).where(mine, dirty.c.attempts == 0, dirty.c.due_at > now).values(due_at=now))
    latest = now + longest_wait
    tx.execute(sa.update(dirty).where(mine, dirty.c.due_at > latest).values(due_at=latest))


def next_due(tx: Tx) -> float | None:
    """When the earliest unclaimed key becomes due."""
    return tx.execute(_NEXT_DUE, {"b_scope": tx.scope}).scalar()


def depth(tx: Tx, *, now: float, run_id: int | None = None) -> Depth:
    """Count the queue, or the part of it that belongs to one run."""
    is_claimed = dirty.c.claim.is_not(None)
    statement = sa.select(
        sa.func.count().filter(sa.and_(~is_claimed, dirty.c.due_at <= now)),
        sa.func.count().filter(sa.and_(~is_claimed, dirty.c.due_at > now)),
        sa.func.count().filter(is_claimed),
        sa.func.min(dirty.c.marked_at),
    ).where(dirty.c.scope == tx.scope)
    if run_id is not None:
        statement = statement.where(dirty.c.run_id == run_id)
    due, later, claimed, oldest = tuple(tx.execute(statement).one())
    return Depth(due, later, claimed, oldest)


def awaited(tx: Tx, run_id: int) -> int:
    """How many keys a run waits for. Keys that keep failing are retried for as long as it takes, but without it."""
    mine = (dirty.c.scope == tx.scope, dirty.c.run_id == run_id, dirty.c.attempts < PATIENT_TRIES)
    return int(tx.execute(sa.select(sa.func.count()).where(*mine)).scalar_one())


def due_at_most(tx: Tx, *, now: float, cap: int) -> int:
    """How many keys are due, counted up to `cap`: what a lane needs to take its fair share."""
    return int(tx.execute(_DUE, {"b_scope": tx.scope, "b_now": now, "b_cap": cap}).scalar_one())


def in_work(tx: Tx, keys: Sequence[Key]) -> set[Key]:
    """Those of the contact keys that are in the queue: somebody is about to look at them."""
    found: set[Key] = set()
    for part in chunks(keys):
        rows = tx.execute(
            sa.select(dirty.c.side, dirty.c.record_id).where(
                dirty.c.scope == tx.scope,
                dirty.c.entity == Entity.CONTACT,
                dirty.c.record_id.in_([key.id for key in part]),
            )
        )
        found |= {Key(Entity.CONTACT, Side(side), id_) for side, id_ in map(tuple, rows)}
    return found & set(keys)


def queued(tx: Tx, key: Key) -> Queued | None:
    """The place of one key in the queue, None when it is not dirty."""
    row = tx.execute(_by_key(sa.select(dirty)), _parameters(tx, key)).one_or_none()
    return None if row is None else Queued(row.due_at, row.attempts, row.cause, row.claim is not None)


def _known_groups(tx: Tx, keys: Sequence[Key]) -> dict[Key, str]:
    """The account of each contact as last seen. An account is its own group; other keys have none."""
    groups: dict[Key, str] = {}
    contacts = [key for key in keys if key.entity is Entity.CONTACT]
    for part in chunks(contacts):
        by_id = {key.id: key for key in part}
        rows = tx.execute(
            sa.select(outcome.c.record_id, outcome.c.side, outcome.c.account_id).where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == Entity.CONTACT,
                outcome.c.record_id.in_(list(by_id)),
                outcome.c.account_id.is_not(None),
            )
        )
        groups.update({Key(Entity.CONTACT, Side(row.side), row.record_id): row.account_id for row in rows})
    return groups


def _key(row: sa.Row[Any]) -> Key:
    return Key(Entity(row.entity), Side(row.side), row.record_id)


def _by_key(statement: Statement) -> Statement:
    """The statement, limited to the row that `_parameters` names."""
    return statement.where(
        dirty.c.scope == sa.bindparam("b_scope"),
        dirty.c.entity == sa.bindparam("b_entity"),
        dirty.c.side == sa.bindparam("b_side"),
        dirty.c.record_id == sa.bindparam("b_id"),
    )


def _parameters(tx: Tx, key: Key) -> dict[str, str]:
    return {"b_scope": tx.scope, "b_entity": key.entity, "b_side": key.side, "b_id": key.id}
