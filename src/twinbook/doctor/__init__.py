"""Examining a connection before and while it runs: what works, what does not, and what to do about it.

One catalogue of checks for all who show them: `twinbook doctor`, `twinbook install`, the dashboard. They are values;
nothing is printed here, and nothing is written to either system.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from twinbook.composition import open_sides
from twinbook.doctor.checks import Check, Page, Verdict, worst
from twinbook.doctor.machine import examine_machine
from twinbook.doctor.netsuite import examine_netsuite
from twinbook.doctor.salesforce import examine_salesforce
from twinbook.settings import ConnectionSettings

__all__ = ["Check", "Page", "Verdict", "examine", "worst"]


async def examine(settings: ConnectionSettings, *, now: datetime) -> AsyncIterator[Check]:
    """All checks of a connection, each as soon as it is done."""
    for check in examine_machine(settings, now):
        yield check
    async with open_sides(settings) as sides:
        async for check in examine_salesforce(settings, sides):
            yield check
        async for check in examine_netsuite(settings, sides):
            yield check
