"""The store as one SQLite file: how connections are made, and who owns the file.

SQLite takes one writing process: the *owner* (`twinbook run`, `twinbook backfill`) holds a lock file for as long as
it lives. Other commands open the same file as *guests*: they may write a few rows (a push, a pause), but they never
checkpoint, which keeps old SQLite builds clear of the WAL-reset bug (engine.md, libraries.md 2).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from twinbook.store.access import Access, StoreBusyError, threads

WAL_RESET_FIXED = (3, 51, 3)

# Snapshots that are read side by side, while one transaction writes.
READERS = 4
BUSY_SECONDS = 30


def file_access(path: Path, *, checkpoints: bool) -> tuple[Access, Access]:
    """One connection that writes, and some that can only read: those see the last commit and wait for nobody."""
    url = f"sqlite:///{path}"
    # A connection is used by one thread at a time, but not always by the same.
    how = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    writing = _engine(url, connect_args=how, pool_size=1, max_overflow=0)
    reading = _engine(url, connect_args=how, pool_size=READERS, max_overflow=0)
    _set_up(writing, f"wal_autocheckpoint={1000 if checkpoints else 0}")
    _set_up(reading, "query_only=ON", "wal_autocheckpoint=0")
    _begin_by(writing, "BEGIN IMMEDIATE")
    _begin_by(reading, "BEGIN")
    return Access(writing, threads(1)), Access(reading, threads(READERS))


def memory_access() -> tuple[Access, Access]:
    """A database in memory has one connection, which writes and reads in turn."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    writing = _engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    reading = _engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    _set_up(writing)
    _begin_by(writing, "BEGIN IMMEDIATE")
    _begin_by(reading, "BEGIN")

    @sa.event.listens_for(reading, "checkout")
    def only_read(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    @sa.event.listens_for(reading, "checkin")
    def write_again(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=OFF")

    thread = threads(1)
    return Access(writing, thread), Access(reading, thread)


def take_lock(path: Path) -> IO[str]:
    """Become the owner of the file. Raises `StoreBusyError` while another process is."""
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


def _engine(url: str, **pool: Any) -> sa.Engine:
    return sa.create_engine(
        url,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # messages of its errors would quote records
        **pool,
    )


def _set_up(engine: sa.Engine, *pragmas: str) -> None:
    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", *pragmas):
            connection.execute(f"PRAGMA {pragma}")


def _begin_by(engine: sa.Engine, statement: str) -> None:
    """Without IMMEDIATE a transaction that reads first can fail when it starts to write."""

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(statement)
