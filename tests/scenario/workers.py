"""Workers as real processes over one PostgreSQL database and one sandbox, and what may be done to them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa
from tests.postgres import Server, plain
from tests.scenario.product import Product

from twinbook.store import dirty_keys
from twinbook.store.database import Database, Role, Store
from twinbook.store.schema import outcome

WORKER = ("-m", "twinbook.cli")
# The same, with a clock and a lease of the test's choice.
PROGRAM = (str(Path(__file__).parent / "worker_program.py"),)
READY_SECONDS = 60


@dataclass(slots=True)
class Worker:
    """One process. Its log is a file, so that nothing holds it up."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM, *, within: float = 15) -> int:
        """The exit code."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), within)

    def said(self) -> str:
        return self.log.read_text()


@dataclass(slots=True)
class Cluster:
    """All workers of an installation, and its database."""

    product: Product
    server: Server
    url: sa.URL
    database: Database
    workers: list[Worker] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.database, "default")

    async def start(
        self, *arguments: str, program: Sequence[str] = WORKER, waits: bool = True, **environment: str
    ) -> Worker:
        """Start a process and wait until it takes part, where it says so."""
        log = self.product.directory / f"worker-{len(self.workers) + 1}.log"
        with log.open("w") as to:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                "--config",
                str(self.product.config),
                *(arguments or ("worker",)),
                stdout=asyncio.subprocess.PIPE,
                stderr=to,
                env={**os.environ, **self.product.environment(), **environment},
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        if not waits:
            return worker
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
        assert line == b"ready\n", worker.said()
        return worker

    def cut_connections(self) -> int:
        """End all sessions of the database but those of this test; how many."""
        with psycopg.connect(plain(self.url), autocommit=True) as connection:
            [number] = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid()"
            ).fetchone() or (0,)
        return int(number)

    async def looked_at(self) -> list[float]:
        """When each record was looked at last (epoch seconds)."""
        return await self.store.read(lambda tx: [row.looked_at for row in tx.execute(sa.select(outcome))])

    async def is_idle(self) -> bool:
        depth = await self.store.read(lambda tx: dirty_keys.depth(tx, now=0.0))
        return depth.due + depth.later + depth.claimed == 0


@asynccontextmanager
async def cluster(product: Product, server: Server) -> AsyncIterator[Cluster]:
    """An empty database for the product; workers that are left are killed at the end."""
    url = server.create_database()
    product.store_url = url.render_as_string(hide_password=False)
    made = Cluster(product, server, url, Database.open_url(url, Role.GUEST))
    try:
        yield made
    finally:
        for worker in made.workers:
            if worker.process.returncode is None:
                worker.send(signal.SIGKILL)
                await worker.process.wait()
        made.database.close()
        server.drop_database(url)
