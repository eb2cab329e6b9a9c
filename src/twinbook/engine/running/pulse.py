"""The engine's sense of time: rings the bell when a key becomes due or another process marked one, and notices when
the machine's clock is set back.

One look at the queue serves all lanes, so that an idle engine costs next to nothing.
"""

from __future__ import annotations

import structlog

from twinbook.engine.connection import Connection
from twinbook.store import dirty_keys

log = structlog.get_logger()

# The wall clock may lag behind the monotonic one by so much (seconds) before it counts as set back.
SLACK = 1.0


class Pulse:
    """Beats every `idle_seconds`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(self) -> None:
        """For ever."""
        clock = self._connection.clock
        offset = clock.now() - clock.monotonic()
        while True:
            await clock.sleep(self._connection.options.idle_seconds)
            moved = clock.now() - clock.monotonic() - offset
            offset += moved
            if moved < -SLACK:
                await self._set_back(-moved)
            due = await self._connection.store.read(dirty_keys.next_due)
            if due is not None and due <= clock.now():
                self._connection.wake.ring()

    async def _set_back(self, seconds: float) -> None:
        """What is due by the old time is due by the new one, and not hours later."""
        log.warning("clock-set-back", connection=self._connection.name, seconds=round(seconds))
        await self._connection.store.run(lambda tx: dirty_keys.hasten(tx, by=seconds))
