"""Behaviour.md section 2: a live Salesforce contact on its way to NetSuite, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from twinbook.domain import admission, matching
from twinbook.domain.canonical import email_key
from twinbook.domain.case import Case, facts_of
from twinbook.domain.ids import contact_key
from twinbook.domain.lifecycle import GoOn, closed_by_netsuite, missing_setting, netsuite_gone
from twinbook.domain.plan import Action, ContactPlan
from twinbook.domain.policy import MatchScope, OtherCompany, SharedEmail, WithoutAccount
from twinbook.domain.reasons import Reason
from twinbook.domain.records import NetSuiteContact, SalesforceContact
from twinbook.domain.writing import Bond, write

Row = Callable[[Case, SalesforceContact], ContactPlan | None]


def plan_from_salesforce(case: Case, contact: SalesforceContact) -> ContactPlan:
    """Rows 2 to 20; row 1, the delete, has been looked at before."""
    case.holds("1 deleted", "Is it deleted in Salesforce?", False)
    return _first(case, contact, (*_ADMISSION, *_LINKED, *_MATCHING, *_CREATING))


def adopt(case: Case, contact: SalesforceContact, counterpart: NetSuiteContact) -> ContactPlan:
    """Link with an existing NetSuite contact, unless that one is locked."""
    locked = admission.locked(case, "10 locked", counterpart)
    return locked or write(case, Bond(Action.ADOPT, contact, counterpart))


def _first(case: Case, contact: SalesforceContact, rows: Sequence[Row]) -> ContactPlan:
    """The first row that applies decides; when none does, the contact is created."""
    for row in rows:
        plan = row(case, contact)
        if plan is not None:
            return plan
    case.holds("20 create", "Does no earlier row apply?", True)
    return write(case, Bond(Action.CREATE, contact, None))


def _paused(case: Case, _: SalesforceContact) -> ContactPlan | None:
    return admission.paused(case, "2 paused")


def _left_out(case: Case, _: SalesforceContact) -> ContactPlan | None:
    return admission.left_out(case, "2 left-out")


def _person_account(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    if case.holds("3 person-account", "Does it belong to a person account?", contact.is_person_account):
        return case.stop(Reason.PERSON_ACCOUNT)
    return None


def _no_account(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    setting = case.policy.contacts_without_account
    keeps_out = contact.account_id is None and setting is WithoutAccount.SKIP
    question = "Is it without an account, where such contacts are skipped?"
    if case.holds("4 no-account", question, keeps_out, account=contact.account_id, setting=setting):
        return case.stop(Reason.NO_ACCOUNT)
    return None


def _account_not_linked(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    if contact.account_id is None:
        return None
    return admission.account_not_linked(case, "5 account-not-linked")


def _role_filter(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    wanted = {role.casefold() for role in case.policy.role_filter}
    held = {role.casefold() for role in contact.roles}
    if case.holds(
        "6 role-filter",
        "Is a role filter set, and does it hold none of the roles?",
        bool(wanted) and wanted.isdisjoint(held),
        wanted=case.policy.role_filter,
        holds=contact.roles,
    ):
        return case.stop(Reason.ROLE_FILTER)
    return None


def _rules(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    facts = facts_of(case.view.gate, contact, case.view.netsuite, case.policy.mapping)
    return admission.rules(case, "7 rule", facts)


def _test_mode(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    facts = facts_of(case.view.gate, contact, case.view.netsuite, case.policy.mapping)
    return admission.test_mode(case, "8 test-mode", facts)


def _counterpart_missing(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    link = case.view.link
    gone = (case.linked and case.view.netsuite is None) or closed_by_netsuite(case)
    if gone and not case.tombstone and not case.view.chosen:
        replaced = carries_our_id(case, contact)
        if replaced is not None:
            return replaced
    if not case.holds(
        "9 counterpart-missing",
        "Is it linked with a NetSuite contact that is gone?",
        gone,
        netsuite_id=link.netsuite_id if link else None,
        state=link.state if link else None,
    ):
        return None
    if case.tombstone:
        return case.stop(Reason.DELETED_IN_NETSUITE)
    decided = netsuite_gone(case)
    if isinstance(decided, ContactPlan):
        return decided
    return replace(_first(case, contact, _rows_without(decided, case)), setting=missing_setting(case))


def _rows_without(decided: GoOn, case: Case) -> tuple[Row, ...]:
    """The rows that follow a NetSuite contact that is gone. One that carries the id already, the winner of a merge in
    NetSuite for example, is never given a twin, unless a person asked for a new one."""
    if decided is GoOn.MATCH:
        return (*_MATCHING, *_CREATING)
    return _CREATING if case.wants_new else (carries_our_id, *_CREATING)


def _locked(case: Case, _: SalesforceContact) -> ContactPlan | None:
    counterpart = case.counterpart
    return None if counterpart is None else admission.locked(case, "10 locked", counterpart)


def _update_off(case: Case, _: SalesforceContact) -> ContactPlan | None:
    return None if case.counterpart is None else admission.update_off(case, "11 update-off")


def _linked(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    counterpart = case.counterpart
    if case.holds(
        "12 linked",
        "Is it linked with a NetSuite contact?",
        counterpart is not None,
        netsuite_id=counterpart.id if counterpart else None,
    ):
        return write(case, Bond(Action.SYNC, contact, counterpart, case.agreed))
    return None


def _inherits(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    """The winner of a merge that had no link takes over the loser's (section 5)."""
    if case.view.merged_link is None:
        return None
    wanted = case.view.merged_link.netsuite_id
    found = next((item for item in case.candidates if item.record.id == wanted), None)
    loser = case.view.merged_link.salesforce_id
    free = found is not None and found.linked_to in (None, contact.id, loser)
    question = "Was a linked contact merged into it?"
    if case.holds("12 inherits", question, free, loser=loser, netsuite_id=wanted) and found is not None:
        locked = admission.locked(case, "10 locked", found.record)
        return locked or write(case, Bond(Action.INHERIT, contact, found.record))
    return None


