"""Working off runs: lists an entity page by page and marks the pages dirty, never far ahead of the lanes."""

from __future__ import annotations

from twinbook.domain.ports import NetSuitePort, SalesforcePort
from twinbook.domain.records import Entity, Side
from twinbook.engine.budget import Level
from twinbook.engine.connection import Connection
from twinbook.engine.contacts import netsuite_arrivals
from twinbook.engine.running.steps import keep_stepping
from twinbook.store import dirty_keys, outcomes, runs
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Priority
from twinbook.store.runs import Run, RunKind, RunState

# Why a record is looked at that is known here but was not listed there.
NOT_LISTED = {
    Side.SALESFORCE: "no longer listed in Salesforce",
    Side.NETSUITE: "no longer listed in NetSuite",
}

# Keys of one run that may be dirty before the next page is listed: bounds the queue at any number of records.
AHEAD = 5000


class Lister:
    """Carries unfinished runs of one connection forward."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(self) -> None:
        """For ever: whatever run is started by whomever is worked off."""
        await keep_stepping(self._connection, self.step, "listing")

    async def step(self) -> bool:
        """Carry each unfinished run one page further; whether anything moved."""
        moved = False
        if self._connection.level is not Level.PLENTY:
            return False
        listings = await self._connection.store.read(runs.unfinished)
        open_ = [run for run in listings if run.kind is not RunKind.SWEEP]
        for run in open_:
            if run.state is not RunState.PAUSED and not any(_goes_first(other, run) for other in open_):
                moved |= await (self._list(run) if run.state is RunState.LISTING else self._finish(run))
        return moved

    async def _list(self, run: Run) -> bool:
        connection, port = self._connection, self._port(run.side)
        now = connection.clock.now()
        if await connection.store.read(lambda tx: dirty_keys.awaited(tx, run.id)) >= AHEAD:
            return False
        if run.total is None:
            total = await port.count(run.entity)
            await connection.store.run(lambda tx: runs.expect(tx, run.id, total))
        page = await port.list_keys(run.entity, run.position)

        def store(tx: Tx) -> None:
            if not runs.advance(tx, run, position=page.next, listed=len(page.keys)):
                return
            listed = page.keys if run.side is Side.SALESFORCE else netsuite_arrivals.keys_of(tx, page.keys)
            done = outcomes.looked_at_since(tx, listed, run.started_at)
            keys = [key for key in listed if key not in done]
            dirty_keys.mark(tx, keys, cause=run.kind.value, now=now, priority=Priority.SWEEP, run_id=run.id)
            if page.next is None:
                # All that lives is in the queue by now, or was looked at: what is left may have been deleted.
                gone = outcomes.unseen_since(tx, run.entity, run.side, run.started_at)
                cause = NOT_LISTED[run.side]
                dirty_keys.mark(tx, gone, cause=cause, now=now, priority=Priority.SWEEP, run_id=run.id)

        await connection.store.run(store)
        connection.wake.ring()
        return bool(page.keys) or page.next != run.position

    def _port(self, side: Side) -> SalesforcePort | NetSuitePort:
        return self._connection.salesforce if side is Side.SALESFORCE else self._connection.netsuite

    async def _finish(self, run: Run) -> bool:
        now = self._connection.clock.now()
        if await self._connection.store.read(lambda tx: dirty_keys.awaited(tx, run.id)):
            return False
        await self._connection.store.run(lambda tx: runs.finish(tx, run, now=now))
        return True


# Accounts are linked before their contacts are looked at, and most contacts of NetSuite have their pair by the time
# they are listed: so nothing is looked at twice.
ORDER = (
    (Entity.ACCOUNT, Side.SALESFORCE),
    (Entity.CONTACT, Side.SALESFORCE),
    (Entity.CONTACT, Side.NETSUITE),
)


def _goes_first(one: Run, other: Run) -> bool:
    """Whether a run waits until another one of its kind is done."""
    parts = [(run.entity, run.side) for run in (one, other)]
    if one.kind is not other.kind or not set(parts) <= set(ORDER):
        return False
    return ORDER.index(parts[0]) < ORDER.index(parts[1])
