"""The wire contract of the Pub/Sub API against hand-assembled bytes (salesforce.md 2.1, 2.2)."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from salesforce_eventbus import messages, service
from salesforce_eventbus.messages import (
    ConsumerEvent,
    ErrorCode,
    FetchRequest,
    FetchResponse,
    ProducerEvent,
    ReplayPreset,
)

NUMBERS = {
    "TopicRequest": "topic_name=1",
    "TopicInfo": "topic_name=1 tenant_guid=2 can_publish=3 can_subscribe=4 schema_id=5 rpc_id=6",
    "SchemaRequest": "schema_id=1",
    "SchemaInfo": "schema_json=1 schema_id=2 rpc_id=3",
    "EventHeader": "key=1 value=2",
    "ProducerEvent": "id=1 schema_id=2 payload=3 headers=4",
    "ConsumerEvent": "event=1 replay_id=2",
    "FetchRequest": "topic_name=1 replay_preset=2 replay_id=3 num_requested=4 auth_refresh=5",
    "FetchResponse": "events=1 latest_replay_id=2 rpc_id=3 pending_num_requested=4",
    "PublishRequest": "topic_name=1 events=2 auth_refresh=3",
    "PublishResponse": "results=1 schema_id=2 rpc_id=3",
    "PublishResult": "replay_id=1 error=2 correlation_key=3",
    "Error": "code=1 msg=2",
    "ManagedFetchRequest": (
        "subscription_id=1 developer_name=2 num_requested=3 auth_refresh=4 commit_replay_id_request=5"
    ),
    "ManagedFetchResponse": (
        "events=1 latest_replay_id=2 rpc_id=3 pending_num_requested=4 commit_response=5"
    ),
    "CommitReplayRequest": "commit_request_id=1 replay_id=2",
    "CommitReplayResponse": "commit_request_id=1 replay_id=2 error=3 process_time=4",
}


@pytest.mark.parametrize("name", NUMBERS)
def test_field_numbers(name: str) -> None:
    descriptor = getattr(messages, name).DESCRIPTOR
    assert descriptor.full_name == f"eventbus.v1.{name}"
    assert " ".join(f"{field.name}={field.number}" for field in descriptor.fields) == NUMBERS[name]


def test_enum_values() -> None:
    assert [(member.name, member.value) for member in ReplayPreset] == [
        ("LATEST", 0),
        ("EARLIEST", 1),
        ("CUSTOM", 2),
    ]
    assert [(member.name, member.value) for member in ErrorCode] == [
        ("UNKNOWN", 0),
        ("PUBLISH", 1),
        ("COMMIT", 2),
    ]


def test_method_paths() -> None:
    assert {method.path: method.streams for method in service.METHODS} == {
        "/eventbus.v1.PubSub/GetTopic": False,
        "/eventbus.v1.PubSub/GetSchema": False,
        "/eventbus.v1.PubSub/Subscribe": True,
        "/eventbus.v1.PubSub/Publish": False,
        "/eventbus.v1.PubSub/PublishStream": True,
        "/eventbus.v1.PubSub/ManagedSubscribe": True,
    }


WIRE = [
    (
        FetchRequest(
            topic_name="/data/X", replay_preset=ReplayPreset.CUSTOM, replay_id=b"\x00\x17", num_requested=100
        ),
        b"\x0a\x07/data/X" + b"\x10\x02" + b"\x1a\x02\x00\x17" + b"\x20\x64",
    ),
    (FetchRequest(num_requested=-1), b"\x20" + b"\xff" * 9 + b"\x01"),
    (
        FetchResponse(
            events=[
                ConsumerEvent(
                    event=ProducerEvent(id="e", schema_id="s", payload=b"\x00\x01"), replay_id=b"\x07"
                )
            ],
            latest_replay_id=b"\x08",
            rpc_id="r",
            pending_num_requested=300,
        ),
        b"\x0a\x0f" + (b"\x0a\x0a" + b"\x0a\x01e\x12\x01s\x1a\x02\x00\x01" + b"\x12\x01\x07")
        + b"\x12\x01\x08" + b"\x1a\x01r" + b"\x20\xac\x02",
    ),
    (
        messages.CommitReplayResponse(
            error=messages.Error(code=ErrorCode.COMMIT, msg="no"), process_time=2**40
        ),
        b"\x1a\x06\x08\x02\x12\x02no" + b"\x20\x80\x80\x80\x80\x80\x20",
    ),
    (
        messages.PublishRequest(
            events=[ProducerEvent(headers=[messages.EventHeader(key="k", value=b"v")])]
        ),
        b"\x12\x08\x22\x06\x0a\x01k\x12\x01v",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "wire"), WIRE)
def test_round_trip_against_hand_assembled_bytes(value: Message, wire: bytes) -> None:
    assert value.SerializeToString() == wire
    assert type(value).FromString(wire) == value


def test_unset_messages_read_as_empty() -> None:
    result = messages.PublishResult()
    assert not result.HasField("error")
    assert result.error.msg == ""


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="topic"):
        messages.TopicRequest(topic="x")  # type: ignore[call-arg]
