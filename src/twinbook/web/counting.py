"""Counts that several pages show, kept for some seconds: counting a million rows takes a tenth of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH_SECONDS = 5.0


@dataclass(slots=True)
class Kept(Generic[T]):
    """The last answers by key. While one is being made, whoever else asks for it waits for the same."""

    make: Callable[[str], Awaitable[T]]
    now: Callable[[], float]
    fresh_seconds: float = FRESH_SECONDS
    _known: dict[str, tuple[float, T]] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def get(self, key: str) -> T:
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is None or self.now() - known[0] >= self.fresh_seconds:
                known = (self.now(), await self.make(key))
                self._known[key] = known
            return known[1]

    def forget(self) -> None:
        """Count anew at the next call: something was changed that people expect to see."""
        self._known.clear()
