"""Carrying sweeps to their end (behaviour.md 5, 7).

A sweep lists the contacts of Salesforce, then those of NetSuite, then looks after linked contacts that neither list has
shown. What differs is stored as drift. Only when all is known, and no safety valve objects, is anything put right: the
contacts are marked dirty, and lanes look at them like at any other.

Its position moves in the transaction that stores what a page has shown, so a sweep that is killed goes on where it was.
It holds one page and one bit a link in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twinbook.domain.drift import DriftKind
from twinbook.domain.ports import NetSuitePort, SalesforcePort
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.budget import Level
from twinbook.engine.connection import Connection
from twinbook.engine.contacts import safety
from twinbook.engine.running.listing import AHEAD
from twinbook.engine.running.steps import keep_stepping
from twinbook.engine.running.sweep.comparing import Asking, suspects
from twinbook.engine.running.sweep.examining import Examined, Examiner, FlowHeldError
from twinbook.store import dirty_keys, drifts, flows, links, runs, sweeps
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Priority
from twinbook.store.journal import TWINBOOK
from twinbook.store.runs import RunState
from twinbook.store.sweeps import Met, Sweep
from twinbook.store.vanished import Share

CAUSE = "a sweep found it out of step"

# Links, or findings, that are taken up in one step.
STRIDE = 1000

# Findings that count as a change of a link, for the safety valve.
_CHANGING = (DriftKind.DIFFERENT, DriftKind.CONTRADICTORY)


class Phase(StrEnum):
    SALESFORCE = "salesforce"
    NETSUITE = "netsuite"
    UNMET = "unmet"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a sweep has come; `after` is the place inside the phase."""

    phase: Phase
    after: str | None = None

    def __str__(self) -> str:
        return f"{self.phase}|{self.after or ''}"

    @classmethod
    def of(cls, text: str | None) -> Place:
        phase, _, after = (text or f"{Phase.SALESFORCE}|").partition("|")
        return cls(Phase(phase), after or None)


