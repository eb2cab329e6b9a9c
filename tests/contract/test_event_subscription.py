"""Twinbook's subscription against the emulated Pub/Sub API, over a real channel: what the engine is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from tests.contract.served_events import ANSWER_SECONDS, Org, Subscription, Tokens, contact

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ids import to_18
from twinbook.domain.ports import EventPort, EventsUnavailable, PositionLost
from twinbook.domain.records import Entity, Key, Side
from twinbook.salesforce.events import SalesforceEvents
from twinbook.salesforce.pubsub import EventOptions
from twinbook_sandbox.core.tls import self_signed
from twinbook_sandbox.pubsub.events import Event

IDS = ("0035g00000QwErTAAV", "0035500001H9cakAAB", "003ZL000001EDrPYAW")
ACCOUNT_ID = "0012300000bVTq1AAG"


@pytest.fixture
async def org() -> AsyncIterator[Org]:
    org = Org()
    await org.start()
    yield org
    await org.server.stop()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
async def connect(org: Org, tokens: Tokens) -> AsyncIterator[Callable[..., SalesforceEvents]]:
    """Makes the product's client; every one is closed in the end."""
    made: list[SalesforceEvents] = []

    def make(**options: Any) -> SalesforceEvents:
        options = {"endpoint": f"localhost:{org.port}", "tls": False, "settle": 2.0} | options
        made.append(SalesforceEvents(tokens, EventOptions(**options), org.now))
        return made[-1]

    yield make
    for events in made:
        await events.close()


@pytest.fixture
def events(connect: Callable[..., SalesforceEvents]) -> EventPort:
    return connect()


async def started(
    events: EventPort, position: bytes | None = None, entity: Entity = Entity.CONTACT
) -> Subscription:
    """A live subscription; its first batch has the position to start from."""
    subscription = Subscription(events.subscribe(entity, position))
    first = await subscription.next()
    assert first.keys == ()
    assert first.position
    return subscription


async def test_the_first_batch_comes_at_once_on_a_quiet_topic(events: EventPort) -> None:
    before = time.monotonic()
    await started(events)
    assert time.monotonic() - before < 1.0


@pytest.mark.parametrize(
    ("entity", "name", "record_id"),
    [
        (Entity.CONTACT, "Contact", IDS[0]),
        (Entity.ACCOUNT, "Account", ACCOUNT_ID),
        (Entity.OPPORTUNITY, "Opportunity", "0065g00000QwErTAAV"),
        (Entity.ACCOUNT_CONTACT_RELATION, "AccountContactRelation", "07k5g00000QwErTAAV"),
        (Entity.OPPORTUNITY_CONTACT_ROLE, "OpportunityContactRole", "00K5g00000QwErTAAV"),
    ],
)
async def test_keys_of_every_entity(
    org: Org, events: EventPort, entity: Entity, name: str, record_id: str
) -> None:
    record_id = to_18(record_id[:15])
    subscription = await started(events, entity=entity)
    org.commit(record_id, entity=name, change_type="CREATE")
    batch = await subscription.next()
    assert batch.keys == (Key(entity, Side.SALESFORCE, record_id),)
    assert not batch.relist
    assert batch.committed_at == pytest.approx(org.now(), abs=2.0)


