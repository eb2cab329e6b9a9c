"""What undoing entries of the journal would mean for one contact: a pure look at the entries, the pair and its link.

A field is restored to what it held before the first of the chosen entries, provided that it still shows what the last
of them wrote: whoever changed it since, a person or Twinbook, is left alone. A contact that was created is never
deleted: its NetSuite half is made inactive. A match that was wrong is taken apart.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from twinbook.domain.account_mapping import PARENT_ROW
from twinbook.domain.agreement import agreement_on, edited_since
from twinbook.domain.canonical import is_kept_form, plain_text
from twinbook.domain.mapping import COMPANY_ROW, FieldMap, MappingRow
from twinbook.domain.plan import Action, OutcomeKind
from twinbook.domain.records import (
    Fields,
    Link,
    LinkState,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
    Side,
    Value,
    display_name,
)
from twinbook.store.journal import Entry

NOTHING_WRITTEN = "nothing was written that could be restored"

_CREATED = frozenset({OutcomeKind.CREATED.value, "customer created"})
_ADOPTED = frozenset({OutcomeKind.ADOPTED.value, "customer adopted"})


class Step(StrEnum):
    """What is done about a contact. Only the last one does nothing.

    RESTORE     fields get back what they held before
    INACTIVATE  the NetSuite contact that was created is made inactive, and the pair is left out of the sync
    TAKE_APART  fields and ids get back what they held before, the link is dropped, the contact is left out
    """

    RESTORE = "restore"
    INACTIVATE = "inactivate"
    TAKE_APART = "take apart"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class FieldUndo:
    """One field on one side: what it shows, what it gets back, and what stands against it (empty: nothing)."""

    side: Side
    field: str
    shows: Value
    restored: Value
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """What undoing means for one contact. `obstacle` says why nothing is done at all."""

    salesforce_id: str
    netsuite_id: str | None
    name: str
    entries: tuple[int, ...]
    step: Step
    fields: tuple[FieldUndo, ...] = ()
    obstacle: str = ""

    @property
    def restored(self) -> tuple[FieldUndo, ...]:
        return tuple(item for item in self.fields if not item.obstacle)

    def on(self, side: Side) -> dict[str, Value]:
        """The fields to write to one side."""
        return {item.field: item.restored for item in self.restored if item.side is side}


@dataclass(frozen=True, slots=True)
class Subject:
    """A contact with all that its undoing depends on. `history` is its whole journal, oldest first."""

    salesforce_id: str
    history: Sequence[Entry]
    chosen: Collection[int]
    salesforce: SalesforceContact | SalesforceAccount | None
    netsuite: NetSuiteContact | NetSuiteCustomer | None
    link: Link | None

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry in self.history if entry.id in self.chosen]

    @property
    def later(self) -> list[Entry]:
        """Entries that were not chosen, after the first one that was."""
        first = min(entry.id for entry in self.entries)
        return [entry for entry in self.history if entry.id > first and entry.id not in self.chosen]


@dataclass(frozen=True, slots=True)
class Undoing:
    """The rules of undoing, for one field mapping.

    The id fields and NetSuite's `link_field` are restored only when a pair is taken apart, `bookkeeping` (status,
    checkbox) never. `opens_gate`: others depend on the pair, as contacts do on an account, so one that should not have
    been made is taken from the Salesforce record too.
    """

    mapping: FieldMap
    salesforce_id_field: str
    netsuite_id_field: str
    link_field: str | None
    bookkeeping: frozenset[str]
    opens_gate: bool = False

    @property
    def id_fields(self) -> frozenset[str]:
        return frozenset({self.salesforce_id_field, self.netsuite_id_field})

    def plan(self, subject: Subject) -> Undo:
        whats = {entry.what for entry in subject.entries}
        obstacle = _obstacle(subject, whats)
        if obstacle:
            return self._undo(subject, Step.NOTHING, obstacle=obstacle)
        if whats & _CREATED:
            return self._uncreated(subject)
        step = Step.TAKE_APART if whats & _ADOPTED else Step.RESTORE
        fields = tuple(self._fields(subject, step))
        if not fields and step is Step.RESTORE:
            return self._undo(subject, Step.NOTHING, obstacle=NOTHING_WRITTEN)
        if step is Step.RESTORE and all(item.obstacle for item in fields):
            return self._undo(
                subject, Step.NOTHING, fields, "every field was changed since, or is restored already"
            )
        return self._undo(subject, step, fields)

    def row_of(self, side: Side, field: str) -> MappingRow | None:
        rows = (*self.mapping.rows, PARENT_ROW if self.opens_gate else COMPANY_ROW)
        return next((row for row in rows if row.field_on(side) == field), None)

    def _uncreated(self, subject: Subject) -> Undo:
        netsuite, link = subject.netsuite, subject.link
        assert netsuite is not None  # noqa: S101 - `_obstacle` has looked
        if edited_since(Side.NETSUITE, netsuite.fields, self.mapping, link.agreed if link else {}):
            return self._undo(
                subject, Step.NOTHING, obstacle="the NetSuite record was edited since it was created"
            )
        fields = []
        if not netsuite.inactive:
            fields.append(FieldUndo(Side.NETSUITE, "isInactive", False, True))
        if self.opens_gate and subject.salesforce is not None:
            shows = subject.salesforce.netsuite_id
            fields.append(FieldUndo(Side.SALESFORCE, self.salesforce_id_field, shows, None))
        return self._undo(subject, Step.INACTIVATE, tuple(fields))

    def _fields(self, subject: Subject, step: Step) -> list[FieldUndo]:
        ignored = set(self.bookkeeping)
        if step is not Step.TAKE_APART:
            ignored |= self.id_fields | {self.link_field or ""}
        first: dict[tuple[Side, str], Value] = {}
        last: dict[tuple[Side, str], Value] = {}
        for entry in subject.entries:
            for change in entry.changes:
                if change.field not in ignored:
                    first.setdefault((change.side, change.field), change.before)
                    last[change.side, change.field] = change.after
        return [
            self._field(subject, side, field, before, last[side, field])
            for (side, field), before in first.items()
        ]

    def _field(self, subject: Subject, side: Side, field: str, before: Value, after: Value) -> FieldUndo:
        shows = self._shown(subject, side, field)
        if _same(shows, before):
            return FieldUndo(side, field, shows, before, "it shows that already")
        if self._changed_since(subject, side, field, after, shows):
            return FieldUndo(side, field, shows, before, "it was changed since")
        return FieldUndo(side, field, shows, before)

    def _shown(self, subject: Subject, side: Side, field: str) -> Value:
        record = subject.salesforce if side is Side.SALESFORCE else subject.netsuite
        if record is None:
            return None
        if field in self.id_fields:
            if isinstance(record, SalesforceContact | SalesforceAccount):
                return record.netsuite_id
            return record.salesforce_id
        fields: Fields = record.fields
        if isinstance(record, SalesforceContact) and field == "AccountId":
            return record.account_id
        return fields.get(field)

    def _changed_since(self, subject: Subject, side: Side, field: str, after: Value, shows: Value) -> bool:
        row = self.row_of(side, field)
        if row is None:
            return not _same(shows, after)
        paired = {(one, row.field_on(one)) for one in Side}
        if any((change.side, change.field) in paired for entry in subject.later for change in entry.changes):
            return True
        wrote, seen = row.compared(side, after), row.compared(side, shows)
        if wrote == seen:
            return False
        # What the system made of it (cut off, reformatted) is what both sides agreed on when it was written.
        agreement = agreement_on(row.key, subject.link.agreed if subject.link else {})
        half = None if agreement is None else getattr(agreement, side.value)
        return agreement is None or half != seen or not is_kept_form(wrote, seen)

    def _undo(
        self, subject: Subject, step: Step, fields: tuple[FieldUndo, ...] = (), obstacle: str = ""
    ) -> Undo:
        name = _name(subject.salesforce)
        netsuite_id = subject.netsuite.id if subject.netsuite else subject.entries[-1].netsuite_id
        numbers = tuple(entry.id for entry in subject.entries)
        return Undo(subject.salesforce_id, netsuite_id, name, numbers, step, fields, obstacle)


def _name(record: SalesforceContact | SalesforceAccount | None) -> str:
    if record is None:
        return ""
    return display_name(record) if isinstance(record, SalesforceContact) else record.name


def _obstacle(subject: Subject, whats: Collection[str]) -> str:
    if Action.DELETE in whats:
        return _deleted(subject)
    if subject.salesforce is None or subject.salesforce.deleted:
        return "the Salesforce record is not there any more"
    if subject.netsuite is None:
        return "the NetSuite record is not there any more"
    link = subject.link
    if link is not None and link.state is LinkState.LINKED and link.netsuite_id != subject.netsuite.id:
        return f"it is linked with NetSuite record {link.netsuite_id} now"
    if OutcomeKind.CREATED in whats and _created_in_salesforce(subject.entries):
        return (
            "it was created in Salesforce, where a contact cannot be made inactive: delete it there by hand"
        )
    return ""


def _deleted(subject: Subject) -> str:
    """Neither system lets what it has deleted be restored over its REST services."""
    if subject.netsuite is None and (subject.salesforce is None or not subject.salesforce.deleted):
        return (
            "it was deleted, and NetSuite restores nothing; to have it created there anew, choose that with "
            "`twinbook choose`"
        )
    if subject.netsuite is None:
        return (
            "it was deleted in NetSuite, which restores nothing; undelete the Salesforce contact, and it is created "
            "there anew"
        )
    return "it was deleted in Salesforce: restore it there from the recycle bin, and its link is opened again"


def _created_in_salesforce(entries: Sequence[Entry]) -> bool:
    return any(
        change.side is Side.SALESFORCE and change.field == "LastName"
        for entry in entries
        if entry.what == OutcomeKind.CREATED
        for change in entry.changes
    )


def _same(one: Value, other: Value) -> bool:
    """Blanks and unticked boxes are both empty; ids and texts are compared as they are read."""
    if isinstance(one, bool) or isinstance(other, bool):
        return bool(one) == bool(other)
    return plain_text(one) == plain_text(other)
