"""The change events of an org in memory: `EventPort` with positions, gaps, lost and repeated events, cut streams."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from twinbook.domain.errors import TemporaryError
from twinbook.domain.ports import EventBatch, EventsUnavailable, PositionLost
from twinbook.domain.records import Entity, Key, Side

EVENTS_PER_LOOK = 100


@dataclass(frozen=True, slots=True)
class _Event:
    sequence: int
    ids: tuple[str, ...]
    relist: bool
    committed_at: float


@dataclass(slots=True)
class MemoryEvents:
    """`unavailable` names the entities whose change events are not enabled; `sequence` is that of the last event."""

    unavailable: set[Entity] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    sequence: int = 0
    _log: dict[Entity, list[_Event]] = field(default_factory=dict)
    _listeners: dict[asyncio.Event, None] = field(default_factory=dict)
    _cuts: int = 0
    _to_lose: int = 0
    _held: list[tuple[Entity, _Event]] | None = None
    _oldest: int = 0

    @property
    def subscribers(self) -> int:
        """How many subscriptions are open."""
        return len(self._listeners)

    def publish(
        self, entity: Entity, ids: tuple[str, ...], committed_at: float, *, relist: bool = False
    ) -> int:
        """Append an event and give its sequence number."""
        self.sequence += 1
        event = _Event(self.sequence, ids, relist, committed_at)
        if self._to_lose > 0:
            self._to_lose -= 1
        elif self._held is not None:
            self._held.append((entity, event))
        else:
            self._log.setdefault(entity, []).append(event)
            self._wake()
        return self.sequence

    def hold(self) -> None:
        """Deliver nothing until `release`."""
        self._held = self._held or []

    def release(self, dice: random.Random) -> None:
        """Deliver what was held back, in another order."""
        held, self._held = self._held or [], None
        dice.shuffle(held)
        for entity, event in held:
            self.publish(entity, event.ids, event.committed_at, relist=event.relist)

    def lose(self, count: int) -> None:
        """Do not deliver the next `count` events."""
        self._to_lose += count

    def lose_no_more(self) -> None:
        self._to_lose = 0

    def repeat(self, entity: Entity, count: int) -> None:
        """Deliver the last `count` events of an entity once more."""
        for event in self._log.get(entity, [])[-count:]:
            self.publish(entity, event.ids, event.committed_at, relist=event.relist)

    def gap(self, entity: Entity) -> None:
        """Deliver an event that cannot say which records changed (GAP_OVERFLOW)."""
        self.publish(entity, (), 0.0, relist=True)

    def cut(self) -> None:
        """End every subscription that is open now with a TemporaryError."""
        self._cuts += 1
        self._wake()

    def expire_positions(self) -> None:
        """Let every position given out so far be older than the retention."""
        self.sequence += 1
        self._oldest = self.sequence

    async def subscribe(self, entity: Entity, position: bytes | None) -> AsyncIterator[EventBatch]:
        self.calls["subscribe"] += 1
        if entity in self.unavailable:
            raise EventsUnavailable(f"change events of {entity} are not enabled")
        at = self.sequence if position is None else int.from_bytes(position, "big")
        if at < self._oldest:
            raise PositionLost("the position is older than the retention")
        cuts, news = self._cuts, asyncio.Event()
        self._listeners[news] = None
        try:
            yield EventBatch((), _position(at))
            while True:
                news.clear()
                for event in self._after(entity, at):
                    at = event.sequence
                    keys = tuple(Key(entity, Side.SALESFORCE, id_) for id_ in event.ids)
                    yield EventBatch(keys, _position(at), event.relist, event.committed_at)
                    if cuts != self._cuts:
                        break
                if cuts != self._cuts:
                    raise TemporaryError("UNAVAILABLE", "the stream was cut")
                if not self._after(entity, at):
                    await news.wait()
        finally:
            del self._listeners[news]

    def _after(self, entity: Entity, sequence: int) -> list[_Event]:
        events = self._log.get(entity, [])
        start = bisect_right(events, sequence, key=lambda event: event.sequence)
        return events[start : start + EVENTS_PER_LOOK]

    def _wake(self) -> None:
        for news in self._listeners:
            news.set()


def _position(sequence: int) -> bytes:
    return sequence.to_bytes(8, "big")
