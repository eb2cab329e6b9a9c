"""The account-wide limit of calls in flight (netsuite.md 7), kept within one process; `twinbook.cluster` has it over
several.

NetSuite counts the calls of all integrations of an account together and refuses what is too much. Every call of
the client therefore holds a permit. Who waits is served by urgency first (a lower number is more urgent), then by
arrival. The urgency of a call is that of the work it belongs to: a lane says it once,

    with calling_at(priority):
        await side.update_contact(...)

and all calls made inside, also those of tasks started there, carry it. This spares every method of the port a
parameter that has nothing to do with what it asks.

The limit adapts. NetSuite refuses calls also because others use up the account: then fewer are made at once, and one
more again after each quiet while, up to the limit that was set.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Final

MOST_URGENT: Final = 0

_urgency: ContextVar[int] = ContextVar("netsuite_call_urgency", default=MOST_URGENT)


@contextmanager
def calling_at(priority: int) -> Iterator[None]:
    """Give the calls made inside this urgency: lower goes first. Calls outside are the most urgent (0)."""
    token = _urgency.set(priority)
    try:
        yield
    finally:
        _urgency.reset(token)


# After a refusal this share of the permits is left. Refusals of calls that were on their way together count once.
SHRINKS_TO: Final = 0.7
TOGETHER_SECONDS: Final = 2.0
# So long without a refusal, and one permit is added.
QUIET_SECONDS: Final = 30.0


class Permits:
    """At most `limit` holders at a time. Not for use by several event loops. `monotonic` is in seconds."""

    def __init__(self, limit: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = self._ceiling = _checked(limit)
        self._monotonic = monotonic
        self._changed_at = monotonic() - TOGETHER_SECONDS
        self._in_use = 0
        self._high_water = 0
        self._peak = 0
        self._arrivals = count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def limit(self) -> int:
        """How many holders there may be at the moment."""
        return self._limit

    @property
    def ceiling(self) -> int:
        """How many there may be when nothing is refused."""
        return self._ceiling

    @property
    def in_use(self) -> int:
        return self._in_use

    @property
    def high_water(self) -> int:
        """The most permits ever held at the same time."""
        return self._high_water

    def take_peak(self) -> int:
        """The most permits held at the same time since this was asked last."""
        peak, self._peak = self._peak, self._in_use
        return peak

    @asynccontextmanager
    async def hold(self, urgency: int | None = None) -> AsyncIterator[None]:
        """Wait for a permit, at the urgency of `calling_at` unless one is given, and hold it inside."""
        await self._acquire(_urgency.get() if urgency is None else urgency)
        try:
            yield
        finally:
            self._release()

    def resize(self, limit: int) -> None:
        """Change the limit. Holders above a smaller limit finish; nobody new starts until there is room."""
        self._limit = self._ceiling = _checked(limit)
        self._grant()

    def refused(self) -> bool:
        """NetSuite refused a call as one too many; whether the limit shrinks for it."""
        if self._monotonic() - self._changed_at < TOGETHER_SECONDS:
            return False
        self._changed_at = self._monotonic()
        shrunk, self._limit = self._limit, max(1, int(self._limit * SHRINKS_TO))
        return self._limit < shrunk

    def answered(self) -> None:
        """NetSuite took a call: after a quiet while one more is allowed."""
        if self._limit < self._ceiling and self._monotonic() - self._changed_at >= QUIET_SECONDS:
            self._changed_at = self._monotonic()
            self._limit += 1
            self._grant()

    async def _acquire(self, urgency: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (urgency, next(self._arrivals), future))
        self._grant()
        try:
            await future
        except asyncio.CancelledError:
            granted = future.done() and not future.cancelled()
            if granted:
                self._release()
            raise

    def _release(self) -> None:
        self._in_use -= 1
        self._grant()

    def _grant(self) -> None:
        while self._waits() and self._in_use < self._limit and self._room():
            _, _, future = heapq.heappop(self._queue)
            self._in_use += 1
            self._high_water = max(self._high_water, self._in_use)
            self._peak = max(self._peak, self._in_use)
            future.set_result(None)

    def _waits(self) -> bool:
        """Whether anybody waits. Who waited and was cancelled is forgotten."""
        while self._queue and self._queue[0][2].done():
            heapq.heappop(self._queue)
        return bool(self._queue)

    def _room(self) -> bool:
        """Whether one more call may begin, as far as others are concerned."""
        return True


def _checked(limit: int) -> int:
    if limit < 1:
        raise ValueError(f"the limit of NetSuite calls in flight must be at least 1, not {limit}")
    return limit
