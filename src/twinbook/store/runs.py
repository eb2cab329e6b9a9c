"""Long work over many records: a back-fill that a person asked for, or a re-list after a gap in the events.

A run lists keys page by page; its position moves in the transaction that marks the page dirty, so it resumes where
it stopped. It is done when everything it listed has an outcome, or keeps failing: such records are retried without it.

A run begins after every look that was stored before, by whatever clock: `started_at` tells which looks are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Side
from twinbook.store import outcomes
from twinbook.store.database import Tx
from twinbook.store.schema import run, run_count
from twinbook.store.sql import incoming, upsert

# Seconds by which a run begins after the latest look, and after its own last beginning: they are told apart by time.
NEXT_BEGINNING = 0.001


class RunKind(StrEnum):
    BACKFILL = "backfill"
    RELIST = "relist"
    SWEEP = "sweep"


class RunState(StrEnum):
    """`listing`: pages are still read; `paused`: no further page is read until somebody says so; `draining`: all is
    listed, some records have no outcome yet; `stopped`: somebody ended it before all was listed."""

    LISTING = "listing"
    PAUSED = "paused"
    DRAINING = "draining"
    DONE = "done"
    STOPPED = "stopped"


ENDED = (RunState.DONE, RunState.STOPPED)


@dataclass(frozen=True, slots=True)
class Run:
    """One run as stored. `total` is the expected number of records, None when unknown."""

    id: int
    kind: RunKind
    entity: Entity
    side: Side
    state: RunState
    position: str | None
    total: int | None
    listed: int
    requested_by: str
    started_at: float
    finished_at: float | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def start(
    tx: Tx,
    kind: RunKind,
    entity: Entity,
    *,
    by: str,
    now: float,
    total: int | None = None,
    side: Side = Side.SALESFORCE,
) -> int:
    """Begin a run, or return the one of this kind, entity and side that has not ended yet."""
    unfinished = tx.execute(
        sa.select(run.c.id).where(
            run.c.scope == tx.scope,
            run.c.kind == kind,
            run.c.entity == entity,
            run.c.side == side,
            run.c.state.not_in(ENDED),
        )
    ).scalar()
    if unfinished is not None:
        return int(unfinished)
    key = tx.execute(
        sa.insert(run).values(
            scope=tx.scope,
            kind=kind,
            entity=entity,
            side=side,
            state=RunState.LISTING,
            total=total,
            listed=0,
            requested_by=by,
            started_at=max(now, outcomes.last_look(tx) + NEXT_BEGINNING),
        )
    ).inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row always answers its key
    return int(key[0])


def restart(tx: Tx, kind: RunKind, entity: Entity, *, by: str, now: float) -> int:
    """Begin a run, or make the unfinished one list from the start again: something was missed since it began."""
    run_id = start(tx, kind, entity, by=by, now=now)
    began = by_id(tx, run_id).started_at
    later = max(now, max(outcomes.last_look(tx), began) + NEXT_BEGINNING)
    tx.execute(
        sa.update(run)
        .where(run.c.id == run_id)
        .values(state=RunState.LISTING, position=None, listed=0, started_at=later)
    )
    return run_id


def advance(tx: Tx, current: Run, *, position: str | None, listed: int) -> bool:
    """Note that one more page was read; `position` None ends the listing. False when the run was made to list from
    the start again, paused or stopped while the page was read: then the page counts for nothing."""
    moved = tx.execute(
        sa.update(run)
        .where(
            run.c.id == current.id,
            run.c.started_at == current.started_at,
            run.c.state.in_((RunState.LISTING, RunState.DRAINING)),
        )
        .values(
            position=position,
            listed=run.c.listed + listed,
            state=RunState.DRAINING if position is None else RunState.LISTING,
        )
    )
    return bool(moved.rowcount)


def expect(tx: Tx, run_id: int, total: int) -> None:
    tx.execute(sa.update(run).where(run.c.id == run_id).values(total=total))


def finish(tx: Tx, current: Run, *, now: float) -> None:
    """Nothing that the run listed is waited for any longer. One that was made to list from the start again since it was
    read goes on."""
    tx.execute(
        sa.update(run)
        .where(
            run.c.id == current.id,
            run.c.started_at == current.started_at,
            run.c.state.not_in(ENDED),
        )
        .values(state=RunState.DONE, finished_at=now)
    )


def pause(tx: Tx, kind: RunKind) -> int:
    """List no further pages of runs of this kind; how many were paused. What is in the queue is still worked off."""
    return _turn(tx, kind, (RunState.LISTING,), state=RunState.PAUSED)


def resume(tx: Tx, kind: RunKind) -> int:
    """List on where it was paused; how many go on."""
    return _turn(tx, kind, (RunState.PAUSED,), state=RunState.LISTING)


def stop(tx: Tx, kind: RunKind, *, now: float) -> int:
    """End runs of this kind for good; how many. What is in the queue is still worked off, and counted."""
    going = (RunState.LISTING, RunState.PAUSED, RunState.DRAINING)
    return _turn(tx, kind, going, state=RunState.STOPPED, finished_at=now)


def _turn(tx: Tx, kind: RunKind, before: Sequence[RunState], **values: Any) -> int:
    mine = (run.c.scope == tx.scope, run.c.kind == kind, run.c.state.in_(before))
    return tx.execute(sa.update(run).where(*mine).values(**values)).rowcount


def listing(tx: Tx, entity: Entity) -> int | None:
    """The run that lists this entity in Salesforce at the moment, to look at each record. A sweep only compares."""
    lists = (
        run.c.scope == tx.scope,
        run.c.entity == entity,
        run.c.side == Side.SALESFORCE,
        run.c.state == RunState.LISTING,
        run.c.kind != RunKind.SWEEP,
    )
    return tx.execute(sa.select(sa.func.min(run.c.id)).where(*lists)).scalar()


def unfinished(tx: Tx) -> list[Run]:
    rows = tx.execute(
        sa.select(run).where(run.c.scope == tx.scope, run.c.state.not_in(ENDED)).order_by(run.c.id)
    )
    return [run_of(row) for row in rows]


def last_of(
    tx: Tx, kind: RunKind, *, entity: Entity | None = None, state: RunState | None = None
) -> Run | None:
    """The latest run of this kind, or only of this entity or state."""
    wanted = [run.c.scope == tx.scope, run.c.kind == kind]
    wanted += [run.c.entity == entity] if entity else []
    wanted += [run.c.state == state] if state else []
    rows = tx.execute(sa.select(run).where(*wanted).order_by(run.c.id.desc()).limit(1))
    return next((run_of(row) for row in rows), None)


def by_id(tx: Tx, run_id: int) -> Run:
    return run_of(tx.execute(sa.select(run).where(run.c.id == run_id)).one())


def latest(tx: Tx, *, limit: int = 10, kind: RunKind | None = None, before: int | None = None) -> list[Run]:
    """The latest runs, or only those of a kind, the newest first; `before` goes on after the last one that was seen."""
    wanted = [run.c.scope == tx.scope]
    wanted += [run.c.kind == kind] if kind else []
    wanted += [run.c.id < before] if before else []
    rows = tx.execute(sa.select(run).where(*wanted).order_by(run.c.id.desc()).limit(limit))
    return [run_of(row) for row in rows]


def count(tx: Tx, results: Sequence[tuple[int, OutcomeKind, Reason | None]]) -> None:
    """Add finished records to the counts of their runs."""
    sums: dict[tuple[int, str, str], int] = {}
    for run_id, kind, reason in results:
        key = (run_id, kind.value, reason.value if reason else "")
        sums[key] = sums.get(key, 0) + 1
    rows = [
        {"run_id": run_id, "outcome": kind, "reason": reason, "number": number}
        for (run_id, kind, reason), number in sums.items()
    ]
    upsert(tx, run_count, rows, update={"number": run_count.c.number + incoming("number")})


def counts(tx: Tx, run_ids: Sequence[int]) -> list[tuple[OutcomeKind, Reason | None, int]]:
    """Counts of some runs together, the largest first."""
    number = sa.func.sum(run_count.c.number).label("number")
    rows = tx.execute(
        sa.select(run_count.c.outcome, run_count.c.reason, number)
        .where(run_count.c.run_id.in_(run_ids))
        .group_by(run_count.c.outcome, run_count.c.reason)
        .order_by(number.desc())
    )
    return [
        (OutcomeKind(row.outcome), Reason(row.reason) if row.reason else None, row.number) for row in rows
    ]


def counts_of_each(tx: Tx, run_ids: Sequence[int]) -> dict[int, list[tuple[OutcomeKind, Reason | None, int]]]:
    """Counts of some runs, each for itself, the largest first."""
    found: dict[int, list[tuple[OutcomeKind, Reason | None, int]]] = {}
    rows = tx.execute(
        sa.select(run_count).where(run_count.c.run_id.in_(run_ids)).order_by(run_count.c.number.desc())
    )
    for row in rows:
        cell = (OutcomeKind(row.outcome), Reason(row.reason) if row.reason else None, row.number)
        found.setdefault(row.run_id, []).append(cell)
    return found


def run_of(row: sa.Row[Any]) -> Run:
    """The run in a row of its table."""
    return Run(
        row.id,
        RunKind(row.kind),
        Entity(row.entity),
        Side(row.side),
        RunState(row.state),
        row.position,
        row.total,
        row.listed,
        row.requested_by,
        row.started_at,
        row.finished_at,
    )
