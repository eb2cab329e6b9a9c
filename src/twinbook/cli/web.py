"""`web`: serve the dashboard and the API in a process of their own."""

from __future__ import annotations

import asyncio
import signal

import click

from twinbook.cli.context import load_settings, open_database, settings_origin
from twinbook.cli.terminal import say
from twinbook.composition import configure_logging
from twinbook.settings import Settings
from twinbook.settings.revising import Origin
from twinbook.store.database import Role


@click.command()
@click.pass_context
def web(ctx: click.Context) -> None:
    """Serve the dashboard and the API alone, until stopped.

    `twinbook run` serves them too, unless web.enabled is false. This one works on the
    store beside a running `twinbook run`.
    """
    settings = load_settings(ctx)
    configure_logging(settings.log)
    asyncio.run(_web(settings, settings_origin(ctx)))


async def _web(settings: Settings, origin: Origin) -> None:
    # The web framework takes half a second to import: only where it is used.
    from twinbook.web.serving import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    database = open_database(settings, Role.GUEST)
    try:
        async with serve(database, settings, origin=origin) as served:
            announce(served.url, served.set_up_url)
            await stop.wait()
    finally:
        database.close()


def announce(url: str, set_up_url: str | None) -> None:
    """Say where the dashboard is, and to the first administrator how to get in."""
    say(f"dashboard: {url}", err=True)
    if set_up_url:
        say(f"Nobody can sign in yet. Become the first administrator here, once: {set_up_url}", err=True)
