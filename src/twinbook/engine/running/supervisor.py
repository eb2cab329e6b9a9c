"""Running one connection: its watchers, its lister and its lanes, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from twinbook.engine.connection import Connection, Source
from twinbook.engine.running.allowances import AllowanceWatch
from twinbook.engine.running.ingest import SETTLED, Ingest
from twinbook.engine.running.lanes import Lane
from twinbook.engine.running.listing import Lister
from twinbook.engine.running.notices import NoticeWatch
from twinbook.engine.running.pulse import Pulse
from twinbook.engine.running.runner import Alone, Runner, together
from twinbook.engine.running.schedules import Schedules
from twinbook.engine.running.sweep.sweeper import Sweeper
from twinbook.store import dirty_keys
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Priority

# How long lanes may take to end the batch they are in when the process is asked to stop, and how long then to end the
# calls they are in.
GRACE_SECONDS = 4.0
LAST_CALLS_SECONDS = 4.0


class Supervisor:
    """The running engine of one connection.

    `watching` says how each source is watched at the moment. `watches_all` is set once every one is: from then on
    nothing that happens is missed.
    """

    def __init__(self, connection: Connection, runner: Runner | None = None) -> None:
        self._connection = connection
        self._runner = runner or Alone()
        self.watching: dict[Source, str] = {}
        self.watches_all = asyncio.Event()
        self._watched: tuple[Source, ...] = ()

    async def run(self, until: Awaitable[object], *, watch: Sequence[Source] | None = None) -> None:
        """Work off what is dirty until `until` is done, and take in changes: those of the sources that the options
        name, or only of these.

        A part that fails in a way nobody foresaw ends the whole, loudly: a silent half-engine would lose changes.
        """
        connection = self._connection
        self._watched = tuple(connection.options.watch if watch is None else watch)
        await connection.store.run(self._take_up)
        # One lane more than calls are allowed at once: a live edit finds it free while back-fill fills the others.
        lanes = [Lane(connection) for _ in range(connection.options.lanes)]
        lanes.append(Lane(connection, least_urgent=Priority.LIVE))
        working = asyncio.create_task(self._runner.work(lanes))
        leading = asyncio.create_task(self._runner.lead(self._lead))
        told = asyncio.ensure_future(until)
        try:
            done, _ = await asyncio.wait([working, leading, told], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(leading)
            await self._wind_down(lanes, working)
            await _end(told)
        for task in done:
            task.result()

    def _take_up(self, tx: Tx) -> None:
        """Begin a new life of the engine: free what a former one held, and mistrust the times that it stored."""
        now = self._connection.clock.now()
        self._runner.free_claims(tx, now=now)
        dirty_keys.mistrust_times(tx, now=now, longest_wait=self._connection.options.retry_cap)

    async def _lead(self) -> None:
        """What one process does at a time: listening, listing, sweeping, keeping time."""
        connection = self._connection
        watchers = [Ingest(connection, source, on_state=self._note).run() for source in self._watched]
        # Who only works something off, and takes in no changes, minds no calendar either.
        calendar = [Schedules(connection).run()] if self._watched else []
        carrying = [
            Lister(connection).run(),
            Sweeper(connection).run(),
            Pulse(connection).run(),
            AllowanceWatch(connection).run(),
            NoticeWatch(connection).run(),
        ]
        await together([*carrying, *calendar, *watchers])

    async def _wind_down(self, lanes: Sequence[Lane], working: asyncio.Task[None]) -> None:
        """Lanes take no further batch; what they have not begun within the grace goes back to the queue."""
        for lane in lanes:
            lane.stop()
        self._connection.wake.ring()
        await asyncio.wait([working], timeout=GRACE_SECONDS)
        for lane in lanes:
            lane.break_off()
        await asyncio.wait([working], timeout=LAST_CALLS_SECONDS)
        await _end(working)

    def _note(self, source: Source, state: str) -> None:
        self.watching[source] = state
        if all(self.watching.get(watched) in SETTLED for watched in self._watched):
            self.watches_all.set()


async def first_of(awaited: Awaitable[object], running: asyncio.Task[None]) -> None:
    """Until `awaited` is done; a supervisor that fails before shows its fault here."""
    waiting = asyncio.ensure_future(awaited)
    await asyncio.wait([waiting, running], return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        running.result()


async def _end(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
