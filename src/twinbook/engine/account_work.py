"""The account gate: links accounts with customers, and releases their contacts the moment that happens.

Contacts are released when the link recorded here no longer matches the id that the account bears in Salesforce,
whoever wrote it there. So a link made by another product, by a person, or by Twinbook before a crash all lead to the
same release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.domain.account_planner import plan_account
from twinbook.domain.canonical import name_key
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, AccountView, Action, OutcomeKind, Trigger
from twinbook.domain.ports import Failed
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Fields, Key, Link, LinkState, NetSuiteCustomer, SalesforceAccount
from twinbook.engine.connection import Connection
from twinbook.engine.gather import all_done
from twinbook.engine.lease import Lease
from twinbook.engine.report import PutBack, Report, Settled
from twinbook.engine.traces import trace_rows
from twinbook.store import dirty_keys, flows, links, runs
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
    view: AccountView
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

    def remember(self, tx: Tx, *, now: float) -> None:
        """Store whom the account's contacts are released for."""
        id_ = self.account.id
        if self.customer_id is None:
            links.close(tx, Entity.ACCOUNT, id_, now=now)
        else:
            links.establish(
                tx, Entity.ACCOUNT, id_, self.customer_id, correlation_id=account_key(id_), now=now
            )


class AccountWork:
    """Works off a batch of Salesforce account keys."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease

    async def process(self, batch: Sequence[Claimed], report: Report) -> None:
        jobs = await self._consider(batch, report)
        jobs = await self._reserve(jobs, report)
        await all_done(self._write_customer(job) for job in jobs)
        await self._write_salesforce(jobs)
        await self._release([job for job in jobs if job.moves_gate])
        self._conclude(jobs, report)

    async def _consider(self, batch: Sequence[Claimed], report: Report) -> list[AccountJob]:
        connection = self._connection
        ids = [item.key.id for item in batch]

        def remembered(tx: Tx) -> tuple[bool, dict[str, Link]]:
            return flows.state(tx).paused, links.by_salesforce(tx, Entity.ACCOUNT, ids)

        paused, known = await connection.store.run(remembered)
        accounts = await connection.salesforce.read_accounts(ids)
        jobs = []
        for item in batch:
            account = accounts.get(item.key.id)
            if account is None or account.deleted:
                report.settled.append(await self._gone(item, known.get(item.key.id)))
                continue
            view = AccountView(account, by_hand=item.cause == BY_HAND, paused=paused)
            plan = plan_account(view, connection.accounts)
            jobs.append(AccountJob(item, account, view, plan, known.get(account.id)))
        await self._add_candidates([job for job in jobs if job.plan.action is Action.CREATE])
        return jobs

    async def _add_candidates(self, jobs: Sequence[AccountJob]) -> None:
        """An account that would get a new customer has passed its gate: now look for one that exists."""
        if not jobs:
            return
        connection = self._connection
        found = await connection.netsuite.find_customers(
            salesforce_ids=[job.account.id for job in jobs], names=[job.account.name for job in jobs]
        )
        ids = [customer.id for customer in found]
        taken = await connection.store.run(lambda tx: links.by_netsuite(tx, Entity.ACCOUNT, ids))
        for job in jobs:
            others = {id_ for id_, link in taken.items() if link.salesforce_id != job.account.id}
            mine = tuple(customer for customer in found if _concerns(customer, job.account))
            job.view = AccountView(job.account, mine, frozenset(others), job.view.by_hand, job.view.paused)
            job.plan = plan_account(job.view, connection.accounts)

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
        """Make all contacts dirty of accounts whose customer is another one than they were released for."""
        if not jobs:
            return
        connection = self._connection
        keys = await self._contacts_of([job.account.id for job in jobs])
        now = connection.clock.now()
        urgency = min(job.claimed.priority for job in jobs)

        def store(tx: Tx) -> None:
            for job in jobs:
                job.remember(tx, now=now)
            # A run that lists contacts has its answer for these by this look.
            run_id = runs.listing(tx, Entity.CONTACT)
            cause = "its account was linked or unlinked"
            dirty_keys.mark(tx, keys, cause=cause, now=now, priority=urgency, run_id=run_id)

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

    async def _gone(self, item: Claimed, link: Link | None) -> Settled:
        now = self._connection.clock.now()
        if link is not None and link.state is not LinkState.CLOSED:
            await self._connection.store.run(lambda tx: links.close(tx, Entity.ACCOUNT, item.key.id, now=now))
        return Settled(item, Outcome(item.key, OutcomeKind.SKIPPED, Reason.DELETED_IN_SALESFORCE))


def _concerns(customer: NetSuiteCustomer, account: SalesforceAccount) -> bool:
    same_name = name_key(customer.name) == name_key(account.name)
    carries_id = account.id == customer.salesforce_id or customer.external_id == account_key(account.id)
    return same_name or carries_id


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
