"""The last sweeps and what one of them found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinbook.domain.drift import DriftKind
from twinbook.store import drifts, flows, sweeps
from twinbook.store.database import Tx
from twinbook.store.drifts import Line
from twinbook.store.sweeps import Sweep

SWEEPS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """One sweep, and how much it found of each kind."""

    sweep: Sweep
    found: Mapping[DriftKind, int]

    @property
    def total(self) -> int:
        return sum(self.found.values())


@dataclass(frozen=True, slots=True)
class DriftPage:
    """The last sweeps, one of them in full: a page of what it found. `next` is where the following page begins, None at
    the end; `held` says that no sweep can begin."""

    sweeps: Sequence[Summary]
    shown: Summary | None
    lines: Sequence[Line]
    next: int | None
    held: bool


def drift(
    tx: Tx, number: int | None, *, kinds: Sequence[DriftKind] = (), after: int = 0, limit: int
) -> DriftPage | None:
    """The findings of a sweep, or of the latest one; None where there is no sweep of this number."""
    latest = [_summary(tx, item) for item in sweeps.latest(tx, limit=SWEEPS)]
    shown = latest[0] if latest and number is None else None
    if number is not None:
        chosen = sweeps.by_id(tx, number)
        if chosen is None:
            return None
        shown = _summary(tx, chosen)
    lines: Sequence[Line] = ()
    if shown is not None:
        lines = drifts.lines(tx, shown.sweep.run.id, kinds=kinds, after=after, limit=limit + 1)
    flow = flows.state(tx)
    onward = lines[limit - 1].id if len(lines) > limit else None
    return DriftPage(latest, shown, lines[:limit], onward, flow.paused or flow.stopped)


def summaries(tx: Tx) -> list[Summary]:
    """The last sweeps, newest first."""
    return [_summary(tx, item) for item in sweeps.latest(tx, limit=SWEEPS)]


def _summary(tx: Tx, sweep: Sweep) -> Summary:
    return Summary(sweep, drifts.tally(tx, sweep.run.id))
