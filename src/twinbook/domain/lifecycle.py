"""Deletes and merges: behaviour.md section 5.

A delete is never carried to the other side unless the settings say so, and never over an edit that was made there in
the meantime: the edit wins. While the connection is paused, in test mode, or where the NetSuite contact is locked,
links may be closed but nothing is written.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, StrEnum
from typing import TypeVar

from twinbook.domain.agreement import INACTIVATED, edited_since
from twinbook.domain.case import Case
from twinbook.domain.matching import CREATE_NEW, carriers
from twinbook.domain.plan import Action, ContactPlan, OutcomeKind
from twinbook.domain.policy import (
    CounterpartMissing,
    DeletedInNetSuite,
    DeletedInSalesforce,
    MergedAway,
)
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Fields, NetSuiteContact, Side

INACTIVE: Fields = {"isInactive": True}

_Choice = TypeVar("_Choice", bound=StrEnum)


class GoOn(Enum):
    """A link whose NetSuite contact is gone may also lead back into the rows of section 2."""

    CREATE = "create"
    MATCH = "match"


def salesforce_gone(case: Case) -> ContactPlan:
    """The Salesforce contact is deleted, merged away, or no longer there at all."""
    contact, link = case.view.salesforce, case.view.link
    winner = contact.merged_into if contact else None
    case.holds("5 deleted-in-salesforce", "Was it deleted in Salesforce?", True, merged_into=winner)
    reason = Reason.MERGED_AWAY if winner else Reason.DELETED_IN_SALESFORCE
    if link is None or case.tombstone:
        case.holds("5 linked", "Is it linked?", False)
        return case.stop(reason, outcome=OutcomeKind.SKIPPED)
    counterpart = _counterpart(case)
    found = counterpart is not None
    case.holds("5 counterpart", "Is its NetSuite contact still there?", found, netsuite_id=link.netsuite_id)
    if counterpart is None:
        return _close(case, reason, "there is nothing left of it in NetSuite")
    return _merged_away(case, counterpart) if winner else _deleted(case, counterpart)


def netsuite_gone(case: Case) -> ContactPlan | GoOn:
    """A link to a NetSuite contact that is no longer there, while the Salesforce contact lives."""
    chosen = case.chosen_record
    if case.wants_new or chosen is not None:
        return GoOn.CREATE if case.wants_new else GoOn.MATCH
    choice = _netsuite_choice(case)
    setting = missing_setting(case)
    if choice in (DeletedInNetSuite.CLOSE, DeletedInNetSuite.DELETE) and _edited_in_salesforce(case):
        choice = CounterpartMissing.RECREATE
    if choice in (DeletedInNetSuite.RECREATE, CounterpartMissing.RECREATE):
        return GoOn.CREATE if Side.NETSUITE in case.writable else _missing(case)
    if choice is CounterpartMissing.REMATCH:
        return GoOn.MATCH
    if choice is DeletedInNetSuite.CLOSE:
        closed = _close(case, Reason.DELETED_IN_NETSUITE, "the link is closed, the Salesforce contact stays")
        return replace(closed, setting=setting)
    if choice is DeletedInNetSuite.DELETE and Side.SALESFORCE in case.writable:
        deleted = _delete(case, Reason.DELETED_IN_NETSUITE, Side.SALESFORCE, case.salesforce_id)
        return replace(deleted, setting=setting)
    return _missing(case)


def missing_setting(case: Case) -> str:
    """The setting that decides about a missing NetSuite contact, empty where a person has chosen."""
    choice = _netsuite_choice(case)
    name = "counterpart_missing" if isinstance(choice, CounterpartMissing) else "deleted_in_netsuite"
    return _setting(case, name, choice)


def closed_by_netsuite(case: Case) -> bool:
    """Whether a tombstone is what the setting `close` left behind, and not that of an undeleted contact."""
    return (
        case.tombstone
        and case.view.netsuite is None
        and case.policy.deleted_in_netsuite is DeletedInNetSuite.CLOSE
        and not (case.wants_new or case.chosen_record)
    )


def _deleted(case: Case, counterpart: NetSuiteContact) -> ContactPlan:
    choice = _chosen(case, DeletedInSalesforce, case.policy.deleted_in_salesforce)
    reason = Reason.DELETED_IN_SALESFORCE
    if choice is DeletedInSalesforce.REVIEW:
        choices = (DeletedInSalesforce.KEEP, DeletedInSalesforce.INACTIVATE, DeletedInSalesforce.DELETE)
        return case.stop(reason, outcome=OutcomeKind.REVIEW, choices=choices)
    return replace(
        _after_delete(case, counterpart, choice), setting=_setting(case, "deleted_in_salesforce", choice)
    )


def _after_delete(case: Case, counterpart: NetSuiteContact, choice: DeletedInSalesforce) -> ContactPlan:
    reason = Reason.DELETED_IN_SALESFORCE
    if choice is DeletedInSalesforce.KEEP:
        return _close(case, reason, "the NetSuite contact is kept")
    obstacle = _edited_in_netsuite(case, counterpart) or _restraint(case, counterpart)
    if obstacle:
        return _close(case, reason, f"the NetSuite contact is kept: {obstacle}")
    if choice is DeletedInSalesforce.DELETE:
        return _delete(case, reason, Side.NETSUITE, counterpart.id)
    return _inactivate(case, reason, counterpart)


def _merged_away(case: Case, counterpart: NetSuiteContact) -> ContactPlan:
    """The winner inherits the link if it has none. Only a second NetSuite contact needs a decision."""
    winner = case.view.winner_link
    second = winner is not None and winner.netsuite_id not in (None, counterpart.id)
    if not case.holds(
        "5 second-contact",
        "Has the contact that it was merged into a NetSuite contact of its own?",
        second,
        winner=case.view.salesforce.merged_into if case.view.salesforce else None,
        netsuite_id=winner.netsuite_id if winner else None,
    ):
        return _close(case, Reason.MERGED_AWAY, "its NetSuite contact goes over to the winner of the merge")
    choice = _chosen(case, MergedAway, case.policy.merged_away)
    if choice is MergedAway.REVIEW:
        choices = (MergedAway.KEEP, MergedAway.INACTIVATE)
        return case.stop(Reason.MERGED_AWAY, outcome=OutcomeKind.REVIEW, choices=choices)
    setting = _setting(case, "merged_away", choice)
    obstacle = _restraint(case, counterpart)
    if choice is MergedAway.KEEP or obstacle:
        kept = f": {obstacle}" if obstacle else ""
        closed = _close(case, Reason.MERGED_AWAY, f"the second NetSuite contact is kept{kept}")
        return replace(closed, setting=setting)
    return replace(_inactivate(case, Reason.MERGED_AWAY, counterpart), setting=setting)


def _setting(case: Case, name: str, choice: StrEnum) -> str:
    return "" if case.view.chosen else f'{name} = "{choice}"'


def _chosen(case: Case, choices: type[_Choice], default: _Choice) -> _Choice:
    """What a person chose for this record, else what the settings say."""
    return next((choice for choice in choices if choice == case.view.chosen), default)


def _netsuite_choice(case: Case) -> DeletedInNetSuite | CounterpartMissing:
    """Two settings speak of the same thing; the one that was moved from its default counts."""
    choice = _chosen(case, DeletedInNetSuite, case.policy.deleted_in_netsuite)
    return case.policy.counterpart_missing if choice is DeletedInNetSuite.REVIEW else choice


def _counterpart(case: Case) -> NetSuiteContact | None:
    """The linked NetSuite contact, or the one that a create which was never confirmed has left."""
    if case.view.netsuite is not None or case.view.salesforce is None:
        return case.view.netsuite
    found = carriers(case.candidates, case.view.salesforce)
    return found[0] if found and not case.linked else None


def _edited_in_netsuite(case: Case, counterpart: NetSuiteContact) -> str | None:
    edited = edited_since(Side.NETSUITE, counterpart.fields, case.policy.mapping, case.agreed)
    question = "Was it edited in NetSuite since both sides agreed?"
    return "it was edited there since" if case.holds("5 edited-in-netsuite", question, edited) else None


def _edited_in_salesforce(case: Case) -> bool:
    contact = case.contact
    edited = contact is not None and edited_since(
        Side.SALESFORCE, contact.fields, case.policy.mapping, case.agreed
    )
    question = "Was it edited in Salesforce since both sides agreed?"
    return case.holds("5 edited-in-salesforce", question, edited)


def _restraint(case: Case, counterpart: NetSuiteContact) -> str | None:
    """Why nothing may be written to NetSuite for this record."""
    contact = case.view.salesforce
    tag_field = contact.fields.get(case.policy.test_mode_field) if contact else None
    if counterpart.locked:
        return "it is locked"
    if Side.NETSUITE not in case.writable:
        return "this connection does not write to NetSuite"
    if case.policy.test_mode and case.policy.test_mode_tag not in str(tag_field or ""):
        return "test mode is on"
    return None


def _missing(case: Case) -> ContactPlan:
    choices = (CREATE_NEW, *(item.record.id for item in case.candidates if item.linked_to is None))
    if Side.NETSUITE not in case.writable:
        choices = ()
    return case.stop(Reason.COUNTERPART_MISSING, choices=(*choices, DeletedInNetSuite.CLOSE))


def _close(case: Case, reason: Reason, detail: str) -> ContactPlan:
    return case.stop(reason, detail=detail, outcome=OutcomeKind.SKIPPED, action=Action.CLOSE)


def _inactivate(case: Case, reason: Reason, counterpart: NetSuiteContact) -> ContactPlan:
    if case.view.paused:
        return case.stop(Reason.PAUSED)
    if counterpart.inactive:
        return _close(case, reason, "the NetSuite contact is inactive already")
    plan = case.stop(
        reason,
        detail="the NetSuite contact is made inactive",
        outcome=OutcomeKind.SKIPPED,
        action=Action.CLOSE,
        netsuite_changes=INACTIVE,
        target=Side.NETSUITE,
        counterpart_id=counterpart.id,
    )
    return replace(plan, agreed={**case.agreed, INACTIVATED: True})


def _delete(case: Case, reason: Reason, target: Side, record_id: str | None) -> ContactPlan:
    if case.view.paused:
        return case.stop(Reason.PAUSED)
    return case.stop(
        reason,
        detail=f"it is deleted in {'NetSuite' if target is Side.NETSUITE else 'Salesforce'} as well",
        outcome=OutcomeKind.SKIPPED,
        action=Action.DELETE,
        target=target,
        counterpart_id=record_id,
    )
