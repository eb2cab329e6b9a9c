"""Slowing down whoever guesses passwords: after a few failures each further try waits, twice as long each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_TRIES = 5
FIRST_WAIT = 2.0
LONGEST_WAIT = 900.0
FORGOTTEN_AFTER = 3600.0
MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class _Failures:
    number: int
    last: float


class Throttle:
    """Counts failures by key (a login, an address), in memory and bounded: the oldest are forgotten first."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, *keys: str) -> float:
        """Seconds until one of these may try again; 0 if at once."""
        return max((self._wait(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        for key in keys:
            known = self._known(key)
            self._failures[key] = _Failures((known.number if known else 0) + 1, self._now())
            self._failures.move_to_end(key)
        while len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)

    def worked(self, key: str) -> None:
        """Start counting anew. Only for the login: an address that guessed many logins stays suspect."""
        self._failures.pop(key, None)

    def _wait(self, key: str) -> float:
        known = self._known(key)
        if known is None or known.number < FREE_TRIES:
            return 0.0
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (known.number - FREE_TRIES))
        return max(0.0, known.last + wait - self._now())

    def _known(self, key: str) -> _Failures | None:
        known = self._failures.get(key)
        return known if known and self._now() - known.last < FORGOTTEN_AFTER else None
