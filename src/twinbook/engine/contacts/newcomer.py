"""A NetSuite contact without a link on its way through a batch: what was planned and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinbook.domain.agreement import agreed_after
from twinbook.domain.canonical import email_key
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ids import netsuite_contact_key
from twinbook.domain.mapping import COMPANY_ROW, ContactMapping
from twinbook.domain.plan import ContactPlan, ContactView, OutcomeKind
from twinbook.domain.policy import ContactPolicy
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Entity, Fields, Key, NetSuiteContact, SalesforceContact, Sent, Side
from twinbook.domain.sending import sent_by, shown_fields
from twinbook.engine.provenance import Provenance
from twinbook.engine.report import Settled
from twinbook.engine.traces import trace_rows
from twinbook.store.decisions import Decision
from twinbook.store.dirty_keys import Claimed
from twinbook.store.journal import Entry
from twinbook.store.links import Intent
from twinbook.store.outcomes import Outcome


@dataclass(slots=True)
class Newcomer:
    """`wrote` are the fields of the Salesforce contact that was created, `kept` is that contact as read back."""

    claimed: Claimed
    view: ContactView
    plan: ContactPlan
    policy: ContactPolicy
    decision: Decision | None = None
    salesforce_id: str | None = None
    wrote: Fields | None = None
    kept: SalesforceContact | None = None
    error: SideError | None = None
    call_failed: bool = False

    @property
    def contact(self) -> NetSuiteContact:
        assert self.view.netsuite is not None  # noqa: S101 - asked only of contacts that are there
        return self.view.netsuite

    @property
    def intent(self) -> Intent:
        """The Salesforce contact is not known until it is created, or found and adopted."""
        return intent_of(self.contact, self.salesforce_id)

    @property
    def failed_for_now(self) -> bool:
        return self.error is not None and (self.call_failed or not isinstance(self.error, PermanentError))

    @property
    def refused(self) -> PermanentError | None:
        return self.error if isinstance(self.error, PermanentError) and not self.call_failed else None

    def sending(self, mapping: ContactMapping, by: str) -> tuple[Sent, ...]:
        """The mapped fields of the contact that is about to be created."""
        return sent_by(self.plan, mapping, shown_fields(None, self.contact), by)

    def agreed(self, mapping: ContactMapping) -> Fields:
        """What both sides agree on once it is created, as far as that could be read back."""
        if self.kept is None:
            return self.plan.agreed
        return agreed_after(self.plan, mapping, self.kept, self.contact)

    @property
    def ids(self) -> Fields:
        """What the NetSuite contact shows of the Salesforce contact that was created for it."""
        assert self.salesforce_id is not None  # noqa: S101 - asked only of contacts that are created
        link = self.policy.netsuite_link
        leads = {link.field: link.leading_to(self.salesforce_id)} if link else {}
        return {self.policy.netsuite_id_field: self.salesforce_id, **leads}

    def settled(self) -> Settled:
        if self.salesforce_id is not None and self.error is None:
            return Settled(self.claimed, self._created(self.salesforce_id), (self._entry(),))
        return Settled(self.claimed, self.shown, (), self.refused or self.plan.error)

    def _created(self, salesforce_id: str) -> Outcome:
        key = Key(Entity.CONTACT, Side.SALESFORCE, salesforce_id)
        created = OutcomeKind.CREATED.value
        return replace(self.shown, key=key, counterpart_id=self.contact.id, written=created, version="")

    @property
    def shown(self) -> Outcome:
        """What is shown of it as a contact of NetSuite."""
        plan, contact, gate = self.plan, self.view.netsuite, self.view.gate
        kind, reason, detail = plan.outcome, plan.reason, plan.detail
        error = self.refused or plan.error
        if self.refused is not None:
            kind, reason = OutcomeKind.FAILED, Reason.REFUSED_BY_SALESFORCE
        if error is not None:
            detail = f"{error.message} {error.remedy}".strip()
        elif not detail and reason is not None:
            detail = CATALOGUE[reason].meaning
        return Outcome(
            self.claimed.key,
            kind,
            reason,
            detail,
            account_id=gate.account_id or (contact.company_id if contact else None),
            name=contact.name if contact else "",
            email=email_key(contact.email) if contact else None,
            trace=trace_rows(plan.trace),
            choices=plan.choices,
            version=contact.version if contact else "",
        )

    def _entry(self) -> Entry:
        rows = (*self.policy.mapping.rows, COMPANY_ROW)
        provenance = Provenance(rows, self.plan.decisions, self.claimed.marked_at)
        changes = provenance.changes(Side.SALESFORCE, self.wrote or {}, {})
        return Entry(
            OutcomeKind.CREATED.value,
            Entity.CONTACT,
            self.salesforce_id,
            self.contact.id,
            self.claimed.cause,
            changes=changes,
            run_id=self.claimed.run_id,
        )


def intent_of(contact: NetSuiteContact, salesforce_id: str | None = None) -> Intent:
    """The intent to give a NetSuite contact its Salesforce contact."""
    return Intent(salesforce_id, netsuite_contact_key(contact.id), contact.id, email_key(contact.email))
