"""What protects every answer and every request, whatever the route: headers, forged requests, sizes.

Pure ASGI, so that streams stay streams.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1024 * 1024
# Where files are taken in.
LARGEST_FILES = {"/match/upload": 6 * 1024 * 1024}

# Nothing from elsewhere, nothing inline: neither scripts nor styles.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SecurityHeaders:
    """Adds the headers. What a route does not mark as cacheable is kept nowhere: it may name people."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, with_headers)


class ForgeryGuard:
    """Refuses requests that another site made a browser send (libraries.md 3).

    Browsers say where a request comes from in Sec-Fetch-Site; where they leave it out (plain http on a local network),
    Origin must be our own host. Programs send neither, and no cookie of ours either.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and _forged(Headers(scope=scope)):
            detail = "The request came from another website. Go to the dashboard itself and try again there."
            await _refuse(scope, send, 403, "Refused for your safety", detail)
            return
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies that are larger than anything a page or a program has to send. A body is taken in whole before
    the route sees it, so that one whose length was not announced is refused all the same."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        largest = max(self._largest, LARGEST_FILES.get(scope["path"], 0))
        body = None if not _within(announced, largest) else await _whole(receive, largest)
        if body is None:
            detail = f"A request may have at most {largest} bytes."
            await _refuse(scope, send, 413, "The request is too large", detail)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replayed, send)


def _within(announced: str, largest: int) -> bool:
    return announced.isdigit() and len(announced) < 12 and int(announced) <= largest


async def _whole(receive: Receive, largest: int) -> bytes | None:
    """The body, or None where it is too large. A caller who leaves ends it early."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            return None
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def _forged(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _refuse(scope: MutableMapping[str, Any], send: Send, status: int, title: str, detail: str) -> None:
    """Answer before any route is known, so in the plainest form that both people and programs can read."""
    in_api = scope["path"].startswith("/api/")
    kind = b"application/problem+json" if in_api else b"text/plain; charset=utf-8"
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body = orjson.dumps(problem) if in_api else f"{title}. {detail}\n".encode()
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
