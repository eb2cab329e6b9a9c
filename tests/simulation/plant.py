"""The whole engine of one connection under simulated circumstances: slow and unreliable calls to both systems, kills
at any commit, frozen processes, cut streams, clocks that are set. Everything follows from one seed."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.memory.netsuite import MemoryNetSuite
from tests.memory.salesforce import MemorySalesforce
from tests.simulation.virtual_time import SkewedClock

from twinbook.domain.errors import PermanentError, SideError, TemporaryError
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.ports import Create, Failed, NetSuiteWrite, WriteResult
from twinbook.domain.records import Entity
from twinbook.engine.connection import NETSUITE_CONTACTS, Connection, Options, Source
from twinbook.engine.running.supervisor import Supervisor
from twinbook.netsuite.permits import calling_at
from twinbook.store import cursors, dirty_keys, runs
from twinbook.store.database import Database, Store, Tx
from twinbook.store.runs import RunKind

T = TypeVar("T")

WITH_EVENTS = (Entity.CONTACT, Entity.ACCOUNT, Entity.OPPORTUNITY)
WATCHED = (*map(Source, WITH_EVENTS), NETSUITE_CONTACTS)
NETSUITE_WRITES = frozenset({"write_contacts", "write_customers"})
SALESFORCE_WRITES = frozenset({"update_contacts", "update_accounts", "upsert_contacts"})
# From a kill to the next start: what was on its way when the process died has arrived by then, or never will.
RESTART_SECONDS = 5.0
# From reading a record to writing it, at most.
LONGEST_SIGHT = 40.0
# How long the connection may take to come to rest once the weather is calm.
PATIENCE_SECONDS = 1800.0


class Killed(BaseException):
    """The process is gone: nobody catches this."""


@dataclass(slots=True)
class Weather:
    """How likely each call meets a misfortune, and how long calls take."""

    refused: float = 0.0
    lost: float = 0.0
    locked: float = 0.0
    login: float = 0.0
    slowest: float = 0.3


CALM = Weather()
STORMS = (
    Weather(refused=0.3),
    Weather(lost=0.3),
    Weather(refused=0.1, lost=0.2, locked=0.2, slowest=2.0),
    Weather(login=0.5),
    Weather(refused=0.9, slowest=0.1),
    Weather(slowest=8.0),
)


@dataclass(slots=True)
class Life:
    """One life of the process. `commits_left` counts down to the commit at which it dies."""

    alive: bool = True
    commits_left: int | None = None
    dies_after: bool = False

    def check(self) -> None:
        if not self.alive:
            raise Killed

    def at_commit(self, *, after: bool) -> None:
        if self.commits_left is None or after is not self.dies_after:
            return
        self.commits_left -= 1
        if self.commits_left < 0:
            self.alive = False
            raise Killed


class MortalStore(Store):
    """A store on the loop's own thread, whose process may die before or after a commit."""

    def __init__(self, database: Database, life: Life) -> None:
        super().__init__(database, "default")
        self._life = life

    async def run(self, work: Callable[[Tx], T]) -> T:
        await asyncio.sleep(0)
        self._life.check()
        self._life.at_commit(after=False)
        result = self.run_now(work)
        self._life.at_commit(after=True)
        return result

    async def read(self, work: Callable[[Tx], T]) -> T:
        await asyncio.sleep(0)
        self._life.check()
        return self.read_now(work)


class Wire:
    """The way to one system: takes time, loses requests and answers, and outlives the process that sent them."""

    def __init__(self, side: object, plant: Plant, life: Life) -> None:
        self._side = side
        self._plant = plant
        self._life = life

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._call(name, args, kwargs)

        return self._write_each(name) if name in NETSUITE_WRITES else call

    def _write_each(self, name: str) -> Callable[..., Any]:
        """NetSuite's records are written one by one, side by side: each has a fate of its own."""

        async def call(writes: Mapping[str, NetSuiteWrite], *rest: Any) -> Mapping[str, WriteResult]:
            fates = [self._call(name, ({key: write}, *rest), {}) for key, write in writes.items()]
            found = await asyncio.gather(*fates, return_exceptions=True)
            results: dict[str, WriteResult] = {}
            for one in found:
                if isinstance(one, BaseException):
                    raise one
                results |= one
            return results

        return call

    async def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        plant, dice = self._plant, self._plant.dice
        self._life.check()
        await self._travel()
        if not self._life.alive and dice.random() < 0.5:
            raise Killed
        weather = plant.weather
        if dice.random() < weather.login:
            return self._fail(name, args, PermanentError("INVALID_LOGIN", "expired", remedy="Renew it."))
        if dice.random() < weather.refused:
            wait = dice.choice((None, None, 3.0, 30.0))
            return self._fail(name, args, TemporaryError("TOO_MANY_REQUESTS", "later", retry_after=wait))
        args, locked = self._locked(name, args, weather)
        if name in NETSUITE_WRITES:
            plant.netsuite_writes += [(plant.clock.monotonic(), _written(item)) for item in args[0].values()]
        result = await getattr(self._side, name)(*args, **kwargs)
        lost = dice.random() < weather.lost
        await self._travel()
        self._life.check()
        if lost:
            return self._fail(name, args, TemporaryError("NO_ANSWER", "cut off", outcome_unknown=True))
        return {**result, **locked} if locked else result

    async def _travel(self) -> None:
        await asyncio.sleep(self._plant.dice.uniform(0.01, self._plant.weather.slowest))

    def _locked(
        self, name: str, args: tuple[Any, ...], weather: Weather
    ) -> tuple[tuple[Any, ...], dict[str, Failed]]:
        """Take some records out of a Salesforce write: their rows are locked."""
        if name not in SALESFORCE_WRITES:
            return args, {}
        why = TemporaryError("UNABLE_TO_LOCK_ROW", "locked by another transaction")
        locked = {id_: Failed(why) for id_ in args[0] if self._plant.dice.random() < weather.locked}
        return ({id_: fields for id_, fields in args[0].items() if id_ not in locked},), locked

    def _fail(self, name: str, args: tuple[Any, ...], error: SideError) -> Mapping[str, WriteResult]:
        """NetSuite's writes tell of their failure as a value, every other call by raising."""
        if name in NETSUITE_WRITES:
            return {key: Failed(error, of_call=error.code == "INVALID_LOGIN") for key in args[0]}
        raise error


