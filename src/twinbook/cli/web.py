"""`web`: serve the dashboard and the API in a process of their own."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from twinbook.cli.context import begin_settings, open_database
from twinbook.cli.following import Following
from twinbook.cli.terminal import say
from twinbook.logs import configure_logging
from twinbook.settings.in_force import InForce
from twinbook.store.database import Role

if TYPE_CHECKING:
    from twinbook.web.serving import Served


@click.command()
@click.pass_context
def web(ctx: click.Context) -> None:
    """Serve the dashboard and the API alone, until stopped.

    `twinbook run` serves them too, unless web.enabled is false. This one works on the
    store beside a running `twinbook run`.
    """
    in_force = begin_settings(ctx)
    configure_logging(in_force.settings.log)
    asyncio.run(_web(in_force))


async def _web(in_force: InForce) -> None:
    # The web framework takes half a second to import: only where it is used.
    from twinbook.web.serving import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    database = open_database(in_force.settings, Role.GUEST)
    following = Following(in_force, database)
    try:
        await following.begin()
        async with serve(database, in_force) as served, asyncio.TaskGroup() as group:
            group.create_task(following.run(stop))
            announce(served, in_force)
            await stop.wait()
    finally:
        database.close()


def announce(served: Served, in_force: InForce) -> None:
    """Say where the dashboard is, to the first administrator how to get in, and what is to be done first."""
    say(f"dashboard: {served.url}", err=True)
    if served.set_up_url:
        say(
            f"Nobody can sign in yet. Become the first administrator here, once: {served.set_up_url}",
            err=True,
        )
    if not in_force.finished.is_set():
        say(f"Nothing is synced yet: set up the connection at {served.url}/install", err=True)
