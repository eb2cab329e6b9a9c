"""A whole connection in memory: both systems, a store, the engine's lanes, and a clock that tests move."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.memory.netsuite import MemoryNetSuite
from tests.memory.salesforce import MemorySalesforce

from twinbook.domain.mapping import default_mapping
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.records import Entity, Key, Link, Side
from twinbook.engine.connection import Connection, Options, StatusFields
from twinbook.engine.contacts import netsuite_arrivals
from twinbook.engine.running.lanes import Lane
from twinbook.engine.running.listing import Lister
from twinbook.engine.running.sweep.sweeper import Sweeper
from twinbook.netsuite.permits import calling_at
from twinbook.salesforce.config import SalesforceConfig
from twinbook.store import dirty_keys, drifts, incidents, journal, links, outcomes, sweeps
from twinbook.store.database import Database, Store
from twinbook.store.drifts import Line
from twinbook.store.incidents import Incident
from twinbook.store.journal import Entry
from twinbook.store.outcomes import Outcome
from twinbook.store.sweeps import Sweep

STATUS = StatusFields(*SalesforceConfig().status_fields, "https://netsuite.example/{id}")


@dataclass(slots=True)
class ManualClock:
    """Time that stands still until a test moves it; sleeping moves it too, so that nothing really waits."""

    at: float = 1_790_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class World:
    """One connection. `connection` is rebuilt by `configure`, so that settings can change in mid-test."""

    connection: Connection
    salesforce: MemorySalesforce
    netsuite: MemoryNetSuite
    clock: ManualClock
    _cursors: dict[Entity, str | None] = field(default_factory=dict)
    _netsuite_cursor: str | None = None
    _customer_cursor: str | None = None

    @property
    def store(self) -> Store:
        return self.connection.store

    def configure(self, **contacts: Any) -> None:
        self.connection = replace(self.connection, contacts=replace(self.connection.contacts, **contacts))

    def configure_accounts(self, **accounts: Any) -> None:
        self.connection = replace(self.connection, accounts=replace(self.connection.accounts, **accounts))

    def with_clock(self, clock: ManualClock) -> Connection:
        """The same connection by another clock."""
        return replace(self.connection, clock=clock)

    async def notice(self) -> None:
        """Mark what changed in both systems since the last time, as polling does."""
        for entity in Entity:
            more = True
            while more:
                found = await self.salesforce.changes_since(entity, self._cursors.get(entity))
                if found.keys:
                    await self.mark(*found.keys, cause="changed in Salesforce")
                self._cursors[entity], more = found.cursor, found.more
        await self.notice_netsuite()

    async def notice_netsuite(self) -> None:
        more, now, direction = True, self.clock.now(), self.connection.contacts.direction
        while more:
            found = await self.netsuite.changes_since(Entity.CONTACT, self._netsuite_cursor)
            if found.keys:
                await self.store.run(
                    lambda tx, found=found: netsuite_arrivals.mark(tx, found, direction, now=now)
                )
            self._netsuite_cursor, more = found.cursor, found.more

        more = True
        while more:
            found = await self.netsuite.changes_since(Entity.ACCOUNT, self._customer_cursor)
            if found.keys:
                await self.store.run(
                    lambda tx, found=found: netsuite_arrivals.mark_customers(tx, found, now=now)
                )
            self._customer_cursor, more = found.cursor, found.more

    async def mark(self, *keys: Key, cause: str = "test", run_id: int | None = None) -> None:
        now = self.clock.now()
        await self.store.run(lambda tx: dirty_keys.mark(tx, keys, cause=cause, now=now, run_id=run_id))

    async def drain(self) -> None:
        """Work off everything that is due now."""
        await Lane(self.connection).drain()

    async def settle(self, *, rounds: int = 30, patience: float = 3600.0) -> None:
        """Notice, work off, and let time pass over retries, until nothing is left to do."""
        for _ in range(rounds):
            await self.notice()
            await self.drain()
            due = await self.store.read(dirty_keys.next_due)
            if due is None:
                await self.notice()
                if await self.store.read(dirty_keys.next_due) is None:
                    return
            elif due > self.clock.at:
                assert due - self.clock.at <= patience, "a retry lies further ahead than this test expects"
                self.clock.at = due
        raise AssertionError("the connection does not come to rest")

    async def list_runs(self) -> None:
        """Carry runs (back-fill, re-list) to their end."""
        lister = Lister(self.connection)
        for _ in range(1000):
            moved = await lister.step()
            await self.drain()
            if not moved and not await lister.step():
                return
        raise AssertionError("the runs do not end")

    async def sweep(self, *, thorough: bool = False, repairs: bool = True, drain: bool = True) -> Sweep:
        """Carry a sweep to its end, or as far as it goes; lanes work beside it unless told otherwise."""
        now = self.clock.now()
        run_id = await self.store.run(
            lambda tx: sweeps.start(tx, thorough=thorough, repairs=repairs, by="test", now=now)
        )
        sweeper = Sweeper(self.connection)
        for _ in range(1000):
            moved = await sweeper.step()
            if drain:
                await self.drain()
            if not moved and not await sweeper.step():
                found = await self.store.read(lambda tx: sweeps.by_id(tx, run_id))
                assert found is not None
                return found
        raise AssertionError("the sweep does not end")

    async def drift(self, sweep: Sweep) -> list[Line]:
        return await self.store.read(lambda tx: drifts.lines(tx, sweep.run.id))

    async def outcome(self, salesforce_id: str, entity: Entity = Entity.CONTACT) -> Outcome:
        key = Key(entity, Side.SALESFORCE, salesforce_id)
        found = await self.store.run(lambda tx: outcomes.find(tx, key))
        assert found is not None, f"{salesforce_id} has no outcome"
        return found

    async def outcome_in_netsuite(self, netsuite_id: str) -> Outcome | None:
        """What is shown of a contact that lives in NetSuite only; None when nothing is."""
        key = Key(Entity.CONTACT, Side.NETSUITE, netsuite_id)
        return await self.store.run(lambda tx: outcomes.find(tx, key))

    async def link(self, salesforce_id: str) -> Link | None:
        found = await self.store.run(lambda tx: links.by_salesforce(tx, Entity.CONTACT, [salesforce_id]))
        return found.get(salesforce_id)

    async def incidents(self) -> list[Incident]:
        return await self.store.run(incidents.open_ones)

    async def history(self, salesforce_id: str) -> list[Entry]:
        return await self.store.run(
            lambda tx: journal.history(tx, salesforce_id=salesforce_id, netsuite_id=None)
        )

    def linked_account(self, name: str = "Acme") -> tuple[str, str]:
        """A Salesforce account that is linked with a NetSuite customer: both ids."""
        customer = self.netsuite.user_creates_customer(name, subsidiary="1")
        account = self.salesforce.user_creates_account(name, NetSuite_Id__c=customer)
        return account, customer


@asynccontextmanager
async def world(*, options: Options | None = None, status: bool = False) -> AsyncIterator[World]:
    """A fresh connection over empty systems."""
    database = Database.open_memory()
    salesforce, netsuite, clock = MemorySalesforce(), MemoryNetSuite(), ManualClock()
    chosen = options or Options(lanes=1)
    connection = Connection(
        salesforce=salesforce,
        netsuite=netsuite,
        store=Store(database, "default"),
        contacts=ContactPolicy(default_mapping()),
        accounts=AccountPolicy(subsidiary_id="1"),
        clock=clock,
        urgency=calling_at,
        events=salesforce,
        options=replace(chosen, status_fields=STATUS, account_status_fields=STATUS) if status else chosen,
        random=random.Random(1),
    )
    made = World(connection, salesforce, netsuite, clock)
    for entity in Entity:
        made._cursors[entity] = (await salesforce.changes_since(entity, None)).cursor
    made._netsuite_cursor = (await netsuite.changes_since(Entity.CONTACT, None)).cursor
    made._customer_cursor = (await netsuite.changes_since(Entity.ACCOUNT, None)).cursor
    try:
        yield made
    finally:
        database.close()
