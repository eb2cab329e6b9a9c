"""What tests of several layers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from tests.postgres import Server, server

# A busy machine is no fault of the code: hypothesis times nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    with server() as running:
        yield running


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What the simulation ran, in whichever process, and how often the kill tests killed."""
    seeds, faults = 0, Counter[str]()
    points: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        told = dict(report.user_properties)
        seeds += told.get("seeds", 0)
        faults.update(told.get("faults", {}))
        points.update(told.get("crash points", {}))
    if seeds:
        listed = ", ".join(f"{number} {kind}" for kind, number in faults.most_common())
        terminalreporter.write_line(f"simulation: {seeds} seeds; {listed}")
    if points:
        listed = ", ".join(f"{number} {kind}" for kind, number in points.items())
        terminalreporter.write_line(f"crash points: {sum(points.values())}; {listed}")
