"""A dashboard beside a connection in memory: pages that read both systems, and act on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tests.dashboard.rig import Rig
from tests.memory.world import World, world

from twinbook.domain.mapping import ConflictPolicy, ContactMapping, default_mapping
from twinbook.domain.policy import Direction
from twinbook.engine.connection import Connection
from twinbook.web.access.guard import COOKIE
from twinbook.web.access.roles import Role

T = TypeVar("T")
V = TypeVar("V")

REVIEWED = ("Title", "MobilePhone")


@dataclass(slots=True)
class Desk:
    """A world with a dashboard over its store. Take `live` away, and the dashboard runs apart."""

    w: World
    rig: Rig
    live: dict[str, Connection]

    def browser(self, role: Role = Role.OPERATOR) -> httpx.AsyncClient:
        """A signed-in browser that follows no redirect by itself."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.rig.app),
            base_url="http://testserver",
            cookies={COOKIE: self.rig.token(role)},
        )


@asynccontextmanager
async def desk(directory: Path) -> AsyncIterator[Desk]:
    """Both directions, and title and mobile phone left to a person where both sides changed them."""
    async with world() as w:
        rows = (
            replace(row, conflict=ConflictPolicy.REVIEW) if row.salesforce in REVIEWED else row
            for row in default_mapping().rows
        )
        w.configure(direction=Direction.BOTH, mapping=ContactMapping(tuple(rows)))
        live = {"default": w.connection}
        yield Desk(w, Rig.over(w.store.database, directory, now=w.clock.now, live=live), live)


async def ada_linked(w: World, **fields: str) -> tuple[str, str]:
    """Ada in both systems: both ids."""
    account, _ = w.linked_account()
    given = {"FirstName": "Ada", "LastName": "Lovelace", "Email": "ada@acme.example", "Title": "Analyst"}
    here = w.salesforce.user_creates_contact(**(given | {"AccountId": account} | fields))
    await w.settle()
    [there] = w.netsuite.contacts
    return here, there.id


async def ada_in_conflict(w: World) -> tuple[str, str]:
    """Ada, whose title and mobile phone were changed on both sides: both ids."""
    here, there = await ada_linked(w)
    w.salesforce.user_edits(here, {"Title": "Baroness", "MobilePhone": "111"})
    w.netsuite.user_edits(there, {"title": "Countess", "mobilePhone": "222"})
    await w.settle()
    return here, there


@contextmanager
def desk_apart(
    directory: Path, prepare: Callable[[World], Coroutine[Any, Any, T]]
) -> Iterator[tuple[Desk, T]]:
    """A desk for tests that have no event loop of their own to spare (browsers), prepared in a thread beside them."""
    with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:

        def run(work: Coroutine[Any, Any, V]) -> V:
            return thread.submit(runner.run, work).result()

        opened = desk(directory)
        made = run(opened.__aenter__())
        yield made, run(prepare(made.w))
        run(opened.__aexit__(None, None, None))
        thread.submit(runner.close).result()
