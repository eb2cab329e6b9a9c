"""The budget of NetSuite calls: never above the limit, urgent ones first, and no permit is lost."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from twinbook.netsuite.permits import Permits, calling_at


async def test_urgent_calls_go_first_then_in_order_of_arrival() -> None:
    permits, order = Permits(1), []

    async def work(name: str, urgency: int) -> None:
        async with permits.hold(urgency):
            order.append(name)

    async with permits.hold():
        tasks = [
            asyncio.create_task(work(name, urgency))
            for name, urgency in [("back-fill 1", 30), ("live 1", 0), ("back-fill 2", 30), ("live 2", 0)]
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == ["live 1", "live 2", "back-fill 1", "back-fill 2"]


async def test_urgency_comes_from_the_work_around_the_call() -> None:
    permits, order = Permits(1), []

    async def call(name: str) -> None:
        async with permits.hold():
            order.append(name)

    async with permits.hold():
        with calling_at(50):
            late = asyncio.create_task(call("sweep"))
        early = asyncio.create_task(call("live"))
        await asyncio.sleep(0)
    await asyncio.gather(late, early)
    assert order == ["live", "sweep"]


async def test_never_above_the_limit_under_random_load_and_cancellation() -> None:
    random, permits = Random(7), Permits(3)
    running = highest = 0

    async def work() -> None:
        nonlocal running, highest
        async with permits.hold(random.randrange(3)):
            running += 1
            highest = max(highest, running)
            try:
                for _ in range(random.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                running -= 1

    tasks = [asyncio.create_task(work()) for _ in range(300)]
    for _ in range(200):
        await asyncio.sleep(0)
        random.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert highest == permits.high_water == 3
    assert permits.in_use == 0
    assert sum(not task.cancelled() for task in tasks) > 100


async def test_a_waiter_cancelled_in_the_moment_of_its_grant_gives_the_permit_on() -> None:
    permits = Permits(1)
    got = asyncio.Event()

    async def work() -> None:
        async with permits.hold():
            got.set()

    async with permits.hold():
        cancelled = asyncio.create_task(work())
        heir = asyncio.create_task(work())
        await asyncio.sleep(0)
    cancelled.cancel()  # granted by the release above, but it has not run yet
    await asyncio.wait_for(heir, 1)
    assert cancelled.cancelled() or cancelled.done()
    assert got.is_set()
    assert permits.in_use == 0


async def test_resize_up_lets_waiters_in_and_down_holds_them_back() -> None:
    permits = Permits(1)
    gates = [asyncio.Event() for _ in range(4)]

    async def work(gate: asyncio.Event) -> None:
        async with permits.hold():
            await gate.wait()

    tasks = [asyncio.create_task(work(gate)) for gate in gates]
    await asyncio.sleep(0)
    assert permits.in_use == 1
    permits.resize(3)
    assert permits.in_use == 3
    permits.resize(1)
    for gate in gates[:2]:
        gate.set()
    await asyncio.gather(*tasks[:2])
    assert permits.in_use == 1
    assert not tasks[3].done()
    for gate in gates:
        gate.set()
    await asyncio.gather(*tasks)
    assert permits.in_use == 0


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Permits(limit)
    with pytest.raises(ValueError, match="at least 1"):
        Permits(1).resize(limit)


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_refusal_takes_permits_away_and_quiet_gives_them_back_one_by_one() -> None:
    time = Time()
    permits = Permits(10, time)
    assert permits.refused()
    assert permits.limit == 7
    for _ in range(5):
        time.at += 29
        permits.answered()
        assert permits.limit == 7, "it was not quiet for long enough"
        time.at -= 29
    limits = []
    for _ in range(5):
        time.at += 30
        permits.answered()
        limits.append(permits.limit)
    assert limits == [8, 9, 10, 10, 10]


def test_refusals_of_calls_that_went_out_together_count_once() -> None:
    time = Time()
    permits = Permits(10, time)
    assert [permits.refused() for _ in range(5)] == [True, False, False, False, False]
    assert permits.limit == 7
    time.at += 2
    assert permits.refused()
    assert permits.limit == 4


def test_one_permit_is_always_left() -> None:
    time = Time()
    permits = Permits(2, time)
    for _ in range(5):
        time.at += 2
        permits.refused()
    assert permits.limit == 1
    assert not permits.refused()


async def test_who_waits_gets_the_permit_that_comes_back() -> None:
    time = Time()
    permits = Permits(2, time)
    permits.refused()
    async with permits.hold():
        waiting = asyncio.create_task(_hold(permits))
        await asyncio.sleep(0)
        assert permits.in_use == 1
        time.at += 30
        permits.answered()
        await asyncio.wait_for(waiting, 1)


async def _hold(permits: Permits) -> None:
    async with permits.hold():
        pass
