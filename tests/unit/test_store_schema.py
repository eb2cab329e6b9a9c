"""The migrations make exactly the schema that the code declares; a store has one owner at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from twinbook.store import migrations
from twinbook.store.database import Database, Role, StoreBusyError, StoreTooNewError
from twinbook.store.schema import metadata

Open = Callable[[Role], Database]

# Alembic cannot compare indexes over expressions on SQLite.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Skipped unsupported reflection of expression-based index",
    "ignore:autogenerate skipping metadata-specified expression-based index",
)


def compared(connection: sa.Connection) -> MigrationContext:
    """Without the index over words, which each database has in a form of its own."""

    def declared(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return not (name or "").startswith(("contact_words", "contact_key"))

    return MigrationContext.configure(connection, opts={"include_object": declared})


@pytest.fixture
def open_store(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Open:
    """Opens one and the same store."""
    if dialect == "sqlite":
        return lambda role: Database.open_file(tmp_path / "store.db", role)
    server = request.getfixturevalue("postgresql")
    url = server.create_database()
    request.addfinalizer(lambda: server.drop_database(url))
    return lambda role: Database.open_url(url, role)


def test_migrations_and_declared_schema_are_the_same(open_store: Open) -> None:
    database = open_store(Role.OWNER)
    with database._writing.engine.connect() as connection:
        assert compare_metadata(compared(connection), metadata) == []
    database.close()


def test_a_guest_makes_the_schema_where_there_is_none(open_store: Open) -> None:
    database = open_store(Role.GUEST)
    with database._writing.engine.connect() as connection:
        assert compare_metadata(compared(connection), metadata) == []
    database.close()


def test_a_store_has_one_owner_at_a_time(open_store: Open) -> None:
    owner = open_store(Role.OWNER)
    for role in (Role.OWNER, Role.WORKER):
        with pytest.raises(StoreBusyError, match="another Twinbook process"):
            open_store(role)
    open_store(Role.GUEST).close()
    owner.close()
    open_store(Role.OWNER).close()


def test_workers_share_a_postgresql_store_and_keep_owners_out(open_store: Open, dialect: str) -> None:
    first = open_store(Role.WORKER)
    if dialect == "postgresql":
        open_store(Role.WORKER).close()
    with pytest.raises(StoreBusyError):
        open_store(Role.OWNER)
    first.close()
    open_store(Role.OWNER).close()


@pytest.mark.parametrize("role", Role)
def test_a_store_of_a_newer_version_is_left_alone(open_store: Open, role: Role) -> None:
    database = open_store(Role.OWNER)
    with database._writing.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    for _ in range(2):
        with pytest.raises(StoreTooNewError, match=r"schema 9999 by a newer version .* up to \d{4}"):
            open_store(role)


def test_an_older_schema_is_brought_up_to_date(open_store: Open) -> None:
    """Steps are applied one by one, as an installation of each former version would meet them."""
    database = open_store(Role.OWNER)
    engine = database._writing.engine
    with engine.begin() as connection:
        metadata.drop_all(connection)
        for table in ("contact_words", "contact_key"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {table}"))
        connection.execute(sa.text("DROP TABLE alembic_version"))
    for revision in ("0001", "0003", "head"):
        migrations.upgrade(engine, revision)
    with engine.connect() as connection:
        assert compare_metadata(compared(connection), metadata) == []
    database.close()
