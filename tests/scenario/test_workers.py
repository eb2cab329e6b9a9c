"""Several workers share the work: nothing twice, nothing lost, never more calls than allowed; they come and go."""

from __future__ import annotations

import time

from tests.scenario.product import Product, until
from tests.scenario.workers import Cluster


async def contacts(p: Product, number: int) -> list[str]:
    account, _ = await p.linked_account()
    return [
        await p.contact(LastName=f"Lovelace {i}", Email=f"ada{i}@acme.example", AccountId=account)
        for i in range(number)
    ]


async def all_there(p: Product, ids: list[str]) -> bool:
    found = await p.netsuite.records("contact", limit=10_000)
    linked = [record.get("custentity_twinbook_sf_id") for record in found]
    assert len(linked) == len(set(linked)), "a contact is there twice"
    return set(ids) <= set(linked)


async def test_two_workers_create_each_contact_once_within_the_limit(c: Cluster) -> None:
    p = c.product
    await p.netsuite.set_latency(30)
    await c.start()
    await c.start()
    await p.netsuite.reset_counters()
    ids = await contacts(p, 40)
    await until(lambda: all_there(p, ids), timeout=60)
    await until(c.is_idle)
    counters = await p.netsuite.counters()
    assert counters["high_water"] <= 4
    for worker in c.workers:
        began = time.monotonic()
        assert await worker.end() == 0, worker.said()
        assert time.monotonic() - began < 10
