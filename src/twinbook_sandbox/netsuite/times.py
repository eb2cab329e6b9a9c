"""Time as the emulated account keeps it: whole seconds, UTC in REST, the company's zone in SuiteQL.

UTC instants are texts like ``2026-10-01T09:15:00Z``; local times are texts like ``2026-10-01 02:15:00``, without a
zone, as SuiteQL shows and compares them (netsuite.md 4.5).
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches

LOCAL = "%Y-%m-%d %H:%M:%S"


def utc_text(at: datetime) -> str:
    """An aware instant in the form of the REST service, cut to whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Calendar:
    """The account's clock and its time zone."""

    def __init__(self, clock: Clock, switches: NetSuiteSwitches) -> None:
        self._clock = clock
        self._switches = switches

    @property
    def zone(self) -> str:
        """IANA name of the company's time zone."""
        return self._switches.company_time_zone

    def now(self) -> str:
        """This second, in UTC."""
        return utc_text(self._clock.now())

    def epoch(self) -> float:
        """Seconds since 1970."""
        return self._clock.now().timestamp()

    def local_now(self) -> str:
        """This second, in the company's zone."""
        return self.local(self.now())

    def local(self, utc: str) -> str:
        """A UTC instant in the company's zone."""
        return datetime.fromisoformat(utc).astimezone(ZoneInfo(self.zone)).strftime(LOCAL)
