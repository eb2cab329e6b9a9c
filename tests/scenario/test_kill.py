"""`kill -9` at random moments of a back-fill: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import random
import signal

import pytest
from tests.scenario.product import Product, until
from tests.scenario.test_main_job import ids_agree

CONTACTS = 2000
KILLS = 10


@pytest.mark.row("2-retry")
async def test_a_back_fill_killed_ten_times_loses_and_doubles_nothing(p: Product) -> None:
    await p.salesforce.seed(accounts=100, contacts=CONTACTS, seed=11)
    before = await p.netsuite.count("contact")
    chance = random.Random(2024)
    killed = 0
    for _ in range(KILLS):
        reached = await p.netsuite_writes() + chance.randint(5, 60)
        process = await p.start("backfill", "--json")

        async def busy(process: asyncio.subprocess.Process = process, reached: int = reached) -> bool:
            return process.returncode is not None or await p.netsuite_writes() >= reached

        await until(busy, timeout=120)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        await process.communicate()
    assert killed == KILLS, "the back-fill ended before it could be killed ten times"

    answer = await p.command("backfill", "--json", timeout=400)
    assert answer.code == 0, answer.err
    pairs = await ids_agree(p)
    assert pairs > CONTACTS / 4
    plan = (await p.command("plan", "--json")).json()
    left = [item for item in plan["counts"] if item["outcome"] in ("created", "adopted", "updated")]
    assert left == [], "something was left out"
    created = await p.netsuite.count("contact") - before
    assert created <= pairs


async def test_a_back_fill_from_a_bulk_list_goes_on_with_the_same_job_however_often_it_is_killed(
    p: Product,
) -> None:
    p.configure("salesforce", bulk_from=40)
    await p.salesforce.seed(accounts=20, contacts=80, seed=12)
    before, kinds = await p.netsuite.count("contact"), ["bulk.query.results"]
    # The result of the job is slow to come, so that it is under way when the process dies.
    await p.salesforce.add_fault("delay", kind="bulk.query.results", times=1, delay_ms=60_000)

    async def asked() -> bool:
        return await p.salesforce.calls(kinds) > 0

    async def written() -> bool:
        return await p.netsuite_writes() > 8

    for reached in (asked, written):
        process = await p.start("backfill", "--json")
        await until(reached, timeout=120)
        assert process.returncode is None, "the back-fill ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        await process.communicate()

    answer = await p.command("backfill", "--json", timeout=200)
    assert answer.code == 0, answer.err
    assert await p.salesforce.calls(["bulk.query.create"]) == 1, "the list was begun anew"
    pairs = await ids_agree(p)
    assert pairs > 8
    assert await p.netsuite.count("contact") - before <= pairs
    plan = (await p.command("plan", "--json")).json()
    left = [item for item in plan["counts"] if item["outcome"] in ("created", "adopted", "updated")]
    assert left == [], "something was left out"
