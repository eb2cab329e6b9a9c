"""Refusals of the emulated account, in the words and shapes of netsuite.md 3.

A :class:`NetSuiteError` is raised anywhere below the HTTP layer and becomes one answer there. The functions make
the refusals that several places need; their texts are those of netsuite.md 3.2 unless marked unverified there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

MEDIA_TYPE = "application/vnd.oracle.resource+json"
ACCESSING = "Error while accessing a resource. "
RFC = "https://www.rfc-editor.org/rfc/rfc9110.html#section-"
SECTIONS = {
    400: "15.5.1",
    401: "15.5.2",
    403: "15.5.4",
    404: "15.5.5",
    405: "15.5.6",
    415: "15.5.16",
    429: "15.5",
    500: "15.6.1",
    503: "15.6.4",
}


@dataclass(eq=False)
class NetSuiteError(Exception):
    """One refusal. ``where`` are the optional members of the detail, such as ``{"o:errorPath": "company"}``."""

    status: int
    code: str
    detail: str
    where: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"

    @property
    def field_name(self) -> str | None:
        """The body property it is about, where known."""
        return self.where.get("o:errorPath")


def error_response(error: NetSuiteError) -> Response:
    """The answer for a refusal (netsuite.md 3.1)."""
    body: dict[str, Any] = {
        "type": RFC + SECTIONS.get(error.status, "15.5"),
        "title": error.title or HTTPStatus(error.status).phrase,
        "status": error.status,
        "o:errorDetails": [{"detail": error.detail, **error.where, "o:errorCode": error.code}],
    }
    media_type = f"{MEDIA_TYPE}; type=error; charset=UTF-8"
    return Response(orjson.dumps(body), error.status, dict(error.headers), media_type)


def user_error(message: str) -> NetSuiteError:
    """A business rule refuses; REST passes the core's text on."""
    return NetSuiteError(400, "USER_ERROR", ACCESSING + message)


def invalid_value(path: str, value: Any) -> NetSuiteError:
    """A property cannot have this value."""
    text = f"{ACCESSING}You have entered an Invalid Field Value {value} for the following field: {path}"
    return NetSuiteError(400, "INVALID_CONTENT", text, {"o:errorPath": path})


def invalid_body(explanation: str, path: str | None = None) -> NetSuiteError:
    """The request body is not what it should be."""
    where = {"o:errorPath": path} if path else {}
    return NetSuiteError(400, "INVALID_CONTENT", f"Invalid content in the request body. {explanation}", where)


def unknown_property(path: str) -> NetSuiteError:
    """A property name that the record type does not have (text unverified)."""
    text = f"Unknown reference or field '{path}'."
    return NetSuiteError(400, "INVALID_CONTENT", text, {"o:errorPath": path})


def invalid_parameter(name: str, explanation: str) -> NetSuiteError:
    """A query parameter, or the text of a SuiteQL query, will not do."""
    return NetSuiteError(400, "INVALID_PARAMETER", explanation, {"o:errorQueryParam": name})


def invalid_header(name: str, explanation: str) -> NetSuiteError:
    """A request header is missing or will not do (text unverified)."""
    return NetSuiteError(400, "INVALID_HEADER", explanation, {"o:errorHeader": name})


def invalid_url(url: str) -> NetSuiteError:
    """The path is none of the service's."""
    text = (
        "Invalid request URL. The request URL must be constructed in the following way: "
        "<service>/v1/<recordname>/<recordid>."
    )
    return NetSuiteError(400, "INVALID_URL", text, {"o:errorUrl": url})


def no_such_record(key: str) -> NetSuiteError:
    """No record has this id, or this ``eid:`` external id."""
    external = f" for external ID '{key.removeprefix('eid:')}'" if key.startswith("eid:") else ""
    text = f"The record instance{external} does not exist. Provide a valid record instance ID."
    return NetSuiteError(404, "NONEXISTENT_ID", text)


def no_such_type(name: str) -> NetSuiteError:
    """No record type has this name."""
    return NetSuiteError(404, "NONEXISTENT_ID", f"Record type '{name}' does not exist.")


def not_permitted(permission: str) -> NetSuiteError:
    """The role lacks a permission; ``permission`` in the words of the UI, such as ``Lists -> Contacts``."""
    text = (
        f"Permission Violation: You need a higher level of the '{permission}' permission to access this page. "
        "Please contact your account administrator."
    )
    return NetSuiteError(403, "INSUFFICIENT_PERMISSION", text)


def too_many_requests(title: str) -> NetSuiteError:
    """The account-wide concurrency limit is reached (netsuite.md 7)."""
    text = "Concurrent request limit exceeded. Request blocked."
    return NetSuiteError(429, "CONCURRENCY_LIMIT_EXCEEDED", text, title=title)
