"""A process says in the store that it works on a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.memory.world import ManualClock, World, world

from twinbook.engine.running.presence import at_work
from twinbook.store import processes
from twinbook.store.database import Store, StoreUnavailableError, Tx


class Bell(ManualClock):
    """Sleeps until it is rung."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.rung.wait()
        self.rung.clear()


class FailingStore(Store):
    """Answers only while it is not away."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.database, store.scope)
        self.away = True
        self.refused = asyncio.Event()

    async def run(self, work: Callable[[Tx], Any]) -> Any:
        if self.away:
            self.refused.set()
            raise StoreUnavailableError("the database does not answer")
        return await super().run(work)


async def names(w: World) -> list[str]:
    now = w.clock.now()
    return [found.name for found in await w.store.read(lambda tx: processes.at_work(tx, now=now))]


async def test_a_store_that_is_away_gets_no_sign_and_the_next_one_when_it_is_back() -> None:
    async with world() as w:
        store, clock = FailingStore(w.store), Bell()
        async with at_work(replace(w.connection, store=store, clock=clock), "here", None):
            assert await names(w) == []
            store.refused.clear()
            clock.rung.set()
            await asyncio.wait_for(store.refused.wait(), 10)
            store.away = False
            clock.rung.set()
            async with asyncio.timeout(10):
                while await names(w) != ["here"]:
                    await asyncio.sleep(0)
            store.away = True
