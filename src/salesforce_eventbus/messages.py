"""The messages of `eventbus.v1`, Salesforce's Pub/Sub API (salesforce.md 2.2).

Each declaration becomes a real protobuf message class when this module is imported. An enum field reads as a
plain `int` that equals its `IntEnum` member; a message field that is not set reads as an empty message.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, TypeVar, dataclass_transform

from google.protobuf.message import Message

from salesforce_eventbus.declare import ABSENT, INT64, Package

_MessageT = TypeVar("_MessageT", bound=Message)
_EVENTBUS = Package("eventbus.v1")


@dataclass_transform(kw_only_default=True)
def message(declaration: type[_MessageT]) -> type[_MessageT]:
    """Makes a declaration a message class of `eventbus.v1`."""
    return _EVENTBUS.message(declaration)


class ReplayPreset(IntEnum):
    """Where a subscription starts: new events only, all that are retained, or strictly after a replay id."""

    LATEST = 0
    EARLIEST = 1
    CUSTOM = 2


class ErrorCode(IntEnum):
    """Which operation an `Error` inside a response is about."""

    UNKNOWN = 0
    PUBLISH = 1
    COMMIT = 2


@message
class TopicRequest(Message):
    topic_name: Annotated[str, 1] = ""


@message
class TopicInfo(Message):
    topic_name: Annotated[str, 1] = ""
    tenant_guid: Annotated[str, 2] = ""
    can_publish: Annotated[bool, 3] = False
    can_subscribe: Annotated[bool, 4] = False
    schema_id: Annotated[str, 5] = ""
    rpc_id: Annotated[str, 6] = ""


@message
class SchemaRequest(Message):
    schema_id: Annotated[str, 1] = ""


@message
class SchemaInfo(Message):
    schema_json: Annotated[str, 1] = ""
    schema_id: Annotated[str, 2] = ""
    rpc_id: Annotated[str, 3] = ""


@message
class EventHeader(Message):
    key: Annotated[str, 1] = ""
    value: Annotated[bytes, 2] = b""


@message
class ProducerEvent(Message):
    """`payload` is bare Avro binary, written with the schema `schema_id`."""

    id: Annotated[str, 1] = ""
    schema_id: Annotated[str, 2] = ""
    payload: Annotated[bytes, 3] = b""
    headers: Annotated[Sequence[EventHeader], 4] = ()


@message
class ConsumerEvent(Message):
    event: Annotated[ProducerEvent, 1] = ABSENT
    replay_id: Annotated[bytes, 2] = b""


@message
class FetchRequest(Message):
    """The first one of a stream names topic and start; later ones only ask for more."""

    topic_name: Annotated[str, 1] = ""
    replay_preset: Annotated[ReplayPreset, 2] = ReplayPreset.LATEST
    replay_id: Annotated[bytes, 3] = b""
    num_requested: Annotated[int, 4] = 0
    auth_refresh: Annotated[str, 5] = ""


@message
class FetchResponse(Message):
    """Without events it is a keepalive."""

    events: Annotated[Sequence[ConsumerEvent], 1] = ()
    latest_replay_id: Annotated[bytes, 2] = b""
    rpc_id: Annotated[str, 3] = ""
    pending_num_requested: Annotated[int, 4] = 0


@message
class PublishRequest(Message):
    topic_name: Annotated[str, 1] = ""
    events: Annotated[Sequence[ProducerEvent], 2] = ()
    auth_refresh: Annotated[str, 3] = ""


@message
class Error(Message):
    code: Annotated[ErrorCode, 1] = ErrorCode.UNKNOWN
    msg: Annotated[str, 2] = ""


@message
class PublishResult(Message):
    replay_id: Annotated[bytes, 1] = b""
    error: Annotated[Error, 2] = ABSENT
    correlation_key: Annotated[str, 3] = ""


@message
class PublishResponse(Message):
    results: Annotated[Sequence[PublishResult], 1] = ()
    schema_id: Annotated[str, 2] = ""
    rpc_id: Annotated[str, 3] = ""


@message
class CommitReplayRequest(Message):
    commit_request_id: Annotated[str, 1] = ""
    replay_id: Annotated[bytes, 2] = b""


@message
class CommitReplayResponse(Message):
    commit_request_id: Annotated[str, 1] = ""
    replay_id: Annotated[bytes, 2] = b""
    error: Annotated[Error, 3] = ABSENT
    process_time: Annotated[int, 4, INT64] = 0


@message
class ManagedFetchRequest(Message):
    subscription_id: Annotated[str, 1] = ""
    developer_name: Annotated[str, 2] = ""
    num_requested: Annotated[int, 3] = 0
    auth_refresh: Annotated[str, 4] = ""
    commit_replay_id_request: Annotated[CommitReplayRequest, 5] = ABSENT


@message
class ManagedFetchResponse(Message):
    events: Annotated[Sequence[ConsumerEvent], 1] = ()
    latest_replay_id: Annotated[bytes, 2] = b""
    rpc_id: Annotated[str, 3] = ""
    pending_num_requested: Annotated[int, 4] = 0
    commit_response: Annotated[CommitReplayResponse, 5] = ABSENT
