"""Saying in the store that this process works on a connection, and with which version of the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from twinbook.engine.connection import Connection
from twinbook.store import processes
from twinbook.store.access import StoreUnavailableError
from twinbook.store.processes import SIGN_SECONDS, Process


@asynccontextmanager
async def at_work(connection: Connection, name: str, version: int | None) -> AsyncIterator[None]:
    """Signs of life while the block runs; `name` tells this process from others. A store that is away gets none."""
    store, clock = connection.store, connection.clock
    mine, calls = Process(name, version, clock.now()), connection.calls

    async def sign() -> None:
        now = clock.now()
        found = replace(mine, calls=calls.take_peak(), calls_limit=calls.limit) if calls else mine
        with suppress(StoreUnavailableError):
            await store.run(lambda tx: processes.sign(tx, found, now=now))

    async def go_on() -> None:
        while True:
            await clock.sleep(SIGN_SECONDS)
            await sign()

    await sign()
    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        with suppress(StoreUnavailableError):
            await store.run(lambda tx: processes.leave(tx, name))
