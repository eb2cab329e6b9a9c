"""`run`: keep the connections in step until stopped."""

from __future__ import annotations

import asyncio
import signal

import click

from twinbook.cli.context import load_settings, open_database
from twinbook.cli.terminal import say
from twinbook.cli.web import announce
from twinbook.composition import configure_logging, connect
from twinbook.engine.clock import SystemClock
from twinbook.engine.running.supervisor import Supervisor, first_of
from twinbook.settings import ConnectionSettings, Settings
from twinbook.store.database import Database, Role, Store


@click.command()
@click.pass_context
def run(ctx: click.Context) -> None:
    """Keep Salesforce and NetSuite in step until stopped (Ctrl-C or SIGTERM ends it cleanly)."""
    settings = load_settings(ctx)
    configure_logging(settings.log)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    database = open_database(settings, Role.OWNER)
    try:
        async with asyncio.TaskGroup() as group:
            for name, connection in settings.connections.items():
                group.create_task(_keep_in_step(connection, Store(database, name), stop))
            if settings.web.enabled:
                group.create_task(_serve_dashboard(database, settings, stop))
    finally:
        database.close()


async def _serve_dashboard(database: Database, settings: Settings, stop: asyncio.Event) -> None:
    """The dashboard beside the engine. One that cannot be served does not keep contacts from being synced."""
    from twinbook.web.errors import CannotServeError
    from twinbook.web.serving import serve

    try:
        async with serve(database, settings) as served:
            announce(served.url, served.set_up_url)
            await stop.wait()
    except CannotServeError as error:
        say(f"{error} Contacts are kept in step without it.", err=True)


async def _keep_in_step(settings: ConnectionSettings, store: Store, stop: asyncio.Event) -> None:
    async with connect(settings, store, SystemClock()) as connection:
        supervisor = Supervisor(connection)
        running = asyncio.create_task(supervisor.run(stop.wait()))
        await first_of(supervisor.watches_all.wait(), running)
        say(f"{store.scope}: in step with Salesforce and NetSuite; stop with Ctrl-C", err=True)
        await running
