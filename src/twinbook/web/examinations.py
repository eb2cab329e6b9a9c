"""The checks of the doctor, run in the background while a person looks at them come in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from twinbook.doctor import Check
from twinbook.install import System
from twinbook.settings import ConnectionSettings
from twinbook.web.findings import Finding, Findings, Stage

# Checks one system with these settings, each check as soon as it is done.
Examine = Callable[[ConnectionSettings, System], AsyncGenerator[Check]]

# Seconds that all checks of a system may take.
MOST_SECONDS = 90.0


@dataclass(slots=True)
class Examination(Finding):
    """The checks so far. `began_at` is epoch seconds. Bounded: the system did not answer all of it in time."""

    began_at: float = 0.0
    checks: list[Check] = field(default_factory=list)


class Examinations:
    """The latest examination of each system of each connection. They are kept as long as the dashboard runs."""

    def __init__(self, examine: Examine, now: Callable[[], float], seconds: float = MOST_SECONDS) -> None:
        self._examine = examine
        self._now = now
        self._of = {system: Findings[Examination](seconds) for system in System}

    def of(self, connection: str, system: System) -> Examination | None:
        return self._of[system].of(connection)

    def progress(self, connection: str) -> tuple[object, ...]:
        """Differs as soon as there is something new to show."""
        found = (self.of(connection, system) for system in System)
        return tuple((item.began_at, len(item.checks), item.stage) for item in found if item)

    def begin(self, connection: str, system: System, settings: ConnectionSettings) -> Examination:
        """Check now. An examination that goes on is not begun again: it would ask the same."""
        known = self.of(connection, system)
        if known is not None and known.stage is Stage.RUNNING:
            return known

        async def carry(made: Examination) -> Stage:
            async with aclosing(self._examine(settings, system)) as checks:
                async for check in checks:
                    made.checks.append(check)
            return Stage.DONE

        return self._of[system].begin(connection, Examination(began_at=self._now()), carry)

    def forget(self, connection: str, system: System) -> None:
        """What was found with former settings says nothing any more."""
        self._of[system].forget(connection)

    async def settled(self, connection: str, system: System, seconds: float) -> None:
        await self._of[system].settled(connection, seconds)

    async def close(self) -> None:
        for findings in self._of.values():
            await findings.close()
