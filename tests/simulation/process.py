"""One life of the process: it may be killed at any commit or between any two steps, or freeze and wake up late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from twinbook.store.database import Database, Store, Tx

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone: nobody catches this."""


@dataclass(slots=True)
class Life:
    """`commits_left` counts down to the commit at which it dies; `died` and `told` tell whoever runs it."""

    name: str
    alive: bool = True
    commits_left: int | None = None
    dies_after: bool = False
    died: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    _thawed: asyncio.Event | None = None

    @property
    def frozen(self) -> bool:
        return self._thawed is not None

    def kill(self) -> None:
        self.alive = False
        self.died.set()
        self.thaw()

    def freeze(self) -> None:
        self._thawed = asyncio.Event()

    def thaw(self) -> None:
        if self._thawed is not None:
            self._thawed.set()
            self._thawed = None

    async def goes_on(self) -> None:
        """Passed before each step of the process that waited for something."""
        while self._thawed is not None:
            await self._thawed.wait()
        if not self.alive:
            raise Killed

    def at_commit(self, *, after: bool) -> None:
        if self.commits_left is None or after is not self.dies_after:
            return
        self.commits_left -= 1
        if self.commits_left < 0:
            self.kill()
            raise Killed


class Surroundings(Protocol):
    """What a store needs of the simulation."""

    def store_delay(self) -> float: ...

    def committed(self, life: Life, tx: Tx) -> None: ...


class MortalStore(Store):
    """A store on the loop's own thread, in virtual time, whose process may die before or after a commit."""

    def __init__(self, database: Database, scope: str, life: Life, around: Surroundings) -> None:
        super().__init__(database, scope)
        self._life = life
        self._around = around

    async def run(self, work: Callable[[Tx], T]) -> T:
        await asyncio.sleep(self._around.store_delay())
        await self._life.goes_on()
        self._life.at_commit(after=False)

        def watched(tx: Tx) -> T:
            before = _changes(tx)
            result = work(tx)
            if _changes(tx) != before:
                self._around.committed(self._life, tx)
            return result

        result = self.run_now(watched)
        self._life.at_commit(after=True)
        await self._life.goes_on()
        return result

    async def read(self, work: Callable[[Tx], T]) -> T:
        await asyncio.sleep(self._around.store_delay())
        await self._life.goes_on()
        return self.read_now(work)


class MortalClock:
    """The machine's clock as one life sees it: nobody wakes up from a sleep in a frozen process."""

    def __init__(self, clock: Any, life: Life) -> None:
        self._clock = clock
        self._life = life

    def now(self) -> float:
        return float(self._clock.now())

    def monotonic(self) -> float:
        return float(self._clock.monotonic())

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._life.goes_on()


async def first_of(*awaited: Awaitable[Any]) -> None:
    """Until one of these is done; the others are left alone."""
    await asyncio.wait([asyncio.ensure_future(item) for item in awaited], return_when=asyncio.FIRST_COMPLETED)


def _changes(tx: Tx) -> int:
    """How many rows the connection has changed so far."""
    raw = tx.db.connection.dbapi_connection
    assert raw is not None
    return int(raw.total_changes)
