"""A reserve of API requests for people: what rests, what slows down, and that both end by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.memory.world import ManualClock, World, world

from twinbook.domain.errors import TemporaryError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.ports import Allowance
from twinbook.domain.records import Entity
from twinbook.engine import budget
from twinbook.engine.budget import Level, level
from twinbook.engine.running.allowances import AllowanceWatch
from twinbook.engine.running.lanes import Lane
from twinbook.engine.running.listing import Lister
from twinbook.engine.running.sweep.sweeper import Sweeper
from twinbook.store import conditions, dirty_keys, runs, sweeps
from twinbook.store.runs import RunKind


def requests(used: int, limit: int = 1000) -> Allowance:
    return Allowance("DailyApiRequests", used, limit)


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest.mark.parametrize(
    ("usage", "reserve", "found"),
    [
        (None, 20, Level.PLENTY),
        (requests(800), 20, Level.PLENTY),
        (requests(801), 20, Level.RESERVED),
        (requests(900), 20, Level.RESERVED),
        (requests(901), 20, Level.SCARCE),
        (requests(1200), 20, Level.SCARCE),
        (requests(1000), 0, Level.PLENTY),
        (requests(5, limit=0), 20, Level.PLENTY),
    ],
)
def test_the_levels(usage: Allowance | None, reserve: float, found: Level) -> None:
    assert level(usage, reserve) is found
    assert (budget.notice(usage, reserve) is None) is (found is Level.PLENTY)


def test_the_notice_is_plain() -> None:
    told = budget.notice(requests(85_000, 100_000), 20)
    assert told is not None
    assert told.startswith("15,000 of 100,000 Salesforce API requests are left in this day")
    assert "sweeps and back-fill rest" in told


async def test_sweeps_and_back_fill_rest_and_live_edits_go_on(w: World) -> None:
    account, _ = w.linked_account()
    old = w.salesforce.user_creates_contact(LastName="Old", Email="old@acme.example", AccountId=account)
    now = w.clock.now()
    await w.store.run(lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now))
    lister, sweeper = Lister(w.connection), Sweeper(w.connection)
    assert await lister.step()
    await w.store.run(lambda tx: sweeps.start(tx, thorough=False, repairs=True, by="test", now=now))

    w.salesforce.usage = requests(900)
    assert not await lister.step() and not await sweeper.step()
    await w.drain()
    assert (await w.store.read(lambda tx: dirty_keys.depth(tx, now=now))).due == 1
    live = w.salesforce.user_creates_contact(LastName="Live", Email="live@acme.example", AccountId=account)
    await w.notice()
    await w.drain()
    assert (await w.outcome(live)).written == OutcomeKind.CREATED

    w.salesforce.usage = requests(100)
    await w.list_runs()
    assert (await w.outcome(old)).written == OutcomeKind.CREATED
    assert await sweeper.step()


@pytest.mark.parametrize(("used", "gathers"), [(500, False), (950, True)])
async def test_live_edits_are_gathered_when_requests_are_scarce(w: World, used: int, gathers: bool) -> None:
    slept: list[float] = []

    class Noting(ManualClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await super().sleep(0 if seconds == budget.GATHERING_SECONDS else seconds)

    account, _ = w.linked_account()
    w.salesforce.user_creates_contact(LastName="N", Email="n@acme.example", AccountId=account)
    await w.notice()
    w.salesforce.usage = requests(used)
    connection = w.with_clock(Noting(w.clock.at))
    lane = Lane(connection)
    working = asyncio.create_task(lane.run())
    while await w.store.read(dirty_keys.next_due) is not None:
        await asyncio.sleep(0.01)
    lane.stop()
    connection.wake.ring()
    await working
    assert (budget.GATHERING_SECONDS in slept) is gathers


async def test_what_is_left_is_stored_for_people_who_look(w: World) -> None:
    w.salesforce.usage = requests(900)
    await AllowanceWatch(w.connection).look()
    [seen] = await w.store.read(conditions.allowances)
    assert (seen.allowance, seen.at) == (requests(900), w.clock.now())


async def test_an_org_that_does_not_answer_is_asked_again_later(w: World) -> None:
    w.salesforce.fail("allowances", TemporaryError("SERVER_UNAVAILABLE", "away"))
    watch = AllowanceWatch(w.connection)
    await watch.look()
    assert await w.store.read(conditions.allowances) == []
    w.salesforce.usage = requests(10)
    await watch.look()
    assert len(await w.store.read(conditions.allowances)) == 1
