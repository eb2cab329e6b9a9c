"""Serving the dashboard inside another program's event loop: `twinbook run`, or `twinbook web` by itself."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn

from twinbook.engine.connection import Connection
from twinbook.http import HttpSettings, HttpTransport
from twinbook.settings.in_force import InForce
from twinbook.settings.web import WebSettings
from twinbook.store.database import Database
from twinbook.web.access import people
from twinbook.web.access.secrets import Sealer
from twinbook.web.app import create_app
from twinbook.web.dashboard import Dashboard
from twinbook.web.errors import CannotServeError
from twinbook.web.examinations import Examine
from twinbook.web.settings.impacts import OpenConnection

BACKLOG = 128
STOP_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Served:
    """A dashboard that answers. `set_up_url` is a link for the first administrator, None once there is one."""

    url: str
    set_up_url: str | None


@asynccontextmanager
async def serve(
    database: Database,
    in_force: InForce,
    *,
    live: Mapping[str, Connection] | None = None,
    open_connection: OpenConnection | None = None,
    examine: Examine | None = None,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Served]:
    """The dashboard, while the block runs. Raises `CannotServeError` before anything is served.

    `live` are the connections that this process works on, by name; it may change meanwhile. `open_connection` logs in
    to try settings out, and `examine` checks them, where not as they say.
    """
    web = in_force.settings.web
    sealer = Sealer.from_file(web.key_file)
    async with HttpTransport(HttpSettings(), now) as http:
        with _listening(web) as listener:
            dashboard = Dashboard.over(
                database,
                in_force,
                sealer=sealer,
                now=now,
                http=http,
                live=live,
                open_connection=open_connection,
                examine=examine,
            )
            async with _answering(dashboard, listener) as served:
                yield served


@asynccontextmanager
async def _answering(dashboard: Dashboard, listener: socket.socket) -> AsyncIterator[Served]:
    settings, now = dashboard.settings.web, dashboard.now()
    server = _Server(_config(dashboard, settings))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        url = _url(settings, listener)
        token = await dashboard.write(lambda tx: people.set_up_token(tx, now=now))
        yield Served(url, f"{url}/set-up/{token}" if token else None)
    finally:
        dashboard.closing.set()
        server.should_exit = True
        await serving
        await dashboard.impacts.close()
        await dashboard.examinations.close()
        await dashboard.previews.close()
        await dashboard.corrections.close()


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: whoever runs the event loop decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(dashboard: Dashboard, settings: WebSettings) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(dashboard),
        log_config=None,
        # Faults are logged by the application, without what they quote of records.
        log_level="critical",
        # Addresses of callers and what they look at are nobody's business; the audit says what was changed.
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=500,
        lifespan="off",
    )


@contextmanager
def _listening(settings: WebSettings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotServeError(
            f"The dashboard cannot listen on {settings.host} port {settings.port} ({error.strerror or error}). "
            "Choose another port or host in [web], or set enabled to false there."
        ) from None
    with listener:
        yield listener


def _url(settings: WebSettings, listener: socket.socket) -> str:
    """Where people find it: with the port that the system gave, where any was asked for."""
    port: int = listener.getsockname()[1]
    return settings.model_copy(update={"port": port}).public_url
