"""Units that a script may use, and what each call of the N/* modules costs (netsuite.md 5.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

UNITS: Mapping[str, int] = {
    "record.create": 5,
    "record.load": 5,
    "record.save": 10,
    "record.delete": 10,
    "record.attach": 10,
    "record.detach": 10,
    "query.run": 10,
    "search.lookup": 1,
    "https.get": 10,
    "https.post": 10,
    "cache.get": 1,
    "cache.put": 1,
    "cache.remove": 1,
}
"""For contacts and customers. What is not listed costs nothing. The costs of N/cache are general knowledge."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a script may use."""

    units: int
    seconds: float
    memory: int = 64 * 1024 * 1024


class Meter:
    """Counts the units of one run. Once they are used up, nothing works any more: the script has ended."""

    def __init__(self, units: int) -> None:
        self.remaining = units
        self.exhausted = False

    def take(self, operation: str) -> bool:
        """Pay for an operation; False if there is not enough left."""
        cost = UNITS.get(operation, 0)
        if self.exhausted or cost > self.remaining:
            self.exhausted = True
            return False
        self.remaining -= cost
        return True
