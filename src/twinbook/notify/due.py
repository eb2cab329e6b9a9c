"""What a person is to be told now: a pure decision about how the connections are and what was told before.

Messages hold counts, codes and links, never a name or a value of a record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Event(StrEnum):
    """What somebody may want to be told."""

    SAFETY_STOP = "safety-stop"
    CONNECTION_FAILING = "connection-failing"
    FAILURES = "failures"
    NEEDS_PERSON = "needs-person"


# These do not wait for the next digest.
URGENT = frozenset({Event.SAFETY_STOP, Event.CONNECTION_FAILING})
_PAGES = {
    Event.SAFETY_STOP: "overview",
    Event.CONNECTION_FAILING: "overview",
    Event.FAILURES: "errors",
    Event.NEEDS_PERSON: "review",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """How one connection is. `failing` is the code of why it cannot be kept in step, `failures` the number of open
    errors that do not end by themselves, `piles` what waits for a person by reason."""

    connection: str
    stopped: bool = False
    failing: str | None = None
    failures: int = 0
    piles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one recipient wants. Quiet hours are hours of the day, from the first until before the second; over
    midnight too. Of failures they are told when there are more than `failures_above`."""

    events: frozenset[Event]
    failures_above: int = 0
    digest_minutes: int = 60
    quiet: tuple[int, int] | None = None

    def is_quiet(self, hour: int) -> bool:
        if self.quiet is None:
            return False
        begin, end = self.quiet
        return begin <= hour < end if begin < end else hour >= begin or hour < end


@dataclass(frozen=True, slots=True)
class Told:
    """What was told and still stands: the number by connection and event. `at` is the time of the last message."""

    at: float = 0.0
    standing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    body: str


def due(
    rules: Rules, situations: Sequence[Situation], told: Told, *, base_url: str, now: float, hour: int
) -> tuple[Message | None, Told]:
    """The message that is due, if any, and what is told from then on.

    News is what stands and was not told, or stands for more records than were told. It waits for the end of the
    digest's interval, unless it is urgent, and always for the end of quiet hours. What has ended meanwhile is not told.
    """
    standing = [
        (situation, event, number)
        for situation in situations
        for event in Event
        if event in rules.events and (number := _number(event, situation, rules))
    ]
    now_is = {_key(situation, event): number for situation, event, number in standing}
    news = [
        (situation, event)
        for situation, event, number in standing
        if number > told.standing.get(_key(situation, event), 0)
    ]
    rested = now - told.at >= rules.digest_minutes * 60
    if rules.is_quiet(hour) or not news or not (rested or any(event in URGENT for _, event in news)):
        # What has become less is remembered as less, so that it is news once it grows again.
        kept = {key: min(now_is[key], number) for key, number in told.standing.items() if key in now_is}
        return None, Told(told.at, kept)
    lines = [
        f"{_line(situation, event)}\n{base_url}/{_PAGES[event]}?connection={situation.connection}"
        for situation, event in news
    ]
    names = ", ".join(dict.fromkeys(situation.connection for situation, _ in news))
    return Message(f"Twinbook: {names}", "\n\n".join(lines)), Told(now, now_is)


def _key(situation: Situation, event: Event) -> str:
    return f"{situation.connection}/{event}"


def _number(event: Event, situation: Situation, rules: Rules) -> int:
    """For how many records it stands; 0 where it does not."""
    match event:
        case Event.SAFETY_STOP:
            return int(situation.stopped)
        case Event.CONNECTION_FAILING:
            return int(situation.failing is not None)
        case Event.FAILURES:
            return situation.failures if situation.failures > rules.failures_above else 0
        case Event.NEEDS_PERSON:
            return sum(situation.piles.values())


def _line(situation: Situation, event: Event) -> str:
    match event:
        case Event.SAFETY_STOP:
            return f"{situation.connection} is stopped by its safety valve (SAFETY_STOP) until a person confirms."
        case Event.CONNECTION_FAILING:
            return f"{situation.connection} is not kept in step ({situation.failing}). It is tried again by itself."
        case Event.FAILURES:
            return f"{situation.connection}: {situation.failures} records have failed and need a correction."
        case Event.NEEDS_PERSON:
            piles = ", ".join(f"{number} {reason}" for reason, number in situation.piles.items())
            return f"{situation.connection}: {sum(situation.piles.values())} records wait for a person ({piles})."