def _chosen(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    """A person's choice comes before everything that is guessed."""
    if case.view.chosen is None:
        return None
    if case.wants_new:
        case.holds("12 chosen", "Did a person choose to create it?", True)
        return _first(case, contact, (_created_before, *_CREATING))
    found = next((item for item in case.candidates if item.record.id == case.view.chosen), None)
    if not case.holds(
        "12 chosen", "Did a person choose a contact?", found is not None, chosen=case.view.chosen
    ):
        return None
    if found is not None and found.linked_to in (None, contact.id):
        return adopt(case, contact, found.record)
    return case.stop(Reason.MATCH_TAKEN, choices=(matching.CREATE_NEW,))


def _created_before(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    """An earlier create may have come through without an answer: writing it again would go over what was entered in it
    since."""
    found = [item.record for item in case.candidates if item.record.external_id == contact_key(contact.id)]
    question = "Was it created before?"
    if case.holds("12 created-before", question, bool(found), netsuite_ids=matching.ids_of(found)):
        return adopt(case, contact, found[0])
    return None


def _no_email(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    if case.holds("13 no-email", "Is it without an email?", email_key(contact.fields.get("Email")) is None):
        return case.stop(Reason.NO_EMAIL)
    return None


def carries_our_id(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    """Adopt the contact that carries this one's id: a link that was lost, or one whose NetSuite contact was merged into
    another that carries the id on."""
    found = matching.carriers(case.candidates, contact)
    ids = matching.ids_of(found)
    question = "Does a NetSuite contact already carry its id?"
    if not case.holds("14 carries-our-id", question, bool(found), netsuite_ids=ids):
        return None
    if len(found) > 1:
        return case.stop(Reason.AMBIGUOUS_MATCH, choices=(*ids, matching.CREATE_NEW))
    return adopt(case, contact, found[0])


def _all_taken(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    matches = _matches(case, contact)
    question = "Do contacts with its email exist, all of them linked with others?"
    taken = [f"{item.record.id} with {item.linked_to}" for item in matches.taken]
    setting = case.policy.shared_email
    blocked = matches.all_taken and setting is SharedEmail.REVIEW
    if case.holds("15 all-taken", question, blocked, linked=taken, shared_email=setting):
        return case.stop(Reason.MATCH_TAKEN, choices=(matching.CREATE_NEW,))
    return None


def _at_customer(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    here = _matches(case, contact).at_customer
    question = "Is there exactly one free contact with its email at the account's customer?"
    if case.holds("16 at-customer", question, len(here) == 1, netsuite_ids=matching.ids_of(here)):
        return adopt(case, contact, here[0])
    return None


def _elsewhere(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    matches = _matches(case, contact)
    scope = case.policy.match_scope
    found = matches.elsewhere if scope is MatchScope.ANYWHERE and not matches.at_customer else ()
    question = "Is there none there, but exactly one elsewhere or without a company?"
    ids = matching.ids_of(matches.elsewhere)
    if not case.holds("17 elsewhere", question, len(found) == 1, netsuite_ids=ids, match_scope=scope):
        return None
    if found[0].company_id is not None and case.policy.other_company is OtherCompany.REVIEW:
        return case.stop(Reason.OTHER_COMPANY, choices=(*ids, matching.CREATE_NEW))
    return adopt(case, contact, found[0])


def _ambiguous(case: Case, contact: SalesforceContact) -> ContactPlan | None:
    matches = _matches(case, contact)
    anywhere = case.policy.match_scope is MatchScope.ANYWHERE
    level = matches.at_customer or (matches.elsewhere if anywhere else ())
    ids = matching.ids_of(level)
    question = "Are there several free contacts with its email?"
    if case.holds("18 ambiguous", question, len(level) > 1, netsuite_ids=ids):
        return case.stop(Reason.AMBIGUOUS_MATCH, choices=(*ids, matching.CREATE_NEW))
    return None


def _create_off(case: Case, _: SalesforceContact) -> ContactPlan | None:
    return admission.create_off(case, "19 create-off")


def _matches(case: Case, contact: SalesforceContact) -> matching.EmailMatches:
    return matching.by_email(case.candidates, contact, case.view.gate.customer_id)


_ADMISSION: tuple[Row, ...] = (
    _paused,
    _left_out,
    _person_account,
    _no_account,
    _account_not_linked,
    _role_filter,
    _rules,
    _test_mode,
)
_LINKED: tuple[Row, ...] = (_counterpart_missing, _locked, _update_off, _linked)
_MATCHING: tuple[Row, ...] = (
    _inherits,
    _chosen,
    _no_email,
    carries_our_id,
    _all_taken,
    _at_customer,
    _elsewhere,
    _ambiguous,
)
_CREATING: tuple[Row, ...] = (_create_off,)
