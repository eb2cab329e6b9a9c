"""One way into a database: connections of one kind, and the threads that wait for them instead of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


class StoreBusyError(Exception):
    """Another Twinbook process owns this store."""


class StoreTooNewError(Exception):
    """A newer version of Twinbook has changed the schema of this store. Nothing was read or written."""


class StoreUnavailableError(Exception):
    """The database does not answer, for longer than it is worth waiting. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Tx:
    """A running transaction, bound to the connection (`scope`) whose rows it may see."""

    db: sa.Connection
    scope: str

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self.db.execute(statement, parameters)


def threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=number, thread_name_prefix="store")


class Access:
    """Runs transactions on an engine's connections, on threads of its own."""

    def __init__(self, engine: sa.Engine, threads: ThreadPoolExecutor) -> None:
        """Two that are given the same single thread take turns."""
        self.engine = engine
        self._threads = threads

    async def run(self, scope: str, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction: all of it is committed, or nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.run_now, scope, work)

    def run_now(self, scope: str, work: Callable[[Tx], T]) -> T:
        """The same on the calling thread."""
        with self.engine.begin() as connection:
            return work(Tx(connection, scope))

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self.engine.dispose()
