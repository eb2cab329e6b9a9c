"""Search by the beginnings of words, on both databases: what is found, and that it follows every change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from twinbook.domain.reasons import OutcomeKind
from twinbook.domain.records import Entity, Key, Side
from twinbook.store import outcomes, words
from twinbook.store.database import Database, Role, Tx
from twinbook.store.outcomes import Outcome


@pytest.fixture
def database(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    if dialect == "sqlite":
        opened = Database.open_file(tmp_path / "store.db", Role.OWNER)
    else:
        server = request.getfixturevalue("postgresql")
        url = server.create_database()
        request.addfinalizer(lambda: server.drop_database(url))
        opened = Database.open_url(url, Role.OWNER)
    yield opened
    opened.close()


def put(
    database: Database, number: int, name: str, email: str | None = None, *, scope: str = "default"
) -> Key:
    key = Key(Entity.CONTACT, Side.SALESFORCE, f"003{number}")
    found = Outcome(key, OutcomeKind.UNCHANGED, name=name, email=email)
    database.run_now(scope, lambda tx: outcomes.record(tx, [found], looked_at=1.0, now=1.0))
    return key


def find(database: Database, text: str, *, scope: str = "default") -> set[str]:
    def search(tx: Tx) -> set[str]:
        return {row.record_id for row in tx.execute(words.matching(tx, words.words_of(text)))}

    return database.read_now(scope, search)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada", {"0031"}),
        ("lov ad", {"0031"}),
        ("ADA.LOVELACE@acme", {"0031"}),
        ("acme", {"0031", "0032"}),
        ("o'neil", {"0032"}),
        ("neil", {"0032"}),
        ("velace", set()),
        ("ada hopper", set()),
        ('"; DROP TABLE outcome; --', set()),
        ("NOT ada*", set()),
    ],
)
def test_beginnings_of_words_are_found(database: Database, text: str, found: set[str]) -> None:
    put(database, 1, "Ada Lovelace", "ada.lovelace@acme.example")
    put(database, 2, "Tip O'Neil", "tip@acme.example")
    put(database, 3, "Grace Hopper")
    put(database, 4, "Ada Lovelace", scope="other")
    assert find(database, text) == found


def test_search_follows_changes_and_deletes(database: Database) -> None:
    key = put(database, 1, "Ada Byron", "ada@acme.example")
    put(database, 1, "Ada Lovelace", None)
    assert (find(database, "byron"), find(database, "acme")) == (set(), set())
    assert find(database, "lovelace") == {"0031"}
    database.run_now("default", lambda tx: outcomes.forget(tx, [key]))
    assert find(database, "ada") == set()
    put(database, 1, "Ada Lovelace")
    assert find(database, "ada") == {"0031"}


def test_a_search_looks_at_no_more_than_its_limit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MOST_MATCHES", 3)
    for number in range(5):
        put(database, number, "Ada")
    assert len(find(database, "ada")) == 3
