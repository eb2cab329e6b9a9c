"""Puts the sandbox together and starts it: one Salesforce org with its Pub/Sub API, one NetSuite account.

Used by the `sandbox` command, by the demo and by tests, in process or as a process of its own.
"""

import asyncio
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import Extras, control_routes
from twinbook_sandbox.core.orders import SeedOrder
from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.core.tls import TlsFiles, self_signed
from twinbook_sandbox.core.traffic import Latency, Traffic
from twinbook_sandbox.netsuite.account import NetSuiteAccount
from twinbook_sandbox.pages.netsuite import netsuite_pages
from twinbook_sandbox.pages.salesforce import salesforce_pages
from twinbook_sandbox.population import Dataset
from twinbook_sandbox.pubsub.bus import EventBus
from twinbook_sandbox.pubsub.server import PubSubServer
from twinbook_sandbox.salesforce.org import SalesforceOrg
from twinbook_sandbox.seed import Seeder

EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104 -- compared with, not bound to
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How to start a sandbox. Port 0 lets the system choose.

    `state` is a directory that keeps both systems, their credentials and the certificate over restarts; without
    one everything is in memory. `accounts` and `contacts` are the size of the data set that new systems get.
    """

    host: str = "127.0.0.1"
    salesforce_port: int = 0
    pubsub_port: int = 0
    netsuite_port: int = 0
    seed: int = 1
    accounts: int = 200
    contacts: int = 2000
    state: Path | None = None
    tls: bool = False
    latency_ms: float = 0.0


class Sandbox:
    """A running sandbox. Start it, or use it as an async context manager.

    `salesforce`, `netsuite`, `bus`, `clock` and the two traffics are for tests in the same process.
    """

    salesforce: SalesforceOrg
    netsuite: NetSuiteAccount
    bus: EventBus
    salesforce_traffic: Traffic
    netsuite_traffic: Traffic

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self.options = options or SandboxOptions()
        self.clock = Clock()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._tls: TlsFiles | None = None
        self._pubsub_port = 0
        self._servers: list[HttpServer] = []
        self._pubsub: PubSubServer | None = None
        self._seeding = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Serve all three ports. Raises `OSError` when a port is taken; nothing is left running then."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        options = self.options
        self._tls = self_signed(self._directory(), self._hosts()) if options.tls else None
        listeners = [bind(options.host, port) for port in (options.salesforce_port, options.netsuite_port)]
        self._build(*(self._url(listener) for listener in listeners))
        if not self.salesforce.count("Account") and not self.netsuite.count("customer"):
            await self._fill(Dataset(options.accounts, options.contacts, options.seed))
        # Events of the data set itself belong to the past: the bus begins after it. No two runs share replay ids
        # or event ids, or a client that outlives the sandbox would take new events for old ones.
        run = options.seed + int(self.clock.now().timestamp() * 1000)
        self.bus = EventBus(self.clock, self.salesforce.changes, self.salesforce.schema_of, run)
        self._pubsub = PubSubServer(self.bus, self.salesforce.check_token)
        self._pubsub_port = await self._pubsub.start(options.host, options.pubsub_port, self._tls)
        apps = (self._salesforce_app(), self._netsuite_app())
        for listener, app in zip(listeners, apps, strict=True):
            server = HttpServer(listener, app, self._tls)
            self._servers.append(server)
            await server.start()

    async def stop(self) -> None:
        """Close all ports; calls under way get a moment to end."""
        for traffic in (self.salesforce_traffic, self.netsuite_traffic):
            traffic.clear_faults()
        await asyncio.gather(*(server.stop() for server in self._servers))
        self._servers.clear()
        if self._pubsub is not None:
            await self._pubsub.stop()
            self._pubsub = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def describe(self) -> dict[str, Any]:
        """Addresses and credentials: what `twinbook sandbox --json` prints and `/_sandbox/describe` answers."""
        scheme = "https" if self._tls else "http"
        return {
            "sandbox": 1,
            "tls": self._tls is not None,
            "certificate": str(self._tls.certificate) if self._tls else None,
            "salesforce": {
                **_addresses(self.salesforce.base_url),
                "record_url": self.salesforce.base_url + "/ui/{type}/{id}",
                "credentials": self.salesforce.credentials(),
            },
            "pubsub": {
                "endpoint": f"{_public(self.options.host)}:{self._pubsub_port}",
                "url": f"{scheme}://{_public(self.options.host)}:{self._pubsub_port}",
                "tls": self._tls is not None,
            },
            "netsuite": {
                **_addresses(self.netsuite.base_url),
                "record_url": self.netsuite.base_url + "/ui/{type}/{id}",
                "credentials": self.netsuite.credentials(),
            },
        }

    async def seed(self, order: SeedOrder) -> dict[str, int]:
        """Empty both systems and fill them with a data set; returns the counts of what was made."""
        async with self._seeding:
            self.salesforce.reset()
            self.netsuite.reset()
            self.bus.reset()
            return await self._fill(Dataset(order.accounts, order.contacts, order.seed))

    async def _fill(self, dataset: Dataset) -> dict[str, int]:
        today = self.clock.now().date()
        return await Seeder(self.salesforce, self.netsuite, dataset, today).run()

    def _build(self, salesforce_url: str, netsuite_url: str) -> None:
        options = self.options
        self.salesforce = SalesforceOrg(
            self.clock, path=self._file("salesforce.sqlite"), seed=options.seed, base_url=salesforce_url
        )
        self.netsuite = NetSuiteAccount(
            self.clock, path=self._file("netsuite.sqlite"), seed=options.seed, base_url=netsuite_url
        )

    def _directory(self) -> Path:
        if self.options.state is not None:
            self.options.state.mkdir(parents=True, exist_ok=True)
            return self.options.state
        self._temporary = self._temporary or tempfile.TemporaryDirectory(prefix="twinbook-sandbox-")
        return Path(self._temporary.name)

    def _file(self, name: str) -> str | None:
        return str(self._directory() / name) if self.options.state is not None else None

    def _hosts(self) -> tuple[str, ...]:
        host = self.options.host
        return LOCAL_NAMES if host in (*LOCAL_NAMES, *EVERY_INTERFACE) else (*LOCAL_NAMES, host)

    def _url(self, listener: socket.socket) -> str:
        scheme = "https" if self.options.tls else "http"
        return f"{scheme}://{_public(self.options.host)}:{listener.getsockname()[1]}"


def _public(host: str) -> str:
    """The name by which programs on this machine reach a listening address."""
    name = "127.0.0.1" if host in EVERY_INTERFACE else host
    return f"[{name}]" if ":" in name else name


def _addresses(base_url: str) -> dict[str, str]:
    return {"base_url": base_url, "control_url": f"{base_url}/_sandbox", "pages_url": f"{base_url}/ui"}
