"""Pausing a connection, resuming it, and going on after a safety stop."""

from __future__ import annotations

from twinbook.engine.care import controls
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.dashboard import Dashboard


async def pause(dashboard: Dashboard, who: Principal, connection: str) -> None:
    now = dashboard.now()

    def work(tx: Tx) -> None:
        controls.pause(tx, by=who.login, now=now)
        audit.note(tx, Act(who.login, "connection.paused", connection=connection), now=now)

    await dashboard.write(work, connection)
    dashboard.overviews.forget()


async def resume(dashboard: Dashboard, who: Principal, connection: str) -> int:
    """The number of records that waited and are worked off now."""
    now = dashboard.now()

    def work(tx: Tx) -> int:
        audit.note(tx, Act(who.login, "connection.resumed", connection=connection), now=now)
        return controls.resume(tx, by=who.login, now=now)

    released = await dashboard.write(work, connection)
    dashboard.overviews.forget()
    return released


async def confirm(dashboard: Dashboard, who: Principal, connection: str) -> int:
    """Go on after a safety stop; the number of records that waited."""
    now = dashboard.now()

    def work(tx: Tx) -> int:
        audit.note(tx, Act(who.login, "connection.confirmed", connection=connection), now=now)
        return controls.confirm(tx, by=who.login, now=now)

    released = await dashboard.write(work, connection)
    dashboard.overviews.forget()
    return released
