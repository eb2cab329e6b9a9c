"""What somebody does, and its line in the audit, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.dashboard import Dashboard

T = TypeVar("T")


async def noted(
    dashboard: Dashboard,
    who: Principal,
    connection: str,
    what: str,
    work: Callable[[Tx, float], T],
    detail: Mapping[str, Any] | None = None,
) -> T:
    """Do it at the present time (epoch seconds), and have the pages and the lanes notice at once."""
    now = dashboard.now()

    def both(tx: Tx) -> T:
        done = work(tx, now)
        audit.note(tx, Act(who.login, what, connection=connection, detail=detail or {}), now=now)
        return done

    done = await dashboard.write(both, connection)
    dashboard.overviews.forget()
    dashboard.ring(connection)
    return done
