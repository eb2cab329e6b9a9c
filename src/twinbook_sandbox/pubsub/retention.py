"""Retained events and their replay ids (salesforce.md 2.4: opaque, 72 h, strictly after)."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Container
from dataclasses import dataclass

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.pubsub.events import Event

RETENTION_SECONDS = 72 * 3600
MAX_ENTRIES = 50_000
"""Bounds the memory: beyond it the oldest entries expire before their time."""
MARK_AGE_SECONDS = 3600
MAX_GAP = 12
_TAIL = b"\x00\x00"


def replay_id(position: int) -> bytes:
    """Ten bytes: a big-endian counter and two zero bytes. Clients must not rely on that."""
    return position.to_bytes(8, "big") + _TAIL


def position_of(replay_id: bytes) -> int | None:
    """The position that a replay id stands for; None if it has not the shape of one.

    The counter alone will do: a client in wide use, salesforce-pubsub-api-client, sends no more than that.
    """
    if len(replay_id) < 8 or replay_id[8:] not in (_TAIL, b""):
        return None
    return int.from_bytes(replay_id[:8], "big")


@dataclass(frozen=True, slots=True)
class Entry:
    """A position on the bus; one without event only marks a time."""

    position: int
    at: float
    event: Event | None


class RetentionLog:
    """All events of the org in commit order, each once; positions rise with random gaps."""

    def __init__(self, clock: Clock, random_: random.Random, max_entries: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._random = random_
        self._max_entries = max_entries
        # Positions rise from one run of the sandbox to the next: one of an earlier run is never taken for valid.
        self._position = int(clock.now().timestamp()) << 10
        self._entries: list[Entry] = []
        self.append(None)

    def append(self, event: Event | None) -> int:
        """Keeps an event (or a mark); returns its position."""
        self._position += self._random.randint(1, MAX_GAP)
        at = max(self._now(), self._entries[-1].at) if self._entries else self._now()
        self._entries.append(Entry(self._position, at, event))
        del self._entries[: -self._max_entries]
        return self._position

    def newest(self) -> int:
        """The last position given out, never an old one: on a quiet bus it moves with time."""
        self._prune()
        if not self._entries or self._now() - self._entries[-1].at > MARK_AGE_SECONDS:
            self.append(None)
        return self._entries[-1].position

    def holds(self, position: int) -> bool:
        """Whether the position was given out and is still retained."""
        self._prune()
        index = bisect_left(self._entries, position, key=lambda entry: entry.position)
        return index < len(self._entries) and self._entries[index].position == position

    def read(self, after: int, entities: Container[str], limit: int) -> tuple[list[Entry], int]:
        """Up to `limit` entries with events of these entities, and the position up to which was looked."""
        self._prune()
        found: list[Entry] = []
        start = bisect_right(self._entries, after, key=lambda entry: entry.position)
        for index in range(start, len(self._entries)):
            if len(found) == limit:
                break
            entry = self._entries[index]
            after = entry.position
            if entry.event is not None and entry.event.entity in entities:
                found.append(entry)
        return found, after

    def count(self) -> int:
        """How many events are retained."""
        self._prune()
        return sum(entry.event is not None for entry in self._entries)

    def expire(self) -> int:
        """Drops everything, as if the retention had passed; returns the number of events dropped."""
        dropped = self.count()
        self._entries.clear()
        self.append(None)
        return dropped

    def _prune(self) -> None:
        oldest = self._now() - RETENTION_SECONDS
        if self._entries and self._entries[0].at < oldest:
            del self._entries[: bisect_left(self._entries, oldest, key=lambda entry: entry.at)]

    def _now(self) -> float:
        return self._clock.now().timestamp()
