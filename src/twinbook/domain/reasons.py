"""Why a record is not simply in step: the reason codes, and what each of them means to the person who reads it.

The codes are part of the public interface (store, API, CLI, dashboard, logs) and are never renamed. `CATALOGUE` has
one entry for each: a plain sentence that completes "This record …", what to do about it, and the outcome it belongs
to. Reasons of section 2 to 6 of behaviour.md come first, then those of the checks before sending.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What came of a record. Exactly one of these is true of every record that Twinbook looked at."""

    CREATED = "created"
    ADOPTED = "adopted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    WAITING = "waiting"
    REVIEW = "review"
    FAILED = "failed"


class Reason(StrEnum):
    """Reason codes. A code says what was found; `CATALOGUE` says what it means."""

    PAUSED = "PAUSED"
    DIRECTION_OFF = "DIRECTION_OFF"
    PERSON_ACCOUNT = "PERSON_ACCOUNT"
    NO_ACCOUNT = "NO_ACCOUNT"
    ACCOUNT_NOT_SYNCED = "ACCOUNT_NOT_SYNCED"
    ROLE_FILTER = "ROLE_FILTER"
    RULE = "RULE"
    TEST_MODE = "TEST_MODE"
    LEFT_OUT = "LEFT_OUT"
    COUNTERPART_MISSING = "COUNTERPART_MISSING"
    LOCKED = "LOCKED"
    UPDATE_DISABLED = "UPDATE_DISABLED"
    NO_EMAIL = "NO_EMAIL"
    MATCH_TAKEN = "MATCH_TAKEN"
    AMBIGUOUS_MATCH = "AMBIGUOUS_MATCH"
    OTHER_COMPANY = "OTHER_COMPANY"
    CREATE_DISABLED = "CREATE_DISABLED"
    NAME_CLASH = "NAME_CLASH"
    NO_COMPANY = "NO_COMPANY"
    NOT_A_CUSTOMER = "NOT_A_CUSTOMER"
    DELETED_IN_SALESFORCE = "DELETED_IN_SALESFORCE"
    DELETED_IN_NETSUITE = "DELETED_IN_NETSUITE"
    MERGED_AWAY = "MERGED_AWAY"
    CONFLICT = "CONFLICT"
    SAFETY_STOP = "SAFETY_STOP"

    NO_TRIGGER = "NO_TRIGGER"
    GATE_ONLY = "GATE_ONLY"
    AMBIGUOUS_CUSTOMER = "AMBIGUOUS_CUSTOMER"
    CUSTOMER_TAKEN = "CUSTOMER_TAKEN"
    CUSTOMER_MISSING = "CUSTOMER_MISSING"
    PARENT_NOT_SYNCED = "PARENT_NOT_SYNCED"
    PARENT_CYCLE = "PARENT_CYCLE"
    PARENTS_TOO_DEEP = "PARENTS_TOO_DEEP"
    NO_SUBSIDIARY = "NO_SUBSIDIARY"

    FIELD_TOO_LONG = "FIELD_TOO_LONG"
    INVALID_VALUE = "INVALID_VALUE"
    REQUIRED_FIELD_MISSING = "REQUIRED_FIELD_MISSING"
    READ_ONLY_FIELD = "READ_ONLY_FIELD"
    EXPRESSION_ERROR = "EXPRESSION_ERROR"
    REFUSED_BY_NETSUITE = "REFUSED_BY_NETSUITE"
    REFUSED_BY_SALESFORCE = "REFUSED_BY_SALESFORCE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class Explanation:
    """`meaning` is a whole sentence about the record, `remedy` a sentence that says what to do, or that nothing is
    to be done. `outcome` is the kind that the reason belongs to."""

    outcome: OutcomeKind
    meaning: str
    remedy: str


_SKIPPED, _WAITING = OutcomeKind.SKIPPED, OutcomeKind.WAITING
_REVIEW, _FAILED = OutcomeKind.REVIEW, OutcomeKind.FAILED

