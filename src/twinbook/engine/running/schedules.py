"""What the calendar asks for: sweeps at night, and letting go of old history.

Each schedule is a plain function that says what is due; whoever owns the clock, a task on this machine or one for a
cluster, calls `tick` now and then. A schedule that was missed, because nothing ran at its time, is made up for.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

import structlog

from twinbook.domain.records import Entity
from twinbook.engine.connection import Connection, SweepOptions
from twinbook.store import runs, sweeps
from twinbook.store.database import Tx
from twinbook.store.retention import prune
from twinbook.store.runs import RunKind, RunState

log = structlog.get_logger()

# Seconds between two looks at the calendar.
BEAT = 60.0

# Batches of old rows that are deleted in one beat: ten thousand rows a minute keep up with any history.
BATCHES_A_BEAT = 10

DAY = 86_400.0


class Schedules:
    """The calendar of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.tick()
            await self._connection.clock.sleep(BEAT)

    async def tick(self) -> None:
        """Begin whatever is due."""
        now, options = self._connection.clock.now(), self._connection.options
        store = self._connection.store
        if await store.run(lambda tx: start_sweep_if_due(tx, options.sweep, now=now)):
            log.info("sweep-begins", connection=self._connection.name)
        # Batch by batch, so that nobody waits long; what is left over is left to the next beat.
        for _ in range(BATCHES_A_BEAT):
            if not await store.run(lambda tx: prune(tx, options.retention, now=now)):
                return


def last_occasion(now: float, hour: int, zone: tzinfo | None = None) -> float:
    """When it was last this hour, in a time zone (None: that of the machine)."""
    local = datetime.fromtimestamp(now, zone)
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (today if today <= local else today - timedelta(days=1)).timestamp()


def sweep_is_due(tx: Tx, options: SweepOptions, *, now: float, zone: tzinfo | None = None) -> bool:
    """Whether a sweep should have begun by now. Before the first back-fill is done, what has not been looked at is the
    back-fill's business: a sweep would carry it all over without being asked."""
    filled = runs.last_of(tx, RunKind.BACKFILL, entity=Entity.CONTACT, state=RunState.DONE)
    if options.hour is None or filled is None:
        return False
    last = runs.last_of(tx, RunKind.SWEEP) or filled
    return last.started_at < last_occasion(now, options.hour, zone)


def start_sweep_if_due(tx: Tx, options: SweepOptions, *, now: float, zone: tzinfo | None = None) -> bool:
    if not sweep_is_due(tx, options, now=now, zone=zone):
        return False
    thorough = sweeps.last_thorough(tx)
    # Half a day of grace, so that "every seven days" is the seventh night and not the eighth.
    due = thorough is None or now - thorough > options.thorough_days * DAY - DAY / 2
    sweeps.start(tx, thorough=due, repairs=options.repairs, by="twinbook: nightly", now=now)
    return True
