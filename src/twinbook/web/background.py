"""Work that goes on while people look at how far it is: one piece for each key, ended when the dashboard ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

K = TypeVar("K")


class Background(Generic[K]):
    """Pieces of work by key. What a piece finds, and what it fails with, it keeps where its reader looks."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[None]] = {}

    def begin(self, key: K, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece, in place of the one that goes on under this key."""
        self.end(key)
        self._tasks[key] = asyncio.create_task(work)

    def end(self, key: K) -> None:
        """End a piece where it is."""
        if key in self._tasks:
            self._tasks[key].cancel()

    async def settled(self, key: K, seconds: float) -> None:
        """Wait until the piece is done, but no longer than this: what is small answers at once."""
        if key in self._tasks:
            await asyncio.wait([self._tasks[key]], timeout=seconds)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
