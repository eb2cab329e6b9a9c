"""The numbers that Prometheus is given, of the same queries as the pages. They are read from the store at each scrape,
so it does not matter how many processes work on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.outcomes import Tally
from twinbook.web.queries.overview import Overview


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of one connection. Times are seconds."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def answers(tx: Tx) -> None:
    """Raises where the store does not answer."""
    tx.execute(sa.select(sa.literal(1))).one()


def samples(seen: Overview, cells: Sequence[Tally], *, now: float) -> Iterator[Sample]:
    for cell in cells:
        labels = {"outcome": cell.kind.value, "reason": cell.reason or ""}
        yield Sample("contacts", "Contacts by outcome and reason.", cell.number, labels)
    yield Sample("linked_contacts", "Contacts that are linked.", seen.linked)
    yield Sample("paused", "1 while a person has paused the connection.", seen.flow.paused)
    yield Sample("safety_stop", "1 while a safety valve holds the connection.", seen.flow.stopped)
    waits = {"due": seen.queue.due, "later": seen.queue.later, "claimed": seen.queue.claimed}
    for state, number in waits.items():
        yield Sample("queue", "Records that are to be looked at.", number, {"state": state})
    oldest = seen.queue.oldest_marked_at
    age = max(0.0, now - oldest) if oldest is not None else 0.0
    yield Sample("queue_oldest_seconds", "For how long the oldest of them has waited.", age)
    yield Sample("retrying", "Records that failed for a time and are tried again.", seen.retrying)
    yield Sample("writes_per_minute", "Writes of the last five minutes, a minute.", seen.per_minute)
    if seen.latency is not None:
        for quantile in ("p50", "p95", "p99"):
            labels = {"quantile": f"0.{quantile[1:]}"}
            help_text = "From noticing a change to having written it, of the latest writes."
            yield Sample("latency_seconds", help_text, getattr(seen.latency, quantile), labels)
    for stream, moved_at in seen.streams.items():
        quiet = max(0.0, now - moved_at)
        yield Sample(
            "stream_quiet_seconds", "Since when a source of changes has not moved.", quiet, {"stream": stream}
        )
