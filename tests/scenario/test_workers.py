"""Several workers share the work: nothing twice, nothing lost, never more calls than allowed; they come and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.scenario.both_ends import in_step, make_contacts
from tests.scenario.product import Product, until
from tests.scenario.workers import Cluster, Worker

from twinbook.store import dirty_keys


async def test_two_workers_create_each_contact_once_within_the_limit(c: Cluster) -> None:
    p = c.product
    await p.netsuite.set_latency(30)
    await c.start()
    await c.start()
    await p.netsuite.reset_counters()
    ids = await make_contacts(p, 40)
    await until(in_step(c, ids), timeout=60)
    counters = await p.netsuite.counters()
    assert counters["high_water"] <= 4


async def test_a_busy_worker_ends_within_ten_seconds_of_sigterm_and_leaves_nothing_behind(c: Cluster) -> None:
    await c.product.netsuite.set_latency(300)
    worker = await c.start()
    ids = await make_contacts(c.product, 60)
    await until(lambda: some_written(c.product))
    began = time.monotonic()
    assert await worker.end() == 0, worker.said()
    assert time.monotonic() - began < 10
    claimed = await c.store.read(lambda tx: dirty_keys.depth(tx, now=0.0).claimed)
    assert claimed == 0, "what it held is free at once"
    await c.product.netsuite.set_latency(0)
    await c.start()
    await until(in_step(c, ids), timeout=60)


async def test_a_second_signal_ends_it_at_once(c: Cluster) -> None:
    await c.product.netsuite.set_latency(2000)
    worker = await c.start()
    await make_contacts(c.product, 20)
    await until(lambda: calls_made(c.product))
    worker.send(signal.SIGTERM)
    await asyncio.sleep(0.3)
    began = time.monotonic()
    assert await worker.end() != 0
    assert time.monotonic() - began < 2


async def test_a_fleet_replaces_who_dies_and_renews_one_after_the_other(c: Cluster) -> None:
    fleet = await c.start("run", "--workers", "2", waits=False)
    pids = await until_value(lambda: workers_of(fleet), 2)
    os.kill(min(pids), signal.SIGKILL)
    after = await until_value(lambda: workers_of(fleet) - {min(pids)}, 2)
    await until(lambda: said(fleet, "in step"), timeout=60)
    ids = await make_contacts(c.product, 10)
    await until(in_step(c, ids), timeout=60)
    fleet.send(signal.SIGHUP)
    await until_value(lambda: workers_of(fleet) - after, 2)
    began = time.monotonic()
    assert await fleet.end() == 0
    assert time.monotonic() - began < 15
    assert workers_of(fleet) == set()


async def test_workers_end_by_themselves_when_the_process_that_started_them_is_killed(c: Cluster) -> None:
    fleet = await c.start("run", "--workers", "2", waits=False)
    pids = await until_value(lambda: workers_of(fleet), 2)
    await until(lambda: said(fleet, "in step"), timeout=60)
    fleet.send(signal.SIGKILL)

    async def ended() -> bool:
        return not any(is_alive(pid) for pid in pids)

    assert await until(ended, timeout=30) < 20


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def workers_of(fleet: Worker) -> set[int]:
    """The processes that are its children."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == fleet.pid and state != "Z":
                found.add(int(stat.parent.name))
    return found


async def until_value(look: Callable[[], set[int]], number: int) -> set[int]:
    async def reached() -> bool:
        return len(look()) == number

    await until(reached, timeout=60)
    return look()


async def said(worker: Worker, text: str) -> bool:
    return text in worker.said()


async def some_written(p: Product) -> bool:
    return await p.netsuite.count("contact") > 3


async def calls_made(p: Product) -> bool:
    return (await p.netsuite.counters())["in_flight"] > 2
