"""Several workers over PostgreSQL, against the SQLite file: throughput of a first sync, the share of NetSuite's limit
that is used, and how soon a killed worker is made good.

Without latency all processes, the emulated systems and PostgreSQL share two cores: it shows what the store costs, not
how far workers scale. With 300 ms a call and 5 calls at once the possible maximum is 16.7 contacts a second.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from figures import Table, publish, spread
from stage import Stage, stage

# The launcher of PostgreSQL belongs to the tests.
sys.path.append(str(Path(__file__).parents[1]))
from tests.postgres import Server, plain, server

LIMIT, RESERVED, SLOW_MS = 5, 1, 300
FAST_CONTACTS, SLOW_CONTACTS, KILLED_CONTACTS = 1_000, 150, 120
RUNS = 3
WORKERS = (1, 2, 4)
PATIENCE = 300.0
LAST_RUN = "SELECT started_at, finished_at FROM run WHERE entity = 'contact' ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Setup:
    """An SQLite file, or so many workers over PostgreSQL."""

    workers: int | None

    def __str__(self) -> str:
        return (
            "SQLite"
            if self.workers is None
            else f"PostgreSQL, {self.workers} worker{'s'[: self.workers > 1]}"
        )


async def main() -> None:
    setups = [Setup(None), *map(Setup, WORKERS)]
    with server() as running:
        fast = {
            str(setup): [await _first_sync(setup, running, FAST_CONTACTS, 0) for _ in range(RUNS)]
            for setup in setups
        }
        slow = {
            str(setup): [await _first_sync(setup, running, SLOW_CONTACTS, SLOW_MS) for _ in range(RUNS)]
            for setup in setups
        }
        recovery = [await _recovery(running) for _ in range(RUNS)]
    possible = LIMIT / SLOW_MS * 1000
    publish(
        "workers",
        [
            Table(
                f"A first sync of {FAST_CONTACTS:,} contacts without latency",
                ("store", "contacts/s"),
                tuple((name, spread(rates, 1)) for name, rates in fast.items()),
            ),
            Table(
                f"A first sync of {SLOW_CONTACTS} contacts with {SLOW_MS} ms a call, {LIMIT} calls at once",
                ("store", "contacts/s", "of the possible, %"),
                tuple(
                    (name, spread(rates, 1), spread([rate / possible * 100 for rate in rates]))
                    for name, rates in slow.items()
                ),
            ),
            Table(
                "Two workers, one killed (SIGKILL) in mid-work",
                ("until all contacts are in step, s",),
                ((spread(recovery, 1),),),
            ),
        ],
        {"fast": fast, "slow": slow, "recovery": recovery},
    )


async def _first_sync(setup: Setup, postgresql: Server, contacts: int, latency_ms: int) -> float:
    """Contacts a second, from the beginning of the run to its end as stored."""
    print(f"{setup}, {contacts:,} contacts, {latency_ms} ms …", file=sys.stderr)
    async with stage() as ready:
        await ready.netsuite.set_switches(concurrency_limit=LIMIT + RESERVED)
        await ready.people(contacts, accounts=contacts // 5)
        await ready.set_latency(latency_ms)
        if setup.workers is None:
            await ready.twinbook("backfill", "--json")
            with closing(sqlite3.connect(ready.store)) as store:
                [(began, ended)] = store.execute(LAST_RUN)
        else:
            began, ended = await _shared_sync(ready, postgresql, setup.workers)
        assert await ready.netsuite.count("contact") == contacts
        print(f"  {contacts / (ended - began):.1f} contacts/s", file=sys.stderr)
        return contacts / (ended - began)


async def _shared_sync(ready: Stage, postgresql: Server, workers: int) -> tuple[float, float]:
    url = postgresql.create_database()
    settings = {"TWINBOOK_STORE__URL": plain(url), "TWINBOOK_WEB__ENABLED": "false"}
    try:
        with (
            ready.running(settings, workers=workers),
            psycopg.connect(plain(url), autocommit=True) as database,
        ):
            await _all_take_part(database, workers)
            await ready.twinbook("backfill", "--json", settings=settings)
            [(began, ended)] = database.execute(LAST_RUN).fetchall()
            return began, ended
    finally:
        postgresql.drop_database(url)


async def _all_take_part(database: psycopg.Connection[tuple[object, ...]], workers: int) -> None:
    [(schema,)] = database.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'twinbook_jobs')"
    )
    count = f"SELECT count(*) FROM {schema}.procrastinate_workers"  # noqa: S608
    while database.execute(count).fetchall() != [(workers,)]:  # noqa: ASYNC110 - another process is looked at
        await asyncio.sleep(0.1)


async def _recovery(postgresql: Server) -> float:
    """Seconds from the kill of one of two busy workers until every contact is in NetSuite and nothing waits."""
    async with stage() as ready:
        url = postgresql.create_database()
        settings = {"TWINBOOK_STORE__URL": plain(url), "TWINBOOK_WEB__ENABLED": "false"}
        with (
            ready.running(settings, workers=2) as fleet,
            psycopg.connect(plain(url), autocommit=True) as database,
        ):
            await _all_take_part(database, 2)
            await ready.set_latency(100)
            await ready.people(KILLED_CONTACTS, accounts=20)
            while await ready.netsuite.count("contact") < KILLED_CONTACTS // 6:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            os.kill(_children(fleet.pid)[0], signal.SIGKILL)
            killed = time.monotonic()
            while await ready.netsuite.count("contact") < KILLED_CONTACTS or database.execute(
                "SELECT count(*) FROM dirty"
            ).fetchall() != [(0,)]:
                assert time.monotonic() - killed < PATIENCE
                await asyncio.sleep(0.05)
            took = time.monotonic() - killed
        postgresql.drop_database(url)
        print(f"  recovered in {took:.1f} s", file=sys.stderr)
        return took


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


if __name__ == "__main__":
    asyncio.run(main())
