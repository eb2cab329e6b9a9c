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
