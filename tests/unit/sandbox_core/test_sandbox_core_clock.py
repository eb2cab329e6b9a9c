from datetime import UTC, datetime, timedelta, timezone

import pytest

from twinbook_sandbox.core.clock import Clock

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_time_runs_with_the_wall_and_keeps_what_was_advanced() -> None:
    wall = [NOON]
    clock = Clock(lambda: wall[0])
    clock.advance(3600)
    wall[0] += timedelta(minutes=5)
    assert clock.now() == NOON + timedelta(hours=1, minutes=5)


def test_frozen_time_moves_only_when_advanced_and_runs_on_with_the_advance() -> None:
    wall = [NOON]
    clock = Clock(lambda: wall[0])
    clock.set(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    wall[0] += timedelta(days=1)
    clock.advance(60)
    assert clock.frozen
    assert clock.now() == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    clock.set(None)
    assert clock.now() == NOON + timedelta(days=1, seconds=60)
    clock.reset()
    assert clock.now() == wall[0]


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Clock().set(datetime(2026, 1, 1))
