"""Asking the two systems from a page or a resource: always with a deadline, and never without an answer to show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from twinbook.domain.errors import SideError
from twinbook.engine.connection import Connection
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Problem

T = TypeVar("T")

# Seconds that a page waits for both systems, and that a person's write may take.
READ_SECONDS = 6.0
WRITE_SECONDS = 40.0

APART = (
    "This dashboard runs apart from the sync, so it cannot ask Salesforce and NetSuite. "
    "The one that `twinbook run` serves can."
)
SLOW = "Salesforce or NetSuite did not answer in time."


@dataclass(frozen=True, slots=True)
class Silence:
    """Why the systems could not be asked, in a sentence."""

    why: str


async def _within(seconds: float, work: Awaitable[T]) -> T | Silence:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return Silence(SLOW)
    except SideError as error:
        return Silence(f"{error.message.rstrip('.')}.")


async def ask(
    dashboard: Dashboard,
    connection: str,
    work: Callable[[Connection], Awaitable[T]],
    *,
    seconds: float = READ_SECONDS,
) -> T | Silence:
    """What `work` finds with the live connection."""
    live = dashboard.live.get(connection)
    if live is None:
        return Silence(APART)
    return await _within(seconds, work(live))


async def must(
    dashboard: Dashboard,
    connection: str,
    work: Callable[[Connection], Awaitable[T]],
    *,
    seconds: float = WRITE_SECONDS,
) -> T:
    """The same for what cannot be done without the systems. Raises `Problem` where they cannot be asked."""
    return _given(await ask(dashboard, connection, work, seconds=seconds))


async def reach(
    dashboard: Dashboard,
    connection: str,
    work: Callable[[Connection], Awaitable[T]],
    *,
    seconds: float = WRITE_SECONDS,
) -> T:
    """The same by a login of its own where this dashboard runs apart: for what writes nothing to the systems."""

    async def reached() -> T:
        async with dashboard.previews.reach(connection) as live:
            return await work(live)

    return _given(await _within(seconds, reached()))


def _given(found: T | Silence) -> T:
    if isinstance(found, Silence):
        raise Problem(503, "The systems cannot be asked just now", found.why)
    return found
