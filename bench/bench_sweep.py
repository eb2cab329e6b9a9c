"""What a sweep over contacts that are all in step costs: processor time of Twinbook a contact, calls, and memory.

The two systems are `bench/crowd.py`, a process of its own, so that a million contacts are made in no time; Twinbook's
clients, their protocols, and a store on disk are the real ones. `ARGS` are numbers of contacts:

    make bench … or   .venv/bin/python bench/bench_sweep.py 100000 1000000
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from crowd import VERSION_NETSUITE, VERSION_SALESFORCE, netsuite_id, salesforce_id
from figures import RECORD, Table, peak_mb, publish
from twinbook.domain.ids import contact_key
from twinbook.domain.mapping import default_mapping
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.records import LinkState
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.engine.running.sweep.sweeper import Sweeper
from twinbook.http import HttpSettings, HttpTransport
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.permits import calling_at
from twinbook.netsuite.side import NetSuiteSide
from twinbook.salesforce.auth import ClientCredentials, TokenProvider
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.side import SalesforceSide
from twinbook.store import sweeps
from twinbook.store.database import Database, Role, Store, Tx
from twinbook.store.schema import link

DEFAULT = (20_000, 100_000)
BY_PAGES = 10**9
"""A number of contacts from which no list of this benchmark would come by the Bulk API."""
AT_ONCE = 10_000
GOAL_MS = 0.05
AGREED = {row.key: f"value of {row.key}" for row in default_mapping().rows}


@dataclass(frozen=True, slots=True)
class Swept:
    contacts: int
    way: str
    seconds: float
    cpu_seconds: float
    calls: int
    memory_before_mb: float
    peak_mb: float

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds * 1000 / self.contacts


class Anybody:
    """Signs nothing: the crowd lets everybody in."""

    async def authorization(self, method: str, url: str) -> str:
        return "Bearer t"

    def renewable(self, refused: str) -> bool:
        return False


def main() -> None:
    """Each sweep runs in a process of its own, so that the peak of its memory is its own."""
    if sys.argv[1:2] == ["one"]:
        print(asyncio.run(_sweep(int(sys.argv[2]), sys.argv[3])))
        return
    numbers = [int(text) for text in sys.argv[1:] if text != RECORD] or list(DEFAULT)
    found = [_apart(number, way) for number in numbers for way in ("bulk", "pages")]
    rows = [
        (
            f"{each.contacts:,}",
            each.way,
            f"{each.seconds:,.1f}",
            f"{each.cpu_ms:.4f}",
            f"{GOAL_MS}",
            f"{each.calls:,}",
            f"{each.memory_before_mb:.0f}",
            f"{each.peak_mb:.0f}",
        )
        for each in found
    ]
    columns = (
        "contacts",
        "Salesforce's list",
        "s",
        "CPU ms a contact",
        "goal",
        "calls",
        "MB before",
        "MB peak",
    )
    publish(
        "sweep", [Table("A sweep that finds nothing", columns, tuple(rows))], [asdict(each) for each in found]
    )


def _apart(number: int, way: str) -> Swept:
    print(f"{number:,} contacts, {way} …", file=sys.stderr)
    command = [sys.executable, __file__, "one", str(number), way]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    seconds, cpu, calls, before, peak = done.stdout.split()
    return Swept(number, way, float(seconds), float(cpu), int(calls), float(before), float(peak))


async def _sweep(number: int, way: str) -> str:
    async with _connected(number, way) as (connection, http, url):
        sweeper = Sweeper(connection)
        run_id = await connection.store.run(
            lambda tx: sweeps.start(tx, thorough=False, repairs=True, by="bench", now=time.time())
        )
        before, began, cpu = peak_mb(), time.perf_counter(), time.process_time()
        while await sweeper.step():
            pass
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        found = await connection.store.read(lambda tx: sweeps.by_id(tx, run_id))
        assert found is not None and found.run.finished_at is not None
        assert (found.salesforce_listed, found.netsuite_listed, found.compared) == (number, number, 0)
        calls = (await http.request("GET", f"{url}/calls")).json()["calls"]
        return f"{seconds} {cpu} {calls} {before} {peak_mb()}"


@asynccontextmanager
async def _connected(number: int, way: str) -> AsyncIterator[tuple[Connection, HttpTransport, str]]:
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinbook-bench-")))
        database = Database.open_file(directory / "twinbook.db", Role.OWNER)
        stack.callback(database.close)
        store = Store(database, "default")
        for start in range(0, number, AT_ONCE):
            store.run_now(lambda tx, start=start: _link(tx, range(start, min(number, start + AT_ONCE))))
        url = stack.enter_context(_crowd(number))
        http = await stack.enter_async_context(HttpTransport(HttpSettings(), time.time))
        config = SalesforceConfig(bulk_from=1 if way == "bulk" else BY_PAGES)
        tokens = TokenProvider(http, url, ClientCredentials("key", "secret"), time.time)
        netsuite = NetSuiteConfig(account_id="1234567", base_url=url)
        yield (
            Connection(
                salesforce=SalesforceSide(http, tokens, config, time.time),
                netsuite=NetSuiteSide.over(http, Anybody(), netsuite, monotonic=time.monotonic),
                store=store,
                contacts=ContactPolicy(default_mapping()),
                accounts=AccountPolicy(),
                clock=SystemClock(),
                urgency=calling_at,
            ),
            http,
            url,
        )


def _link(tx: Tx, numbers: range) -> None:
    """Pairs in step, each with the memory of a whole map."""
    tx.execute(
        link.insert(),
        [
            {
                "scope": tx.scope,
                "entity": "contact",
                "salesforce_id": salesforce_id(n),
                "netsuite_id": netsuite_id(n),
                "state": LinkState.LINKED,
                "correlation_id": contact_key(salesforce_id(n)),
                "agreed": AGREED,
                "salesforce_version": VERSION_SALESFORCE,
                "netsuite_version": VERSION_NETSUITE,
                "created_at": 0.0,
                "updated_at": 0.0,
            }
            for n in numbers
        ],
    )


@contextmanager
def _crowd(number: int) -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).with_name("crowd.py")), str(number)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
