"""The event bus of the emulated org: turns committed changes into retained change events (salesforce.md 3).

It is synchronous and single-threaded: the change log calls it inside each commit, streams read from it whenever
they are woken.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import Action
from twinbook_sandbox.pubsub.actions import BusActions
from twinbook_sandbox.pubsub.avro import EventSchema, event_name, event_schema
from twinbook_sandbox.pubsub.events import Event, encode
from twinbook_sandbox.pubsub.retention import RetentionLog
from twinbook_sandbox.pubsub.switches import PubSubSwitches
from twinbook_sandbox.salesforce.changes import Change, ChangeLog
from twinbook_sandbox.salesforce.schema import EventField, Field, FieldType, ObjectSchema

DEFAULT_CHANNEL = "/data/ChangeEvents"
DEFAULT_ENTITIES = (
    "Contact",
    "Account",
    "Opportunity",
    "Quote",
    "AccountContactRelation",
    "OpportunityContactRole",
)
ANY_ENTITY = "*"
AUTOMATED_PROCESS = "005000000000001AAA"
"""The user that the platform's own changes are made by."""


def topic_of(entity: str) -> str:
    """The topic with the events of one entity."""
    return f"/data/{event_name(entity)}"


class LiveStream(Protocol):
    """A Subscribe call as the bus and the control plane see it."""

    def wake(self) -> None:
        """Something may have to be sent."""

    def cut(self) -> None:
        """End it as a failing network would."""

    def hang(self) -> None:
        """Send nothing any more, and do not end it."""


class EventBus:
    """Retained events, their schemas, and who listens.

    `schema_of` gives an object's fields as they are now. `hidden` tells the fields whose values the subscribing user
    may not see, None for objects whose events it may not see at all (salesforce.md 3.1).
    """

    def __init__(
        self,
        clock: Clock,
        changes: ChangeLog,
        schema_of: Callable[[str], ObjectSchema],
        seed: int,
        hidden: Callable[[str], frozenset[str] | None] = lambda _entity: frozenset(),
    ) -> None:
        self.switches = PubSubSwitches()
        self.enabled = set(DEFAULT_ENTITIES)
        self.forbidden: set[str] = set()
        """Entities whose events the subscribing user may not see: no View All on them."""
        self.streams: set[LiveStream] = set()
        self.calls: Counter[str] = Counter()
        """Calls of the API so far, by method."""
        self.lose: Counter[str] = Counter()
        self.duplicate: Counter[str] = Counter()
        """How many of the next events of an entity (or of any) are lost, or delivered twice."""
        self.clock = clock
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.log = RetentionLog(clock, self.random)
        self._schema_of = schema_of
        self._hidden = hidden
        self._schemas: dict[str, EventSchema] = {}
        self._current: dict[str, tuple[ObjectSchema, EventSchema]] = {}
        self._inserted: dict[str, list[EventField]] = {}
        changes.subscribe(self._on_commit)

    def actions(self) -> dict[str, Action]:
        """What the control plane can do to the bus and its streams, by name."""
        return BusActions(self).table()

    def reset(self) -> None:
        """An org without past events; every stored replay id is invalid, as after a sandbox refresh."""
        self.enabled = set(DEFAULT_ENTITIES)
        self.forbidden.clear()
        self.lose.clear()
        self.duplicate.clear()
        self._inserted.clear()
        self._current.clear()
        self.log.expire()

    def entities_of(self, topic: str) -> frozenset[str]:
        """The selected entities whose events a topic carries; empty when there is no such topic."""
        if topic == DEFAULT_CHANNEL:
            return frozenset(self.enabled)
        return frozenset(entity for entity in self.enabled if topic_of(entity) == topic)

    def not_permitted(self, entities: frozenset[str]) -> frozenset[str]:
        """Those of the entities whose events the subscribing user may not see."""
        return frozenset(each for each in entities if each in self.forbidden or self._hidden(each) is None)

    def schema(self, entity: str) -> EventSchema:
        """The schema of an entity's next event."""
        described = self._schema_of(entity)
        known = self._current.get(entity)
        if known is not None and known[0] == described:
            return known[1]
        current = event_schema(described, self._inserted.get(entity, ()))
        self._current[entity] = (described, current)
        self._schemas[current.id] = current
        return current

    def schema_json(self, schema_id: str) -> str | None:
        """A schema that events were or are written with."""
        known = self._schemas.get(schema_id)
        return known.json if known else None

    def change_schema(self, entity: str) -> EventSchema:
        """As if the object got a field that stands before all others: new id, every position shifted."""
        inserted = self._inserted.setdefault(entity, [])
        name = f"Inserted{len(inserted) + 1}"
        inserted.insert(0, EventField(Field(name=name, label=name, type=FieldType.STRING)))
        self._current.pop(entity, None)
        return self.schema(entity)

    def publish(self, change: Change) -> str | None:
        """Keeps the event of a change, if its entity is selected; returns the event's id."""
        if change.entity not in self.enabled or _take_one(self.lose, change.entity):
            return None
        schema = self.schema(change.entity)
        hidden = self._hidden(change.entity) or frozenset()
        change = replace(
            change, fields={name: value for name, value in change.fields.items() if name not in hidden}
        )
        payload = encode(change, schema, parent_bit=self.switches.compound_parent_bit)
        event = Event(self.new_uuid(), change.entity, schema.id, payload)
        for _ in range(2 if _take_one(self.duplicate, change.entity) else 1):
            self.log.append(event)
        self.wake_streams()
        return event.id

    def announce(
        self,
        entity: str,
        change_type: str,
        record_ids: Sequence[str],
        fields: Mapping[str, Any] | None = None,
        origin: str = "",
    ) -> str | None:
        """An event that no commit stands behind (gap, overflow, wildcard, geocoding); returns its id."""
        return self.publish(
            Change(
                entity=entity,
                change_type=change_type,
                record_ids=tuple(record_ids),
                fields=dict(fields or {}),
                user_id=AUTOMATED_PROCESS,
                origin=origin,
                transaction_key=self.new_uuid(),
                sequence_number=1,
                commit_number=int(self.clock.now().timestamp() * 1e6),
                committed_at=self.clock.now().replace(microsecond=0),
            )
        )

    def key_prefix(self, entity: str) -> str:
        """The three characters that ids of an entity begin with."""
        return self._schema_of(entity).key_prefix

    def wake_streams(self) -> None:
        """Let every stream look whether it has something to send."""
        for stream in self.streams:
            stream.wake()

    def new_uuid(self) -> str:
        """A UUID that depends on the seed only."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def _on_commit(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.publish(change)


def _take_one(counts: Counter[str], entity: str) -> bool:
    for key in (entity, ANY_ENTITY):
        if counts[key] > 0:
            counts[key] -= 1
            return True
    return False
