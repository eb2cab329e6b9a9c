"""Carrying out what is due: one courier in each process that works, over one durable queue.

Every try has a timeout, tries are limited and lie further and further apart; what fails for good is kept for people to
see and to try again (`twinbook.store.deliveries`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog

from twinbook.domain.errors import SideError
from twinbook.notify.addresses import Address
from twinbook.notify.due import Event, Rules, Situation, Told, due
from twinbook.notify.sending import Sending, SendingError
from twinbook.store import conditions, deliveries, flows, incidents, outcomes, recipients
from twinbook.store.conditions import State
from twinbook.store.database import Database, Tx
from twinbook.store.deliveries import Delivery
from twinbook.store.incidents import IncidentKind
from twinbook.store.recipients import Kind, Recipient

log = structlog.get_logger("twinbook.notify")

# Seconds.
LOOK_EVERY = 60.0
CARRY_EVERY = 2.0
TRY_SECONDS = 20.0
CLAIM_SECONDS = 60.0
FIRST_WAIT, LONGEST_WAIT = 10.0, 3600.0
# With the waits above, the last try is about half a day after the first.
MOST_TRIES = 20
AT_ONCE = 8
EVERYWHERE = ""


@dataclass(frozen=True, slots=True)
class Courier:
    """`unseal` opens an address; `sending` does the calls; `base_url` is that of the dashboard, for links."""

    database: Database
    connections: Sequence[str]
    base_url: str
    unseal: Callable[[str], str | None]
    sending: Sending
    now: Callable[[], float]
    chance: random.Random

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop. What fails here must not stop contacts from being synced: it is logged, and goes on."""
        looked = 0.0
        while not stop.is_set():
            try:
                if abs(self.now() - looked) >= LOOK_EVERY:
                    looked = self.now()
                    await self.look()
                await self.carry()
            except Exception as error:
                log.warning("courier-failed", kind=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), CARRY_EVERY)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Queue the messages that are due for people."""
        if await self.database.read(EVERYWHERE, lambda tx: bool(recipients.everybody(tx, Kind.PEOPLE))):
            await self.database.run(EVERYWHERE, self._queue_messages)

    def _queue_messages(self, tx: Tx) -> None:
        now = self.now()
        hour = datetime.fromtimestamp(now).hour
        situations = [situation(Tx(tx.db, name)) for name in self.connections]
        for person in recipients.everybody(tx, Kind.PEOPLE):
            before = told_of(person)
            message, told = due(
                rules_of(person), situations, before, base_url=self.base_url, now=now, hour=hour
            )
            if message is not None and not deliveries.put(tx, person.id, asdict(message), now=now):
                continue
            if told != before:
                recipients.note_told(tx, person.id, asdict(told))

    async def carry(self) -> None:
        """Send what is due, a few at a time."""
        now = self.now()
        if not await self.database.read(EVERYWHERE, lambda tx: deliveries.any_due(tx, now=now)):
            return
        until = now + CLAIM_SECONDS
        taken = await self.database.run(
            EVERYWHERE, lambda tx: deliveries.take(tx, limit=AT_ONCE, until=until, now=now)
        )
        async with asyncio.TaskGroup() as group:
            for item in taken:
                group.create_task(self._deliver(item))

    async def _deliver(self, item: Delivery) -> None:
        problem = await self.try_to_send(item)
        now = self.now()
        if problem is None:
            await self.database.run(EVERYWHERE, lambda tx: deliveries.sent(tx, item.id))
        elif item.attempts + 1 >= MOST_TRIES:
            await self.database.run(EVERYWHERE, lambda tx: deliveries.give_up(tx, item.id, problem, now=now))
        else:
            due_at = now + self._backoff(item.attempts)
            await self.database.run(
                EVERYWHERE, lambda tx: deliveries.failed(tx, item.id, problem, due_at=due_at)
            )

    async def try_to_send(self, item: Delivery) -> str | None:
        """One try; why it failed, in words without secrets, None if it did not."""
        recipient = await self.database.read(EVERYWHERE, lambda tx: recipients.by_id(tx, item.recipient_id))
        if recipient is None:
            return None
        opened = self.unseal(recipient.sealed)
        if opened is None:
            return "The address cannot be read with this key file. Enter it anew."
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await self.sending.send(recipient.kind, Address.unpacked(opened), item)
        except TimeoutError:
            return f"There was no answer within {TRY_SECONDS:.0f} seconds."
        except (SideError, SendingError) as error:
            return str(error)
        return None

    def _backoff(self, failures: int) -> float:
        longest: float = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 30))
        return self.chance.uniform(longest / 2, longest)


def situation(tx: Tx) -> Situation:
    """How the connection of this transaction is."""
    condition = conditions.of(tx)
    failing = condition is not None and condition.state is State.RETRYING
    failed = [number for kind, _, number in incidents.tally(tx) if kind is IncidentKind.FAILED]
    return Situation(
        tx.scope,
        stopped=flows.state(tx).stopped,
        failing=(condition.code or "UNKNOWN") if failing and condition else None,
        failures=sum(failed),
        piles=outcomes.waiting_for_people(tx),
    )


def rules_of(person: Recipient) -> Rules:
    stored: Any = person.rules
    quiet = stored.get("quiet")
    return Rules(
        frozenset(map(Event, stored["events"])),
        stored["failures_above"],
        stored["digest_minutes"],
        (quiet[0], quiet[1]) if quiet else None,
    )


def told_of(person: Recipient) -> Told:
    return Told(**person.told) if person.told else Told()
