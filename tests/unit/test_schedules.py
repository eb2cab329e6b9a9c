"""What the calendar asks for, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from twinbook.domain.records import Entity
from twinbook.engine.connection import SweepOptions
from twinbook.engine.running.schedules import last_occasion, start_sweep_if_due, sweep_is_due
from twinbook.store import runs, sweeps
from twinbook.store.database import Database, Store, Tx
from twinbook.store.runs import RunKind

AT_TWO = SweepOptions(hour=2, thorough_days=7)
DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOON = at("2026-11-20T12:00")


@pytest.fixture
def store() -> Store:
    return Store(Database.open_memory(), "default")


def filled(store: Store, now: float) -> None:
    def fill(tx: Tx) -> None:
        run_id = runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now)
        runs.finish(tx, runs.by_id(tx, run_id), now=now)

    store.run_now(fill)


def due(store: Store, now: float, options: SweepOptions = AT_TWO) -> bool:
    return store.read_now(lambda tx: sweep_is_due(tx, options, now=now, zone=UTC))


def begin(store: Store, now: float) -> bool:
    """Start a sweep if one is due, carry it to its end, and say whether it was a thorough one."""
    assert store.run_now(lambda tx: start_sweep_if_due(tx, AT_TWO, now=now, zone=UTC))
    [found] = store.read_now(lambda tx: sweeps.latest(tx, limit=1))
    store.run_now(lambda tx: runs.finish(tx, found.run, now=now + 60))
    return found.thorough


@pytest.mark.parametrize(
    ("now", "hour", "then"),
    [
        ("2026-11-20T12:00", 2, "2026-11-20T02:00"),
        ("2026-11-20T02:00", 2, "2026-11-20T02:00"),
        ("2026-11-20T01:59", 2, "2026-11-19T02:00"),
        ("2026-11-20T00:30", 23, "2026-11-19T23:00"),
    ],
)
def test_the_last_occasion(now: str, hour: int, then: str) -> None:
    assert last_occasion(at(now), hour, UTC) == at(then)


def test_the_last_occasion_is_that_of_the_local_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert last_occasion(at("2026-11-20T12:00"), 2, berlin) == at("2026-11-20T01:00")
    assert last_occasion(at("2026-07-20T12:00"), 2, berlin) == at("2026-07-20T00:00")


def test_nothing_is_due_before_the_first_back_fill_is_done(store: Store) -> None:
    assert not due(store, NOON)
    store.run_now(lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=NOON))
    assert not due(store, NOON + 2 * DAY)


def test_the_first_sweep_is_in_the_night_after_the_back_fill(store: Store) -> None:
    filled(store, NOON)
    assert not due(store, NOON + 3600)
    assert due(store, at("2026-11-21T02:00"))


def test_a_night_that_was_missed_is_made_up_for_once(store: Store) -> None:
    filled(store, NOON)
    begin(store, NOON + 3 * DAY)
    assert not due(store, NOON + 3 * DAY + 3600)
    assert due(store, NOON + 4 * DAY)


def test_one_that_is_switched_off_is_never_due(store: Store) -> None:
    filled(store, NOON)
    assert not due(store, NOON + 30 * DAY, SweepOptions(hour=None))


def test_every_seventh_is_thorough(store: Store) -> None:
    filled(store, NOON)
    nights = [at(f"2026-11-{day}T02:00") for day in range(21, 30)]
    assert [begin(store, night) for night in nights] == [True, *[False] * 6, True, False]
