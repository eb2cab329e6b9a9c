"""What the Salesforce contact shows of its own sync: the package's status fields (behaviour.md 8).

They are written only when they change, and never on contacts that merely wait for their account, or that the connection
does not carry at all: thousands of them are left alone unless somebody pushed them or they carry a status already.
"""

from __future__ import annotations

from datetime import UTC, datetime

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Fields, SalesforceContact, Value
from twinbook.engine.connection import StatusFields
from twinbook.store.outcomes import Outcome

SYNCED = "Synced"
STATUS = {
    OutcomeKind.CREATED: SYNCED,
    OutcomeKind.ADOPTED: SYNCED,
    OutcomeKind.UPDATED: SYNCED,
    OutcomeKind.UNCHANGED: SYNCED,
    OutcomeKind.SKIPPED: "Skipped",
    OutcomeKind.WAITING: "Waiting",
    OutcomeKind.REVIEW: "Review",
    OutcomeKind.FAILED: "Error",
}
# The length of the package's message field.
MESSAGE_LENGTH = 1000
# Reasons that hold for whole groups of contacts and say nothing about the one.
_QUIET = (Reason.ACCOUNT_NOT_SYNCED, Reason.PAUSED, Reason.NO_ACCOUNT, Reason.DIRECTION_OFF)


def status_changes(
    contact: SalesforceContact, outcome: Outcome, fields: StatusFields, *, now: float
) -> Fields:
    """The status fields that have to be written, none when they already say so."""
    if fields.status is None or _left_alone(contact, outcome):
        return {}
    status, message = STATUS[outcome.kind], _message(outcome)
    if (contact.status, contact.status_message) == (status, message):
        return {}
    changes: dict[str, Value] = {fields.status: status}
    if fields.message:
        changes[fields.message] = message
    if fields.last_sync:
        changes[fields.last_sync] = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return changes


def _left_alone(contact: SalesforceContact, outcome: Outcome) -> bool:
    return outcome.reason in _QUIET and contact.status is None and not contact.push_requested


def _message(outcome: Outcome) -> str | None:
    if outcome.reason is None:
        return None
    text = f"{outcome.reason.value}: {outcome.detail or CATALOGUE[outcome.reason].meaning}"
    return text[:MESSAGE_LENGTH].strip()
