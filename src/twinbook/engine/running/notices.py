"""Telling people who look from outside what a side says of itself, such as that NetSuite is reached another way."""

from __future__ import annotations

from twinbook.engine.connection import Connection
from twinbook.store import conditions

# Seconds between two looks.
LOOK_EVERY = 10.0

NETSUITE_REACHED_OTHERWISE = "NETSUITE_REACHED_OTHERWISE"


class NoticeWatch:
    """Keeps what the NetSuite side tells in the condition of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told = False

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._connection.clock.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Store the notice, again and again while it lasts: whoever notes a condition forgets it."""
        notice = self._connection.netsuite.notice
        if notice is None and not self._told:
            return
        code = NETSUITE_REACHED_OTHERWISE if notice else None
        await self._connection.store.run(lambda tx: conditions.remark(tx, code, notice or ""))
        self._told = notice is not None
