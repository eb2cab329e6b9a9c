"""What a sweep finds: how two systems that should be in step are not, told from a contact's view and plan.

A finding says that a look at the contact would do something, or come to something else than the last look did. What
the last look left as it is (a contact that waits, a record that a rule keeps out) is no drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twinbook.domain.ids import named_by, to_18
from twinbook.domain.plan import Action, ContactPlan, ContactView, FieldVerdict, OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import LinkState, NetSuiteContact, Value, display_name

_IN_STEP = (FieldVerdict.SAME, FieldVerdict.LEFT_ALONE)


class DriftKind(StrEnum):
    """How a contact is out of step.

    MISSING        linked, and the record on one side is gone
    MERGED         linked, and the Salesforce contact was merged into another one
    EXTRA          it carries the id of a record that it is not linked with
    DIFFERENT      linked, and mapped fields or written-back ids differ
    CONTRADICTORY  linked, and a record carries the id of somebody else
    UNLINKED       not linked, and it should be
    UNREMEMBERED   both sides show the same, and Twinbook remembers something else
    OUTCOME        what is shown of it is no longer what would come of it
    """

    MISSING = "missing"
    MERGED = "merged"
    EXTRA = "extra"
    DIFFERENT = "different"
    CONTRADICTORY = "contradictory"
    UNLINKED = "unlinked"
    UNREMEMBERED = "unremembered"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what each side shows, what both last agreed on (canonical values), and what is to become of it."""

    field: str
    salesforce: Value
    netsuite: Value
    agreed: Value = None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """One finding; `why` is a plain sentence."""

    kind: DriftKind
    why: str
    fields: tuple[Difference, ...] = ()


def drift_of(
    view: ContactView, plan: ContactPlan, last: tuple[OutcomeKind, Reason | None] | None
) -> Drift | None:
    """What is wrong with a contact; None when all is as it was left. `last` is what the last look came to."""
    link = view.link
    if link is None or link.state is not LinkState.LINKED:
        return _unlinked(view, plan) or _other_outcome(view, plan, last)
    if gone := _gone(view):
        told = last == (plan.outcome, plan.reason) and plan.action is Action.NOTHING
        return None if told else gone
    return _contradiction(view) or _difference(view, plan) or _linked_otherwise(view, plan, last)


def _gone(view: ContactView) -> Drift | None:
    contact = view.salesforce
    if contact is not None and contact.merged_into is not None:
        return Drift(DriftKind.MERGED, f"merged into {contact.merged_into} in Salesforce")
    if contact is None or contact.deleted:
        return Drift(DriftKind.MISSING, "the Salesforce contact is gone")
    if view.netsuite is None:
        return Drift(DriftKind.MISSING, "the NetSuite contact is gone")
    return None


def _contradiction(view: ContactView) -> Drift | None:
    link, contact, netsuite = view.link, view.salesforce, view.netsuite
    assert link is not None and contact is not None and netsuite is not None  # noqa: S101 - both are there
    if contact.netsuite_id is not None and contact.netsuite_id != link.netsuite_id:
        why = f"linked with {link.netsuite_id}, but the Salesforce contact carries {contact.netsuite_id}"
        return Drift(DriftKind.CONTRADICTORY, why)
    named = _named(netsuite)
    if named is not None and named != link.salesforce_id:
        return Drift(DriftKind.CONTRADICTORY, f"linked with it, but NetSuite {netsuite.id} carries {named}")
    return None


def _difference(view: ContactView, plan: ContactPlan) -> Drift | None:
    link, contact, netsuite = view.link, view.salesforce, view.netsuite
    assert link is not None and contact is not None and netsuite is not None  # noqa: S101 - both are there
    fields = [
        Difference(item.row, item.salesforce, item.netsuite, item.agreed, item.verdict)
        for item in plan.decisions
        if item.verdict not in _IN_STEP
    ]
    if contact.netsuite_id is None and plan.action is Action.SYNC:
        fields.append(Difference("id in Salesforce", None, netsuite.id, netsuite.id, "to-salesforce"))
    written = (*plan.netsuite_changes, *plan.salesforce_changes)
    if not fields and not written:
        return None
    # What follows from the map (the name, the company's subsidiary …) has no row of its own.
    names = [item.field for item in fields] or list(written)
    return Drift(DriftKind.DIFFERENT, ", ".join(dict.fromkeys(names)), tuple(fields))


def _linked_otherwise(
    view: ContactView, plan: ContactPlan, last: tuple[OutcomeKind, Reason | None] | None
) -> Drift | None:
    assert view.link is not None  # noqa: S101 - it is linked
    if plan.action is Action.SYNC:
        if dict(plan.agreed) != dict(view.link.agreed):
            return Drift(DriftKind.UNREMEMBERED, "both sides came to show the same by themselves")
        return None
    return _other_outcome(view, plan, last)


def _unlinked(view: ContactView, plan: ContactPlan) -> Drift | None:
    contact, netsuite = view.salesforce, view.netsuite
    if contact is not None and not contact.deleted and contact.netsuite_id is not None:
        tombstone = view.link is not None and view.link.netsuite_id == contact.netsuite_id
        if not tombstone:
            why = f"it carries NetSuite id {contact.netsuite_id}, and is not linked with that contact"
            return Drift(DriftKind.EXTRA, why)
    if plan.action in (Action.CREATE, Action.ADOPT, Action.INHERIT, Action.SYNC):
        found = plan.counterpart_id
        return Drift(DriftKind.UNLINKED, f"it belongs with {found}" if found else "it should be created")
    if contact is None and netsuite is not None and (named := _named(netsuite)):
        return Drift(
            DriftKind.EXTRA, f"it carries Salesforce id {named}, and is not linked with that contact"
        )
    return None


def _other_outcome(
    view: ContactView, plan: ContactPlan, last: tuple[OutcomeKind, Reason | None] | None
) -> Drift | None:
    now, contact = (plan.outcome, plan.reason), view.salesforce
    if last == now:
        return None
    if contact is not None and contact.deleted and view.link is None:
        return Drift(DriftKind.EXTRA, "a NetSuite contact carries its id, and it is gone from Salesforce")
    was = _shown(last) if last else "nothing"
    return Drift(DriftKind.OUTCOME, f"shown: {was}; would be: {_shown(now)}")


def _named(netsuite: NetSuiteContact) -> str | None:
    """Whom it names; a 15 character id of another product counts too."""
    named = named_by(netsuite.salesforce_id, netsuite.external_id)
    if named is not None or not netsuite.salesforce_id:
        return named
    try:
        return to_18(netsuite.salesforce_id)
    except ValueError:
        return None


def label_of(view: ContactView) -> str:
    """A name by which people know the contact."""
    name = display_name(view.salesforce) if view.salesforce is not None else ""
    return name or (view.netsuite.name if view.netsuite is not None else "")


def _shown(outcome: tuple[OutcomeKind, Reason | None]) -> str:
    kind, reason = outcome
    return f"{kind.value} {reason.value}" if reason else kind.value
