"""What a person is told and when, with the time passed in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinbook.notify.due import Event, Message, Rules, Situation, Told, due

ALL = Rules(frozenset(Event), failures_above=2, digest_minutes=60)
CALM = Situation("default")
STOPPED = Situation("default", stopped=True)
WAITING = Situation("default", piles={"CONFLICT": 3, "AMBIGUOUS_MATCH": 2})
NOTHING = Told()
NOW = 1_790_000_000.0


def told(
    rules: Rules, situation: Situation, before: Told = NOTHING, *, now: float = NOW, hour: int = 12
) -> tuple[Message | None, Told]:
    return due(rules, [situation], before, base_url="http://twinbook", now=now, hour=hour)


def test_nothing_is_told_while_all_is_well() -> None:
    assert told(ALL, CALM) == (None, NOTHING)


def test_a_message_says_how_many_why_and_where() -> None:
    message, after = told(ALL, WAITING)
    assert message is not None
    assert "5 records wait for a person (3 CONFLICT, 2 AMBIGUOUS_MATCH)" in message.body
    assert "http://twinbook/review?connection=default" in message.body
    assert after == Told(NOW, {"default/needs-person": 5})


def test_what_was_told_is_told_again_only_when_it_grows() -> None:
    _, before = told(ALL, WAITING)
    later = NOW + 7200
    assert told(ALL, WAITING, before, now=later)[0] is None
    fewer, after = told(ALL, replace(WAITING, piles={"CONFLICT": 1}), before, now=later)
    assert fewer is None
    assert told(ALL, WAITING, after, now=later)[0] is not None, "it grew again"


def test_news_waits_for_the_next_digest_and_is_not_lost() -> None:
    _, before = told(ALL, WAITING)
    more = replace(WAITING, piles={"CONFLICT": 9})
    early, between = told(ALL, more, before, now=NOW + 3599)
    assert early is None
    assert told(ALL, more, between, now=NOW + 3600)[0] is not None


@pytest.mark.parametrize("urgent", [{"stopped": True}, {"failing": "INVALID_LOGIN"}])
def test_what_is_urgent_does_not_wait_for_the_digest(urgent: dict[str, object]) -> None:
    _, before = told(ALL, WAITING)
    assert told(ALL, replace(WAITING, **urgent), before, now=NOW + 1)[0] is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quiet", "silent", "loud"), [((22, 6), (22, 23, 0, 5), (6, 12, 21)), ((1, 3), (1, 2), (0, 3))]
)
def test_quiet_hours_hold_everything_until_they_end(
    quiet: tuple[int, int], silent: tuple[int, ...], loud: tuple[int, ...]
) -> None:
    rules = replace(ALL, quiet=quiet)
    for hour in silent:
        held, after = told(rules, STOPPED, hour=hour)
        assert held is None
        assert told(rules, STOPPED, after, hour=quiet[1])[0] is not None
    assert all(told(rules, STOPPED, hour=hour)[0] is not None for hour in loud)


def test_failures_are_told_above_their_number() -> None:
    assert told(ALL, replace(CALM, failures=2))[0] is None
    assert told(ALL, replace(CALM, failures=3))[0] is not None


def test_only_chosen_events_are_told() -> None:
    rules = replace(ALL, events=frozenset({Event.FAILURES}))
    assert told(rules, replace(STOPPED, piles={"CONFLICT": 1}))[0] is None


def test_what_ended_and_begins_again_is_told_again() -> None:
    _, before = told(ALL, STOPPED)
    _, after = told(ALL, CALM, before, now=NOW + 60)
    assert told(ALL, STOPPED, after, now=NOW + 120)[0] is not None
