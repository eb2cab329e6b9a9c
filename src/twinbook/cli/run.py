"""`run`: keep the connections in step until stopped, in this process or in several."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import click

from twinbook.cli.context import begin_settings, open_database
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.fleet import Fleet
from twinbook.cli.following import Following
from twinbook.cli.terminal import say
from twinbook.cli.web import announce
from twinbook.cli.worker import keep_in_step, stop_signals
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.engine.running.keeper import either
from twinbook.logs import configure_logging
from twinbook.settings.in_force import InForce
from twinbook.store.database import Database, Role


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="So many processes on this machine; more than one need a PostgreSQL database (store.url).",
)
@click.pass_context
def run(ctx: click.Context, workers: int) -> None:
    """Keep Salesforce and NetSuite in step until stopped (Ctrl-C or SIGTERM ends it cleanly).

    A version of the settings that is saved in the dashboard takes effect meanwhile. Without a settings file, or as long
    as logins are missing in it, nothing is synced: the dashboard leads through the set-up.

    With several workers, one that dies is started again, and SIGHUP starts all of them anew, one after the other.
    """
    in_force = begin_settings(ctx)
    settings = in_force.settings
    if workers > 1 and settings.store.url is None:
        raise Problem(
            "Several workers need a PostgreSQL database: set store.url instead of store.path.", Exit.USAGE
        )
    configure_logging(settings.log)
    if workers == 1:
        asyncio.run(_run_here(in_force))
        return
    config = str(ctx.find_root().obj["config"])
    command = [sys.executable, "-m", "twinbook.cli", "--config", config, "worker", "--end-with-input"]
    asyncio.run(_run_fleet(in_force, Fleet(command, workers)))


async def _run_here(in_force: InForce) -> None:
    async def dashboard(database: Database, live: Mapping[str, Connection], stop: asyncio.Event) -> None:
        await _serve_dashboard(database, in_force, stop, live)

    beside = dashboard if in_force.settings.web.enabled else None
    await keep_in_step(in_force, SystemClock(), stop_signals(), beside=beside)


async def _run_fleet(in_force: InForce, fleet: Fleet) -> None:
    """The workers in processes of their own, as soon as there is something to work on; the dashboard in this one."""
    stop = stop_signals(fleet.kill)()
    database = await asyncio.to_thread(open_database, in_force.settings, Role.GUEST)
    following = Following(in_force, database)
    try:
        await following.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(following.run(stop))
            if in_force.settings.web.enabled:
                group.create_task(_serve_dashboard(database, in_force, stop))
            await either(in_force.finished.wait(), stop.wait())
            await fleet.run(stop)
    finally:
        database.close()


async def _serve_dashboard(
    database: Database,
    in_force: InForce,
    stop: asyncio.Event,
    live: Mapping[str, Connection] | None = None,
) -> None:
    """The dashboard beside the engine. One that cannot be served does not keep contacts from being synced."""
    from twinbook.web.errors import CannotServeError
    from twinbook.web.serving import serve

    try:
        async with serve(database, in_force, live=live) as served:
            announce(served, in_force)
            await stop.wait()
    except CannotServeError as error:
        say(f"{error} Contacts are kept in step without it.", err=True)
