"""Copies of an SQLite store: made while Twinbook works, and put in its place again.

SQLite's own backup copies page by page and begins anew where somebody writes meanwhile, so a copy is always one state
of the store. PostgreSQL has tools of its own (docs/operations.md).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from twinbook.store import sqlite

PAGES_AT_ONCE = 1000
KEPT = ".before-restore"


class UnusableBackupError(Exception):
    """The file is no whole store of Twinbook; the message says why."""


def backup(store: Path, target: Path) -> int:
    """Copy the store into a new file; its size in bytes. Raises `FileExistsError` rather than write over a file."""
    if target.exists():
        raise FileExistsError(target)
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy, pages=PAGES_AT_ONCE)
            copy.execute("PRAGMA journal_mode=DELETE")
        check(unfinished)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, store: Path) -> Path | None:
    """Put a backup in the place of the store, which nobody may be working on; where the former one is kept, None if
    there was none. Raises `UnusableBackupError`, and `StoreBusyError` while a process owns the store.

    The schema of an older version is brought up to date when the store is next opened to work on it.
    """
    check(source)
    store.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite.take_lock(store)):
        incoming = store.with_name(store.name + ".restored")
        incoming.unlink(missing_ok=True)
        with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(incoming)) as copy:
            given.backup(copy)
        incoming.chmod(0o600)
        former = _put_aside(store)
        incoming.rename(store)
    return former


def check(file: Path) -> None:
    """Raises `UnusableBackupError` unless the file is a whole store of Twinbook."""
    if not file.is_file():
        raise UnusableBackupError(f"there is no file {file}")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            [(verdict,)] = connection.execute("PRAGMA integrity_check(1)")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.DatabaseError as problem:
        raise UnusableBackupError(f"{file} is no SQLite database: {problem}") from problem
    if verdict != "ok":
        raise UnusableBackupError(f"{file} is damaged: {verdict}")
    if not {"alembic_version", "link", "dirty"} <= tables:
        raise UnusableBackupError(f"{file} is no store of Twinbook")


def _put_aside(store: Path) -> Path | None:
    """The former store as one file of its own, with all that stood in its log."""
    if not store.exists():
        return None
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    kept = store.with_name(store.name + KEPT)
    store.replace(kept)
    return kept
