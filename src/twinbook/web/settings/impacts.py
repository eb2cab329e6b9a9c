"""What a change of the settings would do, worked out in the background while a person looks at it.

At most one change is tried out for each connection at a time: it reads both systems with calls that the sync needs too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity
from twinbook.engine.connection import Connection
from twinbook.engine.insight.impact import Compared, compare
from twinbook.settings import ConnectionSettings
from twinbook.web.background import Background

OpenConnection = Callable[[str, ConnectionSettings], AbstractAsyncContextManager[Connection]]

# Records that are looked at, and seconds that it may take; `twinbook plan` looks at all.
MOST_LOOKED_AT = 5_000
MOST_SECONDS = 300.0
MOST_LISTED = 100

_log = structlog.get_logger("twinbook.web")


class Stage(StrEnum):
    """How far it is. `bounded`: not all records were looked at."""

    RUNNING = "running"
    DONE = "done"
    BOUNDED = "bounded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Move:
    """From which outcome to which."""

    before: OutcomeKind
    before_reason: Reason | None
    after: OutcomeKind
    after_reason: Reason | None


@dataclass(slots=True)
class Impact:
    """What was found so far. `total` counts the accounts and contacts of Salesforce, None until that is known; `listed`
    are the first of those that differ; `fault` says in plain words why it failed."""

    stage: Stage = Stage.RUNNING
    looked_at: int = 0
    total: int | None = None
    moves: Counter[Move] = field(default_factory=Counter)
    other_values: int = 0
    listed: list[Compared] = field(default_factory=list)
    fault: str = ""

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


class Impacts:
    """The changes that are being tried out, one for each connection. `name` tells one change from another."""

    def __init__(self, open_connection: OpenConnection) -> None:
        self._open = open_connection
        self._known: dict[str, tuple[str, Impact]] = {}
        self._work = Background[str]()

    def of(self, connection: str, name: str) -> Impact | None:
        """What is known of this change, None where it was not tried out."""
        known = self._known.get(connection)
        return known[1] if known and known[0] == name else None

    def progress(self, connection: str) -> tuple[str, int, Stage] | None:
        """Differs as soon as there is something new to show."""
        known = self._known.get(connection)
        return (known[0], known[1].looked_at, known[1].stage) if known else None

    def begin(
        self, connection: str, name: str, before: ConnectionSettings, after: ConnectionSettings
    ) -> Impact:
        """Try a change out, in place of the one before."""
        impact = Impact()
        self._known[connection] = (name, impact)
        self._work.begin(connection, self._carry(connection, impact, before, after))
        return impact

    async def settled(self, connection: str, seconds: float) -> None:
        """Wait until it is done, but no longer than this: a small installation answers at once."""
        await self._work.settled(connection, seconds)

    async def close(self) -> None:
        await self._work.close()

    async def _carry(
        self, connection: str, impact: Impact, before: ConnectionSettings, after: ConnectionSettings
    ) -> None:
        try:
            async with (
                asyncio.timeout(MOST_SECONDS),
                self._open(connection, before) as old,
                self._open(connection, after) as new,
            ):
                impact.total = await _total(old)
                impact.stage = await _work(impact, compare(old, new))
        except TimeoutError:
            impact.stage = Stage.BOUNDED
        except SideError as error:
            remedy = error.remedy if isinstance(error, PermanentError) else ""
            impact.stage, impact.fault = Stage.FAILED, f"{error.message} {remedy}".strip()
        except Exception:
            _log.exception("impact.fault", connection=connection)
            impact.stage = Stage.FAILED
            impact.fault = "Twinbook itself failed on this. The log says where; nothing was changed."


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
