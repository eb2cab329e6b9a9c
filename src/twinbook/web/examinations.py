"""The checks of the doctor, run in the background while a person looks at them come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from twinbook.doctor import Check
from twinbook.install import System
from twinbook.settings import ConnectionSettings
from twinbook.web.background import Background

# Checks one system with these settings, each check as soon as it is done.
Examine = Callable[[ConnectionSettings, System], AsyncGenerator[Check]]

# Seconds that all checks of a system may take.
MOST_SECONDS = 90.0

_log = structlog.get_logger("twinbook.web")


class Progress(StrEnum):
    """`late`: the system did not answer all of it in time; `failed`: Twinbook itself failed."""

    RUNNING = "running"
    DONE = "done"
    LATE = "late"
    FAILED = "failed"


@dataclass(slots=True)
class Examination:
    """What was found so far. `began_at` is epoch seconds."""

    began_at: float
    progress: Progress = Progress.RUNNING
    checks: list[Check] = field(default_factory=list)


class Examinations:
    """The latest examination of each system of each connection. They are kept as long as the dashboard runs."""

    def __init__(self, examine: Examine, now: Callable[[], float]) -> None:
        self._examine = examine
        self._now = now
        self._known: dict[tuple[str, System], Examination] = {}
        self._work = Background[tuple[str, System]]()

    def of(self, connection: str, system: System) -> Examination | None:
        return self._known.get((connection, system))

    def progress(self, connection: str) -> tuple[object, ...]:
        """Differs as soon as there is something new to show."""
        found = (self.of(connection, system) for system in System)
        return tuple((item.began_at, len(item.checks), item.progress) for item in found if item)

    def begin(self, connection: str, system: System, settings: ConnectionSettings) -> Examination:
        """Check now. An examination that goes on is not begun again: it would ask the same."""
        key = connection, system
        known = self._known.get(key)
        if known is not None and self._work.goes_on(key):
            return known
        made = self._known[key] = Examination(self._now())
        self._work.begin(key, self._carry(made, settings, system))
        return made

    def forget(self, connection: str, system: System) -> None:
        """What was found with former settings says nothing any more."""
        self._known.pop((connection, system), None)

    async def settled(self, connection: str, system: System, seconds: float) -> None:
        await self._work.settled((connection, system), seconds)

    async def close(self) -> None:
        await self._work.close()

    async def _carry(self, made: Examination, settings: ConnectionSettings, system: System) -> None:
        try:
            async with asyncio.timeout(MOST_SECONDS), aclosing(self._examine(settings, system)) as checks:
                async for check in checks:
                    made.checks.append(check)
            made.progress = Progress.DONE
        except TimeoutError:
            made.progress = Progress.LATE
        except Exception:
            _log.exception("examination.fault")
            made.progress = Progress.FAILED
