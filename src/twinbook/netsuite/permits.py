"""The account-wide limit of calls in flight, kept on one machine (netsuite.md 7).

NetSuite counts the calls of all integrations of an account together and refuses what is too much. Every call of
the client therefore holds a permit. Who waits is served by urgency first (a lower number is more urgent), then by
arrival. The urgency of a call is that of the work it belongs to: a lane says it once,

    with calling_at(priority):
        await side.update_contact(...)

and all calls made inside, also those of tasks started there, carry it. This spares every method of the port a
parameter that has nothing to do with what it asks.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterator
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


class Permits:
    """At most `limit` holders at a time. Not for use by several event loops."""

    def __init__(self, limit: int) -> None:
        self._limit = _checked(limit)
        self._in_use = 0
        self._high_water = 0
        self._arrivals = count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def in_use(self) -> int:
        return self._in_use

    @property
    def high_water(self) -> int:
        """The most permits ever held at the same time."""
        return self._high_water

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
        self._limit = _checked(limit)
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
        while self._in_use < self._limit and self._queue:
            _, _, future = heapq.heappop(self._queue)
            if not future.done():
                self._in_use += 1
                self._high_water = max(self._high_water, self._in_use)
                future.set_result(None)


def _checked(limit: int) -> int:
    if limit < 1:
        raise ValueError(f"the limit of NetSuite calls in flight must be at least 1, not {limit}")
    return limit