def _written(write: NetSuiteWrite) -> str:
    """The id by which a write names its record."""
    return write.external_id if isinstance(write, Create) else write.id


@dataclass(slots=True)
class Plant:
    """Both systems, the store, and the process that keeps them in step, life after life."""

    dice: random.Random
    contacts: ContactPolicy
    accounts: AccountPolicy
    options: Options
    salesforce: MemorySalesforce = field(default_factory=MemorySalesforce)
    netsuite: MemoryNetSuite = field(default_factory=MemoryNetSuite)
    clock: SkewedClock = field(default_factory=SkewedClock)
    weather: Weather = field(default_factory=Weather)
    database: Database = field(default_factory=Database.open_memory)
    lives: int = 0
    netsuite_writes: list[tuple[float, str]] = field(default_factory=list)
    _life: Life = field(default_factory=Life)
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    # The process

    async def keep_running(self) -> None:
        """Start the process, and start it again whenever it died; any other end of it is a fault."""
        while True:
            self._life, self._told = Life(), asyncio.Event()
            self.lives += 1
            supervisor = Supervisor(self.connection())
            self._task = asyncio.create_task(supervisor.run(self._told.wait(), watch=self.options.watch))
            try:
                await self._task
            except Killed:
                await asyncio.sleep(RESTART_SECONDS)

    def connection(self) -> Connection:
        """The connection as this life of the process sees it."""
        return Connection(
            salesforce=Wire(self.salesforce, self, self._life),
            netsuite=Wire(self.netsuite, self, self._life),
            store=MortalStore(self.database, self._life),
            contacts=self.contacts,
            accounts=self.accounts,
            clock=self.clock,
            urgency=calling_at,
            events=self.salesforce,
            options=self.options,
            random=random.Random(self.dice.random()),
        )

    def kill(self) -> None:
        self._life.alive = False

    def kill_at_commit(self, commits: int, *, after: bool) -> None:
        self._life.commits_left, self._life.dies_after = commits, after

    def stop(self) -> None:
        """Ask the process to end in good order; it is started anew at once."""
        self._told.set()

    # Asking and arranging

    def store(self, work: Callable[[Tx], T]) -> T:
        """What another command does in the same store, while the process lives or not."""
        return self.database.run_now("default", work)

    def wrote_soon_after(self, at: float, netsuite_id: str) -> bool:
        """Whether a write of the contact may have been on its way when somebody else wrote it: NetSuite lets the later
        one win, and nobody sees what the other one was."""
        external_id = self.netsuite.contact(netsuite_id).external_id
        return any(
            at <= wrote < at + LONGEST_SIGHT and id_ in (netsuite_id, external_id)
            for wrote, id_ in self.netsuite_writes
        )

    async def rest(self) -> None:
        """Until nothing is left to do. Raises AssertionError when it does not come to rest."""
        started = self.clock.monotonic()
        quiet = 0
        while quiet < 3:
            assert self.clock.monotonic() - started < PATIENCE_SECONDS, f"no rest: {self.store(_unrest)}"
            await asyncio.sleep(self.options.idle_seconds)
            quiet = quiet + 1 if self._is_quiet() else 0

    async def list_all(self, kind: RunKind = RunKind.BACKFILL) -> None:
        """Have all accounts and contacts looked at, as a sweep does."""
        now = self.clock.now()
        for entity in (Entity.ACCOUNT, Entity.CONTACT):
            self.store(lambda tx, entity=entity: runs.start(tx, kind, entity, by="test", now=now))
        await self.rest()

    def _is_quiet(self) -> bool:
        if not self._life.alive or self.store(_unrest):
            return False
        polled = self.store(lambda tx: cursors.position(tx, f"poll:{NETSUITE_CONTACTS}"))
        if polled is None or int(polled) < self._last_change_in_netsuite():
            return False
        return all(self._caught_up(entity) for entity in WITH_EVENTS)

    def _last_change_in_netsuite(self) -> int:
        changed = (record.sequence for record in self.netsuite._all(Entity.CONTACT))
        gone = (sequence for sequence, key in self.netsuite._deleted if key.entity is Entity.CONTACT)
        return max((*changed, *gone), default=0)

    def _caught_up(self, entity: Entity) -> bool:
        position = self.store(lambda tx: cursors.position(tx, f"events:{entity}"))
        if not position:
            return entity in self.salesforce.events.unavailable
        at = int.from_bytes(base64.b64decode(position), "big")
        return not self.salesforce.events._after(entity, at)


def _unrest(tx: Tx) -> list[str]:
    """What is still to be done, in words for a failing test."""
    depth = dirty_keys.depth(tx, now=0.0)
    found = [f"{depth.due + depth.later + depth.claimed} dirty keys"] if depth.oldest_marked_at else []
    return found + [f"run {run.id} {run.entity} {run.state}" for run in runs.unfinished(tx)]
