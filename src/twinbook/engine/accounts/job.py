"""One account on its way through a batch: what was planned, what became of it, and what is to be stored of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinbook.domain.account_mapping import PARENT_ROW
from twinbook.domain.agreement import agreed_after
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, AccountView, Action, OutcomeKind
from twinbook.domain.policy import AccountPolicy
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    Link,
    LinkState,
    NetSuiteCustomer,
    SalesforceAccount,
    Side,
    Value,
)
from twinbook.engine.connection import Options
from twinbook.engine.provenance import Provenance
from twinbook.engine.report import Settled
from twinbook.engine.status import status_changes
from twinbook.engine.traces import trace_rows
from twinbook.store import links
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision
from twinbook.store.dirty_keys import Claimed
from twinbook.store.journal import TWINBOOK, Change, Entry
from twinbook.store.links import Intent
from twinbook.store.outcomes import Outcome

LINKING = (Action.CREATE, Action.ADOPT)


@dataclass(slots=True)
class AccountJob:
    """Filled step by step by `AccountWork`. `agreed` are the values to store with the link."""

    claimed: Claimed
    view: AccountView
    plan: AccountPlan
    policy: AccountPolicy
    link: Link | None
    decision: Decision | None = None
    customer_id: str | None = None
    wrote_netsuite: bool = False
    kept: NetSuiteCustomer | None = None
    wrote_salesforce: Fields = field(default_factory=dict)
    agreed: Fields = field(default_factory=dict)
    error: SideError | None = None
    call_failed: bool = False
    refused_by: Reason = Reason.REFUSED_BY_NETSUITE

    @property
    def account(self) -> SalesforceAccount:
        return self.view.account

    @property
    def customer(self) -> NetSuiteCustomer | None:
        """The customer as it was read, before anything was written."""
        found = (item for item in self.view.candidates if item.id == self.plan.counterpart_id)
        return next(found, None)

    @property
    def released_for(self) -> str | None:
        """The customer for which the account's contacts were already released."""
        return self.link.netsuite_id if self.link and self.link.state is LinkState.LINKED else None

    @property
    def moves_gate(self) -> bool:
        """An account that is linked already opens its gate, whatever came of its fields."""
        settled = self.error is None or self.plan.action is Action.SYNC
        return settled and self.customer_id != self.released_for

    @property
    def agrees_anew(self) -> bool:
        known = self.link.agreed if self.link and self.link.netsuite_id == self.customer_id else {}
        return self.error is None and self.customer_id is not None and self.agreed != known

    @property
    def changed_parent(self) -> bool:
        """Whether another parent is agreed on than before."""
        known = self.link.agreed if self.link else {}
        return PARENT_ROW.key in known and known[PARENT_ROW.key] != self.agreed.get(PARENT_ROW.key)

    @property
    def failed_for_now(self) -> bool:
        return self.error is not None and (self.call_failed or not isinstance(self.error, PermanentError))

    @property
    def refused(self) -> PermanentError | None:
        """What the target has against this very record."""
        return self.error if isinstance(self.error, PermanentError) and not self.call_failed else None

    @property
    def intent(self) -> Intent:
        key = account_key(self.account.id)
        return Intent(self.account.id, key, self.plan.counterpart_id, replaces=self.released_for)

    def salesforce_fields(self, policy: AccountPolicy, options: Options, *, now: float) -> Fields:
        """What has to be written to the account: mapped fields, its NetSuite id, status, the push checkbox."""
        if self.view.stopped:
            return {}
        wanted: dict[str, Value] = {}
        if self.error is None:
            wanted.update(self.plan.salesforce_changes)
            if self.customer_id and self.account.netsuite_id != self.customer_id:
                wanted[policy.salesforce_id_field] = self.customer_id
        if self.failed_for_now:
            return wanted
        if self.account.push_requested and options.push_field:
            wanted[options.push_field] = False
        if not self.account.deleted:
            wanted |= status_changes(self.account, self._outcome(), options.account_status_fields, now=now)
        return wanted

    def agree(
        self, policy: AccountPolicy, account: SalesforceAccount | None, customer: NetSuiteCustomer | None
    ) -> None:
        """Work out what is agreed from both records as they are now; one that could not be read again is taken as
        the plan made it."""
        ours, theirs = account or self.account, customer or self.customer
        self.agreed = self.plan.agreed
        if theirs is not None:
            self.agreed = agreed_after(self.plan, policy.mapping, ours, theirs)

    def remember(self, tx: Tx, *, now: float) -> list[Key]:
        """Store whom the account's contacts are released for, and what both sides agree on. Salesforce decides whose
        customer it is: an account that was thought to have it loses it, and is looked at again."""
        id_, customer_id = self.account.id, self.customer_id
        if customer_id is None:
            links.close(tx, Entity.ACCOUNT, id_, now=now)
            return []
        loser = links.by_netsuite(tx, Entity.ACCOUNT, [customer_id]).get(customer_id)
        lost = [loser.salesforce_id] if loser and loser.salesforce_id not in (id_, None) else []
        for account_id in lost:
            links.close(tx, Entity.ACCOUNT, account_id, now=now)
        links.establish(
            tx,
            Entity.ACCOUNT,
            id_,
            customer_id,
            correlation_id=account_key(id_),
            now=now,
            agreed=self.agreed if self.error is None else self.view.agreed,
        )
        return [Key(Entity.ACCOUNT, Side.SALESFORCE, account_id) for account_id in lost]

    def settled(self) -> Settled:
        stands = self.plan.outcome is OutcomeKind.REVIEW or self.plan.reason is Reason.LEFT_OUT
        done = self.decision if self.error is None and not stands else None
        entry = self._entry()
        error = self.refused or self.plan.error
        return Settled(self.claimed, self._outcome(), (entry,) if entry else (), error, done)

    def _outcome(self) -> Outcome:
        plan, account = self.plan, self.account
        kind, reason, detail = plan.outcome, plan.reason, plan.detail
        if self.refused is not None:
            kind, reason = OutcomeKind.FAILED, self.refused_by
        error = self.refused or plan.error
        if error is not None:
            detail = f"{error.message} {error.remedy}".strip()
        elif not detail and reason is not None:
            detail = CATALOGUE[reason].meaning
        waits = plan.reason is Reason.PARENT_NOT_SYNCED
        return Outcome(
            self.claimed.key,
            kind,
            reason,
            detail,
            counterpart_id=self.customer_id,
            account_id=account.parent_id if waits else account.id,
            name=account.name,
            trace=trace_rows(plan.trace),
            choices=plan.choices,
            written=kind.value if self._wrote else None,
        )

    @property
    def _wrote(self) -> bool:
        return self.error is None and (self.plan.action in LINKING or bool(self._changes()))

    def _changes(self) -> tuple[Change, ...]:
        before = self.customer.fields if self.customer else {}
        to_netsuite = self.plan.netsuite_changes if self.wrote_netsuite else {}
        mapped = {
            name: self.wrote_salesforce[name]
            for name in self.plan.salesforce_changes
            if self.wrote_salesforce
        }
        rows = (*self.policy.mapping.rows, PARENT_ROW)
        saved_by = {Side.SALESFORCE: self.account.saved_by}
        provenance = Provenance(rows, self.plan.decisions, self.claimed.marked_at, saved_by)
        return (
            *provenance.changes(Side.NETSUITE, to_netsuite, before),
            *provenance.changes(Side.SALESFORCE, mapped, self.account.fields),
        )

    def _entry(self) -> Entry | None:
        """The journal's line. A write that succeeded is told even when a later step failed."""
        plan, changes = self.plan, self._changes()
        if not (self._wrote or self.wrote_netsuite or self.moves_gate):
            return None
        linking = {Action.CREATE: "customer created", Action.ADOPT: "customer adopted"}
        moved = "account linked" if self.customer_id else "account unlinked"
        what = linking.get(plan.action, moved if self.moves_gate else "account updated")
        why = f"trigger {plan.trigger.value}" if plan.trigger else self.claimed.cause
        if self.decision is not None:
            why = f"{self.decision.by} chose {self.decision.said}; {why}"
        if self.moves_gate:
            why += "; all its contacts are looked at"
        return Entry(
            what,
            Entity.ACCOUNT,
            self.account.id,
            self.customer_id,
            why,
            who=self.decision.by if self.decision else TWINBOOK,
            changes=changes,
            run_id=self.claimed.run_id,
        )
