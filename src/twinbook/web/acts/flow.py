"""Pausing a connection, resuming it, and going on after a safety stop."""

from __future__ import annotations

from twinbook.engine.care import controls
from twinbook.web.access.principal import Principal
from twinbook.web.acts.noted import noted
from twinbook.web.dashboard import Dashboard


async def pause(dashboard: Dashboard, who: Principal, connection: str) -> None:
    await noted(
        dashboard,
        who,
        connection,
        "connection.paused",
        lambda tx, now: controls.pause(tx, by=who.login, now=now),
    )


async def resume(dashboard: Dashboard, who: Principal, connection: str) -> int:
    """The number of records that waited and are worked off now."""
    return await noted(
        dashboard,
        who,
        connection,
        "connection.resumed",
        lambda tx, now: controls.resume(tx, by=who.login, now=now),
    )


async def confirm(dashboard: Dashboard, who: Principal, connection: str) -> int:
    """Go on after a safety stop; the number of records that waited."""
    return await noted(
        dashboard,
        who,
        connection,
        "connection.confirmed",
        lambda tx, now: controls.confirm(tx, by=who.login, now=now),
    )
