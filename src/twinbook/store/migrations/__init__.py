"""Bringing a database to the current schema, with Alembic. `versions/` holds the steps, oldest first."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from twinbook.store.locks import LOCKS, lock_key


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Apply all missing steps in one transaction; a database that is current is left alone."""
    # Alembic takes a third of a second to import, and most commands find a database that is there.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Of several workers that start together, one migrates and the others find it done; however long it takes.
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            lock = sa.func.pg_advisory_xact_lock(LOCKS, lock_key("migration"))
            connection.execute(sa.select(lock))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
