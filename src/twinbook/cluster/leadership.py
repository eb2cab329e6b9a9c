"""Duties that exactly one worker has at a time, and that another one takes over within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from twinbook.cluster.session import Session, SessionLostError
from twinbook.store.database import StoreUnavailableError
from twinbook.store.locks import LOCKS, lock_key

log = structlog.get_logger()

# Between two tries to become the leader (seconds).
TRY_SECONDS: Final = 1.0


class Leadership:
    """The lead of one connection. It lasts as long as the session that holds its lock."""

    def __init__(self, session: Session, scope: str) -> None:
        self._session = session
        self._scope = scope

    async def hold(self, duty: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """For ever: carry the duty out whenever this process leads, and end it at once when it no longer does. What
        the duty raises is raised."""
        while True:
            life = self._session.life
            if await self._lead():
                log.info("leads", connection=self._scope)
                await self._carry_out(duty, life)
                log.warning("leads-no-longer", connection=self._scope)
            await asyncio.sleep(TRY_SECONDS)

    async def _carry_out(self, duty: Callable[[], Coroutine[Any, Any, None]], life: asyncio.Event) -> None:
        working, lost = asyncio.create_task(duty()), asyncio.create_task(life.wait())
        try:
            await asyncio.wait([working, lost], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, lost):
                task.cancel()
            await asyncio.gather(working, lost, return_exceptions=True)
        try:
            if not working.cancelled():
                working.result()
        except StoreUnavailableError as away:
            log.warning("store-unavailable", connection=self._scope, why=str(away))

    async def _lead(self) -> bool:
        query, key = "SELECT pg_try_advisory_lock(%s, %s)", lock_key(f"lead {self._scope}")
        try:
            [(free,)] = await self._session.ask(query, [LOCKS, key])
        except SessionLostError:
            return False
        return bool(free)
