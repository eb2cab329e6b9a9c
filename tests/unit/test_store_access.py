"""Writing and reading: who writes takes turns, who reads sees one snapshot and waits for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinbook.store import cursors
from twinbook.store.database import Database, Role, Tx

SCOPE = "default"


@pytest.fixture
def database(tmp_path: Path, dialect: str) -> Iterator[Database]:
    """A file, because in memory there is but one connection, or a PostgreSQL database."""
    in_file = dialect == "sqlite"
    opened = Database.open_file(tmp_path / "store.db", Role.OWNER) if in_file else Database.open_memory()
    yield opened
    opened.close()


def position(tx: Tx) -> str | None:
    return cursors.position(tx, "stream")


def move(to: str, tx: Tx) -> None:
    cursors.move(tx, "stream", to, now=1.0)


async def test_reading_goes_on_while_a_transaction_writes_and_sees_what_is_committed(
    database: Database,
) -> None:
    await database.run(SCOPE, lambda tx: move("first", tx))
    written, may_commit = threading.Event(), threading.Event()

    def slowly(tx: Tx) -> None:
        move("second", tx)
        written.set()
        assert may_commit.wait(10)

    writing = asyncio.create_task(database.run(SCOPE, slowly))
    await asyncio.to_thread(written.wait, 10)
    assert [await database.read(SCOPE, position) for _ in range(3)] == ["first"] * 3
    may_commit.set()
    await writing
    assert await database.read(SCOPE, position) == "second"


async def test_one_reading_sees_one_snapshot(database: Database) -> None:
    await database.run(SCOPE, lambda tx: move("first", tx))
    looked, may_go_on = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[str | None, str | None]:
        before = position(tx)
        looked.set()
        assert may_go_on.wait(10)
        return before, position(tx)

    reading = asyncio.create_task(database.read(SCOPE, twice))
    await asyncio.to_thread(looked.wait, 10)
    await database.run(SCOPE, lambda tx: move("second", tx))
    may_go_on.set()
    assert await reading == ("first", "first")


async def test_reading_side_by_side(database: Database) -> None:
    """Two readings that wait for each other would never end if they took turns."""
    meeting = threading.Barrier(2, timeout=10)

    def meet(tx: Tx) -> None:
        position(tx)
        meeting.wait()

    await asyncio.gather(database.read(SCOPE, meet), database.read(SCOPE, meet))


async def test_writing_takes_turns(database: Database) -> None:
    await database.run(SCOPE, lambda tx: move("0", tx))

    def count(tx: Tx) -> None:
        move(str(int(position(tx) or 0) + 1), tx)

    await asyncio.gather(*(database.run(SCOPE, count) for _ in range(50)))
    assert await database.read(SCOPE, position) == "50"


async def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        await database.read(SCOPE, lambda tx: move("there", tx))
    assert await database.read(SCOPE, position) is None
    await database.run(SCOPE, lambda tx: move("there", tx))


async def test_reading_cannot_write_in_memory_either() -> None:
    database = Database.open_memory()
    with pytest.raises(sa.exc.DBAPIError):
        await database.read(SCOPE, lambda tx: move("there", tx))
    await database.run(SCOPE, lambda tx: move("there", tx))
    assert await database.read(SCOPE, position) == "there"
    database.close()
