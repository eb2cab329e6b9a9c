"""Twinbook as its users run it, for scenario tests: a sandbox on real ports, settings made by `init`'s own code, and
either the engine in this process or the command line in another."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from twinbook.cli.context import open_database
from twinbook.composition import connect
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.engine.running.supervisor import Supervisor, first_of
from twinbook.packaged import folder
from twinbook.settings import load
from twinbook.settings.sandbox import from_sandbox
from twinbook.store import outcomes, runs
from twinbook.store.database import Role, Store
from twinbook.store.outcomes import Outcome
from twinbook.store.runs import RunKind
from twinbook_sandbox.client import SandboxClient
from twinbook_sandbox.launch import Sandbox, SandboxOptions

CHOSEN_TRANSPORT = os.environ.get("TWINBOOK_TEST_TRANSPORT")

NETSUITE_WRITES = [
    f"{record}.{verb}" for record in ("contact", "customer") for verb in ("post", "put", "patch", "delete")
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command of the command line answered."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return orjson.loads(self.out)


@dataclass(slots=True)
class Product:
    """An installation in a folder, connected with one sandbox."""

    directory: Path
    sandbox: Sandbox
    salesforce: SandboxClient
    netsuite: SandboxClient
    transport: str
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Where the store is, if it is a PostgreSQL database and not a file.
    store_url: str | None = None

    @property
    def config(self) -> Path:
        return self.directory / "twinbook.toml"

    def configure(self, table: str, **values: Any) -> None:
        """Settings of one table (`contacts`, `accounts` …) that differ from the defaults."""
        self.changed.setdefault(table, {}).update(values)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """A live connection of this process that owns the store; nothing runs yet."""
        settings = load(self.config, self.environment())
        database = open_database(settings, Role.WORKER)
        try:
            [(name, chosen)] = settings.connections.items()
            async with connect(chosen, Store(database, name), SystemClock()) as connection:
                yield connection
        finally:
            database.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Connection]:
        """`twinbook run` in this process, from the moment it watches."""
        async with self.connected() as connection:
            leave, supervisor = asyncio.Event(), Supervisor(connection)
            task = asyncio.create_task(supervisor.run(leave.wait()))
            try:
                await first_of(supervisor.watches_all.wait(), task)
                yield connection
            finally:
                leave.set()
                await task

    def environment(self) -> dict[str, str]:
        """The changed settings as environment variables, as an administrator would give them."""
        tables = {
            **self.changed,
            "netsuite": {"transport": self.transport, **self.changed.get("netsuite", {})},
        }
        changed = {
            f"TWINBOOK_CONNECTIONS__DEFAULT__{table}__{name}".upper(): _literal(value)
            for table, values in tables.items()
            for name, value in values.items()
        }
        # Tests run side by side, so each dashboard takes any port that is free.
        store = {"TWINBOOK_STORE__URL": self.store_url} if self.store_url else {}
        return {"TWINBOOK_WEB__PORT": "0", **store, **changed}

    async def command(self, *arguments: str, timeout: float = 120) -> Answer:
        """Run one command of the command line to its end."""
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), timeout)
        return Answer(process.returncode or 0, out.decode(), err.decode())

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "twinbook.cli",
            "--config",
            str(self.config),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environment(), "COLUMNS": "200"},
        )

    async def linked_account(self, name: str = "Acme") -> tuple[str, str]:
        """A Salesforce account that is linked with a NetSuite customer: both ids."""
        customer = await self.netsuite.insert("customer", {"companyName": name, "subsidiary": {"id": "1"}})
        return await self.salesforce.insert("Account", {"Name": name, "NetSuite_Id__c": customer}), customer

    async def contact(self, **fields: Any) -> str:
        return await self.salesforce.insert("Contact", fields)

    async def may_delete_in_netsuite(self) -> None:
        """Raise the integration's role as the guide says for those who let contacts be deleted."""
        held = (await self.netsuite.switches())["role_permissions"]
        await self.netsuite.set_switches(role_permissions={**held, "LIST_CONTACT": "FULL"})

    async def netsuite_writes(self) -> int:
        """How many writes reached NetSuite so far, over REST or through the RESTlet."""
        saved = self.sandbox.netsuite.scripts.calls
        return await self.netsuite.calls(NETSUITE_WRITES) + saved["record.save"] + saved["record.delete"]

    async def in_netsuite(self, contact: str) -> dict[str, Any] | None:
        """The NetSuite contact that carries this Salesforce id."""
        found = await self.netsuite.records("contact", {"custentity_twinbook_sf_id": contact})
        assert len(found) <= 1, f"{contact} has {len(found)} NetSuite contacts"
        return found[0] if found else None


async def outcome(connection: Connection, contact: str, entity: Entity = Entity.CONTACT) -> Outcome | None:
    key = Key(entity, Side.SALESFORCE, contact)
    return await connection.store.run(lambda tx: outcomes.find(tx, key))


async def has_reason(connection: Connection, contact: str, reason: str) -> bool:
    found = await outcome(connection, contact)
    return found is not None and found.reason == reason


async def backfill(
    connection: Connection, entities: tuple[Entity, ...] = (Entity.ACCOUNT, Entity.CONTACT)
) -> None:
    """A back-fill of a connection on which nothing else runs."""
    for entity in entities:
        await connection.store.run(
            lambda tx, entity=entity: runs.start(tx, RunKind.BACKFILL, entity, by="test", now=time.time())
        )

    async def done() -> None:
        await until(lambda: _no_runs(connection), timeout=300)

    await Supervisor(connection).run(done(), watch=())


async def until(reached: Callable[[], Awaitable[bool]], *, timeout: float = 20.0) -> float:
    """Look again and again until it is so; the seconds it took. Fails when it does not become so in time."""
    began = time.monotonic()
    while not await reached():
        assert time.monotonic() - began < timeout, f"not reached within {timeout} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


@asynccontextmanager
async def product(
    directory: Path, *, transport: str = CHOSEN_TRANSPORT or "rest", **options: Any
) -> AsyncIterator[Product]:
    """A sandbox, empty unless told otherwise, and an installation connected with it. With the transport `restlet`
    the package is deployed, and the integration holds the package's role and nothing more."""
    sandbox = Sandbox(SandboxOptions(**{"accounts": 0, "contacts": 0, **options}))
    async with sandbox:
        described = sandbox.describe()
        from_sandbox(described, directory)
        certificate = described["certificate"]
        async with (
            SandboxClient(described["salesforce"]["base_url"], certificate=certificate) as salesforce,
            SandboxClient(described["netsuite"]["base_url"], certificate=certificate) as netsuite,
        ):
            if transport == "restlet":
                package = str(folder("netsuite"))
                await netsuite.act("deploy_project", path=package, as_role="customrole_twinbook")
            yield Product(directory, sandbox, salesforce, netsuite, transport)


async def _no_runs(connection: Connection) -> bool:
    return not await connection.store.run(runs.unfinished)


def _literal(value: Any) -> str:
    return value if isinstance(value, str) else _toml(value)


def _toml(value: Any) -> str:
    """A value as it stands in TOML: what JSON writes, but for tables."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_toml(name)} = {_toml(item)}' for name, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return orjson.dumps(value).decode()
