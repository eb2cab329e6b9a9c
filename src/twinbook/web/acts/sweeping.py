"""Beginning sweeps, and putting right what they found."""

from __future__ import annotations

from collections.abc import Collection

from twinbook.domain.drift import DriftKind
from twinbook.engine.care import drift_repair
from twinbook.store import audit, flows, sweeps
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import NotFound, Problem


async def begin(
    dashboard: Dashboard, who: Principal, connection: str, *, thorough: bool, repairs: bool
) -> int:
    """Have both systems compared; the number of the sweep. The running sync carries it out. Raises `Problem`."""
    now = dashboard.now()

    def work(tx: Tx) -> int:
        flow = flows.state(tx)
        if flow.paused or flow.stopped:
            detail = "A sweep cannot tell what would come of its contacts. Resume the connection first."
            raise Problem(409, "The connection is held", detail)
        if running := sweeps.unfinished(tx):
            raise Problem(409, "A sweep is at work", f"Sweep {running[0].run.id} is not done yet.")
        number = sweeps.start(tx, thorough=thorough, repairs=repairs, by=who.login, now=now)
        how = {"thorough": thorough, "repairs": repairs}
        audit.note(tx, Act(who.login, "sweep.begun", f"sweep {number}", connection, how), now=now)
        return number

    return await dashboard.write(work, connection)


async def repair(
    dashboard: Dashboard,
    who: Principal,
    connection: str,
    number: int,
    *,
    kinds: Collection[DriftKind] = (),
    record_ids: Collection[str] = (),
) -> int:
    """Have findings of a sweep looked at again, all or only some; how many. Raises `Problem`."""
    queued, now = 0, dashboard.now()

    def part(tx: Tx) -> int:
        if sweeps.by_id(tx, number) is None:
            raise NotFound("sweep")
        return drift_repair.repair(
            tx, number, kinds=kinds, record_ids=record_ids, by=who.login, now=dashboard.now()
        )

    # Each part takes findings off the list, so this ends.
    while more := await dashboard.write(part, connection):
        queued += more
    if queued:
        detail = {"kinds": sorted(kinds), "records": len(record_ids), "queued": queued}
        act = Act(who.login, "drift.repaired", f"sweep {number}", connection, detail)
        await dashboard.write(lambda tx: audit.note(tx, act, now=now), connection)
        dashboard.ring(connection)
    return queued
