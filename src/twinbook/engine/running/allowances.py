"""Watching what is left of Salesforce's daily allowances, also while nothing else is called: resting work goes on only
because somebody looks again.
"""

from __future__ import annotations

import structlog

from twinbook.domain.errors import SideError
from twinbook.engine import budget
from twinbook.engine.connection import Connection
from twinbook.store import conditions

log = structlog.get_logger()

# Seconds between two looks.
LOOK_EVERY = 300.0


class AllowanceWatch:
    """Looks at the allowances of one connection now and then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told: str | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await self._connection.clock.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Ask, store for people who look, and tell what changed. An org that does not answer is asked again later."""
        connection = self._connection
        try:
            found = await connection.salesforce.allowances()
        except SideError as error:
            log.info("allowances-unknown", connection=connection.name, code=error.code)
            return
        now = connection.clock.now()
        await connection.store.run(lambda tx: conditions.allow(tx, found, now=now))
        self._tell(budget.notice(connection.salesforce.usage, connection.options.reserve_percent))

    def _tell(self, notice: str | None) -> None:
        if notice is not None and self._told is None:
            log.warning("requests-are-short", connection=self._connection.name, notice=notice)
        elif notice is None and self._told is not None:
            log.info("requests-suffice-again", connection=self._connection.name)
            self._connection.wake.ring()
        self._told = notice
