"""A burst of edits is one change, and a record that is edited for ever still goes out."""

from __future__ import annotations

import pytest

from twinbook.domain.records import Entity, Key, Side
from twinbook.store import dirty_keys
from twinbook.store.database import Database, Store, Tx
from twinbook.store.dirty_keys import AT_ONCE, BY_HAND, Claimed, Debounce, Priority

KEY = Key(Entity.CONTACT, Side.SALESFORCE, "0035g0000000001AAA")
WAITS = Debounce(seconds=5, longest=12)


@pytest.fixture
def store() -> Store:
    return Store(Database.open_memory(), "default")


def mark(store: Store, now: float, debounce: Debounce = WAITS, *, cause: str = "edit") -> float:
    """Mark the key; when it is due then."""

    def work(tx: Tx) -> float:
        dirty_keys.mark(tx, [KEY], cause=cause, now=now, debounce=debounce)
        found = dirty_keys.queued(tx, KEY)
        assert found is not None
        return found.due_at

    return store.run_now(work)


def claim(store: Store, now: float) -> list[Claimed]:
    return store.run_now(lambda tx: dirty_keys.claim(tx, token="t", limit=10, now=now, lease_until=now + 60))


def test_each_edit_of_a_burst_puts_it_off_until_the_longest_wait(store: Store) -> None:
    assert [mark(store, now) for now in (0, 2, 4, 8, 11)] == [5, 7, 9, 12, 12]
    assert claim(store, 11.9) == []
    assert [item.key for item in claim(store, 12)] == [KEY]


def test_without_debounce_nothing_waits(store: Store) -> None:
    assert mark(store, 3, AT_ONCE) == 3
    assert mark(store, 4, AT_ONCE) == 3


def test_a_person_who_asks_does_not_wait(store: Store) -> None:
    mark(store, 0)
    assert mark(store, 1, AT_ONCE, cause=BY_HAND) == 1
    assert mark(store, 2) == 1, "and a later edit does not put that off"


def test_what_a_lane_could_take_already_is_not_put_off(store: Store) -> None:
    mark(store, 0)
    assert mark(store, 6) == 5


def test_an_edit_while_it_is_worked_on_waits_for_the_next_one(store: Store) -> None:
    mark(store, 0)
    [taken] = claim(store, 5)
    assert mark(store, 6) == 11
    store.run_now(lambda tx: dirty_keys.settle(tx, [taken], token="t", now=7))
    assert claim(store, 10.9) == []
    assert len(claim(store, 11)) == 1


def test_a_key_that_failed_keeps_its_own_pace(store: Store) -> None:
    mark(store, 0)
    [taken] = claim(store, 5)
    store.run_now(lambda tx: dirty_keys.put_back(tx, taken, token="t", due_at=100, failed=True, now=5))
    assert mark(store, 6) == 11, "a new edit is tried earlier than the retry, after its own wait"


def test_work_of_a_sweep_becomes_live_at_once(store: Store) -> None:
    store.run_now(lambda tx: dirty_keys.mark(tx, [KEY], cause="sweep", now=0, priority=Priority.SWEEP))
    assert mark(store, 1) == 0
