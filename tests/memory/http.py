"""HTTP without a network: a scripted stand-in for `twinbook.http.HttpTransport`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson
from multidict import CIMultiDict

from twinbook.http import HttpResponse

ANSWERED = "Fri, 01 Jan 2027 00:00:00 GMT"
"""When answers are given: long after the times in them."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the client meant it. `path` is what follows the host."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str]
    json: Any
    data: bytes | None

    @property
    def path(self) -> str:
        return "/" + self.url.split("://", 1)[1].partition("/")[2]

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs((self.data or b"").decode()).items()}


@dataclass(slots=True)
class ScriptedHttp:
    """Answers by `answer`, and keeps what was asked. An exception that `answer` raises is the call's."""

    answer: Callable[[Request], HttpResponse]
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
        request = Request(method, url, headers or {}, params or {}, json, data)
        self.requests.append(request)
        return self.answer(request)


def reply(
    status: int, body: object = None, *, text: str | None = None, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An answer with a JSON body, or with `text` as it is."""
    raw = text.encode() if text is not None else orjson.dumps(body)
    return HttpResponse(status, CIMultiDict({"Date": ANSWERED, **(headers or {})}), raw, 1_790_000_000.0)
