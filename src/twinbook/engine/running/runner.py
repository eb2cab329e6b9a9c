"""Who works on a connection, and when: this process alone, or several that share it (`twinbook.cluster`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from twinbook.engine.running.lanes import Lane
from twinbook.store import dirty_keys
from twinbook.store.database import Tx

Duty = Callable[[], Coroutine[Any, Any, None]]


class Runner(Protocol):
    """Runs the parts of a connection's engine. The store keeps it right whoever runs them; a runner sees to it that
    somebody does, at once, and not twice."""

    def free_claims(self, tx: Tx, *, now: float) -> None:
        """At the start: give up the claims of those who cannot be working any more."""
        ...

    async def work(self, lanes: Sequence[Lane]) -> None:
        """Have the lanes work whenever there is something to do, until they are stopped."""
        ...

    async def lead(self, duty: Duty) -> None:
        """For ever: carry out what only one process may do at a time, whenever it falls to this one."""
        ...


class Alone:
    """The only process that works on this store: its lanes wait for the bell, and it always leads."""

    def free_claims(self, tx: Tx, *, now: float) -> None:  # noqa: ARG002 - whatever the time
        dirty_keys.release_claims(tx)

    async def work(self, lanes: Sequence[Lane]) -> None:
        await together([lane.run() for lane in lanes])

    async def lead(self, duty: Duty) -> None:
        await duty()


async def together(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Until all are done. The first that fails ends the others, and its fault is raised as it is."""
    tasks = [asyncio.create_task(item) for item in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
