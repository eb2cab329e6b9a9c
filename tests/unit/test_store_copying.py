"""A store that is moved is the same store, and goes on counting where it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from twinbook.domain.records import Entity, Key, Side
from twinbook.store import copying, cursors, dirty_keys, journal, links, runs
from twinbook.store.copying import NotEmptyError, NotTheSameError, copy
from twinbook.store.database import Database, Role, Tx
from twinbook.store.journal import Change, Entry
from twinbook.store.runs import RunKind

SCOPES = ("default", "second")
# In the order of a language they are sorted otherwise than in that of bytes.
IDS = ["0035g00000aAaAAA", "0035g00000AaaAAA", "0035g00000äAaAAA", "0035g00000_aaAAA", "0035g00000BbbAAA"]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite file: the other store is of either kind."""
    database = Database.open_file(tmp_path / "other.db", Role.OWNER)
    yield database
    database.close()


@pytest.fixture
def store() -> Iterator[Database]:
    database = Database.open_memory()
    yield database
    database.close()


def fill(tx: Tx) -> None:
    keys = [Key(Entity.CONTACT, Side.SALESFORCE, id_) for id_ in IDS]
    run = runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="ada", now=1.25)
    dirty_keys.mark(tx, keys, cause="test", now=1_790_000_000.123456, run_id=run)
    for number, id_ in enumerate(IDS):
        agreed = {
            "firstName": "Ada \u2603",
            "number": 1.5,
            "none": None,
            "yes": True,
            "nested": {"b": 1, "a": [2]},
        }
        links.establish(
            tx, Entity.CONTACT, id_, str(number), correlation_id=f"sf-{id_}", now=3.5, agreed=agreed
        )
    change = Change(Side.NETSUITE, "email", None, "ada@acme.example")
    journal.append(tx, [Entry("created", Entity.CONTACT, IDS[0], "1", "why", changes=(change,))], now=2.0)
    cursors.move(tx, "poll:contact", "2026-10-01T00:00:00.000Z", now=4.0)


def filled(database: Database) -> None:
    for scope in SCOPES:
        database.run_now(scope, fill)


@pytest.mark.parametrize("back", [False, True], ids=["to a file", "from a file"])
def test_all_rows_are_the_same_and_new_ones_go_on_counting(
    store: Database, other: Database, back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGE", 2)
    source, target = (other, store) if back else (store, other)
    filled(source)
    told: list[str] = []
    copied = copy(source, target, told=lambda item: told.append(item.table))
    assert {item.table: item.rows for item in copied if item.rows} == {
        "link": 10,
        "dirty": 10,
        "journal": 2,
        "cursor": 2,
        "run": 2,
    }
    assert told == [item.table for item in copied]
    target.run_now("default", lambda tx: runs.start(tx, RunKind.RELIST, Entity.ACCOUNT, by="x", now=1.0))
    target.run_now(
        "default", lambda tx: journal.append(tx, [Entry("x", Entity.CONTACT, "a", "b", "c")], now=1.0)
    )
    assert target.read_now("default", journal.last_id) == 3


def test_a_store_that_holds_something_is_not_filled(store: Database, other: Database) -> None:
    filled(store)
    other.run_now("default", lambda tx: cursors.move(tx, "poll:contact", "1", now=4.0))
    with pytest.raises(NotEmptyError, match="cursor"):
        copy(store, other, told=lambda _: None)


def test_a_copy_that_differs_is_thrown_away(
    store: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a column would that one of the two databases rounds or cuts."""
    filled(store)
    number_on = copying._number_on

    def spoil(tx: Tx, table: sa.Table) -> None:
        number_on(tx, table)
        if table.name == "link":
            tx.execute(sa.update(table).where(table.c.salesforce_id == IDS[1]).values(updated_at=3.25))

    monkeypatch.setattr(copying, "_number_on", spoil)
    with pytest.raises(NotTheSameError, match="of link"):
        copy(store, other, told=lambda _: None)
    assert other.read_now("default", lambda tx: links.by_salesforce(tx, Entity.CONTACT, IDS)) == {}