async def test_grouped_records_are_all_told(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.commit(*IDS, Email="new@example.com")
    assert (await subscription.next()).keys == tuple(map(contact, IDS))


async def test_more_events_than_may_be_outstanding(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    for _ in range(350):
        org.commit(IDS[0], change_type="DELETE")
    org.commit(IDS[1], change_type="DELETE")
    await subscription.until(lambda batch: contact(IDS[1]) in batch.keys)


async def test_resume_after_a_cut_from_the_last_position(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.commit(IDS[0], Phone="1")
    await subscription.next()
    org.act("cut_streams")
    with pytest.raises(TemporaryError):
        await subscription.next()
    org.commit(IDS[1], Phone="2")
    resumed = await started(events, subscription.position)
    assert (await resumed.next()).keys == (contact(IDS[1]),)


async def test_resume_before_any_position_was_known(org: Org, events: EventPort) -> None:
    """Nothing came in the first subscription: still no later change may be lost, nor old ones all repeated."""
    org.commit(IDS[2], Phone="0")
    org.clock.advance(3600)
    subscription = await started(events)
    org.act("cut_streams")
    with pytest.raises(TemporaryError):
        await subscription.next()
    org.commit(IDS[0], Phone="1")
    resumed = await started(events, subscription.position)
    assert (await resumed.until(lambda batch: bool(batch.keys))).keys == (contact(IDS[0]),)
    assert resumed.position != subscription.position


async def test_a_keepalive_moves_the_position(org: Org, events: EventPort) -> None:
    org.bus.switches.first_keepalive_seconds = 0.05
    subscription = await started(events)
    first = subscription.position
    batch = await subscription.next()
    assert (batch.keys, batch.relist, batch.committed_at) == ((), False, None)
    assert batch.position != first
    org.commit(IDS[0], Phone="1")
    resumed = await started(events, batch.position)
    assert (await resumed.next()).keys == (contact(IDS[0]),)


async def test_an_expired_position_is_lost(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.commit(IDS[0], Phone="1")
    await subscription.next()
    org.act("expire_retention")
    with pytest.raises(PositionLost):
        await (await started(events, subscription.position)).next()


async def test_a_beginning_out_of_retention_is_lost(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.clock.advance(72 * 3600)
    with pytest.raises(PositionLost):
        await started(events, subscription.position)


@pytest.mark.parametrize("position", [b"\x00", b"\x00" * 10, b"since:never"])
async def test_a_position_that_is_none_is_lost(events: EventPort, position: bytes) -> None:
    with pytest.raises(PositionLost):
        await (await started(events, position)).next()


async def test_no_change_data_capture(org: Org, events: SalesforceEvents) -> None:
    org.act("disable_entity", entity="Contact")
    with pytest.raises(EventsUnavailable, match="Setup > Change Data Capture"):
        await (await started(events)).next()
    with pytest.raises(EventsUnavailable):
        await events.check(Entity.CONTACT)
    await events.check(Entity.ACCOUNT)


async def test_no_permission(org: Org, events: EventPort) -> None:
    org.act("forbid_entity", entity="Contact")
    with pytest.raises(EventsUnavailable, match="View All"):
        await (await started(events)).next()


async def test_an_entity_without_change_events(events: EventPort) -> None:
    with pytest.raises(EventsUnavailable):
        await started(events, entity=Entity.ACCOUNT_CONTACT_ROLE)


async def test_gap_events_name_their_records(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.act("gap_event", entity="Contact", ids=list(IDS[:2]))
    batch = await subscription.next()
    assert batch.keys == (contact(IDS[0]), contact(IDS[1]))
    assert not batch.relist


@pytest.mark.parametrize("action", ["overflow_event", "wildcard_event"])
async def test_events_that_name_no_records_ask_for_a_list(org: Org, events: EventPort, action: str) -> None:
    subscription = await started(events)
    org.act(action, entity="Contact")
    batch = await subscription.next()
    assert batch.relist
    assert batch.keys == ()


@pytest.mark.parametrize("fault", ["payload", "schema"])
async def test_events_that_cannot_be_read_ask_for_a_list(org: Org, events: EventPort, fault: str) -> None:
    subscription = await started(events)
    schema_id = "unknown" if fault == "schema" else org.bus.schema("Contact").id
    org.bus.log.append(Event(org.bus.new_uuid(), "Contact", schema_id, b"\xff\xff"))
    org.commit(IDS[0], Phone="1")
    batch = await subscription.next()
    assert batch.relist
    assert batch.keys == (contact(IDS[0]),)
    org.commit(IDS[1], Phone="1")
    assert not (await subscription.next()).relist


async def test_a_stream_that_hangs_is_given_up(org: Org, connect: Callable[..., SalesforceEvents]) -> None:
    org.bus.switches.keepalive_seconds = 0.1
    events = connect(watchdog=0.5)
    subscription = await started(events)
    for _ in range(8):  # Keepalives hold it for longer than the watchdog waits.
        await subscription.next()
    org.act("hang_streams")
    with pytest.raises(TemporaryError) as given_up:
        await subscription.until(lambda batch: False)
    assert given_up.value.code == "EVENTS_SILENT"
    org.commit(IDS[0], Phone="1")
    resumed = await started(events, subscription.position)
    await resumed.until(lambda batch: batch.keys == (contact(IDS[0]),))


async def test_a_refused_token_is_dropped(org: Org, tokens: Tokens, events: EventPort) -> None:
    org.valid_tokens = {"token-2"}
    with pytest.raises(TemporaryError) as refused:
        await (await started(events)).next()
    assert refused.value.code == "service.auth.error"
    assert tokens.dropped == ["token-1"]
    subscription = await started(events)
    org.commit(IDS[0], Phone="1")
    assert (await subscription.next()).keys == (contact(IDS[0]),)


async def test_a_live_stream_outlasts_its_token(org: Org, events: EventPort) -> None:
    org.commit(IDS[2], Phone="0")
    subscription = await started(events)
    org.commit(IDS[0], Phone="1")
    await subscription.next()
    org.valid_tokens.clear()
    org.commit(IDS[1], Phone="2")
    assert (await subscription.next()).keys == (contact(IDS[1]),)


async def test_schemas_may_change_in_mid_stream(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.commit(IDS[0], Phone="1")
    org.act("change_schema", entity="Contact")
    org.commit(IDS[1], Phone="1")
    found: set[Key] = set()
    while len(found) < 2:
        found.update((await subscription.next()).keys)
    assert found == {contact(IDS[0]), contact(IDS[1])}


async def test_schemas_are_asked_for_once(org: Org, events: EventPort) -> None:
    for _ in range(2):
        subscription = await started(events)
        for record_id in IDS:
            org.commit(record_id, Phone="1")
            await subscription.next()
    assert org.bus.calls["GetSchema"] == 1


async def test_duplicates_do_no_harm(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    org.act("duplicate_next", n=1)
    org.commit(IDS[0], Phone="1")
    assert (await subscription.next()).keys == (contact(IDS[0]),)


async def test_a_stream_that_the_server_closes_for_idleness(org: Org, events: EventPort) -> None:
    """A consumer that takes nothing for long enough asks for nothing either."""
    org.bus.switches.idle_close_seconds = 0.1
    subscription = await started(events)
    for _ in range(100):
        org.commit(IDS[0], change_type="DELETE")
    position = subscription.position
    await asyncio.sleep(0.5)
    with pytest.raises(TemporaryError):
        await subscription.until(lambda batch: False)
    assert subscription.position != position


async def test_a_server_that_is_away_is_temporary(org: Org, events: EventPort) -> None:
    subscription = await started(events)
    await org.server.stop()
    with pytest.raises(TemporaryError):
        await subscription.next()
    with pytest.raises(TemporaryError):
        await started(events, subscription.position)
    await org.start()
    async with asyncio.timeout(ANSWER_SECONDS):
        while True:  # gRPC holds off between two attempts to connect.
            try:
                await started(events)
            except TemporaryError:
                await asyncio.sleep(0.1)
            else:
                break


async def test_late_response_headers_do_not_hold_up_the_start(
    org: Org, connect: Callable[..., SalesforceEvents]
) -> None:
    org.bus.switches.early_headers = False
    subscription = await started(connect(settle=0.2))
    org.commit(IDS[0], Phone="1")
    assert (await subscription.next()).keys == (contact(IDS[0]),)


async def test_the_wrong_address_is_a_matter_of_settings(
    org: Org, connect: Callable[..., SalesforceEvents]
) -> None:
    stranger = grpc.aio.server()
    port = stranger.add_insecure_port("127.0.0.1:0")
    await stranger.start()
    try:
        with pytest.raises(PermanentError) as refused:
            await connect(endpoint=f"localhost:{port}").check(Entity.CONTACT)
        assert refused.value.field == "pubsub_endpoint"
    finally:
        await stranger.stop(None)


async def test_tls_with_a_certificate_of_ones_own(
    org: Org, tokens: Tokens, connect: Callable[..., SalesforceEvents], tmp_path: Path
) -> None:
    files = self_signed(tmp_path)
    await org.server.stop()
    await org.start(files)
    trusting = connect(tls=True, trusted=files.certificate.read_bytes())
    subscription = await started(trusting)
    org.commit(IDS[0], Phone="1")
    assert (await subscription.next()).keys == (contact(IDS[0]),)
    with pytest.raises(PermanentError) as refused:
        await connect(tls=True).check(Entity.CONTACT)
    assert refused.value.field == "ca_file"
