"""A bell that idle lanes wait for."""

from __future__ import annotations

import asyncio


class Wake:
    """`ring` wakes everybody who waits; a ring that nobody waited for is kept for the next one who does."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until the bell rings, at most `seconds`."""
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._rung.clear()
