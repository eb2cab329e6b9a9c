"""Taking in changes: subscriptions to change events, and polling where there are none.

Both do one thing: mark keys dirty in the transaction that moves their cursor. Whatever the events could not say (a
gap, an overflow, a lost position) becomes a re-list of the entity, never silence. NetSuite has no events: it is polled.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import structlog

from twinbook.domain.errors import SideError
from twinbook.domain.ports import (
    Changes,
    EventBatch,
    EventPort,
    EventsUnavailable,
    NetSuitePort,
    PositionLost,
    SalesforcePort,
)
from twinbook.domain.records import Entity, Side
from twinbook.engine.connection import Connection, Source
from twinbook.engine.contacts import netsuite_arrivals
from twinbook.store import cursors, dirty_keys, runs
from twinbook.store.database import Tx
from twinbook.store.runs import RunKind

log = structlog.get_logger()

# Entities with change events. AccountContactRole has none (salesforce.md 3.1): it is always polled.
SUBSCRIBED = (
    Entity.CONTACT,
    Entity.ACCOUNT,
    Entity.OPPORTUNITY,
    Entity.QUOTE,
    Entity.ACCOUNT_CONTACT_RELATION,
    Entity.OPPORTUNITY_CONTACT_ROLE,
)
# How an entity is watched while nothing is wrong.
EVENTS, POLLING = "events", "polling"
SETTLED = (EVENTS, POLLING)
# The longest wait (seconds) before an interrupted watch is taken up again.
LONGEST_WAIT = 60.0
# Stands where a position was, until a new subscription stands.
LOST = ""
# Entities whose loss can be made good by listing them; the others lead to these.
LISTED = (Entity.ACCOUNT, Entity.CONTACT)


class Ingest:
    """Watches one source of one connection for ever."""

    def __init__(
        self, connection: Connection, source: Source, *, on_state: Callable[[Source, str], None]
    ) -> None:
        self._connection = connection
        self._source = source
        self._entity = source.entity
        self._on_state = on_state
        self._failures = 0
        self._followed, self._polled = f"events:{source}", f"poll:{source}"

    async def run(self) -> None:
        has_events = self._source.side is Side.SALESFORCE and self._entity in SUBSCRIBED
        events = self._connection.events if has_events else None
        while True:
            try:
                if events is not None:
                    await self._follow(events)
                else:
                    await self._poll()
            except PositionLost:
                log.warning("position-lost", connection=self._connection.name, source=str(self._source))
                await self._start_over()
            except EventsUnavailable as why:
                log.warning(
                    "polling-instead",
                    connection=self._connection.name,
                    source=str(self._source),
                    why=str(why),
                )
                events = None
            except SideError as error:
                await self._pause(error)

    async def _follow(self, events: EventPort) -> None:
        stored, polled = await self._connection.store.read(
            lambda tx: (cursors.position(tx, self._followed), cursors.position(tx, self._polled))
        )
        position = base64.b64decode(stored) if stored else None
        # Between the last position, or the last poll, and this subscription something may have happened.
        gap = stored == LOST or (stored is None and polled is not None)
        first = True
        async for batch in events.subscribe(self._entity, position):
            # The first batch only says that the stream stands; one that is cut again and again must back off.
            self._failures = self._failures if first else 0
            first = False
            await self._take(batch, gap=gap)
            # Told only now that the position is stored: what happens from here on is not missed, whatever comes.
            self._on_state(self._source, EVENTS)
            gap = False

    async def _take(self, batch: EventBatch, *, gap: bool) -> None:
        now, debounce = self._connection.clock.now(), self._connection.options.debounce

        def store(tx: Tx) -> None:
            dirty_keys.mark(tx, batch.keys, cause="changed in Salesforce", now=now, debounce=debounce)
            if batch.relist or gap:
                self._relist(tx, now)
            if batch.position:
                cursors.move(tx, self._followed, base64.b64encode(batch.position).decode(), now=now)
                cursors.forget(tx, self._polled)

        if batch.keys or batch.relist or batch.position:
            await self._connection.store.run(store)
            self._connection.wake.ring()

    async def _poll(self) -> None:
        options = self._connection.options
        of_salesforce = self._source.side is Side.SALESFORCE
        port: SalesforcePort | NetSuitePort = (
            self._connection.salesforce if of_salesforce else self._connection.netsuite
        )
        wait = options.poll_seconds if of_salesforce else options.netsuite_poll_seconds
        while True:
            cursor = await self._connection.store.read(lambda tx: cursors.position(tx, self._polled))
            changes = await port.changes_since(self._entity, cursor)
            self._failures = 0
            if changes.keys or changes.cursor != cursor:
                await self._store_changes(changes)
            self._on_state(self._source, POLLING)
            if not changes.more:
                await self._connection.clock.sleep(wait)

    async def _store_changes(self, changes: Changes) -> None:
        now, debounce = self._connection.clock.now(), self._connection.options.debounce

        def store(tx: Tx) -> None:
            if self._source.side is Side.SALESFORCE:
                dirty_keys.mark(tx, changes.keys, cause="changed in Salesforce", now=now, debounce=debounce)
                if cursors.position(tx, self._followed) is not None:
                    # Its events were followed until now: what came after the last of them is not in this poll.
                    self._relist(tx, now)
                    cursors.forget(tx, self._followed)
            elif self._entity is Entity.ACCOUNT:
                netsuite_arrivals.mark_customers(tx, changes, now=now, debounce=debounce)
            else:
                netsuite_arrivals.mark(
                    tx, changes, self._connection.contacts.direction, now=now, debounce=debounce
                )
            cursors.move(tx, self._polled, changes.cursor, now=now)

        await self._connection.store.run(store)
        self._connection.wake.ring()

    async def _start_over(self) -> None:
        """The position is gone. The list of what may have changed is ordered only when a new subscription stands:
        what changes before that is in the list, what changes after it is in the events."""
        now = self._connection.clock.now()
        await self._connection.store.run(lambda tx: cursors.move(tx, self._followed, LOST, now=now))

    def _relist(self, tx: Tx, now: float) -> None:
        for entity in (self._entity,) if self._entity in LISTED else LISTED:
            runs.restart(tx, RunKind.RELIST, entity, by="twinbook: a gap in the change events", now=now)

    async def _pause(self, error: SideError) -> None:
        wait = self._connection.backoff(error, self._failures, cap=LONGEST_WAIT)
        self._failures += 1
        self._on_state(self._source, f"retrying: {error.code}")
        log.warning(
            "ingest-interrupted",
            connection=self._connection.name,
            source=str(self._source),
            code=error.code,
            wait=wait,
        )
        await self._connection.clock.sleep(wait)
