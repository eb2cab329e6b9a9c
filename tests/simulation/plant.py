"""Both systems, the store, and the process that keeps them in step, life after life, in virtual time.

Slow and unreliable calls to both systems, kills at any commit, frozen processes whose work somebody else takes over,
clocks that are set: everything follows from the dice that are handed in.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tests.memory.netsuite import MemoryNetSuite
from tests.memory.salesforce import MemorySalesforce
from tests.simulation.ledger import Ledger
from tests.simulation.links_watch import LinksWatch
from tests.simulation.process import Killed, Life, MortalClock, MortalStore, first_of
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import SkewedClock
from tests.simulation.wire import Batches, EventWire, Line, Weather, Wire

from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.ports import Changes
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.connection import Connection, Options, Source
from twinbook.engine.contacts import netsuite_arrivals
from twinbook.engine.running.supervisor import Supervisor
from twinbook.netsuite.permits import Permits
from twinbook.store import runs
from twinbook.store.database import Database, Tx
from twinbook.store.runs import RunKind

T = TypeVar("T")

SCOPE = "default"
# How long the connection may take to come to rest once the weather is calm.
PATIENCE_SECONDS = 1800.0
# Between two looks at whether it has.
REST_SECONDS = 2.0


@dataclass(slots=True)
class Plant:
    """`line` is what lies between the process and the systems: weather, traffic, the ledger, the trace."""

    dice: random.Random
    contacts: ContactPolicy
    accounts: AccountPolicy
    options: Options
    salesforce: MemorySalesforce = field(default_factory=MemorySalesforce)
    netsuite: MemoryNetSuite = field(default_factory=MemoryNetSuite)
    database: Database = field(default_factory=Database.open_memory)
    clock: SkewedClock = field(default_factory=SkewedClock)
    lives: int = 0
    life: Life = field(default_factory=lambda: Life("unborn"))
    line: Line = field(init=False)
    links: LinksWatch = field(init=False)
    _ended: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        trace = Trace(self.clock.monotonic)
        ledger = Ledger(self.contacts.mapping)
        self.line = Line(self.dice, trace, ledger)
        self.links = LinksWatch(ledger)
        self.salesforce.observer = self.netsuite.observer = ledger.touched

    @property
    def weather(self) -> Weather:
        return self.line.weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self.line.weather = weather

    @property
    def trace(self) -> Trace:
        return self.line.trace

    # The process

    async def keep_running(self) -> None:
        """Start the process, and start it again whenever it died or was told to stop."""
        try:
            while True:
                life, task = self._start()
                await self._until_it_ends(life, task)
        finally:
            for task in self._ended:
                task.cancel()
            await asyncio.gather(*self._ended, return_exceptions=True)

    async def _until_it_ends(self, life: Life, task: asyncio.Task[None]) -> None:
        """A dead process is left behind at once: what it had sent may still arrive."""
        dying = asyncio.ensure_future(life.died.wait())
        try:
            await first_of(task, dying)
        finally:
            dying.cancel()
        if task.done() and life.alive:
            task.result()
            return
        await asyncio.sleep(self.dice.choice((0.05, 1.0, 10.0)))

    def _start(self) -> tuple[Life, asyncio.Task[None]]:
        self.lives += 1
        life = self.life = Life(f"life{self.lives}")
        self.trace.note(life.name, "starts")
        supervisor = Supervisor(self.connection(life))
        task = asyncio.create_task(_lived(supervisor, life, self.options))
        self._ended.append(task)
        return life, task

    def connection(self, life: Life) -> Connection:
        """The connection as this life of the process sees it."""
        permits = Permits(self.options.lanes)
        return Connection(
            salesforce=Wire(self.salesforce, Side.SALESFORCE, life, self.line, None),
            netsuite=Wire(self.netsuite, Side.NETSUITE, life, self.line, permits),
            store=MortalStore(self.database, SCOPE, life, self),
            contacts=self.contacts,
            accounts=self.accounts,
            clock=MortalClock(self.clock, life),
            urgency=Batches(life, self.line.numbers),
            events=EventWire(self.salesforce, life, self.line),
            options=self.options,
            random=random.Random(self.dice.random()),
        )

    def kill(self) -> None:
        self.life.kill()

    def kill_at_commit(self, commits: int, *, after: bool) -> None:
        self.life.commits_left, self.life.dies_after = commits, after

    def stop(self) -> None:
        """Ask the process to end in good order; it is started anew at once."""
        self.life.told.set()

    async def freeze(self, seconds: float) -> None:
        """The process stands still for a while."""
        life = self.life
        life.freeze()
        await asyncio.sleep(seconds)
        life.thaw()

    async def take_over(self, late: float) -> None:
        """The process stands still until its leases have ended; another one takes over; then the first one wakes up,
        `late` seconds later, and is stopped after a while."""
        life = self.life
        life.freeze()
        await asyncio.sleep(self.options.lease_seconds + 1.0)
        life.died.set()
        await asyncio.sleep(late)
        life.thaw()
        await asyncio.sleep(self.options.lease_seconds)
        life.kill()
        # It may have set positions back, in good faith: whoever starts next reads some events once more.
        self.stop()

    # What the store asks

    def store_delay(self) -> float:
        slowest = self.line.weather.store
        return self.dice.uniform(0.0, slowest) if slowest else 0.0

    def committed(self, life: Life, tx: Tx) -> None:
        self.trace.note(life.name, "commit")
        self.links.look(tx)

    # Asking and arranging

    def store(self, work: Callable[[Tx], T]) -> T:
        """What another command does in the same store, while the process lives or not."""

        def watched(tx: Tx) -> T:
            result = work(tx)
            self.links.look(tx)
            return result

        return self.database.run_now(SCOPE, watched)

    async def rest(self) -> None:
        """Until nothing is left to do. Raises AssertionError when it does not come to rest."""
        started = self.clock.monotonic()
        quiet = 0
        while quiet < 3:
            assert self.clock.monotonic() - started < PATIENCE_SECONDS, f"no rest: {self.store(_unrest)}"
            await asyncio.sleep(REST_SECONDS)
            quiet = quiet + 1 if self._is_quiet() else 0

    async def watched(self) -> None:
        """Until every source is watched: nothing that happens from now on is missed."""
        names = [(f"events:{source}", f"poll:{source}") for source in self.options.watch]
        while True:
            found = self.database.run_now(SCOPE, _positions)
            if all(found.keys() & pair for pair in names):
                return
            await asyncio.sleep(1.0)

    def mark_netsuite(self) -> None:
        """Have all NetSuite contacts looked at that the settings look at."""
        keys = tuple(Key(Entity.CONTACT, Side.NETSUITE, contact.id) for contact in self.netsuite.contacts)
        found, direction, now = Changes(keys, "", more=False), self.contacts.direction, self.clock.now()
        self.store(lambda tx: netsuite_arrivals.mark(tx, found, direction, now=now))

    async def list_all(self, kind: RunKind = RunKind.BACKFILL) -> None:
        """Have all accounts and contacts of both systems looked at, as a sweep does."""
        now = self.clock.now()
        self.mark_netsuite()
        for entity in (Entity.ACCOUNT, Entity.CONTACT):
            self.store(lambda tx, entity=entity: runs.start(tx, kind, entity, by="test", now=now))
        await self.rest()

    def _is_quiet(self) -> bool:
        if not self.life.alive or self.life.frozen:
            return False
        unrest, positions = self.database.run_now(SCOPE, lambda tx: (_unrest(tx), _positions(tx)))
        return not unrest and all(self._caught_up(source, positions) for source in self.options.watch)

    def _caught_up(self, source: Source, positions: dict[str, str]) -> bool:
        if followed := positions.get(f"events:{source}"):
            at = int.from_bytes(base64.b64decode(followed), "big")
            return not self.salesforce.events._after(source.entity, at)
        polled = positions.get(f"poll:{source}")
        return polled is not None and int(polled) >= self._last_change(source)

    def _last_change(self, source: Source) -> int:
        if source.side is Side.SALESFORCE:
            return max((r.sequence for r in self.salesforce._by_entity[source.entity].values()), default=0)
        changed = (record.sequence for record in self.netsuite._all(source.entity))
        gone = (sequence for sequence, key in self.netsuite._deleted if key.entity is source.entity)
        return max((*changed, *gone), default=0)


async def _lived(supervisor: Supervisor, life: Life, options: Options) -> None:
    told = asyncio.ensure_future(life.told.wait())
    try:
        await supervisor.run(told, watch=options.watch)
    except Killed:
        life.died.set()
    finally:
        told.cancel()


def _unrest(tx: Tx) -> list[str]:
    """What is still to be done, in words for a failing test."""
    rows = tx.db.exec_driver_sql(
        "SELECT 'key', entity, record_id, claim FROM dirty UNION ALL "
        "SELECT 'run', entity, state, id FROM run WHERE state <> 'done'"
    )
    return [" ".join(map(str, row)) for row in rows]


def _positions(tx: Tx) -> dict[str, str]:
    return {row[0]: row[1] for row in tx.db.exec_driver_sql("SELECT stream, position FROM cursor")}
