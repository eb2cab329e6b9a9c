"""Workers that are killed, frozen, cut off or wrong about the time do no harm: both systems end up the same, with
nobody's help."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
from tests.scenario.both_ends import in_step, make_contacts
from tests.scenario.product import Product, until
from tests.scenario.worker_program import LEASE, OFF_BY
from tests.scenario.workers import PROGRAM, Cluster, Worker

NUMBER = 60
DAY = 86_400
# Waits for the lease, the next pulse, and the work that is left; on a busy machine.
PATIENCE = 60.0


async def edit(p: Product, ids: list[str], title: str) -> None:
    for id_ in ids:
        await p.salesforce.update("Contact", id_, {"Title": title})


async def some_written(p: Product) -> bool:
    return await p.netsuite.count("contact") >= NUMBER // 6


async def two_workers(c: Cluster, **environment: str) -> tuple[Worker, Worker]:
    return (
        await c.start(program=PROGRAM, **environment),
        await c.start(program=PROGRAM, **environment),
    )


async def test_a_worker_killed_in_mid_work_is_made_good_by_the_others(c: Cluster) -> None:
    await c.product.netsuite.set_latency(50)
    first, _ = await two_workers(c)
    ids = await make_contacts(c.product, NUMBER)
    await until(lambda: some_written(c.product), timeout=PATIENCE)
    first.send(signal.SIGKILL)
    took = await until(in_step(c, ids), timeout=PATIENCE)
    print(f"recovered {took:.1f} s after kill -9")


async def test_a_worker_frozen_beyond_its_lease_overwrites_nothing(c: Cluster) -> None:
    """While it is frozen the same contacts are edited again, and the other worker writes them. What the frozen one
    had begun arrives late."""
    first, second = await two_workers(c, **{LEASE: "4"})
    ids = await make_contacts(c.product, NUMBER)
    await until(in_step(c, ids), timeout=PATIENCE)
    await c.product.netsuite.set_latency(100)
    await edit(c.product, ids, "Countess")
    frozen = first if await _leads(first) else second
    frozen.send(signal.SIGSTOP)
    await edit(c.product, ids, "Mathematician")
    other = second if frozen is first else first
    await until(lambda: _cuts_off(other), timeout=PATIENCE)  # Silent for longer than its lease.
    frozen.send(signal.SIGCONT)
    await until(in_step(c, ids), timeout=PATIENCE)
    assert frozen.process.returncode is None, "it works on"


async def test_the_lead_is_taken_over_from_a_frozen_worker(c: Cluster) -> None:
    first = await c.start(program=PROGRAM, **{LEASE: "4"})
    await c.start(program=PROGRAM, **{LEASE: "4"})
    assert await _leads(first)
    first.send(signal.SIGSTOP)
    ids = await make_contacts(c.product, 5)
    took = await until(in_step(c, ids), timeout=PATIENCE)
    print(f"changes were taken in again {took:.1f} s after the leader froze")
    first.send(signal.SIGCONT)


@pytest.mark.parametrize("how", ["cut", "restart"])
async def test_workers_that_lose_the_database_go_on_when_it_is_back(c: Cluster, how: str) -> None:
    if how == "restart" and c.server.postmaster is None:
        pytest.skip("an external server is not restarted")
    await c.product.netsuite.set_latency(50)
    workers = await two_workers(c, **{LEASE: "6"})
    ids = await make_contacts(c.product, NUMBER)
    await until(lambda: some_written(c.product), timeout=PATIENCE)
    if how == "cut":
        assert c.cut_connections() > 0
    elif c.server.postmaster is not None:
        c.server.postmaster.stop()
        await asyncio.sleep(2)
        c.server.postmaster.start()
    await until(in_step(c, ids), timeout=PATIENCE)
    assert [worker.process.returncode for worker in workers] == [None, None]


@pytest.mark.parametrize("off_by", [DAY, -DAY], ids=["a day ahead", "a day behind"])
async def test_a_worker_whose_clock_is_off_by_a_day_works_like_the_others(c: Cluster, off_by: int) -> None:
    await c.start(program=PROGRAM, **{OFF_BY: str(off_by), LEASE: "6"})
    await c.start(program=PROGRAM, **{LEASE: "6"})
    began = time.time()
    ids = await make_contacts(c.product, 30)
    await until(in_step(c, ids), timeout=PATIENCE)
    await edit(c.product, ids, "Countess")
    await until(in_step(c, ids), timeout=PATIENCE)
    outcomes = await c.looked_at()
    assert all(began - 60 < at < time.time() + 60 for at in outcomes), "times are those of the database"


async def _cuts_off(worker: Worker) -> bool:
    return "frozen-workers-cut-off" in worker.said()


async def _leads(worker: Worker) -> bool:
    for _ in range(100):
        if "leads" in worker.said():
            return True
        await asyncio.sleep(0.05)
    return False
