"""Every failure of the Pub/Sub API as one of the kinds that the engine knows (salesforce.md 2.7).

The `error-code` trailer decides, the gRPC status only where there is none or an unknown one: a proxy or a load
balancer in between fails calls too, and those failures have a status but no code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Final, cast

import grpc
import grpc.aio

from salesforce_eventbus.service import ERROR_CODE, ERROR_CODE_PREFIX
from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import EventsUnavailable, PositionLost

EventFailure = TemporaryError | PermanentError | PositionLost | EventsUnavailable


class Kind(Enum):
    """What a failure means for a subscription."""

    LOGIN = auto()
    POSITION = auto()
    UNAVAILABLE = auto()
    DEFECT = auto()
    ENDPOINT = auto()
    TRUST = auto()
    PASSING = auto()


_BY_CODE: Final[Mapping[str, Kind]] = {
    "service.auth.error": Kind.LOGIN,
    "service.auth.headers.invalid": Kind.LOGIN,
    "subscription.fetch.replayid.corrupted": Kind.POSITION,
    "subscription.fetch.replayid.validation.failed": Kind.POSITION,
    "topic.not.found": Kind.UNAVAILABLE,
    "topic.meta.permission": Kind.UNAVAILABLE,
    "schema.meta.permission": Kind.UNAVAILABLE,
    "subscription.topic.cannot.subscribe": Kind.UNAVAILABLE,
    "subscription.limit.exceeded": Kind.UNAVAILABLE,
    "service.tenant.license": Kind.UNAVAILABLE,
    "service.auth.refresh.invalid": Kind.DEFECT,
    "topic.validation.empty": Kind.DEFECT,
    "schema.validation.failed": Kind.DEFECT,
    "subscription.fetch.replay.repeated": Kind.DEFECT,
    "subscription.fetch.requested.events.invalid": Kind.DEFECT,
    "subscription.fetch.topic.mismatch": Kind.DEFECT,
    "subscription.fetch.request.invalid": Kind.DEFECT,
    "service.unavailable": Kind.PASSING,
    "service.protection.triggered": Kind.PASSING,
    "service.protection.stream.limit.triggered": Kind.PASSING,
    "concurrent.client.limit.exceeded": Kind.PASSING,
    "topic.api.unavailable": Kind.PASSING,
    "schema.api.unavailable": Kind.PASSING,
    "subscription.fetch.overflow": Kind.PASSING,
    "subscription.internal.error": Kind.PASSING,
}
_BY_STATUS: Final[Mapping[grpc.StatusCode, Kind]] = {
    grpc.StatusCode.UNAUTHENTICATED: Kind.LOGIN,
    grpc.StatusCode.NOT_FOUND: Kind.UNAVAILABLE,
    grpc.StatusCode.PERMISSION_DENIED: Kind.UNAVAILABLE,
    grpc.StatusCode.INVALID_ARGUMENT: Kind.DEFECT,
    grpc.StatusCode.UNIMPLEMENTED: Kind.ENDPOINT,
}
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
"""Tells a refused certificate from any other failure to connect: gRPC gives both the same status."""

# Why there are no events, for people. The engine polls instead, so none of these is urgent.
_REASONS: Final[Mapping[str, str]] = {
    "topic.not.found": "Change Data Capture is not enabled for the object: select it in Setup > Change Data Capture.",
    "topic.meta.permission": "The integration user may not see all records: grant 'View All' on the object.",
    "schema.meta.permission": "The integration user may not see all records: grant 'View All' on the object.",
    "subscription.topic.cannot.subscribe": "The integration user may not subscribe: grant 'View All' on the object.",
    "subscription.limit.exceeded": "The org has used up its event deliveries of the last 24 hours.",
    "service.tenant.license": "The org's edition has no change events.",
}


def event_failure(error: grpc.aio.AioRpcError) -> EventFailure:
    """What to raise for a failed call. `is_login_refusal` tells whether the token must be dropped first."""
    code, kind = _judged(error)
    name = code or error.code().name
    text = error.details() or "no reason was given"
    match kind:
        case Kind.POSITION:
            return PositionLost(f"{name}: {text}")
        case Kind.UNAVAILABLE:
            return EventsUnavailable(f"{_REASONS.get(code, text)} ({name})")
        case Kind.DEFECT:
            remedy = "This is a defect: please report it with the code and the text."
            return PermanentError(name, f"change events: {text}", remedy=remedy)
        case Kind.TRUST:
            remedy = "Name the certificate of your own authority as ca_file in the settings of Salesforce."
            return PermanentError("TLS_CERTIFICATE", f"change events: {text}", field="ca_file", remedy=remedy)
        case Kind.ENDPOINT:
            remedy = "Set salesforce.pubsub_endpoint to an address of the Pub/Sub API, such as "
            remedy += "api.pubsub.salesforce.com:7443."
            return PermanentError(name, f"change events: {text}", field="pubsub_endpoint", remedy=remedy)
        case _:
            return TemporaryError(name, f"change events: {text}")


def is_login_refusal(error: grpc.aio.AioRpcError) -> bool:
    """Whether the access token is not, or no longer, accepted."""
    return _judged(error)[1] is Kind.LOGIN


def _judged(error: grpc.aio.AioRpcError) -> tuple[str, Kind]:
    """The code without its prefix (empty if there is none), and the kind of failure."""
    trailers = cast(Iterable[tuple[str, str | bytes]], error.trailing_metadata() or ())
    code = next((str(value) for key, value in trailers if key == ERROR_CODE), "").removeprefix(
        ERROR_CODE_PREFIX
    )
    if _UNTRUSTED in (error.details() or "") and not code:
        return code, Kind.TRUST
    return code, _BY_CODE.get(code) or _BY_STATUS.get(error.code(), Kind.PASSING)
