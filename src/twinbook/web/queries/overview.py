"""One connection at a glance: whether it runs, how fast, what waits, and what needs a person."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.domain.ports import Allowance
from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity
from twinbook.store import conditions, cursors, dirty_keys, flows, incidents, links, processes, runs
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Depth
from twinbook.store.flows import Flow
from twinbook.store.incidents import IncidentKind
from twinbook.store.outcomes import Tally
from twinbook.store.processes import Process
from twinbook.store.runs import Run
from twinbook.store.schema import journal

HOUR = 3600.0
HOURS = 24
RATE_SECONDS = 300.0
# Percentiles are those of the latest writes that somebody waited for, of so long at most.
LATENCY_SAMPLES = 1000
LATENCY_SECONDS = 24 * HOUR
RUNS = 5
# From this share on a budget is nearly used up.
NEARLY = 0.9
BUDGETS = {
    "DailyApiRequests": "Salesforce: API requests in 24 hours",
    "DailyDeliveredPlatformEvents": "Salesforce: delivered events in 24 hours",
    "DailyBulkV2QueryJobs": "Salesforce: bulk queries in 24 hours",
}
# Those of which the settings keep a share for others.
RESERVED = frozenset({"DailyApiRequests"})
CALLS = "NetSuite: calls at once, lately"


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the moment a change was noticed to the moment it was written, of the latest `number` writes."""

    number: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Hour:
    """What was written in the hour that began at `at`: numbers by what it was (created, updated …)."""

    at: float
    written: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.written.values())


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: contacts of one outcome and reason."""

    kind: OutcomeKind
    reason: Reason | None
    number: int


@dataclass(frozen=True, slots=True)
class Reserves:
    """What the settings keep for others: of the requests to Salesforce in percent, of the calls to NetSuite at once."""

    requests_percent: float
    calls: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a system allows: `used` of `limit`, of which `reserve` is kept for people and other integrations (None where
    nothing is), as of `at`. `tone` says how near the end is."""

    what: str
    used: int
    limit: int
    reserve: int | None
    at: float
    tone: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A connection at one moment. `per_minute` is the rate of writes of the last minutes; `latency` is None where
    nothing was written lately; `streams` says when each source of changes last moved; `processes` are those at work."""

    connection: str
    flow: Flow
    linked: int
    queue: Depth
    retrying: int
    per_minute: float
    latency: Latency | None
    hours: tuple[Hour, ...]
    needs: tuple[Need, ...]
    runs: tuple[Run, ...]
    streams: dict[str, float]
    processes: tuple[Process, ...]
    budgets: tuple[Budget, ...]


def overview(tx: Tx, cells: Sequence[Tally], reserves: Reserves, *, now: float) -> Overview:
    working = processes.at_work(tx, now=now)
    retrying = sum(number for kind, _, number in incidents.tally(tx) if kind is IncidentKind.RETRYING)
    return Overview(
        connection=tx.scope,
        flow=flows.state(tx),
        linked=links.count(tx, Entity.CONTACT),
        queue=dirty_keys.depth(tx, now=now),
        retrying=retrying,
        per_minute=_written(tx, now - RATE_SECONDS, now) * 60 / RATE_SECONDS,
        latency=latency(tx, now=now),
        hours=hours(tx, now=now),
        needs=needs(cells),
        runs=tuple(item for item in runs.latest(tx, limit=RUNS) if not item.ended),
        streams=cursors.ages(tx),
        processes=tuple(working),
        budgets=(*_requests(tx, reserves), *_calls(working, reserves, now=now)),
    )


def _requests(tx: Tx, reserves: Reserves) -> Iterator[Budget]:
    """What Salesforce allows in 24 hours, as it was told last."""
    for seen in conditions.allowances(tx):
        item = seen.allowance
        kept = round(item.limit * reserves.requests_percent / 100) if item.name in RESERVED else None
        yield Budget(
            BUDGETS.get(item.name, item.name), item.used, item.limit, kept, seen.at, _tone(item, kept or 0)
        )


def _tone(item: Allowance, kept: int) -> str:
    if item.used >= item.limit:
        return "bad"
    return "warm" if item.limit - item.used < kept or item.used >= item.limit * NEARLY else "good"


def _calls(working: Sequence[Process], reserves: Reserves, *, now: float) -> Iterator[Budget]:
    """Calls to NetSuite at once, over all processes: each had so many at most lately, and together never more than the
    limit."""
    counted = [
        (item.calls, item.calls_limit) for item in working if item.calls is not None and item.calls_limit
    ]
    if counted:
        limit = min(limit for _, limit in counted if limit)
        used = min(limit, sum(calls for calls, _ in counted if calls))
        # All of them in use is how it should be while there is work.
        yield Budget(CALLS, used, limit, reserves.calls, now, "good")


def needs(cells: Sequence[Tally]) -> tuple[Need, ...]:
    """What waits for a person, failures first, then the largest."""
    asking = [cell for cell in cells if cell.kind in (OutcomeKind.REVIEW, OutcomeKind.FAILED)]
    asking.sort(key=lambda cell: (cell.kind is not OutcomeKind.FAILED, -cell.number))
    return tuple(Need(cell.kind, cell.reason, cell.number) for cell in asking)


def latency(tx: Tx, *, now: float) -> Latency | None:
    latest = (
        sa.select(journal.c.duration_ms)
        .where(
            journal.c.scope == tx.scope,
            journal.c.at >= now - LATENCY_SECONDS,
            journal.c.duration_ms.is_not(None),
        )
        .order_by(journal.c.at.desc())
        .limit(LATENCY_SAMPLES)
    )
    waits = sorted(row.duration_ms / 1000 for row in tx.execute(latest))
    if not waits:
        return None
    p50, p95, p99 = (waits[max(0, math.ceil(part * len(waits)) - 1)] for part in (0.5, 0.95, 0.99))
    return Latency(len(waits), p50, p95, p99)


def hours(tx: Tx, *, now: float) -> tuple[Hour, ...]:
    """The last day hour by hour, oldest first. The last one is not over."""
    last = math.floor(now / HOUR) * HOUR
    return tuple(_hour(tx, last - ago * HOUR) for ago in reversed(range(HOURS)))


def _hour(tx: Tx, at: float) -> Hour:
    counted = tx.execute(
        sa.select(journal.c.what, sa.func.count().label("number"))
        .where(*_between(tx, at, at + HOUR))
        .group_by(journal.c.what)
        .order_by(journal.c.what)
    )
    return Hour(at, {row.what: row.number for row in counted})


def _written(tx: Tx, since: float, until: float) -> int:
    counted = sa.select(sa.func.count()).select_from(journal).where(*_between(tx, since, until))
    return int(tx.execute(counted).scalar_one())


def _between(tx: Tx, since: float, until: float) -> tuple[sa.ColumnElement[bool], ...]:
    return (journal.c.scope == tx.scope, journal.c.at >= since, journal.c.at < until)
