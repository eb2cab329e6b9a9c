"""This process' part in the cluster, put together: its session, its clock, its permits, its share of the lanes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from twinbook.cluster import jobs
from twinbook.cluster.jobs import LaneJobs
from twinbook.cluster.leadership import Leadership
from twinbook.cluster.permits import SharedPermits
from twinbook.cluster.session import ClusterClock, Session
from twinbook.engine.clock import Clock
from twinbook.engine.connection import Connection
from twinbook.engine.running.lanes import Lane
from twinbook.engine.running.runner import Duty, together
from twinbook.netsuite.permits import Permits
from twinbook.store import dirty_keys
from twinbook.store.database import StoreUnavailableError, Tx

# How long a worker waits for the database at its start (seconds).
START_SECONDS = 10.0


class Member:
    """A worker of the cluster, for all its connections."""

    def __init__(
        self, session: Session, clock: Clock, parameters: dict[str, Any], group: asyncio.TaskGroup
    ) -> None:
        self._session = session
        self._parameters = parameters
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []
        self.clock: Clock = ClusterClock(session, clock)
        self._permits: dict[str, SharedPermits] = {}

    def permits(self, account: str, limit: int) -> Permits:
        """The account's permits, shared with all workers; the same for all connections of this one that use it."""
        if account not in self._permits:
            self._permits[account] = SharedPermits(limit, self._session, account)
            self.keep(self._permits[account].run())
        return self._permits[account]

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this for as long as the worker lives. What it raises ends the worker."""
        self._tasks.append(self._group.create_task(work))

    def leave(self) -> None:
        for task in self._tasks:
            task.cancel()

    def runner(self, connection: Connection) -> Shared:
        return Shared(LaneJobs(self._parameters, connection), Leadership(self._session, connection.name))


class Shared:
    """Runs one connection together with the other workers."""

    def __init__(self, lanes: LaneJobs, leadership: Leadership) -> None:
        self._lanes = lanes
        self._leadership = leadership

    def free_claims(self, tx: Tx, *, now: float) -> None:
        """Others may be working: only what nobody holds any more."""
        dirty_keys.release_claims(tx, expired_at=now)

    async def work(self, lanes: Sequence[Lane]) -> None:
        await self._lanes.work(lanes)

    async def lead(self, duty: Duty) -> None:
        await self._leadership.hold(lambda: together([duty(), self._lanes.care()]))


@asynccontextmanager
async def member(url: sa.URL, clock: Clock) -> AsyncIterator[Member]:
    """Join the cluster. Raises `StoreUnavailableError` when the database does not answer."""
    parameters = await asyncio.to_thread(jobs.prepare, url)
    session, ready = Session(url, clock), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        made = Member(session, clock, parameters, group)
        made.keep(session.run(ready))
        try:
            await _soon(ready)
            yield made
        finally:
            made.leave()


async def _soon(ready: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(ready.wait(), START_SECONDS)
    except TimeoutError:
        raise StoreUnavailableError("the database does not answer") from None
