"""A PostgreSQL that goes away: transactions wait for it, take place once, and say so when it stays away."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from tests.postgres import Server, plain

from twinbook.store import cursors, postgresql
from twinbook.store.database import Database, Role, StoreUnavailableError, Tx
from twinbook.store.locks import LOCKS, lock_key

SCOPE = "default"


@pytest.fixture
def url(postgresql: Server) -> Iterator[sa.URL]:
    made = postgresql.create_database()
    yield made
    postgresql.drop_database(made)


@pytest.fixture
def database(url: sa.URL) -> Iterator[Database]:
    opened = Database.open_url(url, Role.GUEST)
    yield opened
    opened.close()


def count(tx: Tx) -> int:
    """One more than before; not to be done twice."""
    number = int(cursors.position(tx, "number") or 0) + 1
    cursors.move(tx, "number", str(number), now=1.0)
    return number


def cut(url: sa.URL) -> None:
    """End all sessions of a database."""
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [url.database],
        )


async def test_writers_of_several_processes_take_turns(url: sa.URL, database: Database) -> None:
    other = Database.open_url(url, Role.GUEST)
    each = 40
    await asyncio.gather(*(store.run(SCOPE, count) for store in (database, other) for _ in range(each)))
    assert int(await other.read(SCOPE, lambda tx: cursors.position(tx, "number")) or 0) == 2 * each
    other.close()


async def test_connections_do_not_wait_for_each_other(database: Database) -> None:
    entered, may_end = threading.Event(), threading.Event()

    def slowly(tx: Tx) -> None:
        count(tx)
        entered.set()
        assert may_end.wait(10)

    slow = asyncio.create_task(database.run("slow", slowly))
    await asyncio.to_thread(entered.wait, 10)
    assert await asyncio.wait_for(database.run("quick", count), 5) == 1
    may_end.set()
    await slow


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_a_restart_of_the_server_is_waited_for(
    postgresql: Server, database: Database, how: signal.Signals
) -> None:
    if postgresql.postmaster is None:
        pytest.skip("an external server is not restarted")
    await database.run(SCOPE, count)
    postgresql.postmaster.stop(how)
    writing = asyncio.create_task(database.run(SCOPE, count))
    reading = asyncio.create_task(database.read(SCOPE, lambda tx: cursors.position(tx, "other")))
    done, _ = await asyncio.wait([writing, reading], timeout=0.5)
    assert not done
    postgresql.postmaster.start()
    assert await writing == 2
    assert await reading is None


async def test_a_transaction_that_is_cut_in_its_middle_takes_place_once(
    url: sa.URL, database: Database
) -> None:
    tries = 0

    def cut_once(tx: Tx) -> int:
        nonlocal tries
        tries += 1
        number = count(tx)
        if tries == 1:
            cut(url)
        return number

    assert await database.run(SCOPE, cut_once) == 1
    assert tries == 2


@pytest.mark.parametrize("reached", [True, False], ids=["reached", "not reached"])
async def test_a_commit_whose_answer_is_lost_takes_place_once(
    url: sa.URL, database: Database, reached: bool
) -> None:
    """The session ends in the moment of its commit, with the commit done or not."""
    engine: Any = database._writing.engine
    commits = 0

    @sa.event.listens_for(engine, "commit")
    def lose_the_answer(connection: sa.Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == 1:
            if reached:
                connection.connection.commit()
            cut(url)

    assert await database.run(SCOPE, count) == 1
    assert commits == (1 if reached else 2)
    assert await database.run(SCOPE, count) == 2


async def test_who_freezes_inside_a_transaction_gives_up_its_turn(url: sa.URL, database: Database) -> None:
    """As a stopped process would: its session is open, holds the turn, and says nothing more."""
    frozen = psycopg.connect(**postgresql.parameters(url))  # type: ignore[arg-type]
    frozen.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, lock_key(f"turn {SCOPE}")])
    began = time.monotonic()
    assert await database.run(SCOPE, count) == 1
    assert time.monotonic() - began < 10
    frozen.close()


async def test_a_database_that_stays_away_is_said_to_be(
    postgresql: Server, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = url.set(host="127.0.0.1", port=1, password="s3cret", query={})
    with pytest.raises(StoreUnavailableError, match="does not answer") as told:
        Database.open_url(elsewhere, Role.WORKER)
    assert "s3cret" not in str(told.value)


async def test_closing_ends_the_waiting(postgresql: Server, database: Database) -> None:
    if postgresql.postmaster is None:
        pytest.skip("an external server is not restarted")
    await database.run(SCOPE, count)
    postgresql.postmaster.stop()
    waiting = asyncio.create_task(database.run(SCOPE, count))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await asyncio.to_thread(database.close)
    with pytest.raises(StoreUnavailableError):
        await waiting
    assert time.monotonic() - began < 5
    postgresql.postmaster.start()
