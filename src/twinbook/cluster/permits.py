"""The account-wide limit of NetSuite calls, kept over all workers: a permit is an advisory lock (netsuite.md 7).

There are as many locks as calls are allowed. A process asks for one when a call wants to begin and gives it back when
the call has ended, so that nobody keeps what another one waits for. A process that dies gives all of them back in that
moment. While a process has an urgent call waiting, the others take no permits for less urgent ones.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

from twinbook.cluster.session import Session, SessionLostError
from twinbook.netsuite.permits import MOST_URGENT, Permits
from twinbook.store.locks import LOCKS, lock_key

# Between two tries for permits that others hold, and the longest pause before one's own is asked back (seconds).
POLL_SECONDS: Final = 0.01
COURTESY_SECONDS: Final = 0.01
# Before the session is asked again that was lost.
LOST_SECONDS: Final = 0.2
# Locks of one account stand side by side.
MOST_PERMITS: Final = 128


class SharedPermits(Permits):
    """Permits of this process, each backed by a lock in the database. `run` moves them."""

    def __init__(self, limit: int, session: Session, account: str) -> None:
        super().__init__(limit)
        self._session = session
        self._base = lock_key(f"netsuite {account}") // MOST_PERMITS * MOST_PERMITS
        self._urgent_key = lock_key(f"urgent {account}")
        # The locks behind calls, and those whose call has ended. A lock is never used for a second call: whoever
        # keeps it while somebody else waits would keep it for ever.
        self._slots: set[int] = set()
        self._used: list[int] = []
        self._life: asyncio.Event | None = None
        self._stirred = asyncio.Event()
        self._contended = False
        self._urgent = False

    async def run(self) -> None:
        """Fetch what is wanted and give back what is not, for ever."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            try:
                await self._move()
            except SessionLostError:
                await asyncio.sleep(LOST_SECONDS)
                self._stirred.set()

    def _room(self) -> bool:
        """A call may begin when a lock stands behind it, also behind those that began before the session was lost."""
        self._forget_if_lost()
        return self._in_use < len(self._slots)

    def _release(self) -> None:
        self._in_use -= 1
        self._retire()
        self._grant()

    def _retire(self) -> None:
        while len(self._slots) > self._in_use:
            self._used.append(self._slots.pop())

    def _grant(self) -> None:
        super()._grant()
        # Something has changed: a lock is wanted, or one is to be given back.
        self._stirred.set()

    @property
    def _wanting(self) -> bool:
        return self._waits() and self._in_use < self._limit

    @property
    def _yields(self) -> bool:
        """Whether the most urgent call that waits here is less urgent than others may be."""
        return self._waits() and self._queue[0][0] > MOST_URGENT

    async def _move(self) -> None:
        self._forget_if_lost()
        await self._give_back()
        if not self._wanting:
            return
        if self._contended:
            await asyncio.sleep(random.uniform(0, COURTESY_SECONDS))  # noqa: S311 - a matter of fairness
        wanted = min(self._limit, self._in_use + len(self._queue)) - len(self._slots)
        got = await self._fetch(wanted)
        self._contended = got < wanted
        self._grant()
        await self._announce()
        if self._wanting:
            await asyncio.sleep(POLL_SECONDS)
            self._stirred.set()

    async def _give_back(self) -> None:
        self._retire()
        while self._used:
            slot = self._used.pop()
            await self._session.ask("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, self._base + slot])
        if self._urgent and not self._wanting:
            await self._announce()

    async def _fetch(self, wanted: int) -> int:
        if wanted <= 0:
            return 0
        life = self._life
        rows = await self._session.ask(
            _FETCH,
            [
                self._limit - 1,
                list(self._slots),
                self._yields,
                LOCKS,
                self._urgent_key,
                LOCKS,
                self._base,
                wanted,
            ],
        )
        if self._session.life is life:
            self._slots |= {slot for (slot,) in rows}
        return len(rows)

    async def _announce(self) -> None:
        """Hold the others back while an urgent call waits here."""
        urgent = self._wanting and not self._yields
        if urgent is self._urgent:
            return
        function = "pg_try_advisory_lock" if urgent else "pg_advisory_unlock"
        [(done,)] = await self._session.ask(f"SELECT {function}(%s, %s)", [LOCKS, self._urgent_key])
        self._urgent = urgent and done

    def _forget_if_lost(self) -> None:
        if self._session.life is not self._life or self._session.life.is_set():
            self._life = self._session.life
            self._slots.clear()
            self._used.clear()
            self._urgent = False


# The order in which the conditions are looked at matters: a lock that is held already could be taken once more.
_FETCH: Final = """
    SELECT slot FROM generate_series(0, %s) AS slot
    WHERE CASE
        WHEN slot = ANY(%s::int[]) THEN false
        WHEN %s AND NOT pg_try_advisory_xact_lock_shared(%s, %s) THEN false
        ELSE pg_try_advisory_lock(%s, %s + slot)
    END
    LIMIT %s
"""
