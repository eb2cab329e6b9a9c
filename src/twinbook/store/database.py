"""Opening the database and running transactions on it.

SQLite takes one writing process: the *owner* (`twinbook run`, `twinbook backfill`) holds a lock file for as long as
it lives. Other commands open the same file as *guests*: they may write a few rows (a push, a pause), but they never
checkpoint, which keeps old SQLite builds clear of the WAL-reset bug (engine.md, libraries.md 2).

Statements run on one thread of their own, so that the event loop never waits for the disk, and transactions are
serial by construction.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from twinbook.store import migrations, schema

T = TypeVar("T")

WAL_RESET_FIXED = (3, 51, 3)


class StoreBusyError(Exception):
    """Another Twinbook process owns this store."""


@dataclass(frozen=True, slots=True)
class Tx:
    """A running transaction, bound to the connection (`scope`) whose rows it may see."""

    db: sa.Connection
    scope: str

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self.db.execute(statement, parameters)


class Database:
    """One SQLite file (or memory), shared by all connections of an installation."""

    def __init__(self, engine: sa.Engine, lock: IO[str] | None = None) -> None:
        self._engine = engine
        self._lock = lock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    @classmethod
    def open_file(cls, path: Path, *, owner: bool) -> Database:
        """Open (and make, and migrate) the file. Raises `StoreBusyError` when another process owns it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(path) if owner else None
        engine = _sqlite_engine(f"sqlite:///{path}", checkpoints=owner)
        if owner or not _has_schema(engine):
            migrations.upgrade(engine)
        path.chmod(0o600)
        return cls(engine, lock)

    @classmethod
    def open_memory(cls) -> Database:
        """A database that lives as long as the process: for tests and one-off previews."""
        engine = _sqlite_engine("sqlite://", checkpoints=True)
        schema.metadata.create_all(engine)
        return cls(engine)

    async def run(self, scope: str, work: Callable[[Tx], T]) -> T:
        """Run `work` in one transaction: all of it is committed, or nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.run_now, scope, work)

    def run_now(self, scope: str, work: Callable[[Tx], T]) -> T:
        """The same on the calling thread, for commands that have no event loop."""
        with self._engine.begin() as connection:
            return work(Tx(connection, scope))

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._engine.dispose()
        if self._lock is not None:
            self._lock.close()


class Store:
    """The part of the database that belongs to one connection."""

    def __init__(self, database: Database, scope: str) -> None:
        self.database = database
        self.scope = scope

    async def run(self, work: Callable[[Tx], T]) -> T:
        return await self.database.run(self.scope, work)

    def run_now(self, work: Callable[[Tx], T]) -> T:
        return self.database.run_now(self.scope, work)


def _sqlite_engine(url: str, *, checkpoints: bool) -> sa.Engine:
    in_memory = url == "sqlite://"
    engine = sa.create_engine(
        url,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        # One transaction runs at a time, on whichever thread carries it.
        connect_args={"check_same_thread": False, "timeout": 30},
        **({"poolclass": StaticPool} if in_memory else {"pool_size": 1, "max_overflow": 0}),
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"wal_autocheckpoint={1000 if checkpoints else 0}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # Without IMMEDIATE a transaction that reads first can fail when it starts to write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _has_schema(engine: sa.Engine) -> bool:
    return sa.inspect(engine).has_table("dirty")


def _take_lock(path: Path) -> IO[str]:
    lock = path.with_name(path.name + ".lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StoreBusyError(f"another Twinbook process (pid {owner}) is working on {path}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
