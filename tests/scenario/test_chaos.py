"""Everything at once: two workers, systems that fail, a database that restarts, people who edit on both sides.

`make chaos` runs it with 5,000 edits; `CHAOS_EDITS` and `CHAOS_SEED` choose others.
"""

from __future__ import annotations

import asyncio
import os
import random
import time

from tests.scenario.both_ends import differences, in_step, make_contacts
from tests.scenario.product import Product, until
from tests.scenario.workers import PROGRAM, Cluster

from twinbook_sandbox.core.traffic import Effect

EDITS = int(os.environ.get("CHAOS_EDITS", "500"))
SEED = int(os.environ.get("CHAOS_SEED", "7"))
CONTACTS = 80
LIMIT = 4
# Of so many edits one comes with a fault, and so often the database restarts meanwhile.
FAULT_EVERY, RESTARTS = 20, 2


async def test_both_systems_end_in_step_whatever_happens(c: Cluster) -> None:
    p, dice = c.product, random.Random(SEED)
    p.configure("contacts", direction="both")
    await c.start(program=PROGRAM, TEST_LEASE_SECONDS="5")
    await c.start(program=PROGRAM, TEST_LEASE_SECONDS="5")
    ids = await make_contacts(p, CONTACTS)
    await until(in_step(c, ids), timeout=90)
    await p.netsuite.reset_counters()
    began = time.monotonic()
    restarts = {EDITS * (number + 1) // (RESTARTS + 1) for number in range(RESTARTS)}
    for number in range(EDITS):
        if number % FAULT_EVERY == 0:
            await add_fault(p, dice)
        if number in restarts and c.server.postmaster is not None:
            c.server.postmaster.restart()
        await edit(p, dice, dice.choice(ids), number)
    edited = time.monotonic() - began
    await p.netsuite.clear_faults()
    await p.salesforce.clear_faults()
    took = await until(in_step(c, ids), timeout=120)
    assert await differences(p, ids) == []
    counters = await p.netsuite.counters()
    # Calls that were cut off run on in NetSuite for a moment after their permits are free.
    assert counters["high_water"] <= LIMIT + 1
    print(
        f"{EDITS} edits in {edited:.0f} s, in step {took:.1f} s later; at most {counters['high_water']} calls at once"
    )
    await rests(c, ids)


async def rests(c: Cluster, ids: list[str]) -> None:
    """At rest nothing is written any more."""
    before = await c.product.netsuite.counters()
    await asyncio.sleep(2)
    after = await c.product.netsuite.counters()
    writes = [_writes(item) for item in (before, after)]
    assert writes[0] == writes[1]


def _writes(counters: dict[str, dict[str, object]]) -> dict[str, object]:
    return {kind: count for kind, count in counters["kinds"].items() if kind.startswith("contact.")}


async def edit(p: Product, dice: random.Random, contact: str, number: int) -> None:
    """One edit by a person, on either side."""
    if dice.random() < 0.6:
        await p.salesforce.update("Contact", contact, {"Title": f"Title {number}"})
        return
    found = await p.in_netsuite(contact)
    assert found is not None
    await p.netsuite.update("contact", found["id"], {"title": f"Title {number}"})


async def add_fault(p: Product, dice: random.Random) -> None:
    """The next calls of one system go wrong in one of the ways in which networks and systems do."""
    system = dice.choice((p.salesforce, p.netsuite))
    effect = dice.choice((Effect.STATUS, Effect.DELAY, Effect.DROP_BEFORE, Effect.DROP_AFTER_COMMIT))
    await system.add_fault(
        effect, times=dice.randint(1, 3), status=dice.choice((429, 500, 503)), delay_ms=400
    )
