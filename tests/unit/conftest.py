"""Stores of both kinds: what must hold on each of them is tested on each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from tests.postgres import Server

from twinbook.store.database import Database, Role
from twinbook.store.schema import metadata

SQLITE, POSTGRESQL = "sqlite", "postgresql"

# Test modules that run once on each kind of store.
ON_BOTH = ("test_store_", "test_engine_")
# They ask nothing new of a store, and take long.
ON_ONE = ("test_engine_ping_pong", "test_engine_explain")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if module.startswith(ON_BOTH) and module not in ON_ONE:
        metafunc.parametrize("dialect", (SQLITE, POSTGRESQL), indirect=True)


@pytest.fixture(scope="session")
def postgresql_database(postgresql: Server) -> Iterator[Database]:
    """One database for all tests of this process."""
    url = postgresql.create_database()
    database = Database.open_url(url, Role.WORKER)
    yield database
    database.close()
    postgresql.drop_database(url)


@pytest.fixture(autouse=True)
def dialect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kind of store of this test. On PostgreSQL, what is opened as an empty store in memory is one there."""
    chosen = getattr(request, "param", SQLITE)
    if chosen == POSTGRESQL:
        kept = request.getfixturevalue("postgresql_database")
        monkeypatch.setattr(Database, "open_memory", lambda: _emptied(kept))
    return chosen


def _emptied(kept: Database) -> Database:
    with kept._writing.engine.begin() as connection:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return _Kept(kept)


class _Kept(Database):
    """A database that outlives whoever closes it."""

    def __init__(self, kept: Database) -> None:
        super().__init__(kept._writing, kept._reading)

    def close(self) -> None:
        pass
