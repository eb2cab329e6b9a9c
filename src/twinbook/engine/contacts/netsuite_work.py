"""Carrying out what was decided about contacts that live in NetSuite only (behaviour.md 3).

Nothing here can give one NetSuite contact two Salesforce contacts: its intent is stored first, and the unique indexes
of the link table let only one lane go on, from whichever side it came; the write is an upsert by NetSuite id; an intent
without a result is resolved by looking for the Salesforce contact that carries that id. A contact that has a link by
the time it is looked at is handed over to the key of its pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twinbook.domain.plan import Action
from twinbook.domain.records import Entity, Side
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.job import Job
from twinbook.engine.contacts.netsuite_arrivals import salesforce_key
from twinbook.engine.contacts.netsuite_creation import Creation
from twinbook.engine.contacts.netsuite_gather import NetSuiteGatherer
from twinbook.engine.contacts.newcomer import Newcomer, intent_of
from twinbook.engine.contacts.work import ContactWork
from twinbook.engine.lease import Lease
from twinbook.engine.report import Report, Settled
from twinbook.store import decisions, links
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Claimed
from twinbook.store.links import Intent


@dataclass(slots=True)
class Adoption(Job):
    """A Salesforce contact that a NetSuite contact adopts. It is worked on like any other, but under the intent of the
    NetSuite contact: a lane that looks at the Salesforce contact at the same moment steps aside."""

    @property
    def intent(self) -> Intent:
        assert self.view.netsuite is not None  # noqa: S101 - it is what adopts
        return intent_of(self.view.netsuite, self.contact.id)


class NetSuiteWork:
    """Works off a batch of NetSuite contact keys."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._gatherer = NetSuiteGatherer(connection)
        self._lease = lease
        self._creation = Creation(connection, lease)
        self._contacts = ContactWork(connection, lease)

    async def process(self, batch: Sequence[Claimed], report: Report) -> None:
        newcomers = await self._consider(await self._hand_over(batch, report))
        adopting = [item for item in newcomers if item.plan.action is Action.ADOPT]
        creating = [item for item in newcomers if item.plan.action is Action.CREATE]
        staying = [item for item in newcomers if item.plan.action not in (Action.ADOPT, Action.CREATE)]
        await self._leave(staying, report)
        await self._contacts.carry_out([self._adoption(item) for item in adopting], report)
        await self._creation.carry_out(creating, report)
        await self._drop_decisions(newcomers, report)

    async def _hand_over(self, batch: Sequence[Claimed], report: Report) -> list[Claimed]:
        """Contacts that have got a link meanwhile are looked at as pairs; the rest remains."""
        ids = [item.key.id for item in batch]
        known = await self._connection.store.read(lambda tx: links.concluded(tx, Entity.CONTACT, ids))
        for item in batch:
            if item.key.id in known:
                report.marks.append(([salesforce_key(known[item.key.id])], item.cause))
                report.settled.append(Settled(item))
        return [item for item in batch if item.key.id not in known]

    async def _consider(self, batch: Sequence[Claimed]) -> list[Newcomer]:
        if not batch:
            return []
        considered = await self._gatherer.consider([item.key.id for item in batch])
        found = [(item, considered[item.key.id]) for item in batch]
        return [
            Newcomer(item, seen.view, seen.plan, self._connection.contacts, seen.decision)
            for item, seen in found
        ]

    def _adoption(self, item: Newcomer) -> Adoption:
        """From here on the pair is seen from Salesforce, like any other."""
        adopted = next(
            candidate.record
            for candidate in item.view.salesforce_candidates
            if candidate.record.id == item.plan.counterpart_id
        )
        return Adoption(
            item.claimed,
            replace(item.view, salesforce=adopted),
            replace(item.plan, target=Side.NETSUITE, counterpart_id=item.contact.id),
            self._connection.contacts,
            token=self._lease.token,
        )

    async def _leave(self, staying: Sequence[Newcomer], report: Report) -> None:
        """Nothing is written for these; an intent from an earlier look is given up."""
        if not staying:
            return
        ids = [item.claimed.key.id for item in staying]
        await self._connection.store.run(lambda tx: links.give_up(tx, Entity.CONTACT, ids))
        report.settled += [item.settled() for item in staying]

    async def _drop_decisions(self, newcomers: Sequence[Newcomer], report: Report) -> None:
        """What a person decided is done once the contact has its pair."""
        linked = {item.claimed.key for item in report.settled if item.superseded}
        done = [(item.claimed.key, item.decision) for item in newcomers if item.claimed.key in linked]

        def store(tx: Tx) -> None:
            for key, decision in done:
                if decision is not None:
                    decisions.drop(tx, key, decision)

        if any(decision for _, decision in done):
            await self._connection.store.run(store)
