"""Creating NetSuite contacts in Salesforce: reserve, upsert by the hidden id field, link, write the new id back.

The id of the new Salesforce contact is unknown until the upsert has answered. An answer that is lost is made good by
the next look, which finds the contact by the NetSuite id it carries.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.domain.errors import SideError, TemporaryError
from twinbook.domain.ids import contact_key
from twinbook.domain.ports import Failed, NetSuiteWrite, Update
from twinbook.domain.records import Entity, Fields, Key, SalesforceContact, Side
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.newcomer import Newcomer
from twinbook.engine.lease import Lease
from twinbook.engine.report import PutBack, Report, steps_aside
from twinbook.engine.status import status_changes
from twinbook.store import links
from twinbook.store.database import Tx
from twinbook.store.links import Reservation


class Creation:
    """Creates the Salesforce contacts of a batch of newcomers, all of them in one call."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease

    async def carry_out(self, newcomers: Sequence[Newcomer], report: Report) -> None:
        newcomers = await self._reserve(newcomers, report)
        await self._upsert(newcomers)
        created = [item for item in newcomers if item.salesforce_id is not None]
        await self._read_back(created)
        await self._link(created)
        await self._write_ids([item for item in created if item.error is None], report)
        await self._conclude(newcomers, report)

    async def _reserve(self, newcomers: Sequence[Newcomer], report: Report) -> list[Newcomer]:
        """Store the intents. Contacts that stand in each other's way are taken one after the other."""
        now = self._connection.clock.now()
        held = await self._connection.store.run(
            lambda tx: [self._intend(tx, item, now=now) for item in newcomers]
        )
        found = list(zip(newcomers, held, strict=True))
        report.put_back += [
            steps_aside(item.claimed, self._connection)
            for item, reservation in found
            if reservation is not Reservation.HELD
        ]
        return [item for item, reservation in found if reservation is Reservation.HELD]

    def _intend(self, tx: Tx, item: Newcomer, *, now: float) -> Reservation:
        reservation = links.reserve(tx, Entity.CONTACT, item.intent, now=now)
        if reservation is Reservation.HELD:
            links.send(
                tx,
                Entity.CONTACT,
                item.intent,
                item.sending(self._connection.contacts.mapping, self._lease.token),
            )
        return reservation

    async def _upsert(self, newcomers: Sequence[Newcomer]) -> None:
        if not newcomers:
            return
        records = {item.contact.id: self._fields(item) for item in newcomers}
        self._lease.check()
        try:
            results = await self._connection.salesforce.upsert_contacts(records)
        except SideError as error:
            for item in newcomers:
                item.error, item.call_failed = error, True
            return
        for item in newcomers:
            result = results[item.contact.id]
            if isinstance(result, Failed):
                item.error = result.error
            else:
                item.salesforce_id, item.wrote = result.id, records[item.contact.id]

    def _fields(self, item: Newcomer) -> Fields:
        """The mapped fields, and the status that a contact in step shows."""
        unborn = SalesforceContact("", {}, "")
        now, fields = self._connection.clock.now(), self._connection.options.status_fields
        return {**item.plan.salesforce_changes, **status_changes(unborn, item.shown, fields, now=now)}

    async def _read_back(self, created: Sequence[Newcomer]) -> None:
        """See what Salesforce kept. Not seeing it now is no reason to lose the link: the plan's values stand in."""
        ids = [item.salesforce_id for item in created if item.salesforce_id]
        if not ids:
            return
        try:
            kept = await self._connection.salesforce.read_contacts(ids)
        except SideError:
            return
        for item in created:
            item.kept = kept.get(item.salesforce_id or "")

    async def _link(self, created: Sequence[Newcomer]) -> None:
        if not created:
            return
        now = self._connection.clock.now()

        def store(tx: Tx) -> None:
            self._lease.check_in(tx)
            for item in created:
                self._establish(tx, item, now=now)

        await self._connection.store.run(store)

    def _establish(self, tx: Tx, item: Newcomer, *, now: float) -> None:
        assert item.salesforce_id is not None  # noqa: S101 - callers check
        reservation = links.reserve(tx, Entity.CONTACT, item.intent, now=now)
        if reservation is not Reservation.HELD:
            item.error = TemporaryError(reservation.name, "its Salesforce contact is being linked otherwise")
            return
        links.establish(
            tx,
            Entity.CONTACT,
            item.salesforce_id,
            item.contact.id,
            correlation_id=contact_key(item.salesforce_id),
            now=now,
            agreed=item.agreed(self._connection.contacts.mapping),
            sent=item.sending(self._connection.contacts.mapping, self._lease.token),
            salesforce_version=item.kept.version if item.kept else "",
            netsuite_version=item.contact.version,
        )

    async def _write_ids(self, created: Sequence[Newcomer], report: Report) -> None:
        """Where this fails, the look at the pair that follows writes the id: it never leads to a second create."""
        if not created:
            return
        writes: dict[str, NetSuiteWrite] = {
            item.contact.id: Update(item.contact.id, {**item.plan.netsuite_changes, **item.ids})
            for item in created
        }
        self._lease.check()
        results = await self._connection.netsuite.write_contacts(writes, self._lease.check)
        for item in created:
            if isinstance(results[item.contact.id], Failed) and item.salesforce_id:
                key = Key(Entity.CONTACT, Side.SALESFORCE, item.salesforce_id)
                report.marks.append(([key], "its id could not be written to NetSuite"))

    async def _conclude(self, newcomers: Sequence[Newcomer], report: Report) -> None:
        now = self._connection.clock.now()
        refused = [item.contact.id for item in newcomers if item.refused]
        if refused:
            await self._connection.store.run(lambda tx: links.give_up(tx, Entity.CONTACT, refused))
        for item in newcomers:
            if item.error is not None and item.failed_for_now:
                wait = self._connection.backoff(item.error, item.claimed.attempts)
                report.put_back.append(PutBack(item.claimed, now + wait, item.error))
            else:
                report.settled.append(item.settled())
