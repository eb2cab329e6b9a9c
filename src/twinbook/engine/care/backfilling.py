"""Looking at all records once because a person asks for it: beginning a back-fill, pausing and ending it.

Everything here only writes to the store; the engine notices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.engine.connection import Source
from twinbook.store import dirty_keys, runs
from twinbook.store.database import Tx
from twinbook.store.runs import Run, RunKind


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `waiting` of its records are listed and have no outcome yet; `total` is None until counted."""

    run: Run
    waiting: int

    @property
    def done(self) -> int:
        return max(0, self.run.listed - self.waiting)

    @property
    def total(self) -> int | None:
        return max(self.run.total or 0, self.run.listed) or None


def progress(tx: Tx, run: Run, *, now: float) -> Progress:
    depth = dirty_keys.depth(tx, now=now, run_id=run.id)
    return Progress(run, depth.due + depth.later + depth.claimed)


def begin(tx: Tx, parts: Sequence[Source], *, by: str, now: float) -> list[int]:
    """Begin a back-fill of these lists, or go on with those that have begun; the numbers of their runs."""
    runs.resume(tx, RunKind.BACKFILL)
    return [runs.start(tx, RunKind.BACKFILL, part.entity, by=by, now=now, side=part.side) for part in parts]


def pause(tx: Tx) -> int:
    """List no further pages until somebody resumes; how many runs that concerns."""
    return runs.pause(tx, RunKind.BACKFILL)


def resume(tx: Tx) -> int:
    return runs.resume(tx, RunKind.BACKFILL)


def stop(tx: Tx, *, now: float) -> int:
    """End it for good; how many runs that concerns. What is written stays written."""
    return runs.stop(tx, RunKind.BACKFILL, now=now)
