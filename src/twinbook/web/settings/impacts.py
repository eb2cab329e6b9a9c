"""What a change of the settings would do, worked out in the background while a person looks at it.

At most one change is tried out for each connection at a time: it reads both systems with calls that the sync needs too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity
from twinbook.engine.connection import Connection
from twinbook.engine.insight.impact import Compared, compare
from twinbook.settings import ConnectionSettings
from twinbook.web.findings import Finding, Findings, Stage

OpenConnection = Callable[[str, ConnectionSettings], AbstractAsyncContextManager[Connection]]

# Records that are looked at, and seconds that it may take; `twinbook plan` looks at all.
MOST_LOOKED_AT = 5_000
MOST_SECONDS = 300.0
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Move:
    """From which outcome to which."""

    before: OutcomeKind
    before_reason: Reason | None
    after: OutcomeKind
    after_reason: Reason | None


@dataclass(slots=True)
class Impact(Finding):
    """What was found so far. `total` counts the accounts and contacts of Salesforce, None until that is known; `listed`
    are the first of those that differ."""

    looked_at: int = 0
    total: int | None = None
    moves: Counter[Move] = field(default_factory=Counter)
    other_values: int = 0
    listed: list[Compared] = field(default_factory=list)

    @property
    def differing(self) -> int:
        return self.moves.total() + self.other_values

    def take(self, found: Compared) -> None:
        self.looked_at += 1
        if found.outcome_differs:
            one, other = found.before, found.after
            self.moves[Move(one.outcome, one.reason, other.outcome, other.reason)] += 1
        elif found.values_differ:
            self.other_values += 1
        if found.differs and len(self.listed) < MOST_LISTED:
            self.listed.append(found)


class Impacts(Findings[Impact]):
    """The changes that are being tried out, one for each connection. `name` tells one change from another."""

    def __init__(self, open_connection: OpenConnection) -> None:
        super().__init__(MOST_SECONDS)
        self._open = open_connection

    def progress(self, connection: str) -> tuple[str, int, Stage] | None:
        """Differs as soon as there is something new to show."""
        known = self._known.get(connection)
        return (known[0], known[1].looked_at, known[1].stage) if known else None

    def try_out(
        self, connection: str, name: str, before: ConnectionSettings, after: ConnectionSettings
    ) -> Impact:
        """Try a change out, in place of the one before."""

        async def carry(impact: Impact) -> Stage:
            async with self._open(connection, before) as old, self._open(connection, after) as new:
                impact.total = await _total(old)
                return await _work(impact, compare(old, new))

        return self.begin(connection, Impact(), carry, name=name)


async def _total(connection: Connection) -> int:
    sides = (connection.salesforce.count(Entity.ACCOUNT), connection.salesforce.count(Entity.CONTACT))
    return sum(await asyncio.gather(*sides))


async def _work(impact: Impact, found: AsyncGenerator[Compared]) -> Stage:
    async with aclosing(found) as stream:
        async for compared in stream:
            impact.take(compared)
            if impact.looked_at >= MOST_LOOKED_AT:
                return Stage.BOUNDED
    return Stage.DONE
