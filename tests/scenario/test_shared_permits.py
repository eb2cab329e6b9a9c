"""Permits of several processes over one PostgreSQL database: together never more than the limit, urgent calls first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest
import sqlalchemy as sa
from tests.postgres import Server, plain

from twinbook.cluster.session import APPLICATION
from twinbook.cluster.worker import Member, member
from twinbook.engine.clock import SystemClock
from twinbook.netsuite.permits import MOST_URGENT, Permits
from twinbook.store.database import Database, Role

ACCOUNT, LIMIT = "1234567", 3
BACK_FILL = 2


@pytest.fixture
def url(postgresql: Server) -> Iterator[sa.URL]:
    made = postgresql.create_database()
    Database.open_url(made, Role.GUEST).close()
    yield made
    postgresql.drop_database(made)


@asynccontextmanager
async def members(url: sa.URL, number: int) -> AsyncIterator[list[Member]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(member(url, SystemClock())) for _ in range(number)]


class Load:
    """Calls that take a while, and how many of them ran at once."""

    def __init__(self) -> None:
        self.now = self.most = self.done = 0
        self.order: list[str] = []

    async def call(
        self, permits: Permits, urgency: int = MOST_URGENT, name: str = "", seconds: float = 0.01
    ) -> None:
        async with permits.hold(urgency):
            self.order.append(name)
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(seconds)
            self.now -= 1
            self.done += 1


async def test_together_never_more_than_the_limit_and_nobody_starves(url: sa.URL) -> None:
    async with members(url, 3) as found:
        each = [item.permits(ACCOUNT, LIMIT) for item in found]
        load = Load()
        await asyncio.wait_for(
            asyncio.gather(*(load.call(permits, BACK_FILL) for permits in each for _ in range(40))), 60
        )
        assert (load.most, load.done) == (LIMIT, 120)


async def test_accounts_do_not_share_their_permits(url: sa.URL) -> None:
    async with members(url, 1) as [only]:
        load = Load()
        async with only.permits("1", 1).hold():
            await asyncio.wait_for(load.call(only.permits("2", 1)), 5)


async def test_an_urgent_call_goes_before_the_back_fill_of_other_workers(url: sa.URL) -> None:
    async with members(url, 2) as [busy, other]:
        filling, editing = busy.permits(ACCOUNT, 1), other.permits(ACCOUNT, 1)
        load = Load()
        calls = [
            asyncio.create_task(load.call(filling, BACK_FILL, "back-fill", seconds=0.1)) for _ in range(20)
        ]
        await asyncio.sleep(0.15)
        begun = len(load.order)
        await asyncio.wait_for(load.call(editing, MOST_URGENT, "edit"), 10)
        # The call that was under way, and one more where the bell was not heard yet.
        assert load.order.index("edit") - begun <= 1
        await asyncio.gather(*calls)


async def test_permits_come_back_when_the_sessions_are_cut(url: sa.URL) -> None:
    """Calls that are under way count on, with new locks behind them, before others begin."""
    async with members(url, 2) as found:
        first, second = (item.permits(ACCOUNT, LIMIT) for item in found)
        load = Load()
        calls = [asyncio.create_task(load.call(first, seconds=1.0)) for _ in range(LIMIT)]
        await asyncio.sleep(0.3)
        assert load.now == LIMIT
        with psycopg.connect(plain(url), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                [APPLICATION],
            )
        more = [asyncio.create_task(load.call(permits)) for permits in (first, second) for _ in range(20)]
        await asyncio.wait_for(asyncio.gather(*calls, *more), 30)
        assert load.done == LIMIT + 40
        assert first.high_water <= LIMIT
        assert second.high_water <= LIMIT


async def test_a_call_that_is_cancelled_while_it_waits_leaves_no_trace(url: sa.URL) -> None:
    async with members(url, 2) as found:
        first, second = (item.permits(ACCOUNT, 1) for item in found)
        load = Load()
        async with first.hold():
            waiting = [asyncio.create_task(load.call(second, BACK_FILL)) for _ in range(5)]
            await asyncio.sleep(0.1)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await asyncio.sleep(0.1)
        await asyncio.wait_for(load.call(second), 5)
        await asyncio.wait_for(load.call(first), 5)
