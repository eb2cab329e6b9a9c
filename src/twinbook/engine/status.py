"""What a Salesforce contact or account shows of its own sync: the package's status fields (behaviour.md 8).

They are written only when they change, and never on records that merely wait for their account or its trigger, or that
the connection does not carry at all: thousands of them are left alone unless somebody pushed them or they carry a
status already.
"""

from __future__ import annotations

from datetime import UTC, datetime

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Fields, SalesforceAccount, SalesforceContact, Value
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
# Reasons that hold for whole groups of records and say nothing about the one.
_QUIET = (
    Reason.ACCOUNT_NOT_SYNCED,
    Reason.PAUSED,
    Reason.NO_ACCOUNT,
    Reason.DIRECTION_OFF,
    Reason.NO_TRIGGER,
    Reason.GATE_ONLY,
)

Shown = SalesforceContact | SalesforceAccount


def status_changes(record: Shown, outcome: Outcome, fields: StatusFields, *, now: float) -> Fields:
    """The status fields that have to be written, none when they already say so. The link stays when the counterpart
    goes, as the id does."""
    if fields.status is None or _left_alone(record, outcome):
        return {}
    link = record.netsuite_link
    if outcome.counterpart_id:
        link = fields.address.format(id=outcome.counterpart_id)
    shown: dict[str | None, Value] = {
        fields.status: record.status,
        fields.message: record.status_message,
        fields.link: record.netsuite_link,
    }
    wanted: dict[str | None, Value] = {
        fields.status: STATUS[outcome.kind],
        fields.message: _message(outcome),
        fields.link: link,
    }
    changes = {name: value for name, value in wanted.items() if name and value != shown[name]}
    if changes and fields.last_sync:
        changes[fields.last_sync] = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return changes


def _left_alone(record: Shown, outcome: Outcome) -> bool:
    return outcome.reason in _QUIET and record.status is None and not record.push_requested


def _message(outcome: Outcome) -> str | None:
    if outcome.reason is None:
        return None
    text = f"{outcome.reason.value}: {outcome.detail or CATALOGUE[outcome.reason].meaning}"
    return text[:MESSAGE_LENGTH].strip()