class Sweeper:
    """Carries unfinished sweeps of one connection forward."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._examiner = Examiner(connection)

    async def run(self) -> None:
        """For ever: whatever sweep is started by whomever is carried to its end."""
        await keep_stepping(self._connection, self.step, "sweep")

    async def step(self) -> bool:
        """Carry each unfinished sweep a little further; whether anything moved."""
        moved = False
        if self._connection.level is not Level.PLENTY:
            return False
        for sweep in await self._connection.store.read(sweeps.unfinished):
            with self._connection.urgency(Priority.SWEEP):
                moved |= await self._carry(sweep)
        return moved

    async def _carry(self, sweep: Sweep) -> bool:
        if sweep.run.state is RunState.DRAINING:
            return await self._finish(sweep)
        place = Place.of(sweep.run.position)
        if place.phase is Phase.REPAIR:
            return await self._repair(sweep)
        flow = await self._connection.store.read(flows.state)
        if flow.paused or flow.stopped:
            return False
        try:
            if place.phase is Phase.UNMET:
                return await self._look_after(sweep, place.after or "")
            return await self._list(sweep, Side(place.phase), place.after)
        except FlowHeldError:
            return False

    async def _list(self, sweep: Sweep, side: Side, after: str | None) -> bool:
        connection, store = self._connection, self._connection.store
        port: SalesforcePort | NetSuitePort = (
            connection.salesforce if side is Side.SALESFORCE else connection.netsuite
        )
        page = await port.list_stamps(after)
        asking = Asking(sweep.thorough, connection.contacts.direction.reaches(Side.SALESFORCE))

        def compare(tx: Tx) -> tuple[Met, list[Key]]:
            met = sweeps.met(tx, sweep.run.id, side)
            return met, suspects(tx, side, page.stamps, met, asking)

        met, doubtful = await store.read(compare)
        examined = await self._examiner.examine(doubtful)
        place = Place(Phase(side), page.next) if page.next is not None else _following(Phase(side))

        def save(tx: Tx) -> None:
            if self._advance(tx, sweep, place, examined, listed=len(page.stamps)):
                sweeps.note(tx, sweep.run.id, side, met, listed=len(page.stamps))
                if place.phase is Phase.UNMET:
                    self._stop_if_empty(tx, sweep)

        await store.run(save)
        return bool(page.stamps) or page.next != after

    async def _look_after(self, sweep: Sweep, after: str) -> bool:
        """Linked contacts that one of the lists has not shown: they are gone, or moved while it was made."""

        def unmet(tx: Tx) -> tuple[list[tuple[int, str]], list[Key]]:
            live = links.live_after(tx, after, limit=STRIDE, until=sweep.run.started_at)
            met = [sweeps.met(tx, sweep.run.id, side) for side in Side]
            keys = [
                Key(Entity.CONTACT, Side.SALESFORCE, id_)
                for number, id_ in live
                if not all(number in each for each in met)
            ]
            busy = dirty_keys.in_work(tx, keys)
            return live, [key for key in keys if key not in busy]

        live, doubtful = await self._connection.store.read(unmet)
        examined = await self._examiner.examine(doubtful)
        place = Place(Phase.UNMET, live[-1][1]) if len(live) == STRIDE else Place(Phase.REPAIR)

        def save(tx: Tx) -> None:
            if self._advance(tx, sweep, place, examined) and place.phase is Phase.REPAIR:
                self._judge(tx, sweep)

        await self._connection.store.run(save)
        return True

    def _advance(self, tx: Tx, sweep: Sweep, place: Place, examined: Examined, *, listed: int = 0) -> bool:
        if not runs.advance(tx, sweep.run, position=str(place), listed=listed):
            return False
        drifts.add(tx, sweep.run.id, examined.found, now=self._connection.clock.now())
        sweeps.count_compared(tx, sweep.run.id, examined.number)
        examined.remember(tx)
        if sweep.repairs:
            # A lane meets the same fault, and shows it at the contact.
            now = self._connection.clock.now()
            dirty_keys.mark(tx, examined.poisonous, cause=CAUSE, now=now, priority=Priority.SWEEP)
        return True

    def _stop_if_empty(self, tx: Tx, sweep: Sweep) -> None:
        """A system that shows nothing at all, while there are links, has most likely lost a permission."""
        linked, seen = links.count(tx, Entity.CONTACT), sweeps.by_id(tx, sweep.run.id)
        if not linked or seen is None:
            return
        for side in Side:
            if not seen.listed(side):
                self._stop(tx, sweep, f"{side.system} suddenly lists no contacts, and {linked} are linked")
                runs.finish(tx, sweep.run, now=self._connection.clock.now())
                return

    def _judge(self, tx: Tx, sweep: Sweep) -> None:
        """All is known: does a safety valve object to putting it right?"""
        options, found = self._connection.options, drifts.tally(tx, sweep.run.id)
        linked = links.count(tx, Entity.CONTACT)
        gone = Share(found.get(DriftKind.MISSING, 0), linked)
        changing = Share(sum(found.get(kind, 0) for kind in _CHANGING), linked)
        if gone.number > options.stop_deletes_above and gone.exceeds(options.stop_deletes_percent):
            why = f"a sweep found {gone.number} of {gone.of} linked contacts deleted"
            self._stop(tx, sweep, f"{why}; more than {options.stop_deletes_percent:g} % stop the flow")
        elif changing.number > options.stop_changes_above and changing.exceeds(options.stop_changes_percent):
            why = f"a sweep would change {changing.number} of {changing.of} linked contacts"
            self._stop(tx, sweep, f"{why}; more than {options.stop_changes_percent:g} % stop the flow")
        if not sweep.repairs or not found:
            runs.finish(tx, sweep.run, now=self._connection.clock.now())

    def _stop(self, tx: Tx, sweep: Sweep, why: str) -> None:
        """Hold the flow before anything is written. A sweep that only reports has nothing to hold."""
        sweeps.stop(tx, sweep.run.id, why)
        if sweep.repairs:
            safety.stop(tx, why, now=self._connection.clock.now())

    async def _repair(self, sweep: Sweep) -> bool:
        """Have the lanes look at what was found. While a valve holds the flow they write nothing: each contact waits
        with SAFETY_STOP until a person confirms."""
        connection, run_id = self._connection, sweep.run.id
        now = connection.clock.now()

        def mark(tx: Tx) -> bool:
            if dirty_keys.awaited(tx, run_id) >= AHEAD:
                return False
            found = drifts.to_queue(tx, run_id, limit=STRIDE)
            keys = [key for _, key in found]
            dirty_keys.mark(tx, keys, cause=CAUSE, now=now, priority=Priority.SWEEP, run_id=run_id)
            drifts.queued(tx, [number for number, _ in found], by=TWINBOOK, now=now)
            if len(found) < STRIDE:
                runs.advance(tx, sweep.run, position=None, listed=0)
            return True

        moved = await connection.store.run(mark)
        connection.wake.ring()
        return moved

    async def _finish(self, sweep: Sweep) -> bool:
        now = self._connection.clock.now()
        if await self._connection.store.read(lambda tx: dirty_keys.awaited(tx, sweep.run.id)):
            return False
        await self._connection.store.run(lambda tx: runs.finish(tx, sweep.run, now=now))
        return True


def _following(phase: Phase) -> Place:
    return Place(Phase.NETSUITE if phase is Phase.SALESFORCE else Phase.UNMET)
