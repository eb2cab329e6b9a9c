"""The REST API's front: version, session, usage and routing, the same for a request and a composite sub-request.

Handlers are plain functions from `Call` to `Reply`. They run to their end without giving way to another
request, so each sees and leaves the org in one consistent state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.routing import compile_path

from twinbook_sandbox.salesforce.errors import STATUS_OF_CODE, ApiError, RefusedError, not_found
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.sessions import SessionInfo
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.work import Actor

OLDEST_VERSION = 31
_RETIRED = range(21, OLDEST_VERSION)
_VERSIONED = re.compile(r"/services/data/v(\d+)\.0(/.*)?")
_SEASONS = ("Spring", "Summer", "Winter")


@dataclass(frozen=True, slots=True)
class Call:
    """A request for a resource. `path` holds the variable parts of its path, header names are lower-case."""

    method: str
    version: int
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    session: SessionInfo

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}.0"

    def json(self) -> Any:
        """The body. Raises ApiError(JSON_PARSER_ERROR)."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ApiError(
                "JSON_PARSER_ERROR", f"{error.msg} at [line:{error.lineno}, column:{error.colno}]"
            ) from None

    def json_object(self) -> dict[str, Any]:
        """The body as an object. Raises ApiError(JSON_PARSER_ERROR)."""
        found = self.json()
        if not isinstance(found, dict):
            raise ApiError("JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object")
        return found

    def record_url(self, entity: str, id_: str) -> str:
        return f"{self.base}/sobjects/{entity}/{id_}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a JSON value, or text with its content type, or nothing."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Resource:
    """A method on a path below the version; `kind` names such calls in the counters of the control plane.
    In it `{object}` stands for the object of the path."""

    method: str
    template: str
    handler: Handler
    kind: str


def error_reply(error: ApiError | RefusedError) -> Reply:
    """The answer to a refused call."""
    if isinstance(error, ApiError):
        return Reply(error.status, error.errors)
    status = STATUS_OF_CODE.get(error.problems[0].code, 400)
    return Reply(status, [problem.as_call_error() for problem in error.problems])


class Api:
    """All resources of the org."""

    def __init__(self, org: OrgState, resources: Sequence[Resource]) -> None:
        self._org = org
        self._resources = [(compile_path(each.template)[0], each) for each in resources]

    def handle(
        self, method: str, path: str, query_string: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """Answer a request below `/services/data`. Header names are lower-case."""
        if path.rstrip("/") == "/services/data":
            return Reply(200, self.versions())
        reply = self._handle(method, path, query_string, headers, body)
        used = self._org.usage.count(self._org.clock.now())
        info = f"api-usage={used}/{self._org.switches.daily_api_limit}"
        return Reply(
            reply.status, reply.body, {**reply.headers, "Sforce-Limit-Info": info}, reply.content_type
        )

    def _handle(
        self, method: str, path: str, query_string: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        try:
            version, rest = self._version(path)
            session = self._session(headers)
            self._check_api_enabled()
            self._count_usage()
            return self.dispatch(session, version, method, rest, query_string, headers, body)
        except (ApiError, RefusedError) as error:
            return error_reply(error)

    def dispatch(
        self,
        session: SessionInfo,
        version: int,
        method: str,
        rest: str,
        query_string: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        """Answer a call of a session; `rest` is the path below the version. Raises ApiError, RefusedError."""
        query = dict(parse_qsl(query_string, keep_blank_values=True))
        method = query.get("_HttpMethod", method) if method == "POST" else method
        resource, parts = self._find(method, rest)
        values = {name: unquote(value) for name, value in parts.items()}
        return resource.handler(Call(method, version, values, query, headers, body, session))

    def _find(self, method: str, rest: str) -> tuple[Resource, Mapping[str, str]]:
        allowed: list[str] = []
        for pattern, resource in self._resources:
            match = pattern.match(rest.rstrip("/") or "/")
            if match and resource.method == method:
                return resource, match.groupdict()
            if match:
                allowed.append(resource.method)
        if not allowed:
            raise not_found()
        methods = ",".join(dict.fromkeys(allowed))
        raise ApiError("METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {methods}")

    def classify(self, method: str, path: str, query_string: str) -> str:
        """The kind of a call, for the counters and faults of the control plane; `other` when it is none."""
        if path.startswith("/services/oauth2/"):
            return path.rsplit("/", 1)[-1]
        if path.rstrip("/") == "/services/data":
            return "versions"
        versioned = _VERSIONED.fullmatch(path)
        if versioned is None:
            return "other"
        if "_HttpMethod=PATCH" in query_string:
            method = "PATCH"
        try:
            resource, parts = self._find(method, versioned.group(2) or "/")
        except ApiError:
            return "other"
        return resource.kind.replace("{object}", parts.get("object", "").lower())

    def versions(self) -> list[dict[str, str]]:
        """The versions the org serves, as `/services/data/` lists them."""
        return [
            {
                "label": f"{_SEASONS[number % 3]} '{_year(number) % 100:02d}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in range(OLDEST_VERSION, self._org.switches.newest_api_version + 1)
        ]

    def _version(self, path: str) -> tuple[int, str]:
        match = _VERSIONED.fullmatch(path)
        number = int(match.group(1)) if match else 0
        if number in _RETIRED:
            raise ApiError("UNSUPPORTED_API_VERSION", f"API version {number}.0 is retired", status=410)
        if match is None or not OLDEST_VERSION <= number <= self._org.switches.newest_api_version:
            raise not_found()
        return number, match.group(2) or "/"

    def _session(self, headers: Mapping[str, str]) -> SessionInfo:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        session = self._org.sessions.check(token.strip()) if scheme in ("Bearer", "OAuth") else None
        if session is None:
            raise ApiError("INVALID_SESSION_ID", "Session expired or invalid")
        return session

    def _check_api_enabled(self) -> None:
        permissions = self._org.permissions
        if permissions is not None and not permissions.api_enabled:
            raise ApiError("API_CURRENTLY_DISABLED", "API is disabled for this User")

    def _count_usage(self) -> None:
        now = self._org.clock.now()
        if self._org.usage.count(now) >= self._org.switches.daily_api_limit:
            raise ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._org.usage.add(now)


def _year(version: int) -> int:
    """Spring '26 is 66.0, Summer '26 is 67.0, Winter '27 is 68.0."""
    return 2026 + (version - 66) // 3 + (1 if version % 3 == 2 else 0)


def actor_of(org: OrgState, call: Call, api: str = "rest", *, client_shown: bool = True) -> Actor:
    """Who writes with a call, with its change origin (salesforce.md 3.7)."""
    options = dict(
        option.strip().partition("=")[::2]
        for option in call.headers.get("sforce-call-options", "").split(",")
    )
    client = options.get("client") if client_shown else None
    origin = f"com/salesforce/api/{api}/{call.version}.0" + (f";client={client}" if client else "")
    allow_save = (
        "allowsave=true" in call.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
    )
    return Actor(call.session.user_id, origin, org.visible, allow_save)


def find_object(org: OrgState, name: str) -> ObjectSchema:
    """The object of a path. Raises ApiError(NOT_FOUND)."""
    wanted = name.lower()
    for each in org.visible.values():
        if each.name.lower() == wanted:
            return each
    raise not_found()


def http_moment(headers: Mapping[str, str], name: str) -> datetime | None:
    """The moment in a conditional header. Raises ApiError when it is no date."""
    text = headers.get(name)
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise ApiError("INVALID_HEADER", f"{name} is no RFC 1123 date: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
