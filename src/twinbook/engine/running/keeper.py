"""Keeping one connection running whatever happens to it, so that an installation with several is not stopped, or slowed
down, by the one that fails: each has clients, lanes, permits and budgets of its own, and is started again by itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import structlog

from twinbook.domain.errors import PermanentError, SideError, TemporaryError
from twinbook.engine.clock import Clock
from twinbook.engine.connection import Connection
from twinbook.engine.running.supervisor import Supervisor, first_of
from twinbook.store import conditions
from twinbook.store.conditions import Condition, State
from twinbook.store.database import Store

log = structlog.get_logger()

# Seconds: the first and the longest wait before a connection that failed is tried again.
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0

UNFORESEEN = "Twinbook itself failed. Report this as a defect, with the log lines around this time."


class Keeper:
    """Runs one connection until told to stop. `open_` logs in and gives a live connection, `supervise` makes its
    engine. `taken_up` waits until somebody watches both systems, `on_ready` is called when this process does: of
    several workers one watches.

    `tried` is set once it stands, or was found to fail; `connecting` is true while a system is yet to answer.
    """

    def __init__(
        self,
        open_: Callable[[], AbstractAsyncContextManager[Connection]],
        supervise: Callable[[Connection], Supervisor],
        store: Store,
        clock: Clock,
        *,
        taken_up: Callable[[Connection, asyncio.Task[None]], Awaitable[None]],
        on_ready: Callable[[], None],
        chance: random.Random,
    ) -> None:
        self._open = open_
        self._supervise = supervise
        self._store = store
        self._clock = clock
        self._taken_up = taken_up
        self._on_ready = on_ready
        self._random = chance
        self._failures = 0
        self._watched = False
        self._stood = False
        self._renewed = asyncio.Event()
        self.tried = asyncio.Event()
        self.connecting = False

    async def run(self, stop: asyncio.Event, *, alone: bool = False) -> None:
        """Until `stop` is set. A connection that is `alone` and is refused for good before it ever stood ends with that
        refusal: then a person is at the keyboard, and there is nothing else to keep running."""
        try:
            while not stop.is_set():
                self._renewed.clear()
                try:
                    await self._live(stop)
                except Exception as error:
                    if alone and not self._stood and isinstance(error, PermanentError):
                        raise
                    await self._wait(error, stop)
        finally:
            if self._watched:
                await self._note(State.STOPPED)

    def renew(self) -> None:
        """Open the connection anew, with the settings that count by then: the lanes end in order, and what they had not
        begun goes back to the queue. One that waits to be tried again is tried now."""
        self._failures, self._stood = 0, True
        self._renewed.set()

    async def _live(self, stop: asyncio.Event) -> None:
        self.connecting = True
        async with self._open() as connection:
            self.connecting = False
            supervisor = self._supervise(connection)
            running = asyncio.create_task(supervisor.run(either(stop.wait(), self._renewed.wait())))
            try:
                await self._taken_up(connection, running)
                self._stood = self._stood or not running.done()
                self.tried.set()
                await first_of(supervisor.watches_all.wait(), running)
                if supervisor.watches_all.is_set():
                    self._failures, self._watched = 0, True
                    await self._note(State.IN_STEP)
                    self._on_ready()
                await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _wait(self, error: Exception, stop: asyncio.Event) -> None:
        self.connecting, self._watched, self._stood = False, True, True
        self.tried.set()
        if not isinstance(error, SideError):
            log.exception("connection-failed", connection=self._store.scope)
        wait = self._backoff(error)
        self._failures += 1
        code, detail = _told(error)
        log.warning("connection-retried", connection=self._store.scope, code=code, wait=round(wait, 1))
        await self._note(State.RETRYING, code, detail, self._clock.now() + wait)
        await either(self._clock.sleep(wait), stop.wait(), self._renewed.wait())

    def _backoff(self, error: Exception) -> float:
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures, 30))
        asked = error.retry_after if isinstance(error, TemporaryError) else None
        return max(self._random.uniform(longest / 2, longest), asked or 0.0)

    async def _note(
        self, state: State, code: str | None = None, detail: str = "", next_try_at: float | None = None
    ) -> None:
        now_is = Condition(state, self._clock.now(), code, detail, next_try_at)
        await self._store.run(lambda tx: conditions.note(tx, now_is))


def _told(error: Exception) -> tuple[str, str]:
    """What a person is told. The text of a fault of our own may quote a record, so it is left out."""
    if isinstance(error, SideError):
        remedy = error.remedy if isinstance(error, PermanentError) else ""
        return error.code, f"{error.message} {remedy}".strip()
    return type(error).__name__, UNFORESEEN


async def either(*awaited: Awaitable[object]) -> None:
    """Until one of them is done."""
    tasks = [asyncio.ensure_future(item) for item in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
