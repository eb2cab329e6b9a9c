"""Holding one pair while a person writes to it beside the running engine: no lane works on its account meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twinbook.domain.errors import TemporaryError
from twinbook.domain.records import Key
from twinbook.engine.connection import Connection
from twinbook.store import dirty_keys

# A lane that works on the same account is waited for so often, so long (seconds) each time.
TRIES = 20
PAUSE = 0.25


@asynccontextmanager
async def held(connection: Connection, key: Key, *, cause: str) -> AsyncIterator[None]:
    """The pair, for the block alone; afterwards it is looked at again.

    Raises `TemporaryError` where a lane does not let go of it, or where the block outlasts the lease.
    """
    token, clock = connection.new_token(), connection.clock
    seconds = connection.options.lease_seconds

    async def take() -> bool:
        now = clock.now()
        return await connection.store.run(
            lambda tx: dirty_keys.hold(tx, key, token=token, cause=cause, now=now, lease_until=now + seconds)
        )

    for _ in range(TRIES):
        if await take():
            break
        await clock.sleep(PAUSE)
    else:
        raise TemporaryError("BUSY", "Twinbook is working on this account just now. Try again in a moment")
    try:
        async with asyncio.timeout(seconds / 2):
            yield
    except TimeoutError:
        raise TemporaryError(
            "TIMEOUT", "the systems took too long to answer; look before trying again"
        ) from None
    finally:
        await connection.store.run(lambda tx: dirty_keys.let_go(tx, token=token))
        connection.wake.ring()
