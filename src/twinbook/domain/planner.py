"""The planner: what is to become of one contact. A pure function from a view of both sides and the settings to a plan.

There is one planner over one pair, in both directions. A contact that lives in Salesforce goes through the rows of
behaviour.md section 2; one that lives in NetSuite only, or whose connection only reads from NetSuite, through those of
section 3; deletes and merges go through section 5. Each section is a list of rows. The first row that applies decides,
and every row that was looked at is in the trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twinbook.domain import matching
from twinbook.domain.canonical import name_key
from twinbook.domain.case import Case
from twinbook.domain.ids import distinct_name, unmarked
from twinbook.domain.lifecycle import salesforce_gone
from twinbook.domain.netsuite_rows import plan_from_netsuite, plan_read_from_netsuite
from twinbook.domain.plan import Action, Candidate, ContactPlan, ContactView
from twinbook.domain.policy import ContactPolicy, NameClash
from twinbook.domain.reasons import Reason
from twinbook.domain.records import SalesforceContact, Side
from twinbook.domain.salesforce_rows import adopt, plan_from_salesforce

# The rows that follow the question whether a contact inherits a link.
_INHERITING_ROWS = frozenset({"12 chosen", "13 no-email"})
_SEARCHING_ROWS = frozenset({"12 inherits", "12 chosen", "14 carries-our-id", "NS 7 carries-its-id"})


def plan_contact(view: ContactView, policy: ContactPolicy) -> ContactPlan:
    """Decide one contact. Never raises for what a record holds; the same input always gives the same plan."""
    case = Case(view, policy)
    question = "Does a safety valve hold the connection?"
    if view.stopped and case.holds("0 safety-stop", question, True):
        return case.stop(Reason.SAFETY_STOP)
    if case.contact is not None:
        to_netsuite = Side.NETSUITE in case.writable
        plan = plan_from_salesforce if to_netsuite else plan_read_from_netsuite
        return plan(case, case.contact)
    if view.salesforce is not None or view.link is not None:
        return salesforce_gone(case)
    if view.netsuite is not None:
        return plan_from_netsuite(case, view.netsuite)
    case.holds("NS 1 deleted", "Is it gone from both sides?", True)
    return case.stop(Reason.DELETED_IN_NETSUITE)


def seeks_counterpart(plan: ContactPlan) -> bool:
    """Whether contacts of the other side have a say: with candidates (and the customer's subsidiary) in its view, the
    plan may be another one.

    Most contacts are decided before that. So a view may be planned without candidates first, and the search be spared
    where this is false.
    """
    asked = {step.rule for step in plan.trace}
    return (
        plan.action is Action.CREATE
        or plan.reason is Reason.COUNTERPART_MISSING
        or not asked.isdisjoint(_SEARCHING_ROWS)
    )


def may_inherit(plan: ContactPlan) -> bool:
    """Whether it matters which contacts were merged into this one: it has no link, and nothing keeps it out."""
    asked = {step.rule for step in plan.trace}
    return not asked.isdisjoint(_INHERITING_ROWS)


def resolve_name_clash(
    view: ContactView, policy: ContactPolicy, same_name: Sequence[Candidate]
) -> ContactPlan:
    """The plan after NetSuite refused a create or an update because the contact's name is taken (netsuite.md 3.3).

    `same_name` are the contacts that bear the name, at whatever company. A new contact adopts the one that is the same
    person; otherwise the name gets a mark that makes it distinct, while first and last name stay as they are.
    """
    plan = plan_contact(view, policy)
    contact = view.salesforce
    if contact is None or (not plan.netsuite_changes and plan.action is not Action.CREATE):
        return plan
    case = Case(view, policy, list(plan.trace))
    if plan.action is Action.CREATE:
        found = matching.same_person(same_name, contact, view.gate.customer_id)
        ids = matching.ids_of(found)
        if case.holds(
            "20 same-person", "Is the contact of this name the same person?", len(found) == 1, ids=ids
        ):
            return adopt(case, contact, found[0])
        if len(found) > 1:
            return case.stop(Reason.AMBIGUOUS_MATCH, choices=(*ids, matching.CREATE_NEW))
    return _made_distinct(case, plan, contact, same_name)


def _made_distinct(
    case: Case, plan: ContactPlan, contact: SalesforceContact, same_name: Sequence[Candidate]
) -> ContactPlan:
    others = [item.record for item in same_name if item.record.id != plan.counterpart_id]
    taken = {name_key(record.name) for record in others}
    name = str(
        plan.netsuite_changes.get("entityId") or (case.view.netsuite.name if case.view.netsuite else "")
    )
    plain = unmarked(name, contact.id)[0]
    marked = (distinct_name(plain, contact.id, spelled_out=full) for full in (False, True))
    free = next((option for option in marked if name_key(option) not in taken), None)
    may_mark = case.policy.name_clash is NameClash.SUFFIX
    question = "May the name be made distinct?"
    if case.holds("20 distinct-name", question, may_mark and free is not None, name=name, distinct_name=free):
        changes = {**plan.netsuite_changes, "entityId": free}
        return replace(plan, netsuite_changes=changes, trace=tuple(case.trace))
    return case.stop(Reason.NAME_CLASH, choices=matching.ids_of(others))
