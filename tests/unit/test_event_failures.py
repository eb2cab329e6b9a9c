"""How failures of the Pub/Sub API are judged: the error code first, the status second (salesforce.md 2.7)."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import EventsUnavailable, PositionLost
from twinbook.salesforce.event_errors import event_failure, is_login_refusal

PREFIX = "sfdc.platform.eventbus.grpc."


def failure(status: grpc.StatusCode, code: str = "", details: str = "text") -> grpc.aio.AioRpcError:
    trailers = (
        grpc.aio.Metadata(("error-code", PREFIX + code), ("rpc-id", "1")) if code else grpc.aio.Metadata()
    )
    return grpc.aio.AioRpcError(status, grpc.aio.Metadata(), trailers, details)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.corrupted", PositionLost),
        (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.validation.failed", PositionLost),
        (grpc.StatusCode.NOT_FOUND, "topic.not.found", EventsUnavailable),
        (grpc.StatusCode.PERMISSION_DENIED, "topic.meta.permission", EventsUnavailable),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded", EventsUnavailable),
        (grpc.StatusCode.PERMISSION_DENIED, "service.tenant.license", EventsUnavailable),
        (grpc.StatusCode.UNAVAILABLE, "service.unavailable", TemporaryError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "concurrent.client.limit.exceeded", TemporaryError),
        (grpc.StatusCode.INTERNAL, "subscription.internal.error", TemporaryError),
        (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.topic.mismatch", PermanentError),
        # A code with another status than assumed: the code decides.
        (grpc.StatusCode.UNKNOWN, "subscription.fetch.replayid.corrupted", PositionLost),
        (grpc.StatusCode.INVALID_ARGUMENT, "service.unavailable", TemporaryError),
        # A code that is not known, or none: the status decides.
        (grpc.StatusCode.PERMISSION_DENIED, "something.new", EventsUnavailable),
        (grpc.StatusCode.NOT_FOUND, "", EventsUnavailable),
        (grpc.StatusCode.UNIMPLEMENTED, "", PermanentError),
        (grpc.StatusCode.UNAVAILABLE, "", TemporaryError),
        (grpc.StatusCode.CANCELLED, "", TemporaryError),
        (grpc.StatusCode.INTERNAL, "", TemporaryError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", TemporaryError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "something.new", TemporaryError),
    ],
)
def test_kinds(status: grpc.StatusCode, code: str, kind: type[Exception]) -> None:
    error = failure(status, code)
    assert type(event_failure(error)) is kind
    assert not is_login_refusal(error)


@pytest.mark.parametrize("code", ["service.auth.error", "service.auth.headers.invalid", ""])
def test_a_refused_login_is_temporary_and_costs_the_token(code: str) -> None:
    error = failure(grpc.StatusCode.UNAUTHENTICATED, code)
    assert isinstance(event_failure(error), TemporaryError)
    assert is_login_refusal(error)


def test_permanent_errors_say_what_to_do() -> None:
    wrong_address = event_failure(failure(grpc.StatusCode.UNIMPLEMENTED))
    untrusted = event_failure(
        failure(grpc.StatusCode.UNAVAILABLE, details="Ssl handshake failed: CERTIFICATE_VERIFY_FAILED")
    )
    defect = event_failure(failure(grpc.StatusCode.INVALID_ARGUMENT, "topic.validation.empty"))
    assert isinstance(wrong_address, PermanentError)
    assert isinstance(untrusted, PermanentError)
    assert isinstance(defect, PermanentError)
    assert (wrong_address.field, untrusted.field) == ("pubsub_endpoint", "ca_file")
    assert all(each.remedy for each in (wrong_address, untrusted, defect))


def test_the_reason_names_the_setup_page() -> None:
    reason = str(event_failure(failure(grpc.StatusCode.NOT_FOUND, "topic.not.found")))
    assert "Setup > Change Data Capture" in reason
    assert "topic.not.found" in reason
