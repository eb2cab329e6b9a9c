"""One Subscribe stream: flow control, keepalives and the faults that can befall it (salesforce.md 2.4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from salesforce_eventbus.messages import (
    ConsumerEvent,
    FetchRequest,
    FetchResponse,
    ProducerEvent,
    ReplayPreset,
)
from twinbook_sandbox.pubsub.bus import EventBus
from twinbook_sandbox.pubsub.events import Event
from twinbook_sandbox.pubsub.refusals import (
    CONNECTION_LOST,
    NOTHING_REQUESTED,
    REPLAY_REPEATED,
    TOPIC_MISMATCH,
    Refusal,
    RefusedError,
)
from twinbook_sandbox.pubsub.retention import Entry, replay_id

MAX_OUTSTANDING = 100
MAX_RESPONSE_BYTES = 3 * 1024 * 1024
_OVERHEAD_BYTES = 128
"""Generous allowance for the ids around a payload."""


class Stream:
    """The server's side of a stream that starts after `position`. Ends by returning, or with `RefusedError`."""

    def __init__(self, bus: EventBus, topic: str, position: int, rpc_id: str) -> None:
        self._bus = bus
        self._topic = topic
        self._position = position
        self._rpc_id = rpc_id
        self._pending = 0
        self._half_closed = False
        self._hanging = False
        self._failure: Refusal | None = None
        self._woken = asyncio.Event()
        self._answered = False

    def wake(self) -> None:
        self._woken.set()

    def cut(self) -> None:
        self._fail(CONNECTION_LOST)

    def hang(self) -> None:
        self._hanging = True
        self.wake()

    def request(self, request: FetchRequest) -> None:
        """Adds to what is outstanding; raises `RefusedError` when the request will not do."""
        if request.num_requested <= 0:
            raise RefusedError(NOTHING_REQUESTED)
        if request.topic_name and request.topic_name != self._topic:
            raise RefusedError(TOPIC_MISMATCH)
        self._pending = min(MAX_OUTSTANDING, self._pending + request.num_requested)
        self.wake()

    async def listen(self, requests: AsyncIterator[FetchRequest]) -> None:
        """Takes the client's later requests until it sends no more."""
        try:
            async for request in requests:
                repeated = request.replay_id or request.replay_preset != ReplayPreset.LATEST
                if repeated and self._bus.switches.refuse_repeated_replay:
                    raise RefusedError(REPLAY_REPEATED)
                self.request(request)
        except RefusedError as error:
            self._fail(error.refusal)
        self._half_closed = True
        self.wake()

    async def responses(self) -> AsyncGenerator[FetchResponse, None]:
        """What is sent, when it is to be sent."""
        silent_since = self._now()
        silent_too_long = False
        while True:
            self._woken.clear()
            if self._failure:
                raise RefusedError(self._failure)
            if self._hanging:
                await self._woken.wait()
                continue
            if self._pending == 0 and (self._half_closed or silent_too_long):
                return
            if silent_too_long:
                self._bus.log.newest()  # A keepalive must not carry a position that is about to expire.
            entries = self._take()
            if entries:
                await asyncio.sleep(self._bus.switches.delivery_delay_ms / 1000)
            if entries or silent_too_long:
                yield self._response(entries)
                silent_since, silent_too_long = self._now(), False
            else:
                silent_too_long = not await self._wait(silent_since)

    def _take(self) -> list[Entry]:
        """The next events within what is outstanding and what a response holds."""
        entities = self._bus.entities_of(self._topic)
        entities -= self._bus.not_permitted(entities)
        entries, scanned = self._bus.log.read(self._position, entities, self._pending)
        size = 0
        for count, entry in enumerate(entries):
            size += _OVERHEAD_BYTES + len(entry.event.payload if entry.event else b"")
            if size > MAX_RESPONSE_BYTES and count:
                entries, scanned = entries[:count], entries[count - 1].position
                break
        self._pending -= len(entries)
        self._position = scanned
        return entries

    async def _wait(self, silent_since: float) -> bool:
        """True when something happened, False when the stream has been silent for as long as it may be."""
        try:
            async with asyncio.timeout(max(0.0, silent_since + self._patience() - self._now())):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    def _patience(self) -> float:
        switches = self._bus.switches
        if self._pending == 0:
            return switches.idle_close_seconds
        if not self._answered:
            return min(switches.first_keepalive_seconds, switches.keepalive_seconds)
        return switches.keepalive_seconds

    def _response(self, entries: Sequence[Entry]) -> FetchResponse:
        """A response with these events; without any it is a keepalive."""
        self._answered = True
        return FetchResponse(
            events=[_consumer_event(entry.event, entry.position) for entry in entries if entry.event],
            latest_replay_id=replay_id(self._position),
            rpc_id=self._rpc_id,
            pending_num_requested=self._pending,
        )

    def _fail(self, refusal: Refusal) -> None:
        self._failure = refusal
        self.wake()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _consumer_event(event: Event, position: int) -> ConsumerEvent:
    produced = ProducerEvent(id=event.id, schema_id=event.schema_id, payload=event.payload)
    return ConsumerEvent(event=produced, replay_id=replay_id(position))
