"""Carrying long work forward: step by step, for ever, with a pause where there is nothing to do or a system fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from twinbook.domain.errors import SideError
from twinbook.engine.connection import Connection

log = structlog.get_logger()

# The longest wait (seconds) before interrupted work is taken up again.
LONGEST_WAIT = 60.0


async def keep_stepping(connection: Connection, step: Callable[[], Awaitable[bool]], what: str) -> None:
    """Take one step after the other. A step says whether anything moved; its `SideError` is waited out."""
    failures = 0
    while True:
        try:
            moved = await step()
            failures = 0
        except SideError as error:
            wait = connection.backoff(error, failures, cap=LONGEST_WAIT)
            failures += 1
            log.warning(f"{what}-interrupted", connection=connection.name, code=error.code, wait=wait)
            await connection.clock.sleep(wait)
            continue
        if not moved:
            await connection.clock.sleep(connection.options.idle_seconds)
