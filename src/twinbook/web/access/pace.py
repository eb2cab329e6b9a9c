"""How often one caller may ask: a bucket that fills steadily and holds a short burst, for each caller, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Pace:
    """So many requests a minute, and a tenth of them at once. Whoever has not asked for long is forgotten first."""

    def __init__(self, a_minute: int, now: Callable[[], float]) -> None:
        self.a_minute = a_minute
        self.burst = max(10.0, a_minute / 10)
        self._now = now
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one request; 0 if it may be made, otherwise the seconds until the next may."""
        now = self._now()
        bucket = self._buckets.setdefault(caller, _Bucket(self.burst, now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        filled = max(0.0, now - bucket.at) * self.a_minute / 60
        bucket.left, bucket.at = min(self.burst, bucket.left + filled), now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) * 60 / self.a_minute
