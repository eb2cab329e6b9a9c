"""A ping counts once, however many processes take pings in; too many are refused; old ones are forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from twinbook.store import pings
from twinbook.store.database import Database, Store
from twinbook.store.pings import Reception
from twinbook.store.schema import ping


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database.open_memory()
    yield made
    made.close()


def receive(
    database: Database, nonce: str, *, now: float, most: int = 100, scope: str = "default"
) -> Reception:
    store = Store(database, scope)
    return store.run_now(lambda tx: pings.receive(tx, nonce, until=now + 300, most_a_minute=most, now=now))


def test_a_nonce_counts_once_in_each_connection(database: Database) -> None:
    assert receive(database, "a", now=1000) is Reception.NEW
    assert receive(database, "a", now=1001) is Reception.REPEATED
    assert receive(database, "a", now=1001, scope="other") is Reception.NEW
    assert receive(database, "b", now=1001) is Reception.NEW


def test_too_many_in_a_minute_are_refused_and_later_ones_taken(database: Database) -> None:
    for number in range(3):
        assert receive(database, str(number), now=1000, most=3) is Reception.NEW
    assert receive(database, "next", now=1030, most=3) is Reception.TOO_MANY
    assert receive(database, "next", now=1061, most=3) is Reception.NEW, "a refused ping may come again"


def test_what_is_too_old_to_be_accepted_is_forgotten(database: Database) -> None:
    for number in range(5):
        receive(database, str(number), now=1000)
    receive(database, "late", now=1301)
    count = sa.select(sa.func.count()).select_from(ping)
    assert Store(database, "default").run_now(lambda tx: tx.execute(count).scalar_one()) == 1
