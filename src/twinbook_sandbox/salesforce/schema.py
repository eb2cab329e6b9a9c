"""Object schemas: what fields an object has and what each accepts (salesforce.md 6).

One description serves all readers: value checks, SOQL, describe, the storage tables, and the Avro schemas of
change events. The objects themselves are listed in the `objects` package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class FieldType(StrEnum):
    """Field types under their describe names."""

    ID = "id"
    REFERENCE = "reference"
    STRING = "string"
    TEXTAREA = "textarea"
    PHONE = "phone"
    EMAIL = "email"
    URL = "url"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    BOOLEAN = "boolean"
    INT = "int"
    DOUBLE = "double"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    ADDRESS = "address"


NUMBER_TYPES = frozenset({FieldType.INT, FieldType.DOUBLE, FieldType.CURRENCY, FieldType.PERCENT})
ID_TYPES = frozenset({FieldType.ID, FieldType.REFERENCE})
TEXT_TYPES = frozenset(
    {
        FieldType.STRING,
        FieldType.TEXTAREA,
        FieldType.PHONE,
        FieldType.EMAIL,
        FieldType.URL,
        FieldType.PICKLIST,
        FieldType.MULTIPICKLIST,
    }
)


LONGEST_SHORT_TEXT = 255
"""Text areas up to this length are plain text; longer ones are long text, which SOQL cannot filter by."""


class Feature(StrEnum):
    """Set-up choices of an org that decide whether certain fields exist."""

    MIDDLE_NAME = "middle_name"
    STATE_COUNTRY_PICKLISTS = "state_country_picklists"
    PERSON_ACCOUNTS = "person_accounts"
    CELIGO_PACKAGE = "celigo_package"


class OnParentDelete(StrEnum):
    """What happens to a record when the record it refers to is deleted."""

    KEEP = "keep"
    CLEAR = "clear"
    CASCADE = "cascade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an object. Lengths are in characters.

    `compound` names the compound field this one is a part of, `part` its name inside it (`MailingStreet` is
    `Street` in `MailingAddress`). `plural` is the name of the child relationship on the object referred to.
    `needs` are the features without which the field does not exist.
    `event_doc` is the annotation of the field in change event schemas; None: derived from the type.
    """

    name: str
    label: str
    type: FieldType
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    default: str | bool | int | float | None = None
    createable: bool = True
    updateable: bool = True
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    case_sensitive: bool = False
    values: tuple[str, ...] = ()
    restricted: bool = False
    reference_to: str | None = None
    relationship: str | None = None
    plural: str | None = None
    on_parent_delete: OnParentDelete = OnParentDelete.KEEP
    compound: str | None = None
    part: str | None = None
    needs: frozenset[Feature] = frozenset()
    in_events: bool = True
    event_doc: str | None = None
    field_id: str | None = None

    @property
    def custom(self) -> bool:
        return self.name.endswith(("__c", "__pc"))

    @property
    def nillable(self) -> bool:
        return not self.required and self.type not in (FieldType.BOOLEAN, FieldType.ID)

    @property
    def filterable(self) -> bool:
        """Long text and whole addresses can be neither filtered nor sorted by in SOQL."""
        long_text = self.type is FieldType.TEXTAREA and self.length > LONGEST_SHORT_TEXT
        return self.type is not FieldType.ADDRESS and not long_text

    @property
    def stored(self) -> bool:
        """False for addresses, which are put together from their parts when read."""
        return self.type is not FieldType.ADDRESS


@dataclass(frozen=True, slots=True)
class EventField:
    """A top-level field of the object's change event; `parts` are (name inside the record, field) of a compound."""

    field: Field
    parts: tuple[tuple[str, Field], ...] = ()

    @property
    def name(self) -> str:
        return self.field.name


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """An object and its fields; where salesforce.md gives the order of its change event, fields follow it."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    fields: tuple[Field, ...]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    change_fields: tuple[Field, ...] = field(init=False, repr=False, compare=False)
    """The fields whose changes make events: those with values of their own that an event has a place for."""
    defaults: dict[str, str | int | float | None] = field(init=False, repr=False, compare=False)
    """The stored fields with the values they have in a new record, checkboxes as 0 and 1."""
    checkboxes: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compounds = {each.compound for each in self.fields if each.compound}
        derived = {each.name for each in self.fields if each.name in compounds and not each.createable}
        in_events = (each for each in self.fields if each.in_events and each.name not in derived)
        object.__setattr__(self, "change_fields", tuple(in_events))
        stored = (each for each in self.fields if each.stored)
        object.__setattr__(self, "defaults", {each.name: _number_for_bool(each.default) for each in stored})
        boxes = (each.name for each in self.fields if each.type is FieldType.BOOLEAN)
        object.__setattr__(self, "checkboxes", tuple(boxes))
        object.__setattr__(self, "_by_name", {each.name.lower(): each for each in self.fields})

    def field(self, name: str) -> Field | None:
        """The field of this name; names are case-insensitive."""
        return self._by_name.get(name.lower())

    def parts_of(self, compound: str) -> tuple[Field, ...]:
        """The parts of a compound field, in order; empty when it is none."""
        return tuple(each for each in self.fields if each.compound == compound)

    def reference_by_relationship(self, name: str) -> Field | None:
        """The reference field behind a relationship name such as `Account`."""
        wanted = name.lower()
        return next((f for f in self.fields if f.relationship and f.relationship.lower() == wanted), None)

    def references(self) -> Iterator[Field]:
        """All fields that refer to another record."""
        return (each for each in self.fields if each.reference_to)

    def event_fields(self) -> tuple[EventField, ...]:
        """The body fields of `<Object>ChangeEvent` in order, without the header (salesforce.md 3.3)."""
        return tuple(
            EventField(each, tuple((part.part or part.name, part) for part in self.parts_of(each.name)))
            for each in self.fields
            if each.in_events and each.compound is None
        )


def _number_for_bool(value: str | bool | int | float | None) -> str | int | float | None:
    return int(value) if isinstance(value, bool) else value
