"""The service `eventbus.v1.PubSub`: its methods, call metadata and trailers (salesforce.md 2.1, 2.3, 2.7)."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from salesforce_eventbus import messages

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)

SERVICE = "eventbus.v1.PubSub"

ACCESS_TOKEN = "accesstoken"  # noqa: S105 - the name of a metadata key
INSTANCE_URL = "instanceurl"
TENANT_ID = "tenantid"
CLIENT_TRACE_ID = "x-client-trace-id"

ERROR_CODE = "error-code"
RPC_ID = "rpc-id"
ERROR_CODE_PREFIX = "sfdc.platform.eventbus.grpc."
"""Every `error-code` trailer starts with it; a failure of the infrastructure has no such trailer."""


@dataclass(frozen=True, slots=True)
class Method(Generic[RequestT, ResponseT]):
    """One rpc: what travels each way, and how often."""

    name: str
    request: type[RequestT]
    response: type[ResponseT]
    streams: bool = False

    @property
    def path(self) -> str:
        return f"/{SERVICE}/{self.name}"


GET_TOPIC = Method("GetTopic", messages.TopicRequest, messages.TopicInfo)
GET_SCHEMA = Method("GetSchema", messages.SchemaRequest, messages.SchemaInfo)
SUBSCRIBE = Method("Subscribe", messages.FetchRequest, messages.FetchResponse, streams=True)
PUBLISH = Method("Publish", messages.PublishRequest, messages.PublishResponse)
PUBLISH_STREAM = Method("PublishStream", messages.PublishRequest, messages.PublishResponse, streams=True)
MANAGED_SUBSCRIBE = Method(
    "ManagedSubscribe", messages.ManagedFetchRequest, messages.ManagedFetchResponse, streams=True
)
METHODS = (GET_TOPIC, GET_SCHEMA, SUBSCRIBE, PUBLISH, PUBLISH_STREAM, MANAGED_SUBSCRIBE)
