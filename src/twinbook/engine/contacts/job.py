"""One contact on its way through a batch: what was planned, what became of it, and what is to be stored of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from twinbook.domain.agreement import agreed_after
from twinbook.domain.canonical import email_key
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ids import contact_key
from twinbook.domain.mapping import COMPANY_ROW, ContactMapping
from twinbook.domain.plan import Action, ContactPlan, ContactView, OutcomeKind
from twinbook.domain.policy import ContactPolicy
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    LinkState,
    NetSuiteContact,
    SalesforceContact,
    Sent,
    Side,
    Value,
    display_name,
)
from twinbook.domain.sending import landed, sent_by, shown_fields
from twinbook.engine.connection import Options
from twinbook.engine.provenance import Provenance
from twinbook.engine.report import Settled
from twinbook.engine.status import status_changes
from twinbook.engine.traces import trace_rows
from twinbook.store import journal, links
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision
from twinbook.store.dirty_keys import Claimed
from twinbook.store.journal import TWINBOOK, Change, Entry
from twinbook.store.links import TOLD, Intent
from twinbook.store.outcomes import Outcome

LINKING = (Action.CREATE, Action.ADOPT, Action.INHERIT)
ENDING = (Action.CLOSE, Action.DELETE)
IN_STEP = (OutcomeKind.CREATED, OutcomeKind.ADOPTED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED)


@dataclass(slots=True)
class Job:
    """Filled step by step by `ContactWork`. `kept` is the NetSuite contact as read back after a write; `token` names
    the claim under which all this happens."""

    claimed: Claimed
    view: ContactView
    plan: ContactPlan
    policy: ContactPolicy
    reserved: bool = False
    netsuite_id: str | None = None
    wrote_netsuite: bool = False
    kept: NetSuiteContact | None = None
    wrote_salesforce: Fields = field(default_factory=dict)
    error: SideError | None = None
    call_failed: bool = False
    refused_by: Reason = Reason.REFUSED_BY_NETSUITE
    decision: Decision | None = None
    told: bool = False
    concluded: bool = False
    token: str = ""

    @property
    def contact(self) -> SalesforceContact:
        assert self.view.salesforce is not None  # noqa: S101 - jobs are made from Salesforce contacts only
        return self.view.salesforce

    @property
    def key(self) -> Key:
        """Under which it is shown. A contact that came from NetSuite is shown under its Salesforce contact's."""
        return Key(Entity.CONTACT, Side.SALESFORCE, self.contact.id)

    @property
    def links(self) -> bool:
        return self.plan.action in LINKING

    @property
    def ends(self) -> bool:
        return self.plan.action in ENDING

    @property
    def reopens(self) -> bool:
        """Whether an undelete brings a tombstone back to life."""
        link = self.view.link
        return self.plan.action is Action.SYNC and link is not None and link.state is LinkState.CLOSED

    @property
    def replaces(self) -> bool:
        """Whether another NetSuite contact takes the place of one that is gone."""
        link = self.view.link
        return self.links and link is not None and link.state is LinkState.LINKED

    @property
    def moves(self) -> bool:
        """Whether a link ends, comes back, or leads to another NetSuite contact than before."""
        return self.ends or self.reopens or self.replaces or self.plan.action is Action.INHERIT

    @property
    def deletes_in_salesforce(self) -> bool:
        return self.plan.action is Action.DELETE and self.plan.target is Side.SALESFORCE

    @property
    def heir(self) -> Key | None:
        """The winner of the merge, if it is to inherit the link that ends here."""
        winner = self.contact.merged_into
        if self.plan.action is not Action.CLOSE or winner is None or self.view.winner_link is not None:
            return None
        return Key(Entity.CONTACT, Side.SALESFORCE, winner)

    @property
    def correlation_id(self) -> str:
        return contact_key(self.contact.id)

    @property
    def counterpart_id(self) -> str | None:
        link = self.view.link
        return self.plan.counterpart_id or (link.netsuite_id if link else None)

    @property
    def intent(self) -> Intent:
        email = email_key(self.contact.fields.get("Email"))
        replaced = self.view.link.netsuite_id if self.replaces and self.view.link else None
        return Intent(self.contact.id, self.correlation_id, self.plan.counterpart_id, email, replaced)

    @property
    def failed_for_now(self) -> bool:
        """Whether it has to be tried again: the refusal passes, or it was not about this record at all."""
        return self.error is not None and (self.call_failed or not isinstance(self.error, PermanentError))

    @property
    def refused(self) -> PermanentError | None:
        """What the target has against this very record."""
        return self.error if isinstance(self.error, PermanentError) and not self.call_failed else None

    @property
    def mapped_to_salesforce(self) -> bool:
        """Whether mapped fields go to Salesforce; its hidden id field is no part of what is agreed."""
        return self.error is None and any(
            name != self.policy.salesforce_id_field for name in self.plan.salesforce_changes
        )

    def remember(self, tx: Tx, mapping: ContactMapping, *, now: float) -> None:
        """Store what this contact's link has become.

        What is agreed on a field that still has to reach Salesforce is stored only by `agree`: were it stored now
        and the write then failed, the old Salesforce value would look like the newer one.
        """
        id_, written = self.contact.id, self.error is None or self.wrote_netsuite
        if self.ends and written:
            links.close(tx, Entity.CONTACT, id_, now=now, agreed=self.plan.agreed)
            self.concluded = True
            self._tell(tx, now=now)
        elif self.netsuite_id is not None and written and not self.ends:
            if not self.mapped_to_salesforce:
                self._establish(tx, self._agreed(mapping, self.contact), self.contact, now=now)
            elif self.links:
                self._establish(tx, {}, self.contact, now=now)
            if self.moves:
                self._tell(tx, now=now)
        elif self.reserved and not self.failed_for_now:
            links.withdraw(tx, Entity.CONTACT, id_)

    def agree(self, tx: Tx, mapping: ContactMapping, kept: SalesforceContact | None, *, now: float) -> None:
        """Store what both sides agree on, with the Salesforce contact as read back after the write. Not seeing it now
        is no reason to forget: the plan's own values stand in, and the next look corrects them."""
        agreed = self.plan.agreed if kept is None else self._agreed(mapping, kept)
        self._establish(tx, agreed, kept or self.contact, now=now)

    def salesforce_fields(self, options: Options, *, now: float) -> Fields:
        """What has to be written to the Salesforce contact: mapped fields, its NetSuite id, status, push checkbox."""
        contact, held = self.contact, self.plan.reason is Reason.SAFETY_STOP
        if contact.is_person_account:
            # It can only be written through its account (salesforce.md 6.3).
            return {}
        if contact.deleted or self.deletes_in_salesforce or held or self.failed_for_now:
            return {}
        wanted: dict[str, Value] = {}
        if self.error is None:
            wanted.update(self.plan.salesforce_changes)
            if not self.ends and self.netsuite_id and contact.netsuite_id != self.netsuite_id:
                wanted[self.policy.salesforce_id_field] = self.netsuite_id
        if contact.push_requested and options.push_field:
            wanted[options.push_field] = False
        wanted |= status_changes(contact, self._outcome(), options.status_fields, now=now)
        return wanted

    def parting(self) -> Entry:
        """The journal's line for a link that is given up for another NetSuite contact."""
        return replace(self._line("given up", self._why(), ()), netsuite_id=self.intent.replaces)

    @property
    def sending(self) -> tuple[Sent, ...]:
        """The mapped fields that this look writes."""
        return sent_by(self.plan, self.policy.mapping, self._shown, self.token)

    def announce(self, tx: Tx) -> None:
        """Remember what is about to be written, and with it what an earlier look wrote: it is not agreed on yet."""
        links.send(tx, Entity.CONTACT, self.intent, (*self._landed, *self.sending))

    def _late(self) -> Entry | None:
        """What an earlier look wrote before it was cut off: nobody has told of it yet. Of an intent that ends while
        nobody can see what came of it, it is told whose values may have been written over."""
        unseen = self.view.link is None and self.before is None
        doubtful = [item for item in self.view.sent if item.before is not None] if unseen else self._landed
        late = [item for item in doubtful if item.by not in (TOLD, self.token)]
        if not late:
            return None
        done = "may have been written" if unseen else "was written"
        why = f"{done} by an earlier look that was cut off; {self.claimed.cause}"
        changes = [_change(item, self.policy.mapping) for item in late]
        line = self._line(OutcomeKind.UPDATED.value, why, changes)
        return replace(line, netsuite_id=line.netsuite_id or late[0].counterpart)

    def settled(self) -> Settled:
        error = self.refused or self.plan.error
        entry, outcome = self._written_back() if self.told else self._entry(), self._outcome()
        entries = tuple(item for item in (self._late(), entry) if item is not None)
        # A decision stands until it is carried out, however long something else keeps the contact waiting.
        done = self.ends or outcome.kind in IN_STEP
        return Settled(
            self.claimed,
            outcome,
            entries,
            error,
            done=self.decision if done and error is None else None,
            concluded=self.concluded,
        )

    def _agreed(self, mapping: ContactMapping, contact: SalesforceContact) -> Fields:
        netsuite = self.kept if self.wrote_netsuite else self.before
        return self.plan.agreed if netsuite is None else agreed_after(self.plan, mapping, contact, netsuite)

    def _establish(self, tx: Tx, agreed: Fields, contact: SalesforceContact, *, now: float) -> None:
        """`contact` is the Salesforce contact as it was when it showed what is agreed. What was sent stays remembered
        until the history tells of it."""
        assert self.netsuite_id is not None  # noqa: S101 - callers check
        self.concluded = True
        link = self.view.link
        netsuite = self.kept or self.before
        version = netsuite.version if netsuite else ""
        if (
            link is not None
            and link.state is LinkState.LINKED
            and link.netsuite_id == self.netsuite_id
            and (link.agreed, link.netsuite_version, link.salesforce_version)
            == (agreed, version, contact.version)
            and not (link.sent or self.sending)
        ):
            return
        links.establish(
            tx,
            Entity.CONTACT,
            self.contact.id,
            self.netsuite_id,
            correlation_id=self.correlation_id,
            now=now,
            agreed=agreed,
            sent=(*self._landed, *self.sending),
            salesforce_version=contact.version,
            netsuite_version=version,
        )

    def _outcome(self) -> Outcome:
        plan, contact = self.plan, self.contact
        kind, reason, detail = plan.outcome, plan.reason, plan.detail
        error = self.refused or plan.error
        if self.refused is not None:
            kind, reason = OutcomeKind.FAILED, self.refused_by
        if error is not None:
            detail = f"{error.message} {error.remedy}".strip()
        elif not detail and reason is not None:
            detail = CATALOGUE[reason].meaning
        link = self.view.link
        return Outcome(
            self.key,
            kind,
            reason,
            detail,
            counterpart_id=self.netsuite_id or (link.netsuite_id if link else None),
            account_id=contact.account_id,
            name=display_name(contact),
            email=email_key(contact.fields.get("Email")),
            trace=trace_rows(plan.trace),
            choices=plan.choices,
            version=contact.version,
            counterpart_version=self.view.netsuite.version if self.view.netsuite else "",
            written=kind.value if self._wrote else None,
        )

    @property
    def _wrote(self) -> bool:
        if self.error is not None:
            return False
        return self.links or self.ends or self.wrote_netsuite or bool(self.plan.salesforce_changes)

    def _tell(self, tx: Tx, *, now: float) -> None:
        """A link that ends or moves does so in one transaction with its line in the journal."""
        entry = self._entry()
        if entry is not None:
            journal.append(tx, [entry], now=now)
            to_salesforce = (item for item in self.sending if item.side is Side.SALESFORCE)
            links.send(tx, Entity.CONTACT, self.intent, (*self._landed, *to_salesforce))
            self.told = True

    def _entry(self) -> Entry | None:
        """The journal's line. A write that succeeded is told even when a later step failed."""
        if not (self._wrote or self.wrote_netsuite or (self.reopens and self.error is None)):
            return None
        by_action = self.ends or self.plan.action is Action.INHERIT
        what = self.plan.action.value if by_action else self.plan.outcome.value
        changes = (*self._netsuite_changes(), *self._salesforce_changes())
        return self._line("reopened" if self.reopens else what, self._why(), changes)

    def _written_back(self) -> Entry | None:
        """What was written to Salesforce after a link moved: its new id, as a rule."""
        changes = self._salesforce_changes()
        return self._line("written back", self.claimed.cause, changes) if changes else None

    def _line(self, what: str, why: str, changes: Sequence[Change]) -> Entry:
        return Entry(
            what,
            Entity.CONTACT,
            self.contact.id,
            self.netsuite_id or self.counterpart_id,
            why,
            who=self.decision.by if self.decision else TWINBOOK,
            changes=tuple(changes),
            run_id=self.claimed.run_id,
        )

    def _why(self) -> str:
        """What led here: the event, and where a link ends or moves, who or which setting decided that."""
        plan, link, heirloom = self.plan, self.view.link, self.view.merged_link
        parts = [f"{self.decision.by} chose {self.decision.said}"] if self.decision else []
        if self.ends:
            parts.append(f"{plan.reason}: {plan.detail}")
        elif self.reopens:
            parts.append("it is there again, so its link is opened again")
        elif plan.action is Action.INHERIT and heirloom is not None:
            parts.append(f"{Reason.MERGED_AWAY}: {heirloom.salesforce_id} was merged into it")
        elif self.replaces and link is not None:
            parts.append(f"{Reason.COUNTERPART_MISSING}: it takes the place of {link.netsuite_id}")
        if plan.setting:
            parts.append(plan.setting)
        return "; ".join((*parts, self.claimed.cause))

    def _netsuite_changes(self) -> tuple[Change, ...]:
        if not self.wrote_netsuite:
            return ()
        before = self.before
        known: Fields = {**before.fields, COMPANY_ROW.netsuite: before.company_id} if before else {}
        return self._provenance.changes(Side.NETSUITE, self.plan.netsuite_changes, known)

    @property
    def _shown(self) -> dict[Side, Fields]:
        return shown_fields(self.contact, self.before)

    @property
    def _landed(self) -> tuple[Sent, ...]:
        return landed(self.view.sent, self.policy.mapping, self._shown)

    @property
    def before(self) -> NetSuiteContact | None:
        """The NetSuite contact as it was read: the counterpart, or the one that is adopted."""
        if self.view.netsuite is not None:
            return self.view.netsuite
        adopted = (item.record for item in self.view.candidates if item.record.id == self.plan.counterpart_id)
        return next(adopted, None)

    def _salesforce_changes(self) -> tuple[Change, ...]:
        known: Fields = {**self.contact.fields, COMPANY_ROW.salesforce: self.contact.account_id}
        return self._provenance.changes(Side.SALESFORCE, self.wrote_salesforce, known)

    @property
    def _provenance(self) -> Provenance:
        rows = (*self.policy.mapping.rows, COMPANY_ROW)
        saved_by = {Side.SALESFORCE: self.contact.saved_by}
        return Provenance(rows, self.plan.decisions, self.claimed.marked_at, saved_by)


def _change(item: Sent, mapping: ContactMapping) -> Change:
    row = mapping.row(item.row) or COMPANY_ROW
    return Change(item.side, row.field_on(item.side), item.before, item.after)
