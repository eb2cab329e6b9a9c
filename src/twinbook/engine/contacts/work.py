"""Carrying out contact plans: reserve, write NetSuite, read back, link, write Salesforce, report.

Creating never duplicates (design.md 4): the intent is stored before the write, the write is an upsert by external id,
and an intent without a result is resolved by looking the Salesforce id up in NetSuite before anything else. Every step
may fail or be cut off; the next look at the contact finds what is there and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from twinbook.domain.errors import SideError, TemporaryError
from twinbook.domain.plan import Action
from twinbook.domain.planner import resolve_name_clash
from twinbook.domain.ports import (
    ContactQuery,
    Create,
    Delete,
    Failed,
    NetSuiteWrite,
    Update,
    WriteResult,
    Written,
)
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, NetSuiteContact, SalesforceContact, Side
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.attachments import AttachmentWork
from twinbook.engine.contacts.gather import Considered, Gatherer, name_key
from twinbook.engine.contacts.job import Job
from twinbook.engine.contacts.merges import hand_over
from twinbook.engine.contacts.safety import SafetyValve
from twinbook.engine.lease import Lease
from twinbook.engine.report import PutBack, Report, steps_aside
from twinbook.store import journal, links
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Claimed
from twinbook.store.links import Reservation

NAME_TAKEN = "CONTACT_NAME_TAKEN"


class ContactWork:
    """Works off a batch of Salesforce contact keys."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease
        self._gatherer = Gatherer(connection)
        self._valve = SafetyValve(connection)
        self._attachments = AttachmentWork(connection, lease)

    async def process(self, batch: Sequence[Claimed], report: Report) -> None:
        considered = await self._gatherer.consider([item.key.id for item in batch])
        await self.carry_out([self._job(item, considered[item.key.id]) for item in batch], report)

    async def carry_out(self, jobs: list[Job], report: Report) -> None:
        """Make the plans of these jobs true."""
        await self._valve.check(jobs)
        jobs = await self._reserve(jobs, report)
        await self._announce(jobs)
        await self._write_netsuite(jobs)
        await self._delete_in_salesforce([job for job in jobs if job.deletes_in_salesforce])
        await self._read_back([job for job in jobs if job.wrote_netsuite and job.kept is None])
        await self._remember(jobs)
        await self._write_salesforce(jobs)
        await self._agree([job for job in jobs if job.mapped_to_salesforce and job.wrote_salesforce])
        await self._attachments.carry_out(jobs, began=report.began)
        self._conclude(jobs, report)

    def _job(self, claimed: Claimed, found: Considered) -> Job:
        return Job(
            claimed,
            found.view,
            found.plan,
            self._connection.contacts,
            decision=found.decision,
            token=self._lease.token,
        )

    async def _reserve(self, jobs: list[Job], report: Report) -> list[Job]:
        """Store the intents of new links. Contacts that stand in each other's way are taken one after the other."""
        linking = [job for job in jobs if job.links]
        if not linking:
            return jobs
        now = self._connection.clock.now()
        held = await self._connection.store.run(lambda tx: [_reserve(tx, job, now=now) for job in linking])
        waiting = {
            job.claimed.key: job
            for job, reservation in zip(linking, held, strict=True)
            if reservation is not Reservation.HELD
        }
        for job in linking:
            job.reserved = True
        report.put_back += [steps_aside(job.claimed, self._connection) for job in waiting.values()]
        return [job for job in jobs if job.claimed.key not in waiting]

    async def _announce(self, jobs: Sequence[Job]) -> None:
        """Remember what is about to be written to pairs that are linked already; new links did so with their intent."""
        writing = [job for job in jobs if job.sending and not (job.links or job.ends)]
        if not writing:
            return

        def store(tx: Tx) -> None:
            self._lease.check_in(tx)
            for job in writing:
                job.announce(tx)

        await self._connection.store.run(store)

    async def _write_netsuite(self, jobs: Sequence[Job]) -> None:
        """Write all contacts of the batch; names that are taken are resolved and tried once more."""
        results = await self._send(jobs)
        taken = [job for job in jobs if _is_name_taken(results.get(job.contact.id))]
        if taken:
            for job in taken:
                del results[job.contact.id]
            results |= await self._send(await self._rename(taken))
        for job in jobs:
            result = results.get(job.contact.id)
            if isinstance(result, Failed):
                job.error, job.call_failed = result.error, result.of_call
            elif result is not None:
                job.netsuite_id, job.wrote_netsuite = result.id, True
                job.kept = result.kept if isinstance(result.kept, NetSuiteContact) else None

    async def _send(self, jobs: Sequence[Job]) -> dict[str, WriteResult]:
        """Results by Salesforce id; contacts of which nothing is written have none."""
        writes: dict[str, NetSuiteWrite] = {}
        for job in jobs:
            if job.plan.action not in (Action.NOTHING, Action.CREATE):
                job.netsuite_id = job.counterpart_id
            if (write := _write_of(job)) is not None:
                writes[job.contact.id] = write
        if not writes:
            return {}
        self._lease.check()
        return dict(await self._connection.netsuite.write_contacts(writes, self._lease.check))

    async def _delete_in_salesforce(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        self._lease.check()
        try:
            results = await self._connection.salesforce.delete_contacts([job.contact.id for job in jobs])
        except SideError as error:
            for job in jobs:
                job.error, job.call_failed = error, True
            return
        for job in jobs:
            result = results.get(job.contact.id)
            if isinstance(result, Failed):
                job.error, job.refused_by = result.error, Reason.REFUSED_BY_SALESFORCE

    async def _rename(self, jobs: Sequence[Job]) -> list[Job]:
        """Plan again, knowing who bears the names; those that are to be written once more."""
        names = frozenset(_contact_name(job) for job in jobs)
        try:
            bearers = await self._gatherer.candidates_named(names)
        except SideError as error:
            for job in jobs:
                job.error, job.call_failed = error, True
            return []
        for job in jobs:
            same_name = bearers.get(name_key(_contact_name(job)), ())
            job.plan = resolve_name_clash(job.view, self._connection.contacts, same_name)
            # One of them may be adopted: the history tells what it was like.
            job.view = replace(job.view, candidates=(*job.view.candidates, *same_name))
            job.netsuite_id = None
        return await self._reserve_anew(jobs)

    async def _reserve_anew(self, jobs: Sequence[Job]) -> list[Job]:
        """The intents of those that now link with somebody else; who cannot is put back."""
        now = self._connection.clock.now()

        def store(tx: Tx) -> list[Reservation]:
            found = []
            for job in jobs:
                held = (
                    links.reserve(tx, Entity.CONTACT, job.intent, now=now) if job.links else Reservation.HELD
                )
                if held is Reservation.HELD:
                    job.announce(tx)
                found.append(held)
            return found

        held = await self._connection.store.run(store)
        for job, reservation in zip(jobs, held, strict=True):
            if reservation is not Reservation.HELD:
                why = "another contact of Salesforce is being linked with it"
                job.error = TemporaryError(reservation.name, why)
        return [job for job in jobs if job.error is None]

    async def _read_back(self, jobs: Sequence[Job]) -> None:
        """See what NetSuite kept of what was written. Not seeing it now is no reason to lose the link: the plan's
        own values stand in, and the next look corrects them."""
        ids = frozenset(job.netsuite_id for job in jobs if job.netsuite_id and not job.ends)
        if not ids:
            return
        try:
            found = await self._connection.netsuite.find_contacts(ContactQuery(ids=ids))
        except SideError:
            return
        kept = {contact.id: contact for contact in found}
        for job in jobs:
            job.kept = kept.get(job.netsuite_id or "")

    async def _remember(self, jobs: Sequence[Job]) -> None:
        """Bring the link table up to date with what was written."""
        changed = [job for job in jobs if job.reserved or job.ends or job.netsuite_id]
        if not changed:
            return
        now = self._connection.clock.now()
        mapping = self._connection.contacts.mapping

        def store(tx: Tx) -> None:
            self._lease.check_in(tx)
            for job in changed:
                job.remember(tx, mapping, now=now)

        await self._connection.store.run(store)

    async def _agree(self, jobs: Sequence[Job]) -> None:
        """See what Salesforce kept of mapped fields, and store it as agreed."""
        if not jobs:
            return
        kept: Mapping[str, SalesforceContact] = {}
        with suppress(SideError):
            kept = await self._connection.salesforce.read_contacts([job.contact.id for job in jobs])
        now, mapping = self._connection.clock.now(), self._connection.contacts.mapping

        def store(tx: Tx) -> None:
            self._lease.check_in(tx)
            for job in jobs:
                job.agree(tx, mapping, kept.get(job.contact.id), now=now)

        await self._connection.store.run(store)

    async def _write_salesforce(self, jobs: Sequence[Job]) -> None:
        """Ids, mapped fields, status and the push checkbox, in one call for the whole batch."""
        options = self._connection.options
        now = self._connection.clock.now()
        changes = {
            job.contact.id: fields for job in jobs if (fields := job.salesforce_fields(options, now=now))
        }
        if not changes:
            return
        self._lease.check()
        try:
            results = await self._connection.salesforce.update_contacts(changes)
        except SideError as error:
            for job in jobs:
                if job.contact.id in changes and job.error is None:
                    job.error, job.call_failed = error, True
            return
        for job in jobs:
            result = results.get(job.contact.id)
            if isinstance(result, Written):
                job.wrote_salesforce = changes[job.contact.id]
            elif isinstance(result, Failed) and job.error is None:
                job.error, job.refused_by = result.error, Reason.REFUSED_BY_SALESFORCE

    def _conclude(self, jobs: Sequence[Job], report: Report) -> None:
        now = self._connection.clock.now()
        for job in jobs:
            if job.error is not None and job.failed_for_now:
                wait = self._connection.backoff(job.error, job.claimed.attempts)
                report.put_back.append(PutBack(job.claimed, now + wait, job.error))
            else:
                report.settled.append(job.settled())
                if job.heir is not None:
                    report.marks.append(([job.heir], "a linked contact was merged into it"))


def _write_of(job: Job) -> NetSuiteWrite | None:
    plan = job.plan
    if plan.action is Action.CREATE:
        return Create(job.correlation_id, plan.netsuite_changes)
    if plan.action is Action.NOTHING or job.netsuite_id is None:
        return None
    if plan.action is Action.DELETE and plan.target is Side.NETSUITE:
        return Delete(job.netsuite_id)
    version = (job.before.version or None) if job.before and job.before.binds else None
    return Update(job.netsuite_id, plan.netsuite_changes, version) if plan.netsuite_changes else None


def _is_name_taken(result: WriteResult | None) -> bool:
    return isinstance(result, Failed) and result.error.code == NAME_TAKEN


def _contact_name(job: Job) -> str:
    return str(job.plan.netsuite_changes.get("entityId") or "")


def _reserve(tx: Tx, job: Job, *, now: float) -> Reservation:
    """An inheritance frees the loser's link and stores the winner's intent at once: the link never stands open."""
    if job.plan.action is Action.INHERIT and job.view.merged_link is not None:
        hand_over(tx, Entity.CONTACT, job.view.merged_link.salesforce_id, job.contact.id, now=now)
    reservation = links.reserve(tx, Entity.CONTACT, job.intent, now=now)
    if reservation is Reservation.HELD and job.replaces:
        # The intent takes the place of the link, whatever becomes of it.
        journal.append(tx, [job.parting()], now=now)
    if reservation is Reservation.HELD:
        job.announce(tx)
    return reservation
