"""A process' own session in the database: its locks are what the process holds in the cluster.

Whatever a process holds (the lead of a connection, permits to call NetSuite) are advisory locks of this session. They
are free in the moment the process dies, because its socket closes. A process that froze keeps its socket; the others
notice that its session says nothing any more and end it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
import sqlalchemy as sa
import structlog

from twinbook.engine.clock import Clock
from twinbook.store import postgresql
from twinbook.store.database import WORK
from twinbook.store.locks import LOCKS, lock_key

log = structlog.get_logger()

BEAT_SECONDS: Final = 1.0
# An answer that takes longer is none.
ANSWER_SECONDS: Final = 5.0
# Who said nothing for so long is frozen.
FROZEN_SECONDS: Final = 8
LONGEST_PAUSE: Final = 2.0
APPLICATION: Final = "twinbook session"


class SessionLostError(Exception):
    """The session is not there, and with it no lock that it held."""


class Session:
    """One connection, made anew whenever it is lost.

    `life` is a new event for each connection, set when that connection is gone.
    """

    def __init__(self, url: sa.URL, clock: Clock) -> None:
        named = url.update_query_dict({"application_name": APPLICATION})
        self._parameters: Mapping[str, Any] = postgresql.parameters(named)
        self._clock = clock
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self.life = asyncio.Event()
        self.life.set()
        self._offset: float | None = None

    def now(self) -> float:
        """The database's time (epoch seconds): the one that all machines agree on."""
        return self._clock.now() if self._offset is None else self._clock.monotonic() + self._offset

    async def run(self, ready: asyncio.Event) -> None:
        """Keep the session for ever. `ready` is set once it stands for the first time."""
        pause = 0.1
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    **self._parameters, autocommit=True
                ) as connection:
                    if await _joins(connection):
                        pause = 0.1
                        await self._live(connection, ready)
                        log.warning("database-session-lost")
                    else:
                        log.warning("database-session-refused", why="one process works on the store alone")
            except (psycopg.Error, TimeoutError) as error:
                log.warning("database-session-lost", why=type(error).__name__)
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def ask(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a quick query. Raises `SessionLostError`."""
        connection = self._connection
        if connection is None:
            raise SessionLostError
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await (await connection.execute(query, parameters)).fetchall()
        except (psycopg.Error, TimeoutError) as error:
            self._end()
            raise SessionLostError from error

    async def _live(self, connection: psycopg.AsyncConnection[Any], ready: asyncio.Event) -> None:
        self._connection, self.life = connection, asyncio.Event()
        life = self.life
        try:
            while not life.is_set():
                await self._beat()
                ready.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(life.wait(), BEAT_SECONDS)
        except SessionLostError:
            return
        finally:
            self._end()

    async def _beat(self) -> None:
        """Say something, take the time, and end the sessions of those who say nothing any more."""
        asked = self._clock.monotonic()
        [(told, ended)] = await self.ask(_BEAT, [APPLICATION, FROZEN_SECONDS])
        self._offset = told - (asked + self._clock.monotonic()) / 2
        if ended:
            log.warning("frozen-workers-cut-off", number=ended)

    def _end(self) -> None:
        self._connection = None
        self.life.set()


class ClusterClock:
    """The clock of a worker: it runs with the machine's, and shows what the database's shows. A machine whose clock is
    off by a day does no harm."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def now(self) -> float:
        return self._session.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


async def _joins(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether this process may be one of the workers: nobody works on the store alone."""
    query = "SELECT pg_try_advisory_lock_shared(%s, %s)"
    async with asyncio.timeout(ANSWER_SECONDS):
        return await (await connection.execute(query, [LOCKS, lock_key(WORK)])).fetchone() == (True,)


_BEAT: Final = """
    SELECT extract(epoch FROM clock_timestamp())::float8,
        (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = current_user AND application_name = %s
           AND state_change < clock_timestamp() - make_interval(secs => %s) AND pid <> pg_backend_pid())
"""
