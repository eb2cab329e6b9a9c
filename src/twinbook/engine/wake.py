"""A bell that idle lanes wait for."""

from __future__ import annotations

import asyncio


class Wake:
    """`ring` wakes everybody who waits, and everybody who was busy at that moment as soon as they would wait."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self.rings += 1
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def wait(self, seconds: float, *, since: int) -> None:
        """Until the bell has rung more often than `since` times, at most `seconds`.

        A lane notes `rings` before it looks for work: whatever is marked after that look rings anew.
        """
        if self.rings > since:
            return
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return
