"""Calls of the Pub/Sub API over gRPC: single ones, and the stream of a subscription (salesforce.md 2).

Failures come out as the errors of the engine. A live stream outlasts its token (salesforce.md 1.6), so tokens
matter when a call begins only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import grpc
import grpc.aio

from salesforce_eventbus import service
from salesforce_eventbus.messages import FetchRequest, FetchResponse
from salesforce_eventbus.service import Method, RequestT, ResponseT
from twinbook.domain.errors import TemporaryError
from twinbook.salesforce.auth import Token
from twinbook.salesforce.event_errors import event_failure, is_login_refusal

OUTSTANDING: Final = 100
"""Most events that one stream may have asked for (salesforce.md 2.4.2)."""
CHANNEL_ARGUMENTS: Final = (("grpc.max_reconnect_backoff_ms", 10_000),)
"""The engine paces its attempts itself; gRPC's own pause, two minutes, would come on top."""


class Tokens(Protocol):
    """Where access tokens come from: `twinbook.salesforce.auth.TokenProvider`."""

    async def token(self) -> Token: ...

    def invalidate(self, token: Token) -> None: ...


@dataclass(frozen=True, slots=True)
class EventOptions:
    """How to reach the Pub/Sub API; times in seconds.

    `endpoint` is host and port. `tls = False` is for a sandbox on this machine; `trusted` are certificates in
    PEM form to trust in place of the usual ones. `watchdog` is the longest silence of a live stream: the server
    breaks it at least every 270 s, and streams are known to hang for ever (salesforce.md 2.4.5). `settle` is how
    long a new stream may take to be accepted or refused; after it, silence counts as accepted.
    """

    endpoint: str
    tls: bool = True
    trusted: bytes | None = None
    call_timeout: float = 30.0
    watchdog: float = 300.0
    settle: float = 5.0


class PubSubClient:
    """One connection to the Pub/Sub API, opened on first use."""

    def __init__(self, tokens: Tokens, options: EventOptions) -> None:
        self._tokens = tokens
        self._options = options
        self._channel: grpc.aio.Channel | None = None

    async def close(self) -> None:
        """Ends all calls and streams."""
        if self._channel is not None:
            await self._channel.close(None)
            self._channel = None

    async def call(self, method: Method[RequestT, ResponseT], request: RequestT) -> ResponseT:
        """A single call. Raises what `event_failure` makes of a refusal."""
        token = await self._tokens.token()
        rpc = self._open().unary_unary(
            method.path, method.request.SerializeToString, method.response.FromString
        )
        with self._failures(token):
            answer = await rpc(request, metadata=_metadata(token), timeout=self._options.call_timeout)
            return cast(ResponseT, answer)

    @contextlib.asynccontextmanager
    async def stream(self, first: FetchRequest) -> AsyncIterator[EventStream]:
        """A subscription that the server has accepted. Raises what `event_failure` makes of a refusal."""
        token = await self._tokens.token()
        rpc: Any = self._open().stream_stream(
            service.SUBSCRIBE.path, FetchRequest.SerializeToString, FetchResponse.FromString
        )
        call = rpc(metadata=_metadata(token))
        stream = EventStream(call, self._options)
        try:
            with self._failures(token):
                await stream.start(first)
                yield stream
        finally:
            await stream.close()

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            options = self._options
            if options.tls:
                trust = grpc.ssl_channel_credentials(options.trusted)
                self._channel = grpc.aio.secure_channel(options.endpoint, trust, CHANNEL_ARGUMENTS)
            else:
                self._channel = grpc.aio.insecure_channel(options.endpoint, CHANNEL_ARGUMENTS)
        return self._channel

    @contextlib.contextmanager
    def _failures(self, token: Token) -> Iterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            if is_login_refusal(error):
                self._tokens.invalidate(token)
            raise event_failure(error) from error


class EventStream:
    """The client's side of one Subscribe call. All of it raises `AioRpcError` when the call has failed."""

    def __init__(self, call: Any, options: EventOptions) -> None:
        self._call = call
        self._options = options
        self._reading: asyncio.Future[Any] | None = None

    async def start(self, first: FetchRequest) -> None:
        """Asks for the first events and waits until the server has accepted or refused."""
        await self._write(first)
        self._reading = asyncio.ensure_future(self._call.read())
        accepted = asyncio.ensure_future(self._call.initial_metadata())
        try:
            await asyncio.wait(
                {self._reading, accepted},
                timeout=self._options.settle,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            accepted.cancel()
        if self._reading.done():
            self._reading.result()

    async def receive(self) -> FetchResponse:
        """The next response; raises `TemporaryError` after a silence that only a dead stream can have."""
        reading, self._reading = self._reading or asyncio.ensure_future(self._call.read()), None
        try:
            async with asyncio.timeout(self._options.watchdog):
                response = await reading
        except TimeoutError as silence:
            seconds = self._options.watchdog
            raise TemporaryError(
                "EVENTS_SILENT", f"no word from the event stream for {seconds:g} s"
            ) from silence
        if not isinstance(response, FetchResponse):
            raise TemporaryError("EVENTS_ENDED", "Salesforce closed the event stream")
        return response

    async def replenish(self, pending: int) -> None:
        """Asks for as many events as make the outstanding ones full again."""
        if pending < OUTSTANDING:
            await self._write(FetchRequest(num_requested=OUTSTANDING - pending))

    async def close(self) -> None:
        """Ends the call."""
        self._call.cancel()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _write(self, request: FetchRequest) -> None:
        # A stream that ended meanwhile takes no more requests; reading from it tells why it ended.
        with contextlib.suppress(asyncio.InvalidStateError):
            await self._call.write(request)


def _metadata(token: Token) -> tuple[tuple[str, str], ...]:
    return (
        (service.ACCESS_TOKEN, token.value),
        (service.INSTANCE_URL, token.instance_url),
        (service.TENANT_ID, token.org_id),
    )
