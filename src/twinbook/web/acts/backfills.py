"""Beginning a back-fill, pausing, resuming and stopping it. Whoever runs the sync carries it out."""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.engine.care import backfilling
from twinbook.engine.connection import Source, looked_through
from twinbook.store import flows
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.acts.noted import noted
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Fault, Problem


def lists_of(dashboard: Dashboard, connection: str) -> tuple[Source, ...]:
    """What a whole back-fill of this connection looks through."""
    live = dashboard.live.get(connection)
    settings = dashboard.settings.connections[connection]
    return looked_through(live.contacts.direction if live else settings.contacts.direction)


async def begin(dashboard: Dashboard, who: Principal, connection: str, parts: Sequence[Source]) -> list[int]:
    """Begin with these lists, or go on with those that have begun; the numbers of their runs. Raises `Problem`."""
    known = lists_of(dashboard, connection)
    if not parts or not set(parts) <= set(known):
        said = f"Name at least one of {', '.join(map(str, known))}."
        raise Problem(422, "Nothing was begun", "Choose what to look through.", faults=[Fault("lists", said)])
    chosen = [part for part in known if part in parts]

    def work(tx: Tx, now: float) -> list[int]:
        flow = flows.state(tx)
        if flow.paused or flow.stopped:
            detail = "Its records would all wait for that. Resume the connection first."
            raise Problem(409, "The connection is held", detail)
        return backfilling.begin(tx, chosen, by=who.login, now=now)

    detail = {"lists": [str(part) for part in chosen]}
    return await noted(dashboard, who, connection, "backfill.begun", work, detail)


async def pause(dashboard: Dashboard, who: Principal, connection: str) -> int:
    """List no further; how many lists that concerns."""
    return await noted(dashboard, who, connection, "backfill.paused", lambda tx, _now: backfilling.pause(tx))


async def resume(dashboard: Dashboard, who: Principal, connection: str) -> int:
    return await noted(
        dashboard, who, connection, "backfill.resumed", lambda tx, _now: backfilling.resume(tx)
    )


async def stop(dashboard: Dashboard, who: Principal, connection: str) -> int:
    """End it for good; how many lists that concerns."""
    return await noted(
        dashboard, who, connection, "backfill.stopped", lambda tx, now: backfilling.stop(tx, now=now)
    )
