"""Refusals of the Pub/Sub API: gRPC status, `error-code` trailer and message (salesforce.md 2.7).

Statuses that the fact sheet marks [?] are its assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import grpc.aio

from salesforce_eventbus.service import ERROR_CODE, ERROR_CODE_PREFIX, RPC_ID


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call ends. Without a code it is a failure of the network in between: no trailers, no rpc id."""

    status: grpc.StatusCode
    code: str
    message: str

    async def abort(self, context: grpc.aio.ServicerContext[Any, Any], rpc_id: str) -> NoReturn:
        """Ends the call of this context with the refusal."""
        if not self.code:
            await context.abort(self.status, self.message)
        trailers = ((ERROR_CODE, ERROR_CODE_PREFIX + self.code), (RPC_ID, rpc_id))
        await context.abort(self.status, f"{self.message} rpcId: {rpc_id}", trailers)


class RefusedError(Exception):
    """Ends the call that it is raised in with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _invalid(code: str, message: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, code, message)


BAD_TOKEN = Refusal(
    grpc.StatusCode.UNAUTHENTICATED,
    "service.auth.error",
    "An authentication exception occurred. Provide valid authentication via metadata headers.",
)
BAD_HEADERS = Refusal(
    grpc.StatusCode.UNAUTHENTICATED,
    "service.auth.headers.invalid",
    "The authentication headers are missing or invalid. Provide accesstoken, instanceurl and tenantid.",
)
CONNECTION_LOST = Refusal(
    grpc.StatusCode.UNAVAILABLE,
    "",
    "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
)
EMPTY_TOPIC = _invalid("topic.validation.empty", "The topic name is empty. Provide a topic name.")
UNKNOWN_SCHEMA = _invalid(
    "schema.validation.failed", "The schema ID is not valid. Provide a valid schema ID."
)
REPLAY_ID_CORRUPTED = _invalid(
    "subscription.fetch.replayid.corrupted",
    "The Replay ID is corrupted, or the event is outside of the retention window.",
)
REPLAY_ID_INVALID = _invalid(
    "subscription.fetch.replayid.validation.failed",
    "The Replay ID validation failed. Ensure that the Replay ID is valid.",
)
REPLAY_REPEATED = _invalid(
    "subscription.fetch.replay.repeated",
    "Replay options can be set in the first FetchRequest of a stream only.",
)
TOPIC_MISMATCH = _invalid(
    "subscription.fetch.topic.mismatch",
    "The topic name differs from the one in the first FetchRequest of the stream.",
)
NOTHING_REQUESTED = _invalid(
    "subscription.fetch.requested.events.invalid",
    "The number of requested events is not valid. Request more than zero events.",
)


def topic_not_found(org_id: str, topic: str) -> Refusal:
    """No such topic; the symptom of an entity that is not selected for Change Data Capture."""
    return Refusal(
        grpc.StatusCode.NOT_FOUND,
        "topic.not.found",
        f"The topic information for org CORE/prod/{org_id} and topic {topic} not found. "
        "Ensure the topic name is correct and that the topic exists.",
    )


def topic_not_permitted(topic: str) -> Refusal:
    """The user lacks View All on the entity."""
    return Refusal(
        grpc.StatusCode.PERMISSION_DENIED,
        "topic.meta.permission",
        f"You don't have permission to access the topic {topic}.",
    )
