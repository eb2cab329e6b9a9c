"""The queue of messages: each is taken by one process at a time, outlives it, and has a limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from twinbook.store import deliveries, recipients
from twinbook.store.database import Database, Store
from twinbook.store.recipients import Kind


@pytest.fixture
def store() -> Iterator[Store]:
    database = Database.open_memory()
    yield Store(database, "default")
    database.close()


def add(store: Store) -> int:
    return store.run_now(
        lambda tx: recipients.add(tx, Kind.WEBHOOK, name="a", shown="", sealed="", rules={}, now=0)
    )


def take(store: Store, now: float) -> list[deliveries.Delivery]:
    return store.run_now(lambda tx: deliveries.take(tx, limit=5, until=now + 60, now=now))


def test_what_is_taken_is_taken_once_and_comes_back_when_its_process_dies(store: Store) -> None:
    to = add(store)
    store.run_now(lambda tx: deliveries.put(tx, to, {"a": 1}, now=10))
    [first] = take(store, 10)
    assert (first.content, first.attempts) == ({"a": 1}, 0)
    assert take(store, 69) == []
    [again] = take(store, 70)
    assert (again.id, again.attempts) == (first.id, 1)
    store.run_now(lambda tx: deliveries.sent(tx, first.id))
    assert take(store, 1000) == []


def test_a_full_queue_takes_no_more_and_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_WAITING", 2)
    to = add(store)
    put = [store.run_now(lambda tx: deliveries.put(tx, to, {}, now=1)) for _ in range(3)]
    assert put == [True, True, False]
    [recipient] = store.run_now(recipients.everybody)
    assert recipient.dropped == 1


def test_what_was_given_up_is_kept_within_its_limit_and_may_be_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_DEAD", 1)
    to = add(store)
    for number in range(2):
        store.run_now(lambda tx: deliveries.put(tx, to, {"n": number}, now=number))  # noqa: B023
    first, second = take(store, 5)
    for at, item in ((6, first), (7, second)):
        store.run_now(lambda tx: deliveries.give_up(tx, item.id, "it was refused", now=at))  # noqa: B023
    assert take(store, 9999) == []
    [kept] = store.run_now(deliveries.dead)
    assert (kept.content, kept.problem) == ({"n": 1}, "it was refused")
    assert store.run_now(lambda tx: deliveries.revive(tx, kept.id, now=10))
    assert [item.content for item in take(store, 10)] == [{"n": 1}]


def test_with_the_recipient_goes_what_waits_for_it(store: Store) -> None:
    to = add(store)
    store.run_now(lambda tx: deliveries.put(tx, to, {}, now=1))
    store.run_now(lambda tx: recipients.remove(tx, to))
    assert take(store, 10) == []