CATALOGUE: dict[Reason, Explanation] = {
    Reason.PAUSED: Explanation(
        _WAITING,
        "Syncing is paused for this connection.",
        "Nothing is lost: it is worked off as soon as somebody resumes the connection.",
    ),
    Reason.DIRECTION_OFF: Explanation(
        _SKIPPED,
        "This connection does not carry contacts in this direction.",
        'Set direction = "both" if such contacts are to be synced.',
    ),
    Reason.PERSON_ACCOUNT: Explanation(
        _SKIPPED,
        "It belongs to a person account, and person accounts are not synced as contacts.",
        "Nothing to do.",
    ),
    Reason.NO_ACCOUNT: Explanation(
        _SKIPPED,
        "It belongs to no account in Salesforce, so there is no customer to put it under.",
        'Choose an account on the contact, or set contacts_without_account = "sync".',
    ),
    Reason.ACCOUNT_NOT_SYNCED: Explanation(
        _WAITING,
        "Its account is not linked with a NetSuite customer yet.",
        "It will be sent by itself as soon as the account is linked. To link it now, push the account.",
    ),
    Reason.ROLE_FILTER: Explanation(
        _SKIPPED,
        "Only contacts with certain roles are synced, and it holds none of them.",
        "Give the contact one of these roles, or change role_filter.",
    ),
    Reason.RULE: Explanation(
        _SKIPPED,
        "A rule of this connection keeps it out.",
        "Change the record so that the rule is true, or change the rule in the settings.",
    ),
    Reason.TEST_MODE: Explanation(
        _SKIPPED,
        "Test mode is on, and it is not tagged for the test.",
        "Add the tag to the contact, or turn test mode off.",
    ),
    Reason.LEFT_OUT: Explanation(
        _SKIPPED,
        "A person chose to leave it out of the sync, or undid what Twinbook had made of it.",
        "To have it synced again, decide otherwise: `twinbook match --undecide` and its id.",
    ),
    Reason.COUNTERPART_MISSING: Explanation(
        _REVIEW,
        "It is linked with a NetSuite contact that is no longer there.",
        "Choose whether it is created again, linked with another NetSuite contact, or left alone.",
    ),
    Reason.LOCKED: Explanation(
        _SKIPPED,
        "Its NetSuite contact is locked against syncing by the checkbox on it.",
        "Clear the checkbox on the NetSuite contact to have it synced again.",
    ),
    Reason.UPDATE_DISABLED: Explanation(
        _SKIPPED,
        "It is linked, and updates are turned off.",
        "Set update = true if linked contacts are to be kept in step.",
    ),
    Reason.NO_EMAIL: Explanation(
        _SKIPPED,
        "It has no email, so it cannot be matched safely.",
        "Fill in the email. A contact that is linked already does not need one.",
    ),
    Reason.MATCH_TAKEN: Explanation(
        _REVIEW,
        "A contact with this email exists on the other side, but it already belongs to somebody else.",
        'Correct the email, choose to create it all the same, or set shared_email = "create".',
    ),
    Reason.AMBIGUOUS_MATCH: Explanation(
        _REVIEW,
        "Several contacts on the other side could be this person.",
        "Choose the right one, or merge the duplicates.",
    ),
    Reason.OTHER_COMPANY: Explanation(
        _REVIEW,
        "The only contact with this email belongs to another company in NetSuite.",
        "Choose it (its company is then changed), or choose to create a new contact.",
    ),
    Reason.CREATE_DISABLED: Explanation(
        _SKIPPED,
        "It has no counterpart, and creating new contacts is turned off.",
        "Set create = true, or create the counterpart by hand: it is then found by its email.",
    ),
    Reason.NAME_CLASH: Explanation(
        _REVIEW,
        "NetSuite already has a contact of this name at this company, and names must be unique there.",
        'Choose that contact, rename one of the two, or set name_clash = "suffix".',
    ),
    Reason.NO_COMPANY: Explanation(
        _SKIPPED,
        "It belongs to no company in NetSuite, so there is no account to put it under.",
        "Choose a company on the NetSuite contact.",
    ),
    Reason.NOT_A_CUSTOMER: Explanation(
        _SKIPPED,
        "Its company in NetSuite is no customer (a vendor or a partner, for example).",
        "Nothing to do, unless the company is the wrong one.",
    ),
    Reason.DELETED_IN_SALESFORCE: Explanation(
        _SKIPPED,
        "It was deleted in Salesforce.",
        "Undelete it in Salesforce to have it synced again.",
    ),
    Reason.DELETED_IN_NETSUITE: Explanation(
        _SKIPPED,
        "It was deleted in NetSuite.",
        "Choose to create it again if it is still needed there.",
    ),
    Reason.MERGED_AWAY: Explanation(
        _SKIPPED,
        "It was merged into another contact in Salesforce.",
        "Where two NetSuite contacts are left, choose whether this one is kept or made inactive.",
    ),
    Reason.CONFLICT: Explanation(
        _REVIEW,
        "A field was changed on both sides, and a person is to decide which value is right.",
        "Choose the value of one side, or make both sides equal.",
    ),
    Reason.SAFETY_STOP: Explanation(
        _WAITING,
        "Far more records changed or vanished at once than usual, so Twinbook stopped before doing harm.",
        "Check the two systems, then go on with `twinbook resume --confirm`.",
    ),
    Reason.NO_TRIGGER: Explanation(
        _SKIPPED,
        "Nothing has asked for this account to be in NetSuite yet.",
        "It is linked when one of the chosen triggers fires. To link it now, push the account.",
    ),
    Reason.GATE_ONLY: Explanation(
        _SKIPPED,
        "Another tool links the accounts of this connection, and it has not linked this one yet.",
        'Link it with that tool, or set accounts.mode = "sync".',
    ),
    Reason.AMBIGUOUS_CUSTOMER: Explanation(
        _REVIEW,
        "Several NetSuite customers could be this account.",
        "Write the right customer's id on the account, or merge the duplicate customers.",
    ),
    Reason.CUSTOMER_TAKEN: Explanation(
        _REVIEW,
        "The NetSuite customer of this name is already linked with another account.",
        "Merge the two accounts, rename one of them, or write the right customer's id on the account.",
    ),
    Reason.CUSTOMER_MISSING: Explanation(
        _REVIEW,
        "It is linked with a NetSuite customer that is no longer there.",
        "Write the right customer's id on the account, or empty it: the account is then matched anew.",
    ),
    Reason.PARENT_NOT_SYNCED: Explanation(
        _WAITING,
        "Its parent account is not linked with a NetSuite customer yet, and parents go first.",
        "It is linked by itself as soon as its parent is. If the parent needs a decision, take that one.",
    ),
    Reason.PARENT_CYCLE: Explanation(
        _REVIEW,
        "Its parent accounts lead in a circle.",
        "Correct the parent accounts in Salesforce, then push the account.",
    ),
    Reason.PARENTS_TOO_DEEP: Explanation(
        _REVIEW,
        "More parent accounts than Twinbook follows would have to be linked first.",
        "Push one of the upper accounts first, or correct the parent accounts; then push this account.",
    ),
    Reason.NO_SUBSIDIARY: Explanation(
        _REVIEW,
        "None of the subsidiary rules is true for it, and there is no other subsidiary for new customers.",
        "Correct the account, add a rule, or set accounts.subsidiary_id; then push the account.",
    ),
    Reason.FIELD_TOO_LONG: Explanation(
        _FAILED,
        "A value is longer than its field on the other side allows.",
        'Shorten the value, or set on_overflow = "truncate" for this field.',
    ),
    Reason.INVALID_VALUE: Explanation(
        _FAILED,
        "A value is not among those that its field on the other side allows.",
        "Choose an allowed value, add it to the list on the other side, or map it with a lookup.",
    ),
    Reason.REQUIRED_FIELD_MISSING: Explanation(
        _FAILED,
        "A field that must not be empty on the other side has no value.",
        "Fill in the field, or give it a default in the mapping.",
    ),
    Reason.READ_ONLY_FIELD: Explanation(
        _FAILED,
        "A mapped field cannot be written with the rights of the integration user.",
        "Give the integration user the right to edit the field, or change its direction in the mapping.",
    ),
    Reason.EXPRESSION_ERROR: Explanation(
        _FAILED,
        "An expression of the field mapping could not be worked out for this record.",
        "Correct the expression in the settings; mind values that can be empty.",
    ),
    Reason.REFUSED_BY_NETSUITE: Explanation(
        _FAILED,
        "NetSuite refused it.",
        "Correct what NetSuite names, then retry. A later change of the contact retries by itself.",
    ),
    Reason.INTERNAL_ERROR: Explanation(
        _FAILED,
        "Twinbook itself failed on this record.",
        "It is tried again by itself. If it stays, report it as a defect of Twinbook, with the log lines around "
        "this time.",
    ),
    Reason.REFUSED_BY_SALESFORCE: Explanation(
        _FAILED,
        "Salesforce refused it.",
        "Correct what Salesforce names, then retry. A later change of the contact retries by itself.",
    ),
}
