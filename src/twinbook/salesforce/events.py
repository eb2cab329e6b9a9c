"""Change events of a Salesforce org as the engine sees them: `EventPort` over the Pub/Sub API (salesforce.md 2, 3).

An event is a hint that records changed; it becomes keys, never values. So duplicates need no care, and whatever
cannot be read or does not name its records asks for a re-list.

Positions are replay ids, stored and given back unchanged. Between the start of a first subscription and its first
response, which may take 270 s on a quiet topic, no replay id is known. Meanwhile the position is the time at which
the subscription was asked for: to resume from it, all retained events are read and the older ones left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from salesforce_eventbus import service
from salesforce_eventbus.messages import (
    ConsumerEvent,
    FetchRequest,
    FetchResponse,
    ReplayPreset,
    SchemaRequest,
    TopicRequest,
)
from twinbook.domain.errors import PermanentError
from twinbook.domain.ids import to_18
from twinbook.domain.ports import EventBatch, EventsUnavailable, PositionLost
from twinbook.domain.records import Entity, Key, Side
from twinbook.salesforce.change_events import ChangeEvent, EventSchema, UndecodableEventError
from twinbook.salesforce.pubsub import OUTSTANDING, EventOptions, PubSubClient, Tokens

log = structlog.get_logger()

RETENTION_SECONDS: Final = 72 * 3600.0
CLOCK_MARGIN_SECONDS: Final = 600.0
"""How far the clocks of Salesforce and of this machine may differ. More only reads more events again."""
MAX_SCHEMAS: Final = 1000
"""Bounds the cache. An object gets a new schema id with each change of its fields."""

TOPICS: Final = {
    Entity.CONTACT: "/data/ContactChangeEvent",
    Entity.ACCOUNT: "/data/AccountChangeEvent",
    Entity.OPPORTUNITY: "/data/OpportunityChangeEvent",
    Entity.QUOTE: "/data/QuoteChangeEvent",
    Entity.ACCOUNT_CONTACT_RELATION: "/data/AccountContactRelationChangeEvent",
    Entity.OPPORTUNITY_CONTACT_ROLE: "/data/OpportunityContactRoleChangeEvent",
}

_SINCE: Final = b"since:"
"""Begins a position that is a time: epoch seconds follow."""


class SalesforceEvents:
    """Subscriptions over one connection. `clock` gives epoch seconds."""

    def __init__(self, tokens: Tokens, options: EventOptions, clock: Callable[[], float]) -> None:
        self._client = PubSubClient(tokens, options)
        self._clock = clock
        self._schemas: dict[str, EventSchema] = {}

    async def close(self) -> None:
        """Ends all subscriptions."""
        await self._client.close()

    async def check(self, entity: Entity) -> None:
        """Asks whether the org publishes events of an entity to this user; raises what `subscribe` would."""
        await self._client.call(service.GET_TOPIC, TopicRequest(topic_name=_topic(entity)))

    async def subscribe(self, entity: Entity, position: bytes | None) -> AsyncIterator[EventBatch]:
        """See `EventPort`. More events are asked for once a batch was taken: a slow consumer slows the stream."""
        start = _start(position, self._clock())
        request = FetchRequest(
            topic_name=_topic(entity),
            replay_preset=start.preset,
            replay_id=start.replay_id,
            num_requested=OUTSTANDING,
        )
        async with self._client.stream(request) as stream:
            reached = start.position
            yield EventBatch((), reached)
            while True:
                response = await stream.receive()
                batch = await self._batch(entity, response, start.since)
                reached = batch.position or reached
                yield EventBatch(batch.keys, reached, batch.relist, batch.committed_at)
                await stream.replenish(response.pending_num_requested)

    async def _batch(self, entity: Entity, response: FetchResponse, since: float) -> EventBatch:
        """One response as keys, without events older than `since`. A keepalive has no events.

        The position covers all events of the response, and never a part of them: several may share a replay id.
        """
        keys: dict[Key, None] = {}
        relist = False
        committed_at: float | None = None
        for received in response.events:
            try:
                event = await self._decode(received)
                if event.committed_at >= since:
                    relist = relist or not event.names_its_records
                    keys.update(dict.fromkeys(_keys(entity, event)))
                    committed_at = max(event.committed_at, committed_at or 0.0)
            except UndecodableEventError as problem:
                log.warning("undecodable-event", entity=entity, id=received.event.id, problem=str(problem))
                relist = True
        position = response.events[-1].replay_id if response.events else response.latest_replay_id
        return EventBatch(tuple(keys), position, relist, committed_at)

    async def _decode(self, received: ConsumerEvent) -> ChangeEvent:
        schema = await self._schema(received.event.schema_id)
        return schema.decode(received.event.payload)

    async def _schema(self, schema_id: str) -> EventSchema:
        """A schema by its id, which stands for the same content for ever."""
        known = self._schemas.get(schema_id)
        if known is not None:
            return known
        try:
            answer = await self._client.call(service.GET_SCHEMA, SchemaRequest(schema_id=schema_id))
        except PermanentError as refusal:
            raise UndecodableEventError(f"there is no schema {schema_id}: {refusal}") from refusal
        schema = EventSchema(answer.schema_json)
        if len(self._schemas) >= MAX_SCHEMAS:
            del self._schemas[next(iter(self._schemas))]
        self._schemas[schema_id] = schema
        return schema


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a subscription starts. Events that were committed before `since` (epoch seconds) are left out."""

    position: bytes
    preset: ReplayPreset
    replay_id: bytes = b""
    since: float = 0.0


def _start(position: bytes | None, now: float) -> _Start:
    """Raises `PositionLost` for a time whose events are no longer retained."""
    if not position:
        return _Start(_SINCE + str(int(now)).encode(), ReplayPreset.LATEST)
    if not position.startswith(_SINCE):
        return _Start(position, ReplayPreset.CUSTOM, replay_id=position)
    digits = position.removeprefix(_SINCE)
    since = int(digits) - CLOCK_MARGIN_SECONDS if digits.isdigit() else 0.0
    if since < now - RETENTION_SECONDS:
        raise PositionLost(
            "no event came since the subscription began, and its beginning is out of retention"
        )
    return _Start(position, ReplayPreset.EARLIEST, since=since)


def _topic(entity: Entity) -> str:
    topic = TOPICS.get(entity)
    if topic is None:
        raise EventsUnavailable(f"Salesforce has no change events for {entity}")
    return topic


def _keys(entity: Entity, event: ChangeEvent) -> Iterator[Key]:
    if not event.names_its_records:
        return
    for record_id in event.record_ids:
        try:
            yield Key(entity, Side.SALESFORCE, to_18(record_id))
        except ValueError as problem:
            raise UndecodableEventError(str(problem)) from problem
