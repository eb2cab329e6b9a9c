"""The one seam to HTTP: a pooled client whose failures are already the two kinds that the engine knows.

A vendor's client asks `HttpTransport` for an answer and judges the status itself. What never became an
answer is judged here:

    TemporaryError  CONNECTION_FAILED   nothing was sent (name lookup, refused, handshake)
                    CONNECT_TIMEOUT     nothing was sent
                    CONNECTION_CLOSED   nothing was sent: this side is shutting down
                    TIMEOUT             may have been carried out
                    CONNECTION_LOST     may have been carried out
    PermanentError  TLS_CERTIFICATE     the server's certificate is not trusted
                    CA_FILE             the file of trusted certificates cannot be read
                    INVALID_URL         the address in the settings is no address
                    RESPONSE_TOO_LARGE  more bytes than `HttpSettings.max_response_bytes`

No message holds a path, a query, a header or a body: these carry people's data and tokens.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from twinbook.domain.errors import PermanentError, TemporaryError

READ_METHODS = frozenset({"GET", "HEAD"})
PLAIN_IN_QUERY = "-_.~,()'"
"""Beside letters and digits, what a query string may hold as it is."""
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
JSON_TYPE = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Limits of one side's HTTP traffic; times in seconds.

    `ca_file` is trusted in place of the system's certificates; `verify_tls = False` trusts anything and is
    meant for a sandbox with a certificate of its own. `proxy` is the address of an HTTP proxy.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 130.0
    connections: int = 20
    max_response_bytes: int = 64 * 1024 * 1024
    ca_file: Path | None = None
    verify_tls: bool = True
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer. `headers` is looked up without regard to case; `received_at` is in epoch seconds, and the call
    took `seconds`."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: float
    seconds: float = 0.0

    def json(self) -> Any:
        """The parsed body; raises `ValueError` when it is no JSON, such as an HTML error page.

        Half a character, as is left where a system cuts an emoji in two, is read as U+FFFD: one such value must not
        make a whole page of records unreadable.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            if not _HALF_CHARACTER.search(self.body):
                raise
            return _whole(json.loads(self.body))

    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    @property
    def answered_at(self) -> float | None:
        """When the server answered by its own clock, in epoch seconds and whole ones; None where it does not say."""
        return _moment(self.headers.get("Date", ""))

    @property
    def retry_after(self) -> float | None:
        """Seconds that `Retry-After` asks to wait, in either of its two forms."""
        value = self.headers.get("Retry-After", "").strip()
        if not value:
            return None
        try:
            return max(0.0, float(value))
        except ValueError:
            pass
        moment = _moment(value)
        return None if moment is None else max(0.0, moment - self.received_at)


def _moment(text: str) -> float | None:
    """An HTTP date in epoch seconds; None for what is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None


def _whole(value: Any) -> Any:
    """A JSON value without lone surrogates."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


class Http(Protocol):
    """What a vendor's client needs; `HttpTransport` in production, a scripted one in tests."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        data: bytes | None = None,
    ) -> HttpResponse: ...


def encode_query(params: Mapping[str, str]) -> str:
    """A query string with percent escapes only: `+` for a blank is ambiguous inside SOQL and signatures."""
    return urlencode(params, quote_via=quote, safe=PLAIN_IN_QUERY)


class HttpTransport:
    """One connection pool for one side. Use as an async context manager, or `close()` it."""

    def __init__(self, settings: HttpSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections. Requests that come later are refused."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

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
        """Send one request and read the whole answer, whatever its status. Redirects are not followed.

        The address is sent as given: path and query must already be escaped, `params` are escaped here.
        Raises the errors of the module's docstring. After a failure that may have come too late, every method
        but GET and HEAD is marked `outcome_unknown`.
        """
        sent = dict(headers or {})
        if json is not None:
            data = orjson.dumps(json)
            sent.setdefault("Content-Type", JSON_TYPE)
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{encode_query(params)}"
        target = _parse(url)
        began = time.monotonic()
        try:
            async with self._open().request(
                method, target, headers=sent, data=data, allow_redirects=False, proxy=self._settings.proxy
            ) as response:
                body = await self._read(response)
                took = time.monotonic() - began
                return HttpResponse(response.status, response.headers, body, self._clock(), took)
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            raise _translate(failure, target.host or "?", writes=method not in READ_METHODS) from failure

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_response_bytes
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > limit:
                response.close()
                raise PermanentError(
                    "RESPONSE_TOO_LARGE",
                    f"{response.url.host} sent more than {limit} bytes in one answer",
                    remedy="Ask for fewer records or fields at a time.",
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise TemporaryError("CONNECTION_CLOSED", "the connection was closed on this side")
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=settings.connections, ssl=_tls(settings)),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "gzip"},
                timeout=aiohttp.ClientTimeout(
                    total=settings.total_timeout,
                    sock_connect=settings.connect_timeout,
                    sock_read=settings.read_timeout,
                ),
            )
        return self._session


def _parse(url: str) -> URL:
    try:
        target = URL(url, encoded=True)
    except ValueError:
        target = URL()
    if target.scheme not in ("http", "https") or not target.host:
        raise PermanentError(
            "INVALID_URL",
            "the address of the system is not an http(s) URL",
            remedy="Correct the URL in the settings; it must begin with https:// and name a host.",
        )
    return target


def _tls(settings: HttpSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as problem:
        raise PermanentError(
            "CA_FILE",
            f"the certificates in {settings.ca_file} cannot be read: {problem.strerror}",
            field="ca_file",
            remedy="Name a readable file with certificates in PEM form.",
        ) from problem
    if not settings.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _translate(failure: Exception, host: str, *, writes: bool) -> TemporaryError | PermanentError:
    match failure:
        case aiohttp.ClientConnectorCertificateError():
            return PermanentError(
                "TLS_CERTIFICATE",
                f"the certificate of {host} is not trusted",
                remedy="Name the certificate of your own authority as ca_file in the settings of this side.",
            )
        case aiohttp.ClientConnectorError():
            return TemporaryError("CONNECTION_FAILED", f"no connection to {host}: {type(failure).__name__}")
        case aiohttp.ConnectionTimeoutError():
            return TemporaryError("CONNECT_TIMEOUT", f"{host} did not accept a connection in time")
        case TimeoutError() | asyncio.TimeoutError():
            return TemporaryError("TIMEOUT", f"{host} did not answer in time", outcome_unknown=writes)
        case _:
            return TemporaryError(
                "CONNECTION_LOST",
                f"the connection to {host} broke: {type(failure).__name__}",
                outcome_unknown=writes,
            )
