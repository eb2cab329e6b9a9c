"""Deciding about many records at once: all that fit in one transaction, and a word about those that do not."""

from __future__ import annotations

from twinbook.domain.matching import LEAVE_OUT
from twinbook.engine.care import controls
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.dashboard import Dashboard
from twinbook.web.queries.review import Foreseen, Wanted, foresee


async def decide(dashboard: Dashboard, who: Principal, connection: str, wanted: Wanted) -> Foreseen:
    """Store the choice for all that it fits now; what was decided, and what not."""
    now = dashboard.now()

    def work(tx: Tx) -> Foreseen:
        found = foresee(tx, wanted)
        for item in found.fitting:
            if wanted.choice == LEAVE_OUT:
                controls.leave_out(tx, item.key, by=who.login, now=now)
            else:
                controls.choose(tx, item.key, wanted.choice, by=who.login, now=now)
        detail = {"choice": wanted.choice, "decided": len(found.fitting), "not decided": len(found.unfit)}
        about = f"{wanted.entity} {wanted.reason}"
        audit.note(tx, Act(who.login, "review.decided", about, connection, detail), now=now)
        return found

    done = await dashboard.write(work, connection)
    dashboard.ring(connection)
    return done
