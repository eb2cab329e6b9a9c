"""What long work finds in the two systems while a person looks at it: of each kind at most one for each connection at a
time, with a deadline, because it makes calls that the sync needs too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import structlog

from twinbook.domain.errors import PermanentError, SideError
from twinbook.web.background import Background

_log = structlog.get_logger("twinbook.web")


class Stage(StrEnum):
    """How far it is. `bounded`: it ended before all was looked at."""

    RUNNING = "running"
    DONE = "done"
    BOUNDED = "bounded"
    FAILED = "failed"


@dataclass(slots=True)
class Finding:
    """How far it is; what was found stands in its subclasses. `fault` says in plain words why it failed."""

    stage: Stage = Stage.RUNNING
    fault: str = ""


F = TypeVar("F", bound=Finding)


class Findings(Generic[F]):
    """The latest of one kind by connection. `name` tells one from another; `seconds` is how long one may take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, tuple[str, F]] = {}
        self._work = Background[str]()

    def of(self, connection: str, name: str = "") -> F | None:
        """What is known of it, None where it was not begun."""
        known = self._known.get(connection)
        return known[1] if known and known[0] == name else None

    def begin(
        self, connection: str, finding: F, carry: Callable[[F], Awaitable[Stage]], *, name: str = ""
    ) -> F:
        """Begin one in place of the one before."""
        self._known[connection] = (name, finding)
        self._work.begin(connection, self._carry(connection, finding, carry))
        return finding

    def end(self, connection: str) -> None:
        """End it where it is, also before it has begun to work. What it has found stays."""
        known = self._known.get(connection)
        if known and known[1].stage is Stage.RUNNING:
            known[1].stage = Stage.BOUNDED
            self._work.end(connection)

    def forget(self, connection: str) -> None:
        """End it, and keep nothing of what it has found."""
        self.end(connection)
        self._known.pop(connection, None)

    async def settled(self, connection: str, seconds: float) -> None:
        """Wait until it is done, but no longer than this: a small installation answers at once."""
        await self._work.settled(connection, seconds)

    async def close(self) -> None:
        await self._work.close()

    async def _carry(self, connection: str, finding: F, carry: Callable[[F], Awaitable[Stage]]) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                finding.stage = await carry(finding)
        except TimeoutError:
            finding.stage = Stage.BOUNDED
        except SideError as error:
            remedy = error.remedy if isinstance(error, PermanentError) else ""
            finding.stage, finding.fault = Stage.FAILED, f"{error.message} {remedy}".strip()
        except Exception:
            _log.exception("finding.fault", connection=connection, what=type(finding).__name__)
            finding.stage = Stage.FAILED
            finding.fault = "Twinbook itself failed on this. The log says where; nothing was changed."
