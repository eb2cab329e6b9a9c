"""A NetSuite that answers from a script: for tests that must see every request and choose every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from twinbook.http import HttpResponse


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the transport got it; `url` with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Any = None
    data: bytes | None = None


ANSWERED = "Fri, 01 Jan 2027 00:07:30 GMT"
"""When answers are given: long after, and not at the same place in the quarter as, the times in them."""

Answer = HttpResponse | Exception
Handler = Callable[[Request], Answer | Awaitable[Answer]]


@dataclass(slots=True)
class ScriptedHttp:
    """Calls `handler` for each request. An exception that it gives is raised."""

    handler: Handler
    requests: list[Request] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        data: bytes | None = None,
    ) -> HttpResponse:
        assert params is None, "NetSuite's client builds its URLs itself: they are signed"
        request = Request(method, url, dict(headers or {}), json, data)
        self.requests.append(request)
        answer = self.handler(request)
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(status: int = 200, body: object = None, **headers: str) -> HttpResponse:
    """An answer with a JSON body, or with these bytes. Header names are given with underscores."""
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, {"Date": ANSWERED, **named}, raw, 0.0)


def refusal(status: int, code: str, detail: str, **where: str) -> HttpResponse:
    """An error in NetSuite's form (netsuite.md 3.1)."""
    named = {f"o:{name}": value for name, value in where.items()}
    body = {
        "type": "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.1",
        "title": "Bad Request",
        "status": status,
        "o:errorDetails": [{"detail": detail, **named, "o:errorCode": code}],
    }
    return answer(status, body)


def rows(*items: Mapping[str, str], more: bool = False) -> HttpResponse:
    """A page of SuiteQL rows (netsuite.md 4.1)."""
    body = {"links": [], "count": len(items), "hasMore": more, "offset": 0, "totalResults": len(items)}
    return answer(200, {**body, "items": [{"links": [], **item} for item in items]})


class NoLogin:
    """Signs nothing, for tests of what is behind the login."""

    async def authorization(self, method: str, url: str) -> str:
        return "Bearer test"

    def renewable(self, refused: str) -> bool:
        return False
