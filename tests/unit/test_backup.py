"""Backups of an SQLite store, and upgrades of former ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from twinbook.domain.records import Entity, Key, Side
from twinbook.store import backup, journal, links, migrations, runs
from twinbook.store.backup import UnusableBackupError
from twinbook.store.database import Database, Role, Store, StoreBusyError, Tx
from twinbook.store.runs import RunKind

NOW = 1_790_000_000.0
CONTACT = Key(Entity.CONTACT, Side.SALESFORCE, "0035g0000000001AAA")
VERSIONS = Path(migrations.__file__).parent


def revisions() -> list[str]:
    """All schemas that ever were, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(VERSIONS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "twinbook.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    database = Database.open_file(file, Role.OWNER)
    yield Store(database, "default")
    database.close()


def link(tx: Tx, number: int) -> None:
    links.establish(
        tx, Entity.CONTACT, f"0035g{number:010}AAA", str(number), correlation_id=f"SFC_{number}", now=NOW
    )


def linked(file: Path) -> int:
    database = Database.open_file(file, Role.OWNER)
    try:
        return database.read_now("default", lambda tx: links.count(tx, Entity.CONTACT))
    finally:
        database.close()


class TestBackup:
    def test_a_copy_is_made_while_the_store_is_worked_on_and_can_be_put_back(
        self, store: Store, file: Path, tmp_path: Path
    ) -> None:
        store.run_now(lambda tx: [link(tx, n) for n in range(1, 51)])
        size = backup.backup(file, tmp_path / "copy.db")
        assert size == (tmp_path / "copy.db").stat().st_size > 0
        assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
        store.run_now(lambda tx: [link(tx, n) for n in range(51, 61)])
        store.database.close()

        former = backup.restore(tmp_path / "copy.db", file)
        assert linked(file) == 50
        assert former is not None and linked(former) == 60

    def test_the_store_must_not_be_worked_on(self, store: Store, file: Path, tmp_path: Path) -> None:
        backup.backup(file, tmp_path / "copy.db")
        with pytest.raises(StoreBusyError):
            backup.restore(tmp_path / "copy.db", file)

    def test_no_file_is_written_over(self, store: Store, file: Path, tmp_path: Path) -> None:
        (tmp_path / "copy.db").write_text("precious")
        with pytest.raises(FileExistsError):
            backup.backup(file, tmp_path / "copy.db")
        assert (tmp_path / "copy.db").read_text() == "precious"

    @pytest.mark.parametrize("what", ["nothing", "text", "other", "damaged"])
    def test_what_is_no_backup_changes_nothing(self, file: Path, tmp_path: Path, what: str) -> None:
        database = Database.open_file(file, Role.OWNER)
        database.run_now("default", lambda tx: [link(tx, n) for n in range(1, 2001)])
        copy = tmp_path / "copy.db"
        if what == "text":
            copy.write_text("this is no database" * 100)
        elif what == "other":
            with sa.create_engine(f"sqlite:///{copy}").begin() as connection:
                connection.exec_driver_sql("CREATE TABLE something (id INTEGER)")
        elif what == "damaged":
            backup.backup(file, copy)
            content = bytearray(copy.read_bytes())
            content[len(content) // 2 : len(content) // 2 + 8192] = bytes(8192)
            copy.write_bytes(content)
        database.close()
        with pytest.raises(UnusableBackupError):
            backup.restore(copy, file)
        assert linked(file) == 2000


class TestUpgrade:
    @pytest.mark.parametrize("revision", revisions()[:-1])
    def test_a_store_of_each_former_version_keeps_what_it_holds(
        self, file: Path, tmp_path: Path, revision: str
    ) -> None:
        """A backup that a former version made is put back, and then opened by this one."""
        former = tmp_path / "former.db"
        engine = sa.create_engine(f"sqlite:///{former}")
        migrations.upgrade(engine, revision)
        with engine.begin() as connection:
            for statement, values in FORMER_ROWS:
                connection.exec_driver_sql(statement, values)
        engine.dispose()
        backup.restore(former, file)
        database = Database.open_file(file, Role.OWNER)
        store = Store(database, "default")
        known = store.read_now(lambda tx: links.by_salesforce(tx, Entity.CONTACT, [CONTACT.id]))
        assert (known[CONTACT.id].netsuite_id, known[CONTACT.id].agreed) == ("77", {"Title/title": "Chief"})
        [entry] = store.read_now(lambda tx: journal.history(tx, salesforce_id=CONTACT.id, netsuite_id=None))
        assert entry.changes[0].after == "Chief"
        [run] = store.read_now(lambda tx: runs.latest(tx))
        assert (run.kind, run.listed) == (RunKind.BACKFILL, 7)
        database.close()


# As version 0.1.0 wrote them.
FORMER_ROWS = (
    (
        "INSERT INTO link (scope, entity, salesforce_id, netsuite_id, state, correlation_id, agreed, created_at, "
        "updated_at) VALUES ('default', 'contact', ?, '77', 'linked', 'SFC_1', ?, 1.0, 1.0)",
        (CONTACT.id, '{"Title/title":"Chief"}'),
    ),
    (
        "INSERT INTO journal (at, scope, entity, salesforce_id, netsuite_id, what, why, who, changes) VALUES "
        "(1.0, 'default', 'contact', ?, '77', 'updated', 'test', 'twinbook', ?)",
        (CONTACT.id, '[{"side":"netsuite","field":"title","before":null,"after":"Chief"}]'),
    ),
    (
        "INSERT INTO run (scope, kind, entity, state, listed, requested_by, started_at, finished_at) "
        "VALUES ('default', 'backfill', 'contact', 'done', 7, 'ann', 1.0, 2.0)",
        (),
    ),
    (
        "INSERT INTO flow (scope, paused, changed_at, changed_by) VALUES ('default', 0, 1.0, 'ann')",
        (),
    ),
)
