"""What a back-fill would do, worked out in the background while a person looks at it, and kept until the next one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace

from twinbook.domain.ids import to_18
from twinbook.domain.records import Side
from twinbook.domain.why import sentence_of
from twinbook.engine.care.deciding import UNDECIDE, Choice
from twinbook.engine.connection import CONTACTS, Connection, Source
from twinbook.engine.insight.forecast import Cell, Forecast
from twinbook.engine.insight.matching_report import Match, MatchKind, match_of
from twinbook.engine.insight.preview import Foreseen, Preview, Seen
from twinbook.web.findings import Finding, Findings, Stage

Reach = Callable[[str], AbstractAsyncContextManager[Connection]]

# Records of each list that are looked at, and seconds that all may take; `twinbook plan` looks at all. A row to decide
# takes about a kilobyte of memory, so a preview stays below some 20 MB.
MOST_OF_A_LIST = 20_000
MOST_SECONDS = 900.0
# Records that stand as examples for each count.
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Example:
    """One record that a count is about, and why."""

    id: str
    name: str
    why: str


@dataclass(slots=True)
class Progress:
    """How far a list was looked through. `total` is what its system counts; `bounded`: there are more."""

    total: int
    looked_at: int = 0
    bounded: bool = False


@dataclass(slots=True)
class MatchPreview(Finding):
    """What was found so far. `rows` are the contacts that would be paired or need a person, by Salesforce id."""

    begun_at: float = 0.0
    lists: dict[Source, Progress] = field(default_factory=dict)
    forecast: Forecast = field(default_factory=Forecast)
    examples: dict[tuple[Source, Cell], list[Example]] = field(default_factory=dict)
    kinds: Counter[MatchKind] = field(default_factory=Counter)
    rows: dict[str, Match] = field(default_factory=dict)

    @property
    def looked_at(self) -> int:
        return sum(item.looked_at for item in self.lists.values())

    def take(self, part: Source, item: Seen) -> None:
        self.lists[part].looked_at += 1
        cell = self.forecast.take(item)
        some = self.examples.setdefault((part, cell), [])
        if len(some) < EXAMPLES:
            some.append(Example(item.key.id, item.name, sentence_of(item.plan)))
        if part == CONTACTS and isinstance(item, Foreseen) and (row := match_of(item)) is not None:
            self.kinds[row.kind] += 1
            self.rows[row.salesforce_id] = row

    def decided(self, choices: Sequence[Choice]) -> None:
        """Show what was decided since. What becomes of it is seen by the next preview."""
        for choice in choices:
            row = self.rows.get(to_18(choice.salesforce_id))
            if row is not None:
                taken_back = choice.decision == UNDECIDE
                self.rows[row.salesforce_id] = replace(row, decision=None if taken_back else choice.decision)


class MatchPreviews(Findings[MatchPreview]):
    """The latest preview of each connection. `reach` leads to its systems."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(MOST_SECONDS)
        self.reach = reach

    def progress(self, connection: str) -> tuple[float, int, Stage] | None:
        """Differs as soon as there is something new to show."""
        known = self.of(connection)
        return (known.begun_at, known.looked_at, known.stage) if known else None

    def look(self, connection: str, *, now: float) -> MatchPreview:
        """Begin a preview in place of the one before."""

        async def carry(preview: MatchPreview) -> Stage:
            async with self.reach(connection) as live:
                return await _look_through(preview, live)

        return self.begin(connection, MatchPreview(begun_at=now), carry)


async def _look_through(preview: MatchPreview, live: Connection) -> Stage:
    lists = Preview(live).lists()
    totals = await asyncio.gather(*(_count(live, part) for part, _ in lists))
    preview.lists = {part: Progress(total) for (part, _), total in zip(lists, totals, strict=True)}
    for part, found in lists:
        await _look_through_one(preview, part, found)
    return Stage.BOUNDED if any(item.bounded for item in preview.lists.values()) else Stage.DONE


async def _look_through_one(preview: MatchPreview, part: Source, found: AsyncGenerator[Seen]) -> None:
    progress = preview.lists[part]
    async with aclosing(found) as stream:
        async for item in stream:
            if progress.looked_at >= MOST_OF_A_LIST:
                progress.bounded = True
                return
            preview.take(part, item)


async def _count(live: Connection, part: Source) -> int:
    port = live.salesforce if part.side is Side.SALESFORCE else live.netsuite
    return await port.count(part.entity)
