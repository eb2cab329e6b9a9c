"""How many API requests the org has served in the last 24 hours (salesforce.md 4.6, 8)."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_WINDOW = timedelta(hours=24)
_STEP = timedelta(minutes=15)


class ApiUsage:
    """A rolling count, kept in steps of a quarter of an hour."""

    def __init__(self) -> None:
        self._steps: deque[tuple[datetime, int]] = deque()

    def count(self, now: datetime) -> int:
        """Requests in the 24 hours before `now`."""
        while self._steps and self._steps[0][0] <= now - _WINDOW:
            self._steps.popleft()
        return sum(number for _, number in self._steps)

    def add(self, now: datetime) -> None:
        """Count one request."""
        if self._steps and now - self._steps[-1][0] < _STEP:
            started, number = self._steps[-1]
            self._steps[-1] = (started, number + 1)
        else:
            self._steps.append((now, 1))

    def clear(self) -> None:
        self._steps.clear()
