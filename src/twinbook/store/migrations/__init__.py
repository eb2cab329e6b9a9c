"""Bringing a database to the current schema, with Alembic. `versions/` holds the steps, oldest first."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from twinbook.store.access import StoreTooNewError
from twinbook.store.locks import LOCKS, lock_key
from twinbook.store.schema import dirty


def make_or_check(engine: sa.Engine) -> None:
    """For who only asks: make the schema where there is none, and leave an older one to those who work. Raises
    `StoreTooNewError` for a database that a newer version has migrated."""
    if not sa.inspect(engine).has_table(dirty.name):
        upgrade(engine)
        return
    with engine.connect() as connection:
        _refuse_newer(connection)


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Apply all missing steps in one transaction; a database that is current is left alone. Raises `StoreTooNewError`
    for one that a newer version has migrated."""
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
        _refuse_newer(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _refuse_newer(connection: sa.Connection) -> None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all()
    # `r0007_words.py` is the step 0007.
    known = {step.stem[1:5] for step in (Path(__file__).parent / "versions").glob("r*.py")}
    unknown = sorted(set(found) - known)
    if unknown:
        raise StoreTooNewError(
            f"the store was brought to schema {unknown[-1]} by a newer version of Twinbook; "
            f"this one knows schemas up to {max(known)}"
        )
