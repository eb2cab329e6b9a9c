"""Streams that outlive a request: how many there are, and that they end when the server does."""

from __future__ import annotations

import asyncio


class Closing:
    """Set when the server is asked to stop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def within(self, seconds: float) -> bool:
        """Wait for so long; whether the server closes."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Watchers:
    """Counts open streams, as a context of each."""

    def __init__(self) -> None:
        self.number = 0

    def __enter__(self) -> None:
        self.number += 1

    def __exit__(self, *_: object) -> None:
        self.number -= 1
