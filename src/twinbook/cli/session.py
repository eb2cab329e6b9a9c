"""A live connection for one command: settings, store, both systems."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from twinbook.cli.context import choose_connection, open_store
from twinbook.composition import connect
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.logs import configure_logging
from twinbook.settings import Settings


@asynccontextmanager
async def session(
    ctx: click.Context, settings: Settings, *, owner: bool = False
) -> AsyncIterator[Connection]:
    """The chosen connection, with both systems logged in. As owner this process works on the store."""
    _, chosen = choose_connection(ctx, settings)
    configure_logging(settings.log)
    with open_store(ctx, settings, owner=owner) as store:
        async with connect(chosen, store, SystemClock()) as connection:
            yield connection
