"""One HTTP call to the REST services: reading what it asks for, and shaping what it is answered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from twinbook_sandbox.netsuite.errors import (
    MEDIA_TYPE,
    NetSuiteError,
    invalid_body,
    invalid_header,
    invalid_parameter,
)
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.values import WriteOptions, body_object, strictness

MAX_LIMIT = 1000
MAX_PAGES = 1000
MAX_ROWS = 100_000
MAX_BODY = 104 * 1024 * 1024
"""Largest request body (netsuite.md 2.8)."""
NAME_VALIDATION = "X-NetSuite-PropertyNameValidation"
VALUE_VALIDATION = "X-NetSuite-PropertyValueValidation"
_JSON_TYPES = ("application/json", MEDIA_TYPE)

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose login was accepted."""

    request: Request
    raw_body: bytes
    actor: Actor
    base_url: str
    """Scheme and host for the links of the answer."""

    @property
    def method(self) -> str:
        """HTTP method."""
        return self.request.method

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false."""
        text = self.request.query_params.get(name, "false").lower()
        if text not in ("true", "false"):
            raise invalid_parameter(name, f"Invalid value '{text}' of the query parameter {name}.")
        return text == "true"

    def names(self, name: str) -> list[str]:
        """A query parameter that lists names."""
        return [one.strip() for one in self.request.query_params.get(name, "").split(",") if one.strip()]

    def paging(self) -> tuple[int, int]:
        """``limit`` and ``offset`` by the rules of netsuite.md 2.7."""
        limit = self._number("limit", MAX_LIMIT)
        offset = self._number("offset", 0)
        if not 1 <= limit <= MAX_LIMIT:
            raise invalid_parameter("limit", f"The limit must be between 1 and {MAX_LIMIT}.")
        if offset % limit:
            raise invalid_parameter("offset", "The offset must be a multiple of the limit.")
        if offset // limit >= MAX_PAGES or offset >= MAX_ROWS:
            raise invalid_parameter("offset", f"At most {MAX_PAGES} pages and {MAX_ROWS} rows can be read.")
        return limit, offset

    def _number(self, name: str, default: int) -> int:
        text = self.request.query_params.get(name, str(default))
        if not text.isdecimal() or len(text) > 9:
            raise invalid_parameter(name, f"Invalid value '{text}' of the query parameter {name}.")
        return int(text)

    def json(self, *, default: dict[str, Any] | None = None) -> dict[str, Any]:
        """The body as a JSON object; ``default`` if an empty one is allowed."""
        if not self.raw_body.strip() and default is not None:
            return default
        self._check_content_type()
        if len(self.raw_body) > MAX_BODY:
            raise invalid_body("The body is larger than 104 MB.")
        try:
            return body_object(orjson.loads(self.raw_body))
        except orjson.JSONDecodeError as error:
            raise invalid_body(f"The JSON cannot be read: {error}.") from error

    def _check_content_type(self) -> None:
        """A body that names no media type is taken for JSON, as live tests of other clients show (netsuite.md 9)."""
        given = self.request.headers.get("content-type", "application/json")
        media_type, _, parameters = given.partition(";")
        if media_type.strip().lower() not in _JSON_TYPES:
            text = f"The content type '{given}' is not supported. Use application/json."
            raise NetSuiteError(415, "UNSUPPORTED_MEDIA_TYPE", text, {"o:errorHeader": "Content-Type"})
        if "type=collection" in parameters.replace(" ", "").lower():
            raise invalid_header("Content-Type", "Batch operations are not available in this account.")

    def write_options(self) -> WriteOptions:
        """Headers and query parameters of a write."""
        headers = self.request.headers
        if "respond-async" in headers.get("prefer", "").lower():
            raise invalid_header("Prefer", "Asynchronous requests are not available in this account.")
        names = strictness(NAME_VALIDATION, headers.get(NAME_VALIDATION), "warning")
        values = strictness(VALUE_VALIDATION, headers.get(VALUE_VALIDATION), "error")
        return WriteOptions(names, values, frozenset(self.names("replace")))


def json_response(body: Any, form: str, headers: Mapping[str, str] | None = None) -> Response:
    """A 200 with a body; ``form``: singular or collection."""
    media_type = f"{MEDIA_TYPE}; type={form}; charset=UTF-8"
    return Response(orjson.dumps(body), 200, headers, media_type)


def collection(
    call: Call, items: list[dict[str, Any]], total: int, *, limit: int, offset: int
) -> dict[str, Any]:
    """A page with its links (netsuite.md 2.7)."""
    url = f"{call.base_url}{call.request.url.path}"
    others = [
        (name, value)
        for name, value in call.request.query_params.multi_items()
        if name not in ("limit", "offset")
    ]

    def link(rel: str, at: int) -> dict[str, str]:
        query = urlencode([*others, ("limit", limit), ("offset", at)])
        return {"rel": rel, "href": f"{url}?{query}"}

    has_more = offset + len(items) < total
    last = (total - 1) // limit * limit if total else 0
    links = [link("first", 0), link("prev", max(0, offset - limit))] if offset else []
    links += [link("next", offset + limit), link("last", last)] if has_more else []
    return {
        "links": [*links, link("self", offset)],
        "count": len(items),
        "hasMore": has_more,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }


def not_allowed(allowed: tuple[str, ...]) -> NetSuiteError:
    """A method that this resource does not have (code and text unverified)."""
    text = f"Method not allowed. Use {', '.join(allowed)}."
    return NetSuiteError(405, "METHOD_NOT_ALLOWED", text, headers={"Allow": ", ".join(allowed)})
