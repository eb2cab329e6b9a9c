"""Behaviour.md section 3: a NetSuite contact on its way to Salesforce, row by row."""

from __future__ import annotations

from collections.abc import Callable

from twinbook.domain import admission, matching
from twinbook.domain.canonical import email_key
from twinbook.domain.case import Case, facts_of
from twinbook.domain.lifecycle import netsuite_gone
from twinbook.domain.plan import Action, ContactPlan
from twinbook.domain.policy import SharedEmail
from twinbook.domain.reasons import Reason
from twinbook.domain.records import NetSuiteContact, SalesforceContact, Side
from twinbook.domain.rules import Facts
from twinbook.domain.salesforce_rows import carries_our_id
from twinbook.domain.writing import Bond, write

Row = Callable[[Case, NetSuiteContact], ContactPlan | None]


def plan_from_netsuite(case: Case, contact: NetSuiteContact) -> ContactPlan:
    """Rows 2 to 9 for a NetSuite contact that is there."""
    for row in _ROWS:
        plan = row(case, contact)
        if plan is not None:
            return plan
    case.holds("NS 9 create", "Does no earlier row apply?", True)
    return write(case, Bond(Action.CREATE, None, contact, target=Side.SALESFORCE))


def plan_read_from_netsuite(case: Case, contact: SalesforceContact) -> ContactPlan:
    """A live Salesforce contact of a connection that only carries contacts from NetSuite to Salesforce."""
    if case.view.netsuite is not None:
        return plan_from_netsuite(case, case.view.netsuite)
    if case.holds("NS 1 deleted", "Is its NetSuite contact gone?", case.linked):
        replaced = None if case.view.chosen else carries_our_id(case, contact)
        if replaced is not None:
            return replaced
        decided = netsuite_gone(case)
        return decided if isinstance(decided, ContactPlan) else case.stop(Reason.COUNTERPART_MISSING)
    case.holds("NS 0 direction", "Does this connection carry contacts to NetSuite?", False)
    return case.stop(Reason.DIRECTION_OFF)


def _direction(case: Case, _: NetSuiteContact) -> ContactPlan | None:
    closed = Side.SALESFORCE not in case.writable
    question = "Does this connection carry contacts to NetSuite only?"
    if case.holds("NS 0 direction", question, closed, direction=case.policy.direction):
        return case.stop(Reason.DIRECTION_OFF)
    return None


def _paused(case: Case, _: NetSuiteContact) -> ContactPlan | None:
    return admission.paused(case, "NS 2 paused")


def _left_out(case: Case, _: NetSuiteContact) -> ContactPlan | None:
    return admission.left_out(case, "NS 2 left-out")


