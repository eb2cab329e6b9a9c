"""The two ways to see the demo: by hand, with dashboard and record pages open, or played and checked by itself."""

from __future__ import annotations

import asyncio
import contextlib
import time

from rich.console import Console
from rich.table import Table

from twinbook.cli.demo.narration import Narrator
from twinbook.cli.demo.scenario import Scenario
from twinbook.cli.demo.stage import Door, Stage, stage
from twinbook.engine.care import backfilling
from twinbook.engine.connection import ACCOUNTS, CONTACTS, Connection
from twinbook.store import runs
from twinbook.store.database import Tx

FIRST_SYNC_TIMEOUT = 600.0
TITLES = {"salesforce": "Salesforce", "netsuite": "NetSuite"}
GUIDE = """\
[bold]Try it[/bold] (every change arrives on the other side while you look):
  1. Salesforce, any account of the type Customer: add a contact with an email.  It appears in NetSuite.
  2. Edit its title, its phone, its email.  NetSuite follows; the email included, for ids are what ties them.
  3. Add a contact to an account of the type Prospect.  It waits: prospects never clutter NetSuite.
  4. On that account set an opportunity to Closed Won.  The customer is made, and all its contacts arrive.
  5. Open a contact in NetSuite: its Salesforce id stands on the Custom subtab.
  6. Delete a contact in Salesforce.  NetSuite keeps it; the link is closed.
  7. In the dashboard open any contact: both records side by side, whose value counts, and why."""


async def play_by_hand(*, accounts: int, contacts: int, latency_ms: int) -> bool:
    """Keep both systems in step and tell what happens, until interrupted."""
    console = Console()
    async with (
        stage(accounts=accounts, contacts=contacts, latency_ms=latency_ms) as set_up,
        set_up.in_step() as connection,
        set_up.dashboard(connection) as door,
    ):
        await _first_sync(connection, console)
        _print_addresses(set_up, door, console)
        console.print(GUIDE, soft_wrap=True)
        console.print("\nCtrl-C ends the demo. What happens from here on:\n")
        with contextlib.suppress(asyncio.CancelledError):
            await Narrator(set_up.store, console).follow()
    return True


async def play_once(*, accounts: int, contacts: int, latency_ms: int) -> bool:
    """Play the scenario, check each result at both ends, and print the table; whether all was as it should be."""
    console = Console()
    async with stage(accounts=accounts, contacts=contacts, latency_ms=latency_ms) as set_up:
        scenario = Scenario(set_up, console)
        async with set_up.in_step() as connection:
            await _first_sync(connection, console)
            narrator = Narrator(set_up.store, console)
            telling = asyncio.create_task(narrator.follow())
            try:
                await scenario.play()
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
                await narrator.look()
            async with set_up.dashboard(connection) as door:
                await scenario.visit_dashboard(door)
        async with set_up.in_step(scenario.with_role_filter):
            await scenario.play_role_filter()
    return scenario.report()


async def _first_sync(connection: Connection, console: Console) -> None:
    """The first sync of all contacts, as `twinbook backfill` does it."""
    began = time.monotonic()
    started = await connection.store.run(_start_runs)
    with console.status("First sync: linking, creating and updating contacts in NetSuite …"):
        while time.monotonic() - began < FIRST_SYNC_TIMEOUT:
            unfinished = await connection.store.read(runs.unfinished)
            if not unfinished:
                break
            await asyncio.sleep(0.1)
    counts = await connection.store.read(lambda tx: runs.counts(tx, started[-1:]))
    table = Table("contacts", "outcome", "reason", title=f"First sync, {time.monotonic() - began:.1f} s")
    for kind, reason, number in counts:
        table.add_row(str(number), kind.value, reason or "")
    console.print(table)


def _start_runs(tx: Tx) -> list[int]:
    return backfilling.begin(tx, (ACCOUNTS, CONTACTS), by="demo", now=time.time())


def _print_addresses(set_up: Stage, door: Door, console: Console) -> None:
    for name in TITLES:
        console.print(f"{TITLES[name]:<11} {set_up.description[name]['pages_url']}")
    console.print(f"{'Dashboard':<11} {door.url}")
    console.print(f"{'':<11} Come in as its administrator, once: {door.link}", soft_wrap=True)
    console.print()
