"""Running one connection: its watchers, its lister and its lanes, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any

from twinbook.engine.connection import Connection, Source
from twinbook.engine.running.ingest import SETTLED, Ingest
from twinbook.engine.running.lanes import Lane
from twinbook.engine.running.listing import Lister
from twinbook.engine.running.pulse import Pulse
from twinbook.engine.running.schedules import Schedules
from twinbook.engine.running.sweep.sweeper import Sweeper
from twinbook.store import dirty_keys
from twinbook.store.dirty_keys import Priority

# How long lanes may take to end the batch they are in when the process is asked to stop.
GRACE_SECONDS = 8.0


class Supervisor:
    """The running engine of one connection.

    `watching` says how each source is watched at the moment. `watches_all` is set once every one is: from then on
    nothing that happens is missed.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
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
        now, longest = connection.clock.now(), connection.options.retry_cap
        await connection.store.run(lambda tx: dirty_keys.take_up(tx, now=now, longest_wait=longest))
        # One lane more than calls are allowed at once: a live edit finds it free while back-fill fills the others.
        lanes = [Lane(connection) for _ in range(connection.options.lanes)]
        lanes.append(Lane(connection, least_urgent=Priority.LIVE))
        watchers = [Ingest(connection, source, on_state=self._note).run() for source in self._watched]
        working = _start([lane.run() for lane in lanes])
        # Who only works something off, and takes in no changes, minds no calendar either.
        calendar = [Schedules(connection).run()] if self._watched else []
        carrying = [Lister(connection).run(), Sweeper(connection).run(), Pulse(connection).run()]
        listening = _start([*carrying, *calendar, *watchers])
        told = asyncio.ensure_future(until)
        try:
            done, _ = await asyncio.wait([*working, *listening, told], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(listening)
            for lane in lanes:
                lane.stop()
            connection.wake.ring()
            await asyncio.wait(working, timeout=GRACE_SECONDS)
            await _end([*working, told])
        for task in done:
            task.result()

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


def _start(work: Sequence[Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(item) for item in work]


async def _end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
