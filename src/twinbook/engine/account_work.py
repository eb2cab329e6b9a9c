"""The account gate: links accounts with customers, and releases their contacts the moment that happens.

Contacts are released when the link recorded here no longer matches the id that the account bears in Salesforce,
whoever wrote it there. So a link made by another product, by a person, or by Twinbook before a crash all lead to the
same release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, Action, OutcomeKind, Trigger
from twinbook.domain.ports import Failed
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Fields, Key, Link, LinkState, SalesforceAccount, Side
from twinbook.engine.account_gather import AccountGatherer
from twinbook.engine.connection import Connection
from twinbook.engine.gather import all_done
from twinbook.engine.lease import Lease
from twinbook.engine.report import PutBack, Report, Settled
from twinbook.engine.traces import trace_rows
from twinbook.store import dirty_keys, links, outcomes, runs
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Claimed
from twinbook.store.journal import Entry
from twinbook.store.links import Intent, Reservation
from twinbook.store.outcomes import Outcome

BY_HAND = "by hand"

# Pages of an account's contacts that are read for one release; a page holds up to 2,000.
MAX_RELEASE_PAGES = 500


@dataclass(slots=True)
class AccountJob:
    """One account on its way through the batch."""

    claimed: Claimed
    account: SalesforceAccount
    plan: AccountPlan
    link: Link | None
    customer_id: str | None = None
    error: SideError | None = None
    call_failed: bool = False

    @property
    def released_for(self) -> str | None:
        """The customer for which the account's contacts were already released."""
        return self.link.netsuite_id if self.link and self.link.state is LinkState.LINKED else None

    @property
    def moves_gate(self) -> bool:
        return self.error is None and self.customer_id != self.released_for

    @property
    def failed_for_now(self) -> bool:
        return self.error is not None and (self.call_failed or not isinstance(self.error, PermanentError))

    @property
    def intent(self) -> Intent:
        return Intent(self.account.id, account_key(self.account.id), self.plan.counterpart_id)

    def remember(self, tx: Tx, *, now: float) -> list[Key]:
        """Store whom the account's contacts are released for. Salesforce decides whose customer it is: an account
        that was thought to have it loses it, and is looked at again."""
        id_, customer_id = self.account.id, self.customer_id
        if customer_id is None:
            links.close(tx, Entity.ACCOUNT, id_, now=now)
            return []
        loser = links.by_netsuite(tx, Entity.ACCOUNT, [customer_id]).get(customer_id)
        lost = [loser.salesforce_id] if loser and loser.salesforce_id != id_ else []
        for account_id in lost:
            links.close(tx, Entity.ACCOUNT, account_id, now=now)
        links.establish(tx, Entity.ACCOUNT, id_, customer_id, correlation_id=account_key(id_), now=now)
        return [Key(Entity.ACCOUNT, Side.SALESFORCE, account_id) for account_id in lost]


