"""The emulated Pub/Sub API over a real gRPC channel (salesforce.md 2.3, 2.4, 2.7): what a client sees."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import grpc
import grpc.aio
import pytest

from salesforce_eventbus import service
from salesforce_eventbus.messages import (
    FetchRequest,
    FetchResponse,
    PublishRequest,
    ReplayPreset,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
)
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.orders import BadOrderError
from twinbook_sandbox.core.tls import self_signed
from twinbook_sandbox.pubsub.bus import DEFAULT_CHANNEL, EventBus, topic_of
from twinbook_sandbox.pubsub.retention import RetentionLog, replay_id
from twinbook_sandbox.pubsub.server import PubSubServer
from twinbook_sandbox.salesforce.changes import Change, ChangeLog
from twinbook_sandbox.salesforce.objects import schemas_with
from twinbook_sandbox.salesforce.schema import Feature
from twinbook_sandbox.salesforce.sessions import SessionInfo

ORG = "00D5g00000AbCdEEAV"
CONTACTS = "/data/ContactChangeEvent"
HEADERS = {"accesstoken": "good", "instanceurl": "https://acme.my.salesforce.com", "tenantid": ORG}
NOW = datetime(2026, 9, 21, 14, 15, 23, tzinfo=UTC)
PREFIX = "sfdc.platform.eventbus.grpc."
ANSWER_SECONDS = 5.0


@dataclass
class Org:
    """A bus that is served, and a hand on what happens in the org."""

    clock: Clock
    changes: ChangeLog
    bus: EventBus
    tokens: set[str]
    server: PubSubServer

    def act(self, action: str, **arguments: Any) -> Any:
        return self.bus.actions()[action](arguments)

    def commit(self, *emails: str, entity: str = "Contact", change_type: str = "UPDATE") -> None:
        """One transaction that changes one record for each email."""
        at = self.clock.now()
        self.changes.append(
            [
                Change(
                    entity=entity,
                    change_type=change_type,
                    record_ids=(f"0035g00000{number:05}AAV",),
                    fields={"Email": email} if entity == "Contact" else {},
                    user_id="0055g00000XyZabAAF",
                    origin="",
                    transaction_key=str(uuid.UUID(int=number)),
                    sequence_number=number,
                    commit_number=number,
                    committed_at=at,
                )
                for number, email in enumerate(emails, start=1)
            ]
        )


class Stream:
    """A Subscribe call as the wire shows it."""

    def __init__(self, channel: grpc.aio.Channel, metadata: dict[str, str]) -> None:
        call = channel.stream_stream(
            service.SUBSCRIBE.path, FetchRequest.SerializeToString, FetchResponse.FromString
        )
        self.call = call(metadata=tuple(metadata.items()))

    async def send(self, requested: int, topic: str = "", **more: Any) -> None:
        await self.call.write(FetchRequest(topic_name=topic, num_requested=requested, **more))

    async def receive(self) -> FetchResponse:
        async with asyncio.timeout(ANSWER_SECONDS):
            response = await self.call.read()
        assert isinstance(response, FetchResponse), "the stream ended"
        return response

    async def end(self) -> tuple[grpc.StatusCode, str, dict[str, str]]:
        """Status, error-code suffix and trailers with which the stream ends."""
        async with asyncio.timeout(ANSWER_SECONDS):
            trailers = {key: str(value) for key, value in await self.call.trailing_metadata() or ()}
            return await self.call.code(), trailers.get("error-code", "").removeprefix(PREFIX), trailers

    async def accepted(self) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            await self.call.initial_metadata()


@pytest.fixture
async def org() -> AsyncIterator[Org]:
    clock = Clock()
    clock.set(NOW)
    changes = ChangeLog()
    objects = schemas_with(frozenset({Feature.STATE_COUNTRY_PICKLISTS}), "Salutation FirstName LastName")
    bus = EventBus(clock, changes, objects.__getitem__, seed=7)
    bus.switches.first_keepalive_seconds = bus.switches.keepalive_seconds
    tokens = {"good"}

    def check(token: str) -> SessionInfo | None:
        return SessionInfo(token, "0055g00000XyZabAAF", ORG, "app", NOW) if token in tokens else None

    server = PubSubServer(bus, check)
    yield Org(clock, changes, bus, tokens, server)
    await server.stop()


@pytest.fixture
async def channel(org: Org) -> AsyncIterator[grpc.aio.Channel]:
    port = await org.server.start("127.0.0.1", 0, None)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel


@pytest.fixture
def subscribe(channel: grpc.aio.Channel) -> Any:
    return lambda **metadata: Stream(channel, HEADERS | metadata)


async def topic(channel: grpc.aio.Channel, name: str, **metadata: str) -> TopicInfo:
    call = channel.unary_unary(service.GET_TOPIC.path, TopicRequest.SerializeToString, TopicInfo.FromString)
    headers = {key: value for key, value in (HEADERS | metadata).items() if value}
    answer = await call(
        TopicRequest(topic_name=name), metadata=tuple(headers.items()), timeout=ANSWER_SECONDS
    )
    assert isinstance(answer, TopicInfo)
    return answer


def error_code(error: grpc.aio.AioRpcError) -> str:
    trailers = {key: str(value) for key, value in error.trailing_metadata() or ()}
    assert trailers["rpc-id"] in (error.details() or "")
    return trailers["error-code"].removeprefix(PREFIX)


def event_ids(responses: Sequence[FetchResponse]) -> list[str]:
    return [event.event.id for response in responses for event in response.events]


# GetTopic, GetSchema, authentication


async def test_topic_and_its_schema(org: Org, channel: grpc.aio.Channel) -> None:
    info = await topic(channel, CONTACTS)
    assert (info.topic_name, info.can_subscribe, info.can_publish) == (CONTACTS, True, False)
    call = channel.unary_unary(
        service.GET_SCHEMA.path, SchemaRequest.SerializeToString, SchemaInfo.FromString
    )
    schema = await call(SchemaRequest(schema_id=info.schema_id), metadata=tuple(HEADERS.items()))
    assert schema.schema_id == info.schema_id
    assert json.loads(schema.schema_json)["name"] == "ContactChangeEvent"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(SchemaRequest(schema_id="unknown"), metadata=tuple(HEADERS.items()))
    assert error_code(refused.value) == "schema.validation.failed"


async def test_a_topic_that_is_not_selected(org: Org, channel: grpc.aio.Channel) -> None:
    org.act("disable_entity", entity="Account")
    for name in ("/data/AccountChangeEvent", "/data/contactchangeevent", "/event/Other__e"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await topic(channel, name)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        assert error_code(refused.value) == "topic.not.found"
        assert (refused.value.details() or "").startswith(
            f"The topic information for org CORE/prod/{ORG} and topic {name} not found. "
        )


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"accesstoken": "bad"}, "service.auth.error"),
        ({"accesstoken": ""}, "service.auth.headers.invalid"),
        ({"instanceurl": ""}, "service.auth.headers.invalid"),
        ({"tenantid": ""}, "service.auth.headers.invalid"),
        ({"tenantid": "00D5g00000OtherEAV"}, "service.auth.error"),
    ],
)
async def test_authentication(channel: grpc.aio.Channel, metadata: dict[str, str], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await topic(channel, CONTACTS, **metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert error_code(refused.value) == code


async def test_a_live_stream_survives_the_end_of_its_token(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.accepted()
    org.tokens.clear()
    org.commit("a@example.com")
    assert len((await stream.receive()).events) == 1
    later = subscribe()
    await later.send(10, CONTACTS)
    assert (await later.end())[:2] == (grpc.StatusCode.UNAUTHENTICATED, "service.auth.error")


async def test_what_is_not_emulated_is_unimplemented(channel: grpc.aio.Channel) -> None:
    call = channel.unary_unary(
        service.PUBLISH.path, PublishRequest.SerializeToString, service.PUBLISH.response.FromString
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(PublishRequest(topic_name="/event/A__e"), metadata=tuple(HEADERS.items()))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_tls(org: Org, tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    port = await org.server.start("127.0.0.1", 0, files)
    trust = grpc.ssl_channel_credentials(files.certificate.read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{port}", trust) as channel:
        assert (await topic(channel, CONTACTS)).topic_name == CONTACTS


# flow control


async def test_requests_add_up_and_pending_goes_down(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(2, CONTACTS)
    await stream.accepted()
    org.commit("a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example")
    first = await stream.receive()
    assert (len(first.events), first.pending_num_requested) == (2, 0)
    await stream.send(1)
    second = await stream.receive()
    assert (len(second.events), second.pending_num_requested) == (1, 0)
    await stream.send(50, CONTACTS)
    third = await stream.receive()
    assert (len(third.events), third.pending_num_requested) == (2, 48)
    assert len(set(event_ids([first, second, third]))) == 5


async def test_at_most_a_hundred_are_outstanding(org: Org, subscribe: Any) -> None:
    org.commit(*(f"{number}@x.example" for number in range(250)))
    stream = subscribe()
    await stream.send(5000, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    response = await stream.receive()
    assert (len(response.events), response.pending_num_requested) == (100, 0)


@pytest.mark.parametrize(
    ("later", "code"),
    [
        ({"requested": 0}, "subscription.fetch.requested.events.invalid"),
        ({"requested": -5}, "subscription.fetch.requested.events.invalid"),
        ({"requested": 1, "topic": "/data/AccountChangeEvent"}, "subscription.fetch.topic.mismatch"),
        (
            {"requested": 1, "replay_preset": ReplayPreset.EARLIEST},
            "subscription.fetch.replay.repeated",
        ),
        ({"requested": 1, "replay_id": b"\x00" * 10}, "subscription.fetch.replay.repeated"),
    ],
)
async def test_later_requests_that_will_not_do(subscribe: Any, later: dict[str, Any], code: str) -> None:
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.accepted()
    await stream.send(**later)
    assert (await stream.end())[:2] == (grpc.StatusCode.INVALID_ARGUMENT, code)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"requested": 0, "topic": CONTACTS}, "subscription.fetch.requested.events.invalid"),
        ({"requested": 1}, "topic.validation.empty"),
        ({"requested": 1, "topic": "/data/Nothing"}, "topic.not.found"),
    ],
)
async def test_first_requests_that_will_not_do(subscribe: Any, first: dict[str, Any], code: str) -> None:
    stream = subscribe()
    await stream.send(**first)
    assert (await stream.end())[1] == code


async def test_a_response_holds_at_most_three_megabytes(org: Org, subscribe: Any) -> None:
    org.bus.schema("Contact")
    text = "x" * 1_000_000
    org.commit(*(f"{text}{number}" for number in range(7)))
    stream = subscribe()
    await stream.send(100, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    responses = [await stream.receive() for _ in range(3)]
    assert [len(response.events) for response in responses] == [3, 3, 1]
    assert max(len(response.SerializeToString()) for response in responses) <= 3 * 1024 * 1024


# keepalive and idle close


async def test_keepalive_carries_a_replay_id_to_resume_from(org: Org, subscribe: Any) -> None:
    org.bus.switches.first_keepalive_seconds = 0.05
    stream = subscribe()
    await stream.send(10, CONTACTS)
    keepalive = await stream.receive()
    assert (len(keepalive.events), keepalive.pending_num_requested) == (0, 10)
    assert len(keepalive.latest_replay_id) == 10
    org.commit("a@x.example")
    resumed = subscribe()
    await resumed.send(10, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=keepalive.latest_replay_id)
    assert event_ids([await stream.receive()]) == event_ids([await resumed.receive()])


async def test_keepalives_move_with_events_of_other_topics_and_with_time(org: Org, subscribe: Any) -> None:
    org.bus.switches.keepalive_seconds = 0.05
    stream = subscribe()
    await stream.send(10, CONTACTS)
    positions = [(await stream.receive()).latest_replay_id]
    org.commit("", entity="Account")
    while (response := await stream.receive()).latest_replay_id in positions:
        pass
    assert not response.events
    positions.append(response.latest_replay_id)
    org.clock.advance(71 * 3600)
    while (response := await stream.receive()).latest_replay_id in positions:
        pass
    org.clock.advance(71 * 3600)
    resumed = subscribe()
    await resumed.send(10, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=response.latest_replay_id)
    assert not (await resumed.receive()).events


async def test_a_stream_without_outstanding_requests_is_closed(org: Org, subscribe: Any) -> None:
    org.bus.switches.idle_close_seconds = 0.1
    org.commit("a@x.example")
    stream = subscribe()
    await stream.send(1, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    assert (await stream.receive()).pending_num_requested == 0
    assert (await stream.end())[0] is grpc.StatusCode.OK


async def test_a_client_that_says_goodbye_gets_what_it_asked_for(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(1, CONTACTS)
    await stream.accepted()
    await stream.call.done_writing()
    org.commit("a@x.example", "b@x.example")
    assert len((await stream.receive()).events) == 1
    assert (await stream.end())[0] is grpc.StatusCode.OK


# replay and retention


async def test_presets(org: Org, subscribe: Any) -> None:
    org.commit("a@x.example", "b@x.example", "c@x.example")
    earliest = subscribe()
    await earliest.send(100, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    events = (await earliest.receive()).events
    assert len(events) == 3
    after_first = subscribe()
    await after_first.send(100, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=events[0].replay_id)
    assert [event.event.id for event in (await after_first.receive()).events] == [
        event.event.id for event in events[1:]
    ]
    latest = subscribe()
    await latest.send(100, CONTACTS)
    await latest.accepted()
    org.commit("d@x.example")
    assert len((await latest.receive()).events) == 1


async def test_the_default_channel_carries_all_entities(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(100, DEFAULT_CHANNEL, replay_preset=ReplayPreset.EARLIEST)
    await stream.accepted()
    org.commit("a@x.example")
    org.commit("", entity="Account", change_type="DELETE")
    responses = [await stream.receive()]
    while len(event_ids(responses)) < 2:
        responses.append(await stream.receive())
    schemas = {event.event.schema_id for response in responses for event in response.events}
    assert schemas == {org.bus.schema("Contact").id, org.bus.schema("Account").id}


async def test_replay_ids_are_opaque_and_leave_gaps(org: Org, subscribe: Any) -> None:
    org.commit(*(f"{number}@x.example" for number in range(50)))
    stream = subscribe()
    await stream.send(100, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    ids = [event.replay_id for event in (await stream.receive()).events]
    assert {(len(each), each[8:]) for each in ids} == {(10, b"\x00\x00")}
    assert ids == sorted(set(ids))
    numbers = [int.from_bytes(each[:8], "big") for each in ids]
    assert len({after - before for before, after in itertools.pairwise(numbers)}) > 1


async def test_the_counter_of_a_replay_id_alone_will_do(org: Org, subscribe: Any) -> None:
    """As salesforce-pubsub-api-client sends it."""
    org.commit("1@x.example")
    org.commit("2@x.example")
    stream = subscribe()
    await stream.send(2, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    first, second = (await stream.receive()).events
    resumed = subscribe()
    await resumed.send(2, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=first.replay_id[:8])
    assert [event.event.id for event in (await resumed.receive()).events] == [second.event.id]


@pytest.mark.parametrize(
    ("replay_id", "code"),
    [
        (b"", "subscription.fetch.replayid.validation.failed"),
        (b"\x01", "subscription.fetch.replayid.corrupted"),
        (b"\x00" * 10, "subscription.fetch.replayid.corrupted"),
        (b"\xff" * 8 + b"\x00\x00", "subscription.fetch.replayid.corrupted"),
    ],
)
async def test_replay_ids_that_will_not_do(subscribe: Any, replay_id: bytes, code: str) -> None:
    stream = subscribe()
    await stream.send(1, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=replay_id)
    assert (await stream.end())[:2] == (grpc.StatusCode.INVALID_ARGUMENT, code)


async def test_retention_of_72_hours(org: Org, subscribe: Any) -> None:
    org.commit("old@x.example")
    org.clock.advance(71 * 3600)
    org.commit("new@x.example")
    stream = subscribe()
    await stream.send(10, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    old, new = (await stream.receive()).events
    org.clock.advance(2 * 3600)
    stream = subscribe()
    await stream.send(10, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    assert [event.event.id for event in (await stream.receive()).events] == [new.event.id]
    expired = subscribe()
    await expired.send(10, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=old.replay_id)
    assert (await expired.end())[1] == "subscription.fetch.replayid.corrupted"
    org.act("expire_retention")
    expired = subscribe()
    await expired.send(10, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=new.replay_id)
    assert (await expired.end())[1] == "subscription.fetch.replayid.corrupted"


# faults


async def test_cut_streams_fail_without_an_error_code(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.accepted()
    assert org.act("cut_streams") == {"streams": 1}
    status, code, trailers = await stream.end()
    assert status is grpc.StatusCode.UNAVAILABLE
    assert code == ""
    assert "rpc-id" not in trailers


async def test_hanging_streams_stay_silent_until_cut(org: Org, subscribe: Any) -> None:
    org.bus.switches.keepalive_seconds = 0.05
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.receive()
    org.act("hang_streams")
    org.commit("a@x.example")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            while not (await asyncio.shield(stream.call.read())).events:
                pass
    fresh = subscribe()
    await fresh.send(10, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    assert len((await fresh.receive()).events) == 1
    org.act("cut_streams")
    assert (await stream.end())[0] is grpc.StatusCode.UNAVAILABLE


async def test_lost_and_duplicated_events(org: Org, subscribe: Any) -> None:
    org.act("lose_next", n=1)
    org.commit("lost@x.example")
    org.act("duplicate_next", n=1, entity="Contact")
    org.commit("twice@x.example", "once@x.example")
    stream = subscribe()
    await stream.send(10, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    first, again, last = (await stream.receive()).events
    assert first.event.id == again.event.id != last.event.id
    assert first.replay_id != again.replay_id


async def test_a_schema_change_leaves_retained_events_as_they_are(org: Org, subscribe: Any) -> None:
    org.commit("a@x.example")
    new_id = org.act("change_schema", entity="Contact")["schema_id"]
    org.commit("b@x.example")
    stream = subscribe()
    await stream.send(10, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    old, new = (await stream.receive()).events
    assert old.event.schema_id != new.event.schema_id == new_id
    for event, position in ((old, 12), (new, 13)):
        text = org.bus.schema_json(event.event.schema_id)
        assert json.loads(text or "")["fields"][position]["name"] == "Email"


async def test_geocoding_follows_an_address(org: Org, subscribe: Any) -> None:
    """An event of the platform itself: no origin, and only parts of a compound field (salesforce.md 3.5, 10)."""
    org.act(
        "change_event",
        entity="Contact",
        ids=["0035g00000QwErTAAV"],
        fields={"MailingLatitude": 59.9, "MailingLongitude": 10.7},
    )
    stream = subscribe()
    await stream.send(10, CONTACTS, replay_preset=ReplayPreset.EARLIEST)
    event = (await stream.receive()).events[0].event
    schema = fastavro.parse_schema(json.loads(org.bus.schema_json(event.schema_id) or ""))
    decoded: Any = fastavro.schemaless_reader(io.BytesIO(event.payload), schema, None)
    header = decoded["ChangeEventHeader"]
    assert (header["changeOrigin"], header["changedFields"]) == ("", ["4-0x0180"])
    assert decoded["MailingAddress"]["Latitude"] == 59.9


async def test_event_stats(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.accepted()
    org.commit("a@x.example", "b@x.example")
    stats = org.act("event_stats")
    assert (stats["calls"], stats["streams"], stats["retained"]) == ({"Subscribe": 1}, 1, 2)
    assert "Contact" in stats["enabled"]


async def test_replay_ids_of_an_earlier_run_are_refused(org: Org, subscribe: Any) -> None:
    before = Clock()
    before.set(NOW - timedelta(seconds=60))
    stale = replay_id(RetentionLog(before, random.Random(7)).newest())
    stream = subscribe()
    await stream.send(1, CONTACTS, replay_preset=ReplayPreset.CUSTOM, replay_id=stale)
    assert (await stream.end())[1] == "subscription.fetch.replayid.corrupted"


async def test_a_delay_before_delivery(org: Org, subscribe: Any) -> None:
    org.bus.switches.delivery_delay_ms = 150
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.accepted()
    before = asyncio.get_running_loop().time()
    org.commit("a@x.example")
    await stream.receive()
    assert asyncio.get_running_loop().time() - before >= 0.15


async def test_no_view_all_on_an_entity(org: Org, channel: grpc.aio.Channel, subscribe: Any) -> None:
    org.act("forbid_entity", entity="Contact")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await topic(channel, CONTACTS)
    assert (refused.value.code(), error_code(refused.value)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "topic.meta.permission",
    )
    org.commit("a@x.example")
    org.commit("", entity="Account", change_type="DELETE")
    everything = subscribe()
    await everything.send(10, DEFAULT_CHANNEL, replay_preset=ReplayPreset.EARLIEST)
    assert len((await everything.receive()).events) == 1


@pytest.mark.parametrize(
    ("action", "arguments", "field"),
    [
        ("gap_event", {"entity": "Contact"}, "ids"),
        ("gap_event", {"entity": "AccountContactRole", "ids": ["02Z5g00000QwErTAAV"]}, "entity"),
        ("enable_entity", {"entity": "Quote"}, "entity"),
        ("lose_next", {"n": -1}, "n"),
        ("change_event", {"entity": "Contact", "ids": ["0" * 18], "fields": {"No": 1}}, "fields.No"),
    ],
)
def test_actions_that_will_not_do(action: str, arguments: dict[str, Any], field: str) -> None:
    objects = schemas_with(frozenset(), "Salutation FirstName LastName")
    bus = EventBus(Clock(), ChangeLog(), objects.__getitem__, seed=1)
    with pytest.raises(BadOrderError) as refused:
        bus.actions()[action](arguments)
    assert refused.value.field == field


async def test_stopping_ends_live_streams(org: Org, subscribe: Any) -> None:
    stream = subscribe()
    await stream.send(10, CONTACTS)
    await stream.accepted()
    async with asyncio.timeout(ANSWER_SECONDS):
        await org.server.stop()
    assert (await stream.end())[0] is grpc.StatusCode.UNAVAILABLE
    assert not org.bus.streams


def test_the_same_seed_gives_the_same_ids() -> None:
    objects = schemas_with(frozenset(), "Salutation FirstName LastName")

    def run() -> list[tuple[int, str]]:
        clock = Clock()
        clock.set(NOW)
        bus = EventBus(clock, ChangeLog(), objects.__getitem__, seed=3)
        for _ in range(5):
            bus.announce("Contact", "GAP_UPDATE", ["0035g00000QwErTAAV"])
        entries, _ = bus.log.read(0, {"Contact"}, 10)
        return [(entry.position, entry.event.id) for entry in entries if entry.event]

    assert run() == run()
    assert topic_of("Contact") == CONTACTS
