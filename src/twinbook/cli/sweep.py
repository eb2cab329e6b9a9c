"""`sweep`: compare both systems from end to end. Resumable: how far it has come is in the store."""

from __future__ import annotations

import asyncio
import time

import click

from twinbook.cli.context import json_option, load_settings, open_store, person, print_json
from twinbook.cli.drift import print_lines, shown_line, summary_of
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.engine.running.supervisor import Supervisor
from twinbook.settings import Settings
from twinbook.store import drifts, flows, sweeps
from twinbook.store.database import Store, StoreBusyError, Tx
from twinbook.store.runs import RunState
from twinbook.store.sweeps import Sweep

LOOK_EVERY = 0.5
SHOWN = 50


@click.command()
@click.option(
    "--thorough", is_flag=True, help="Compare all values, also where versions say that nothing moved."
)
@click.option(
    "--report-only", is_flag=True, help="Only report what differs; `twinbook drift repair` puts it right."
)
@json_option
@click.pass_context
def sweep(ctx: click.Context, thorough: bool, report_only: bool, as_json: bool) -> None:
    """Compare all contacts of both systems, report what differs, and put it right.

    Stopped at any point, it goes on where it was when called again. While `twinbook run` runs, that process does the
    work and this command waits for it.
    """
    settings = load_settings(ctx)
    repairs = not report_only
    try:
        found = asyncio.run(_work(ctx, settings, thorough=thorough, repairs=repairs))
    except StoreBusyError:
        with open_store(ctx, settings) as store:
            run_id = _start(store, thorough=thorough, repairs=repairs)
            found = asyncio.run(_watch(store, run_id))
    with open_store(ctx, settings) as store:
        counts = store.read_now(lambda tx: drifts.tally(tx, found.run.id))
        lines = store.read_now(lambda tx: drifts.lines(tx, found.run.id, limit=1000 if as_json else SHOWN))
    if as_json:
        print_json({"sweep": summary_of(found, counts), "drift": [shown_line(line) for line in lines]})
    else:
        say(
            f"Compared {found.salesforce_listed} contacts of Salesforce with {found.netsuite_listed} of NetSuite."
        )
        print_lines(lines, counts)
        if found.stopped_why:
            say(f"Safety stop: {found.stopped_why}.", bold=True)
    if counts or found.stopped_why:
        ctx.exit(int(Exit.FOUND))


async def _work(ctx: click.Context, settings: Settings, *, thorough: bool, repairs: bool) -> Sweep:
    async with session(ctx, settings, owner=True) as connection:
        run_id = _start(connection.store, thorough=thorough, repairs=repairs)
        watching = asyncio.create_task(_watch(connection.store, run_id))
        await Supervisor(connection).run(watching, watch=())
        return watching.result()


def _start(store: Store, *, thorough: bool, repairs: bool) -> int:
    def begin(tx: Tx) -> int:
        flow = flows.state(tx)
        if flow.paused or flow.stopped:
            raise Problem(
                "The connection is held, and a sweep cannot tell what would come of its contacts. Go on with "
                "`twinbook resume` first.",
                Exit.FOUND,
            )
        return sweeps.start(tx, thorough=thorough, repairs=repairs, by=person(), now=time.time())

    return store.run_now(begin)


async def _watch(store: Store, run_id: int) -> Sweep:
    """Until the sweep is done; what holds it up while it compares is said."""
    while True:
        found, flow = await store.read(lambda tx: (sweeps.by_id(tx, run_id), flows.state(tx)))
        if found is None or found.run.state is RunState.DONE:
            break
        if flow.paused and found.run.state is RunState.LISTING:
            raise Problem("The connection was paused; the sweep goes on once it is resumed.", Exit.FOUND)
        await asyncio.sleep(LOOK_EVERY)
    assert found is not None  # noqa: S101 - it was just begun
    return found
