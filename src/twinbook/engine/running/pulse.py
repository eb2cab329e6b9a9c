"""The engine's sense of time: rings the bell when a key becomes due or another process marked one, frees what lanes
held whose lease has run out, and notices when the machine's clock is set back.

One look at the queue serves all lanes, so that an idle engine costs next to nothing.
"""

from __future__ import annotations

import structlog

from twinbook.engine.connection import Connection
from twinbook.store import dirty_keys
from twinbook.store.database import Tx

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
            due, expired = await self._connection.store.read(self._look)
            if expired:
                await self._free()
            if due or expired:
                self._connection.wake.ring()

    def _look(self, tx: Tx) -> tuple[bool, bool]:
        """Whether a key is due, and whether a lease has run out."""
        now = self._connection.clock.now()
        due = dirty_keys.next_due(tx)
        return due is not None and due <= now, dirty_keys.any_expired(tx, now=now)

    async def _free(self) -> None:
        now = self._connection.clock.now()
        freed = await self._connection.store.run(lambda tx: dirty_keys.release_claims(tx, expired_at=now))
        log.warning("leases-ran-out", connection=self._connection.name, keys=freed)

    async def _set_back(self, seconds: float) -> None:
        """What is due by the old time is due by the new one, and not hours later."""
        log.warning("clock-set-back", connection=self._connection.name, seconds=round(seconds))
        await self._connection.store.run(lambda tx: dirty_keys.hasten(tx, by=seconds))
