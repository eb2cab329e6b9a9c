"""Opening the database and running transactions on it.

There are two kinds of access. Transactions that *write* run one after the other, so that what one of them has seen
is still so when it commits. Those that only *read* see one snapshot, run side by side, and neither wait for a writer
nor hold one up. Statements run on threads, so that the event loop never waits for the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from enum import Enum
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from twinbook.store import migrations, schema, sqlite, words
from twinbook.store.access import Access, StoreBusyError, StoreTooNewError, StoreUnavailableError, Tx

__all__ = ["Database", "Role", "Store", "StoreBusyError", "StoreTooNewError", "StoreUnavailableError", "Tx"]

T = TypeVar("T")

# Whose the work on a PostgreSQL database is.
WORK = "work"


class Role(Enum):
    """What a process is to the store. A guest asks and marks; workers keep the connections in step; an owner does so
    alone. On SQLite the only worker is an owner."""

    GUEST = "guest"
    WORKER = "worker"
    OWNER = "owner"


class Database:
    """One SQLite file (or memory) or PostgreSQL database, shared by all connections of an installation."""

    def __init__(self, writing: Access, reading: Access, held: ExitStack | None = None) -> None:
        self._writing = writing
        self._reading = reading
        self._held = held or ExitStack()

    @classmethod
    def open_file(cls, path: Path, role: Role) -> Database:
        """Open (and make, and migrate) the file. Raises `StoreBusyError` when another process owns it, and
        `StoreTooNewError` when a newer version wrote it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        owner = role is not Role.GUEST
        with ExitStack() as stack:
            if owner:
                stack.callback(sqlite.take_lock(path).close)
            writing, reading = sqlite.file_access(path, checkpoints=owner)
            bring_up = migrations.upgrade if owner else migrations.make_or_check
            bring_up(writing.engine)
            path.chmod(0o600)
            return cls(writing, reading, stack.pop_all())

    @classmethod
    def open_url(cls, url: sa.URL, role: Role) -> Database:
        """Open (and migrate) a PostgreSQL database. Raises `StoreBusyError` to an owner while others work on it, to a
        worker while an owner does, `StoreTooNewError` when a newer version wrote it, and `StoreUnavailableError` when
        it does not answer."""
        from twinbook.store import postgresql

        with ExitStack() as stack:
            if role is not Role.GUEST:
                shared = role is Role.WORKER
                if not stack.enter_context(postgresql.held(url, WORK, shared=shared)):
                    raise StoreBusyError(
                        f"another Twinbook process is working on the database {url.database}"
                    )
            writing, reading = postgresql.access(url)
            postgresql.prepare(writing.engine, upgrade=role is not Role.GUEST)
            return cls(writing, reading, stack.pop_all())

    @classmethod
    def open_memory(cls) -> Database:
        """A database that lives as long as the process: for tests and one-off previews."""
        writing, reading = sqlite.memory_access()
        schema.metadata.create_all(writing.engine)
        with writing.engine.begin() as connection:
            words.make(connection)
        return cls(writing, reading)

    async def run(self, scope: str, work: Callable[[Tx], T]) -> T:
        """Run `work`, which may write, in one transaction: all of it is committed, or nothing."""
        return await self._writing.run(scope, work)

    async def read(self, scope: str, work: Callable[[Tx], T]) -> T:
        """Run `work` on one snapshot of what is committed. Raises when it tries to write."""
        return await self._reading.run(scope, work)

    def run_now(self, scope: str, work: Callable[[Tx], T]) -> T:
        """`run` on the calling thread, for commands that have no event loop."""
        return self._writing.run_now(scope, work)

    def read_now(self, scope: str, work: Callable[[Tx], T]) -> T:
        """`read` on the calling thread."""
        return self._reading.run_now(scope, work)

    def compact(self) -> None:
        """Rewrite what is stored without what was deleted. Nobody else may be at work on an SQLite file; PostgreSQL
        frees the space for its own use, and overwrites it in time."""
        with closing(self._writing.engine.raw_connection()) as connection:
            driver = connection.driver_connection
            assert driver is not None  # noqa: S101 - it was just opened
            if self._writing.engine.dialect.name == "sqlite":
                driver.execute(words.FORGET_DELETED)
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                driver.autocommit = True
                driver.execute("VACUUM")
                driver.autocommit = False

    def close(self) -> None:
        self._reading.close()
        self._writing.close()
        self._held.close()


class Store:
    """The part of the database that belongs to one connection."""

    def __init__(self, database: Database, scope: str) -> None:
        self.database = database
        self.scope = scope

    async def run(self, work: Callable[[Tx], T]) -> T:
        return await self.database.run(self.scope, work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self.database.read(self.scope, work)

    def run_now(self, work: Callable[[Tx], T]) -> T:
        return self.database.run_now(self.scope, work)

    def read_now(self, work: Callable[[Tx], T]) -> T:
        return self.database.read_now(self.scope, work)
