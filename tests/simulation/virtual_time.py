"""An event loop in which time passes only when nobody has anything to do: hours take milliseconds, and the same
program always runs in the same order."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Instead of waiting, moves the loop's time to where the next timer is due."""

    pass_time: Callable[[float], None]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits for something that nobody will do")
        if timeout > 0:
            self.pass_time(timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Nothing on it may wait for threads, files or sockets."""

    def __init__(self) -> None:
        self._now = 0.0
        selector = _Jumping()
        selector.pass_time = self._pass
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def _pass(self, seconds: float) -> None:
        self._now += seconds


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, whatever virtual time it takes."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


@dataclass(slots=True)
class SkewedClock:
    """Virtual time, as a machine shows it whose wall clock is set and which freezes now and then."""

    epoch: float = 1_790_000_000.0
    wall_skew: float = 0.0
    frozen: float = 0.0

    def now(self) -> float:
        return self.epoch + self.wall_skew + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.frozen

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
