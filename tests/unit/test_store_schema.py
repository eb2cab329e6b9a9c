"""The migrations make exactly the schema that the code declares."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from twinbook.store import migrations
from twinbook.store.database import Database, StoreBusyError
from twinbook.store.schema import metadata


def test_migrations_and_declared_schema_are_the_same() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_has_one_owner_at_a_time(tmp_path: Path) -> None:
    owner = Database.open_file(tmp_path / "store.db", owner=True)
    with pytest.raises(StoreBusyError, match="another Twinbook process"):
        Database.open_file(tmp_path / "store.db", owner=True)
    guest = Database.open_file(tmp_path / "store.db", owner=False)
    guest.close()
    owner.close()
    Database.open_file(tmp_path / "store.db", owner=True).close()