class AccountWork:
    """Works off a batch of Salesforce account keys."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease
        self._gatherer = AccountGatherer(connection)

    async def process(self, batch: Sequence[Claimed], report: Report) -> None:
        jobs = await self._consider(batch, report)
        jobs = await self._reserve(jobs, report)
        await all_done(self._write_customer(job) for job in jobs)
        await self._write_salesforce(jobs)
        await self._release([job for job in jobs if job.moves_gate])
        self._conclude(jobs, report)

    async def _consider(self, batch: Sequence[Claimed], report: Report) -> list[AccountJob]:
        by_hand = {item.key.id for item in batch if item.cause == BY_HAND}
        considered = await self._gatherer.consider([item.key.id for item in batch], by_hand=by_hand)
        jobs = []
        for item in batch:
            found = considered.get(item.key.id)
            if found is None:
                report.settled.append(await self._gone(item))
            else:
                jobs.append(AccountJob(item, found.view.account, found.plan, found.link))
        return jobs

    async def _reserve(self, jobs: list[AccountJob], report: Report) -> list[AccountJob]:
        linking = [job for job in jobs if job.plan.action in (Action.CREATE, Action.ADOPT)]
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
        report.put_back += [PutBack(job.claimed, now) for job in linking if job.account.id in waiting]
        return [job for job in jobs if job.account.id not in waiting]

    async def _write_customer(self, job: AccountJob) -> None:
        plan, netsuite = job.plan, self._connection.netsuite
        job.customer_id = plan.counterpart_id if plan.action is Action.ADOPT else job.account.netsuite_id
        try:
            if plan.action is Action.CREATE:
                self._lease.check()
                result = await netsuite.create_customer(job.intent.correlation_id, plan.netsuite_changes)
            elif plan.action is Action.ADOPT and plan.counterpart_id and plan.netsuite_changes:
                self._lease.check()
                result = await netsuite.update_customer(plan.counterpart_id, plan.netsuite_changes)
            else:
                return
        except SideError as error:
            job.error, job.call_failed = error, True
            return
        if isinstance(result, Failed):
            job.error = result.error
        else:
            job.customer_id = result.id

    async def _write_salesforce(self, jobs: Sequence[AccountJob]) -> None:
        changes = {job.account.id: fields for job in jobs if (fields := self._salesforce_fields(job))}
        if not changes:
            return
        self._lease.check()
        try:
            results = await self._connection.salesforce.update_accounts(changes)
        except SideError as error:
            for job in jobs:
                job.error, job.call_failed = job.error or error, job.account.id in changes
            return
        for job in jobs:
            result = results.get(job.account.id)
            if isinstance(result, Failed):
                job.error = job.error or result.error

    def _salesforce_fields(self, job: AccountJob) -> Fields:
        fields: dict[str, str | bool | int | float | None] = {}
        if job.error is None and job.customer_id and job.account.netsuite_id != job.customer_id:
            fields[self._connection.contacts.salesforce_id_field] = job.customer_id
        push_field = self._connection.options.push_field
        if job.account.push_requested and push_field and not job.failed_for_now:
            fields[push_field] = False
        return fields

    async def _release(self, jobs: Sequence[AccountJob]) -> None:
        """Make all contacts dirty of accounts whose customer is another one than they were released for, and those that
        wait in NetSuite."""
        if not jobs:
            return
        connection = self._connection
        keys = await self._contacts_of([job.account.id for job in jobs])
        now = connection.clock.now()
        urgency = min(job.claimed.priority for job in jobs)

        def store(tx: Tx) -> None:
            losers = [key for job in jobs for key in job.remember(tx, now=now)]
            dirty_keys.mark(tx, losers, cause="its customer now belongs to another account", now=now)
            # A run that lists contacts has its answer for these by this look.
            run_id = runs.listing(tx, Entity.CONTACT)
            cause = "its account was linked or unlinked"
            dirty_keys.mark(tx, keys, cause=cause, now=now, priority=urgency, run_id=run_id)
            customers = [job.customer_id for job in jobs if job.customer_id]
            waiting = outcomes.netsuite_contacts_waiting_for(tx, customers)
            dirty_keys.mark(tx, waiting, cause=cause, now=now, priority=urgency)

        await connection.store.run(store)
        connection.wake.ring()

    async def _contacts_of(self, account_ids: Sequence[str]) -> list[Key]:
        keys: list[Key] = []
        after: str | None = None
        for _ in range(MAX_RELEASE_PAGES):
            page = await self._connection.salesforce.contacts_of_accounts(account_ids, after)
            keys += page.keys
            if page.next is None:
                break
            after = page.next
        return keys

    def _conclude(self, jobs: Sequence[AccountJob], report: Report) -> None:
        now = self._connection.clock.now()
        for job in jobs:
            if job.error is not None and job.failed_for_now:
                wait = self._connection.backoff(job.error, job.claimed.attempts)
                report.put_back.append(PutBack(job.claimed, now + wait, job.error))
            else:
                report.settled.append(_settled(job))

    async def _gone(self, item: Claimed) -> Settled:
        now = self._connection.clock.now()
        await self._connection.store.run(lambda tx: links.close(tx, Entity.ACCOUNT, item.key.id, now=now))
        return Settled(item, Outcome(item.key, OutcomeKind.SKIPPED, Reason.DELETED_IN_SALESFORCE))


def _settled(job: AccountJob) -> Settled:
    plan, account, error = job.plan, job.account, job.error
    kind, reason, detail = plan.outcome, plan.reason, plan.detail
    if isinstance(error, PermanentError):
        kind, reason, detail = OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE, str(error)
    wrote = error is None and plan.action in (Action.CREATE, Action.ADOPT)
    outcome = Outcome(
        job.claimed.key,
        kind,
        reason,
        detail,
        counterpart_id=job.customer_id,
        account_id=account.id,
        name=account.name,
        trace=trace_rows(plan.trace),
        choices=plan.choices,
        written=kind.value if wrote else None,
    )
    entries = [_entry(job, plan.trigger)] if wrote or job.moves_gate else []
    return Settled(job.claimed, outcome, tuple(entries), error if isinstance(error, PermanentError) else None)


def _entry(job: AccountJob, trigger: Trigger | None) -> Entry:
    what = {Action.CREATE: "customer created", Action.ADOPT: "customer adopted"}.get(
        job.plan.action, "account linked" if job.customer_id else "account unlinked"
    )
    why = f"trigger {trigger.value}" if trigger else job.claimed.cause
    return Entry(
        what, Entity.ACCOUNT, job.account.id, job.customer_id, f"{why}; all its contacts are looked at"
    )
