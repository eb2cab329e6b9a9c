"""The back-fill that is under way, with an estimate, and the earlier ones with their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity
from twinbook.engine.care import backfilling
from twinbook.engine.care.backfilling import Progress
from twinbook.store import conditions, flows, outcomes, runs
from twinbook.store.conditions import State
from twinbook.store.database import Tx
from twinbook.store.flows import Flow
from twinbook.store.outcomes import Tally
from twinbook.store.runs import Run, RunKind, RunState

RUNS = 20
# Seconds over which the present pace is measured.
PACE_SECONDS = 60.0
Counts = Sequence[tuple[OutcomeKind, Reason | None, int]]


@dataclass(frozen=True, slots=True)
class Backfill:
    """One list that is, or was, looked through, and what came of its records so far. `seconds_left` is an estimate by
    the present pace, None where there is none."""

    progress: Progress
    counts: Counts
    seconds_left: float | None = None

    @property
    def run(self) -> Run:
        return self.progress.run


@dataclass(frozen=True, slots=True)
class Backfills:
    """`going` are the lists of the one under way, `ended` the earlier ones, newest first; `next` leads on to those
    before them. `carried`: somebody works on this connection."""

    going: Sequence[Backfill]
    ended: Sequence[Backfill]
    next: int | None
    flow: Flow
    carried: bool

    @property
    def paused(self) -> bool:
        return any(item.run.state is RunState.PAUSED for item in self.going)


def backfills(
    tx: Tx, contact_cells: Sequence[Tally], *, now: float, limit: int = RUNS, before: int | None = None
) -> Backfills:
    going = [item for item in runs.unfinished(tx) if item.kind is RunKind.BACKFILL]
    found = runs.latest(tx, kind=RunKind.BACKFILL, limit=limit + 1 + len(going), before=before)
    ended = [item for item in found if item.ended]
    counts = runs.counts_of_each(tx, [item.id for item in (*going, *ended)])

    def shown(run: Run) -> Backfill:
        return Backfill(backfilling.progress(tx, run, now=now), counts.get(run.id, ()))

    condition = conditions.of(tx)
    return Backfills(
        _estimated(tx, [shown(run) for run in going], contact_cells, now=now),
        [shown(run) for run in ended[:limit]],
        ended[limit - 1].id if len(ended) > limit else None,
        flows.state(tx),
        condition is not None and condition.state is not State.STOPPED,
    )


def _estimated(
    tx: Tx, going: list[Backfill], contact_cells: Sequence[Tally], *, now: float
) -> list[Backfill]:
    """Only the first one is worked on: the others wait for it."""
    if not going or going[0].run.state is RunState.PAUSED:
        return going
    first = going[0]
    of_accounts = first.run.entity is Entity.ACCOUNT
    cells = outcomes.tally(tx, Entity.ACCOUNT) if of_accounts else contact_cells
    began = max(now - PACE_SECONDS, first.run.started_at)
    looks = outcomes.looks_since(tx, first.run.entity, began, cells)
    if not looks or first.progress.total is None:
        return going
    left = (first.progress.total - first.progress.done) * (now - began) / looks
    return [replace(first, seconds_left=left), *going[1:]]
