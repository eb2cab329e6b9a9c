"""The demo's stage: the emulated systems in a process of their own, and Twinbook connected with them."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from twinbook.cli.context import open_database
from twinbook.cli.courier import carry_messages
from twinbook.cli.exits import Exit, Problem
from twinbook.composition import connect
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.engine.running.presence import at_work
from twinbook.engine.running.supervisor import Supervisor, first_of
from twinbook.logs import configure_logging
from twinbook.packaged import folder
from twinbook.settings import ConnectionSettings, Settings, load
from twinbook.settings.in_force import InForce
from twinbook.settings.model import LogSettings
from twinbook.settings.sandbox import from_sandbox
from twinbook.store.database import Database, Role, Store
from twinbook_sandbox.client import SandboxClient

START_TIMEOUT = 120.0
STOP_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Door:
    """Where the dashboard is, and the link that lets its first visitor in as administrator, once."""

    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The emulated systems with somebody who acts on each, and the settings and store to connect with them."""

    description: dict[str, Any]
    salesforce: SandboxClient
    netsuite: SandboxClient
    installation: Settings
    database: Database
    store: Store

    @property
    def settings(self) -> ConnectionSettings:
        return self.installation.connections[self.store.scope]

    @asynccontextmanager
    async def in_step(
        self, change: Callable[[ConnectionSettings], ConnectionSettings] = lambda settings: settings
    ) -> AsyncIterator[Connection]:
        """Twinbook at work, with changed settings if wanted, while the block runs."""
        async with (
            connect(change(self.settings), self.store, SystemClock()) as connection,
            at_work(connection, "demo", None),
        ):
            leave = asyncio.Event()
            supervisor = Supervisor(connection)
            running = asyncio.create_task(supervisor.run(leave.wait()))
            try:
                await first_of(supervisor.watches_all.wait(), running)
                yield connection
            finally:
                leave.set()
                await running

    @asynccontextmanager
    async def dashboard(self, connection: Connection) -> AsyncIterator[Door]:
        """The dashboard over this store, beside the connection at work, while the block runs."""
        # The web framework takes half a second to import: only where it is used.
        from twinbook.web.access.people import demo_token
        from twinbook.web.serving import serve

        web = self.installation.web.model_copy(update={"port": 0})
        settings = self.installation.model_copy(update={"web": web})
        token = await self.store.run(lambda tx: demo_token(tx, now=time.time()))
        async with serve(self.database, InForce(settings), live={connection.name: connection}) as served:
            leave = asyncio.Event()
            carrying = asyncio.create_task(carry_messages(self.database, settings, leave))
            try:
                yield Door(served.url, f"{served.url}/welcome/{token}")
            finally:
                leave.set()
                await carrying


@asynccontextmanager
async def stage(*, accounts: int, contacts: int, latency_ms: int) -> AsyncIterator[Stage]:
    """Start the emulated systems and prepare everything to connect with them; all of it is gone afterwards."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinbook-demo-")))
        description = await stack.enter_async_context(
            _sandbox(
                *("--accounts", str(accounts), "--contacts", str(contacts), "--latency-ms", str(latency_ms)),
                *("--netsuite-project", str(folder("netsuite"))),
            )
        )
        configure_logging(LogSettings(level="error"))
        settings = load(from_sandbox(description, directory)[0], {})
        database = open_database(settings, Role.WORKER)
        stack.callback(database.close)
        [name] = settings.connections
        yield Stage(
            description,
            await stack.enter_async_context(SandboxClient(description["salesforce"]["base_url"])),
            await stack.enter_async_context(SandboxClient(description["netsuite"]["base_url"])),
            settings,
            database,
            Store(database, name),
        )


@asynccontextmanager
async def _sandbox(*options: str) -> AsyncIterator[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "twinbook_sandbox", "--json", *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT)
        if not line:
            raise Problem("The emulated systems did not start; their message stands above.", Exit.SYSTEM)
        yield orjson.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
            except TimeoutError:
                process.kill()
                await process.wait()
