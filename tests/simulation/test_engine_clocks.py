"""Clocks that are set and processes that freeze: neither makes anybody wait."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.simulation.circumstances import WATCHED
from tests.simulation.plant import Plant
from tests.simulation.virtual_time import run_in_virtual_time
from tests.simulation.wire import Weather

from twinbook.domain.mapping import default_mapping
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.engine.connection import Options

HOUR = 3600.0


def _plant() -> Plant:
    options = Options(lanes=2, lease_seconds=60.0, retry_cap=60.0, watch=WATCHED)
    return Plant(
        random.Random(1), ContactPolicy(default_mapping()), AccountPolicy(subsidiary_id="1"), options
    )


def _furnish(plant: Plant) -> str:
    customer = plant.netsuite.user_creates_customer("Acme", subsidiary="1")
    return plant.salesforce.user_creates_account("Acme", NetSuite_Id__c=customer)


async def _arrives(plant: Plant, title: str, *, within: float) -> None:
    for _ in range(round(within / 0.1) + 1):
        if any(item.fields.get("title") == title for item in plant.netsuite.contacts):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{title} did not arrive within {within} s")


@pytest.mark.parametrize("seconds", [-HOUR, -1.5, HOUR])
@pytest.mark.parametrize("restarted", [False, True])
def test_an_edit_in_backoff_arrives_soon_after_the_clock_was_set(seconds: float, restarted: bool) -> None:
    async def play() -> None:
        plant = _plant()
        running = asyncio.create_task(plant.keep_running())
        account = _furnish(plant)
        await asyncio.sleep(10)
        plant.weather = Weather(refused=1.0)
        plant.salesforce.user_creates_contact(
            LastName="Lovelace", Email="ada@acme.example", Title="Countess", AccountId=account
        )
        await asyncio.sleep(20)
        plant.clock.wall_skew += seconds
        if restarted:
            plant.kill()
        plant.weather = Weather()
        await _arrives(plant, "Countess", within=150)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_in_virtual_time(play())


def test_a_live_edit_takes_no_longer_than_its_calls_while_nothing_else_is_to_be_done() -> None:
    """The bell, not the next look at the queue, wakes the lanes."""

    async def play() -> None:
        plant = _plant()
        running = asyncio.create_task(plant.keep_running())
        account = _furnish(plant)
        plant.weather = Weather(slowest=0.02)
        await asyncio.sleep(60)
        for number in range(20):
            plant.salesforce.user_creates_contact(
                LastName=f"N{number}", Email=f"n{number}@x.example", Title=f"T{number}", AccountId=account
            )
            await _arrives(plant, f"T{number}", within=0.3)
            await asyncio.sleep(plant.dice.uniform(0, 2))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_in_virtual_time(play())
