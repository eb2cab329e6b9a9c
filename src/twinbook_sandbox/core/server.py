"""HTTP servers that share the running event loop, on ports that are known before the apps are built."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from twinbook_sandbox.core.tls import TlsFiles
from twinbook_sandbox.core.traffic import ABORT_KEY

GRACE_S = 1.0
"""How long calls under way may take to end when the server stops."""
START_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 75


class AbortableProtocol(H11Protocol):
    """HTTP/1.1 that lets an app cut its connection without an answer, through ``scope["state"]``."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, ABORT_KEY: self._abort}, _loop)

    def _abort(self) -> None:
        self.transport.abort()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process: several servers share it."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening address, not served yet. Port 0 lets the system choose; ask the socket for its number."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


class HttpServer:
    """One app on one bound socket, in plain text or with TLS."""

    def __init__(self, listener: socket.socket, app: ASGIApp, tls: TlsFiles | None = None) -> None:
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                app,
                http=AbortableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(GRACE_S),
                ssl_certfile=str(tls.certificate) if tls else None,
                ssl_keyfile=str(tls.key) if tls else None,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it serves, or will serve."""
        number: int = self._listener.getsockname()[1]
        return number

    async def start(self) -> None:
        """Serve; returns when connections are accepted."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        async with asyncio.timeout(START_TIMEOUT_S):
            while not self._server.started:
                if self._serving.done():
                    self._serving.result()
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Take no more calls, give those under way a moment, then close."""
        if self._serving is None:
            self._listener.close()
            return
        self._server.should_exit = True
        await self._serving
        self._serving = None


async def until_signal() -> signal.Signals:
    """Wait for SIGTERM or SIGINT. Only in the main thread."""
    loop = asyncio.get_running_loop()
    received: asyncio.Future[signal.Signals] = loop.create_future()

    def take(number: signal.Signals) -> None:
        if not received.done():
            received.set_result(number)

    watched = (signal.SIGTERM, signal.SIGINT)
    for number in watched:
        loop.add_signal_handler(number, take, number)
    try:
        return await received
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
