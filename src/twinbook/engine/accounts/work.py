"""The account gate: links accounts with customers, keeps the two in step, and releases the accounts' contacts the
moment they are linked.

Contacts are released when the link recorded here no longer matches the id that the account bears in Salesforce,
whoever wrote it there. So a link made by another product, by a person, or by Twinbook before a crash all lead to the
same release. The accounts below are looked at in the same moment: they may wait for their parent, or have a customer
that does not name it yet.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.domain.errors import SideError
from twinbook.domain.plan import Action
from twinbook.domain.policy import Accounts
from twinbook.domain.ports import Create, Failed, NetSuiteWrite, Update, Written
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, NetSuiteCustomer, SalesforceAccount, Side
from twinbook.engine.accounts.gather import AccountGatherer
from twinbook.engine.accounts.job import LINKING, AccountJob
from twinbook.engine.accounts.mergers import Departures, all_keys, unsettled
from twinbook.engine.connection import Connection
from twinbook.engine.lease import Lease
from twinbook.engine.report import PutBack, Report, steps_aside
from twinbook.store import dirty_keys, links, outcomes, runs
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import BY_HAND, Claimed
from twinbook.store.links import Reservation


class AccountWork:
    """Works off a batch of Salesforce account keys."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease
        self._gatherer = AccountGatherer(connection)

    async def process(self, batch: Sequence[Claimed], report: Report) -> None:
        jobs = await self._consider(batch, report)
        jobs = await self._after_mergers(jobs, report)
        jobs = await self._reserve(jobs, report)
        await self._write_customers(jobs)
        await self._write_salesforce(jobs)
        await self._agree([job for job in jobs if job.error is None])
        await self._remember([job for job in jobs if job.agrees_anew and not job.moves_gate])
        await self._release([job for job in jobs if job.moves_gate])
        await self._release_waiting([job for job in jobs if job.customer_id and not job.moves_gate])
        self._conclude(jobs, report)

    async def _consider(self, batch: Sequence[Claimed], report: Report) -> list[AccountJob]:
        by_hand = {item.key.id for item in batch if item.cause == BY_HAND}
        considered = await self._gatherer.consider([item.key.id for item in batch], by_hand=by_hand)
        gone = [item for item in batch if item.key.id not in considered]
        if gone:
            await Departures(self._connection).settle(gone, report)
        found = [(item, considered[item.key.id]) for item in batch if item.key.id in considered]
        policy = self._connection.accounts
        return [
            AccountJob(item, seen.view, seen.plan, policy, seen.link, seen.decision) for item, seen in found
        ]

    async def _after_mergers(self, jobs: list[AccountJob], report: Report) -> list[AccountJob]:
        """An account that is about to get a customer steps aside for accounts that were just merged into it."""
        linking = [job.account.id for job in jobs if job.plan.action in LINKING and not job.view.reserved]
        before = await unsettled(self._connection, linking)
        for job in jobs:
            if job.account.id in before:
                report.marks.append((before[job.account.id], f"merged into {job.account.name}"))
                report.put_back.append(steps_aside(job.claimed, self._connection))
        return [job for job in jobs if job.account.id not in before]

    async def _reserve(self, jobs: list[AccountJob], report: Report) -> list[AccountJob]:
        linking = [job for job in jobs if job.plan.action in LINKING]
        if not linking:
            return jobs
        now = self._connection.clock.now()
        held = await self._connection.store.run(
            lambda tx: [links.reserve(tx, Entity.ACCOUNT, job.intent, now=now) for job in linking]
        )
        waiting = {
            job.account.id
            for job, reservation in zip(linking, held, strict=True)
            if reservation is not Reservation.HELD
        }
        report.put_back += [
            steps_aside(job.claimed, self._connection) for job in linking if job.account.id in waiting
        ]
        return [job for job in jobs if job.account.id not in waiting]

    async def _write_customers(self, jobs: Sequence[AccountJob]) -> None:
        writes: dict[str, NetSuiteWrite] = {}
        for job in jobs:
            adopts = job.plan.action is Action.ADOPT
            job.customer_id = job.plan.counterpart_id if adopts else job.account.netsuite_id
            if (write := _write_of(job)) is not None:
                writes[job.account.id] = write
        if not writes:
            return
        self._lease.check()
        results = await self._connection.netsuite.write_customers(writes, self._lease.check)
        for job in jobs:
            result = results.get(job.account.id)
            if isinstance(result, Failed):
                job.error, job.call_failed = result.error, result.of_call
            elif result is not None:
                job.customer_id, job.wrote_netsuite = result.id, True
                job.kept = result.kept if isinstance(result.kept, NetSuiteCustomer) else None

    async def _write_salesforce(self, jobs: Sequence[AccountJob]) -> None:
        policy, options = self._connection.accounts, self._connection.options
        now = self._connection.clock.now()
        changes = {
            job.account.id: fields
            for job in jobs
            if (fields := job.salesforce_fields(policy, options, now=now))
        }
        if not changes:
            return
        self._lease.check()
        try:
            results = await self._connection.salesforce.update_accounts(changes)
        except SideError as error:
            for job in jobs:
                if job.account.id in changes:
                    job.error, job.call_failed = job.error or error, True
            return
        for job in jobs:
            result = results.get(job.account.id)
            if isinstance(result, Written):
                job.wrote_salesforce = changes[job.account.id]
            elif isinstance(result, Failed) and job.error is None:
                job.error, job.refused_by = result.error, Reason.REFUSED_BY_SALESFORCE

    async def _agree(self, jobs: Sequence[AccountJob]) -> None:
        """See what both systems kept of what was written. Not seeing it now loses nothing: the plan's own values stand
        in, and the next look corrects them."""
        accounts: dict[str, SalesforceAccount] = {}
        customers: dict[str, NetSuiteCustomer] = {}
        written = [job.account.id for job in jobs if job.plan.salesforce_changes and job.wrote_salesforce]
        ids = [job.customer_id for job in jobs if job.wrote_netsuite and job.customer_id and not job.kept]
        try:
            if ids:
                found = await self._connection.netsuite.find_customers(ids=ids)
                customers = {customer.id: customer for customer in found}
            if written:
                accounts = dict(await self._connection.salesforce.read_accounts(written))
        except SideError:
            pass
        for job in jobs:
            if job.customer_id is not None:
                kept = job.kept or customers.get(job.customer_id)
                job.agree(self._connection.accounts, accounts.get(job.account.id), kept)

    async def _remember(self, jobs: Sequence[AccountJob]) -> None:
        """Store what is agreed on accounts that stay linked as they were. Contacts of those that have another parent
        than before are looked at again."""
        if not jobs:
            return
        now = self._connection.clock.now()
        moved = [job.account.id for job in jobs if job.changed_parent]
        contacts = await all_keys(self._connection.salesforce.contacts_of_accounts, moved) if moved else []

        def store(tx: Tx) -> None:
            self._lease.check_in(tx)
            for job in jobs:
                links.agree(tx, Entity.ACCOUNT, job.account.id, job.agreed, now=now)
            dirty_keys.mark(tx, contacts, cause="its account has another parent", now=now)

        await self._connection.store.run(store)

    async def _release(self, jobs: Sequence[AccountJob]) -> None:
        """Make all contacts dirty of accounts whose customer is another one than they were released for, those that
        wait in NetSuite, and the accounts below."""
        if not jobs:
            return
        connection, salesforce = self._connection, self._connection.salesforce
        ids = [job.account.id for job in jobs]
        keys = await all_keys(salesforce.contacts_of_accounts, ids)
        ours = connection.accounts.accounts is Accounts.SYNC
        below = await all_keys(salesforce.children_of_accounts, ids) if ours else []
        now = connection.clock.now()
        urgency = min(job.claimed.priority for job in jobs)

        def store(tx: Tx) -> None:
            self._lease.check_in(tx)
            losers = [key for job in jobs for key in job.remember(tx, now=now)]
            dirty_keys.mark(tx, losers, cause="its customer now belongs to another account", now=now)
            # A run that lists contacts has its answer for these by this look.
            run_id = runs.listing(tx, Entity.CONTACT)
            cause = "its account was linked or unlinked"
            dirty_keys.mark(tx, keys, cause=cause, now=now, priority=urgency, run_id=run_id)
            customers = [job.customer_id for job in jobs if job.customer_id]
            waiting = outcomes.netsuite_contacts_waiting_for(tx, customers)
            dirty_keys.mark(tx, waiting, cause=cause, now=now, priority=urgency)
            cause = "its parent was linked or unlinked"
            dirty_keys.mark(tx, below, cause=cause, now=now, priority=urgency)

        await connection.store.run(store)
        connection.wake.ring()

    async def _release_waiting(self, jobs: Sequence[AccountJob]) -> None:
        """Contacts may wait for an account whose gate stands open: they saw it while somebody had closed it."""
        ids = [job.account.id for job in jobs]
        if not ids:
            return
        now = self._connection.clock.now()

        def store(tx: Tx) -> int:
            waiting = outcomes.waiting_for_accounts(tx, ids)
            dirty_keys.mark(tx, waiting, cause="its account is linked", now=now)
            return len(waiting)

        if await self._connection.store.run(store):
            self._connection.wake.ring()

    def _conclude(self, jobs: Sequence[AccountJob], report: Report) -> None:
        now = self._connection.clock.now()
        for job in jobs:
            if job.error is not None and job.failed_for_now:
                wait = self._connection.backoff(job.error, job.claimed.attempts)
                report.put_back.append(PutBack(job.claimed, now + wait, job.error))
                continue
            report.settled.append(job.settled())
            parent = job.account.parent_id
            if job.plan.reason is Reason.PARENT_NOT_SYNCED and parent:
                key = Key(Entity.ACCOUNT, Side.SALESFORCE, parent)
                report.marks.append(([key], f"the account {job.account.name} below it waits for it"))


def _write_of(job: AccountJob) -> NetSuiteWrite | None:
    plan = job.plan
    if plan.action is Action.CREATE:
        return Create(job.intent.correlation_id, plan.netsuite_changes)
    if plan.action is Action.NOTHING or not (plan.counterpart_id and plan.netsuite_changes):
        return None
    return Update(plan.counterpart_id, plan.netsuite_changes)
