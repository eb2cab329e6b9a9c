"""Puts the sandbox together and starts it: one Salesforce org with its Pub/Sub API, one NetSuite account.

Used by the `sandbox` command, by the demo and by tests, in process or as a process of its own.
"""

import asyncio
import socket
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

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
from twinbook_sandbox.salesforce.http import refusal as salesforce_refusal
from twinbook_sandbox.salesforce.org import SalesforceOrg
from twinbook_sandbox.seed import Seeder

EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104 -- compared with, not bound to
FILLED_MARK = "data-set-is-complete"
"""Name of the empty file in a state directory that says that the data set needs no more writing."""
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How to start a sandbox. Port 0 lets the system choose.

    `state` is a directory that keeps both systems, their credentials and the certificate over restarts; without
    one everything is in memory. `accounts` and `contacts` are the size of the data set that new systems get.
    `netsuite_project` is the folder of an SDF project that is deployed in the NetSuite account at each start.
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
    netsuite_project: Path | None = None


class Sandbox:
    """A running sandbox. Start it, or use it as an async context manager.

    Between start and stop, tests in the same process may use `salesforce`, `netsuite`, `bus`, `clock` and the two
    traffics directly.
    """

    salesforce: SalesforceOrg
    netsuite: NetSuiteAccount
    bus: EventBus
    salesforce_traffic: Traffic
    netsuite_traffic: Traffic
    salesforce_url: str
    netsuite_url: str

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self.options = options or SandboxOptions()
        self.clock = Clock()
        self._tls: TlsFiles | None = None
        self._pubsub_port = 0
        self._seeding = asyncio.Lock()
        self._to_undo = AsyncExitStack()

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

    async def stop(self) -> None:
        """Close all ports, then the systems; calls under way get a moment to end."""
        await self._to_undo.aclose()

    async def _start(self) -> None:
        options = self.options
        self._tls = self_signed(self._directory(), self._hosts()) if options.tls else None
        listeners = [self._listener(port) for port in (options.salesforce_port, options.netsuite_port)]
        self.salesforce_url, self.netsuite_url = map(self._url, listeners)
        self._open_systems()
        await self._fill_new_systems()
        self._deploy()
        await self._start_pubsub()
        for listener, app in zip(listeners, (self._salesforce_app(), self._netsuite_app()), strict=True):
            server = HttpServer(listener, app, self._tls)
            self._to_undo.push_async_callback(server.stop)
            await server.start()
        # What is undone first: calls that hang by a fault would hold up the servers.
        for traffic in (self.salesforce_traffic, self.netsuite_traffic):
            self._to_undo.callback(traffic.clear_faults)

    def _open_systems(self) -> None:
        seed = self.options.seed
        self.salesforce = SalesforceOrg(
            self.clock, path=self._file("salesforce.sqlite"), seed=seed, base_url=self.salesforce_url
        )
        self._to_undo.callback(self.salesforce.close)
        self.netsuite = NetSuiteAccount(
            self.clock, path=self._file("netsuite.sqlite"), seed=seed, base_url=self.netsuite_url
        )
        self._to_undo.callback(self.netsuite.close)
        self._to_undo.push_async_callback(self.netsuite.scripts.stop)

    def _deploy(self) -> None:
        """What is deployed lives in memory, as the sandbox's own, but for the fields: those stand in the data."""
        if self.options.netsuite_project is not None:
            self.netsuite.scripts.deploy(self.options.netsuite_project)

    async def _fill_new_systems(self) -> None:
        # The mark comes last: a sandbox that was killed while it wrote the data set begins anew.
        mark = self.options.state / FILLED_MARK if self.options.state is not None else None
        if mark is not None and mark.exists():
            return
        self.salesforce.reset()
        self.netsuite.reset()
        await self._fill(Dataset(self.options.accounts, self.options.contacts, self.options.seed))
        if mark is not None:
            mark.touch()

    async def _start_pubsub(self) -> None:
        # Events of the data set itself belong to the past: the bus begins after it. No two runs share replay ids
        # or event ids, or a client that outlives the sandbox would take new events for old ones.
        run = self.options.seed + int(self.clock.now().timestamp() * 1000)
        org = self.salesforce
        self.bus = EventBus(self.clock, org.changes, org.schema_of, run, org.hidden_fields)
        server = PubSubServer(self.bus, self.salesforce.check_token)
        self._pubsub_port = await server.start(self.options.host, self.options.pubsub_port, self._tls)
        self._to_undo.push_async_callback(server.stop)

    def _salesforce_app(self) -> ASGIApp:
        org = self.salesforce
        self.salesforce_traffic = Traffic(self.clock, org.classify, refusal=salesforce_refusal)
        extras = Extras(self.bus.actions(), (self.bus.switches,), self.seed, self.describe)
        control = control_routes(org, self.salesforce_traffic, self.clock, extras)
        return self._app(self.salesforce_traffic, [*org.routes(), *control, *salesforce_pages(org)])

    def _netsuite_app(self) -> ASGIApp:
        account = self.netsuite
        self.netsuite_traffic = account.traffic()
        extras = Extras(seed=self.seed, describe=self.describe)
        control = control_routes(account, self.netsuite_traffic, self.clock, extras)
        return self._app(self.netsuite_traffic, [*account.routes(), *control, *netsuite_pages(account)])

    def _app(self, traffic: Traffic, routes: list[BaseRoute]) -> ASGIApp:
        traffic.latency = Latency(self.options.latency_ms)
        return traffic.wrap(Starlette(routes=routes))

    def describe(self) -> dict[str, Any]:
        """Addresses and credentials: what `twinbook sandbox --json` prints and `/_sandbox/describe` answers."""
        scheme = "https" if self._tls else "http"
        return {
            "sandbox": 1,
            "tls": self._tls is not None,
            "certificate": str(self._tls.certificate) if self._tls else None,
            "salesforce": {
                **_addresses(self.salesforce_url),
                "credentials": self.salesforce.credentials(),
            },
            "pubsub": {
                "endpoint": f"{_public(self.options.host)}:{self._pubsub_port}",
                "url": f"{scheme}://{_public(self.options.host)}:{self._pubsub_port}",
                "tls": self._tls is not None,
            },
            "netsuite": {
                **_addresses(self.netsuite_url),
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

    def _listener(self, port: int) -> socket.socket:
        listener = bind(self.options.host, port)
        self._to_undo.callback(listener.close)
        return listener

    def _directory(self) -> Path:
        if self.options.state is not None:
            self.options.state.mkdir(parents=True, exist_ok=True)
            return self.options.state
        return Path(self._to_undo.enter_context(tempfile.TemporaryDirectory(prefix="twinbook-sandbox-")))

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
    return {
        "base_url": base_url,
        "control_url": f"{base_url}/_sandbox",
        "pages_url": f"{base_url}/ui",
        "record_url": base_url + "/ui/{type}/{id}",
    }