def _no_company(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    if case.holds("NS 3 no-company", "Is it without a company?", contact.company_id is None):
        return case.stop(Reason.NO_COMPANY)
    return None


def _not_a_customer(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    other = not contact.company_is_customer
    if case.holds("NS 4 not-a-customer", "Is its company no customer?", other, company=contact.company_id):
        return case.stop(Reason.NOT_A_CUSTOMER)
    return None


def _customer_not_linked(case: Case, _: NetSuiteContact) -> ContactPlan | None:
    return admission.account_not_linked(case, "NS 5 customer-not-linked")


def _rules(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    return admission.rules(case, "NS 6 rule", _facts(case, contact))


def _locked(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    return admission.locked(case, "NS 6 locked", contact)


def _test_mode(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    return admission.test_mode(case, "NS 6 test-mode", _facts(case, contact))


def _update_off(case: Case, _: NetSuiteContact) -> ContactPlan | None:
    return None if case.counterpart is None else admission.update_off(case, "NS 6 update-off")


def _linked(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    salesforce = case.contact
    linked = case.counterpart is not None and salesforce is not None
    saw = salesforce.id if salesforce else None
    if case.holds("NS 7 linked", "Is it linked with a Salesforce contact?", linked, salesforce_id=saw):
        return write(case, Bond(Action.SYNC, salesforce, contact, case.agreed))
    return None


def _carried(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    """A link that was lost is found again by the ids that both records carry."""
    found = matching.salesforce_carriers(case.salesforce_candidates, contact)
    ids = matching.ids_of(found)
    question = "Does exactly one Salesforce contact carry its id, or it that contact's?"
    if case.holds("NS 7 carries-its-id", question, len(found) == 1, salesforce_ids=ids):
        return _adopt(case, contact, found[0])
    return None


def _chosen(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    """A person's choice comes before everything that is guessed."""
    if case.view.chosen is None:
        return None
    items = case.salesforce_candidates
    found = next((item for item in items if item.record.id == case.view.chosen), None)
    question = "Did a person choose a Salesforce contact?"
    if not case.holds("NS 7 chosen", question, found is not None, chosen=case.view.chosen) or found is None:
        return None
    if found.linked_to in (None, contact.id):
        return _adopt(case, contact, found.record)
    return case.stop(Reason.MATCH_TAKEN, choices=(matching.CREATE_NEW,))


def _no_email(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    if case.wants_new:
        return None
    if case.holds("NS 8 no-email", "Is it without an email?", email_key(contact.email) is None):
        return case.stop(Reason.NO_EMAIL)
    return None


def _by_email(case: Case, contact: NetSuiteContact) -> ContactPlan | None:
    if case.wants_new:
        return None
    account = case.view.gate.account_id
    free, others = matching.salesforce_by_email(case.salesforce_candidates, contact, account)
    ids = matching.ids_of(free)
    if case.holds(
        "NS 9 one",
        "Has exactly one free contact of the account its email?",
        len(free) == 1,
        salesforce_ids=ids,
    ):
        return _contested(case, contact, free[0]) or _adopt(case, contact, free[0])
    if case.holds("NS 9 several", "Have several?", len(free) > 1, salesforce_ids=ids):
        return case.stop(Reason.AMBIGUOUS_MATCH, choices=(*ids, matching.CREATE_NEW))
    taken = others and case.policy.shared_email is SharedEmail.REVIEW
    if case.holds("NS 9 taken", "Have only contacts that are linked with others?", taken):
        return case.stop(Reason.MATCH_TAKEN, choices=(matching.CREATE_NEW,))
    return None


def _contested(case: Case, contact: NetSuiteContact, counterpart: SalesforceContact) -> ContactPlan | None:
    """Seen from Salesforce, others could be its counterpart as well (row 18): whoever is looked at first must not
    settle what a person is asked to decide."""
    if Side.NETSUITE not in case.writable:
        return None
    group = matching.by_email(case.candidates, counterpart, contact.company_id).at_customer
    contested = group != (contact,)
    question = "Could other contacts of the customer be its counterpart as well?"
    if case.holds("NS 9 contested", question, contested, netsuite_ids=matching.ids_of(group)):
        return case.stop(Reason.AMBIGUOUS_MATCH, choices=(counterpart.id, matching.CREATE_NEW))
    return None


def _create_off(case: Case, _: NetSuiteContact) -> ContactPlan | None:
    return admission.create_off(case, "NS 9 create-off")


def _adopt(case: Case, contact: NetSuiteContact, counterpart: SalesforceContact) -> ContactPlan:
    return write(case, Bond(Action.ADOPT, counterpart, contact, target=Side.SALESFORCE))


def _facts(case: Case, contact: NetSuiteContact) -> Facts:
    named = frozenset[str]().union(*(rule.salesforce_fields for rule in case.policy.rules))
    return facts_of(case.view.gate, case.contact, contact, case.policy.mapping, named)


_ROWS: tuple[Row, ...] = (
    _direction,
    _paused,
    _left_out,
    _no_company,
    _not_a_customer,
    _customer_not_linked,
    _rules,
    _locked,
    _test_mode,
    _update_off,
    _linked,
    _carried,
    _chosen,
    _no_email,
    _by_email,
    _create_off,
)
