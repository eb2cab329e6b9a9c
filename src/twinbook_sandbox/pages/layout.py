"""What the pages of a record type show: fields in sections, related lists, columns. Plain declarations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Widget(StrEnum):
    """How a field is shown and edited."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "tel"
    URL = "url"
    AREA = "textarea"
    CHECKBOX = "checkbox"
    CHOICE = "choice"
    DATE = "date"
    NUMBER = "number"
    REFERENCE = "reference"
    """The id of another record; shown as a link with its name, edited as the id."""
    READ_ONLY = "read_only"
    MOMENT = "moment"
    """A point in time, read-only."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field on a page. ``target`` is the record type a reference points to."""

    name: str
    label: str
    widget: Widget = Widget.TEXT
    required: bool = False
    target: str = ""
    choices: tuple[str, ...] = ()

    @property
    def editable(self) -> bool:
        """Whether the edit form has it."""
        return self.widget not in (Widget.READ_ONLY, Widget.MOMENT)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under a heading: a card, a field group or a subtab."""

    title: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """Records of another type that refer to the one on the page through their field ``through``."""

    title: str
    type: str
    through: str
    columns: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The pages of one record type. ``title`` is the field that names a record."""

    type: str
    label: str
    plural: str
    title: str
    columns: tuple[FieldView, ...]
    search: tuple[str, ...]
    """Fields, in the names of the storage, in which the list looks for what is searched."""
    sections: tuple[Section, ...]
    highlights: tuple[FieldView, ...] = ()
    tabs: tuple[Section, ...] = ()
    """Sections beside the main ones: the Integration panel, or the subtabs."""
    related: tuple[Related, ...] = ()
    in_menu: bool = True

    def fields(self) -> Iterator[FieldView]:
        """Every field of the form, in order."""
        for section in (*self.sections, *self.tabs):
            yield from section.fields


@dataclass(frozen=True, slots=True)
class Record:
    """A record as its page shows it: flat values, ids of references as text."""

    id: str
    values: dict[str, Any]
    deleted: bool = False
    names: dict[str, str] = field(default_factory=dict)
    """Names of the records it refers to, by field."""


def text(name: str, label: str, *, required: bool = False) -> FieldView:
    """A line of text."""
    return FieldView(name, label, Widget.TEXT, required)


def email(name: str, label: str = "Email") -> FieldView:
    """An email address."""
    return FieldView(name, label, Widget.EMAIL)


def phone(name: str, label: str) -> FieldView:
    """A phone number."""
    return FieldView(name, label, Widget.PHONE)


def url(name: str, label: str) -> FieldView:
    """A web address."""
    return FieldView(name, label, Widget.URL)


def area(name: str, label: str) -> FieldView:
    """Text of several lines."""
    return FieldView(name, label, Widget.AREA)


def checkbox(name: str, label: str) -> FieldView:
    """Yes or no."""
    return FieldView(name, label, Widget.CHECKBOX)


def choice(name: str, label: str, choices: tuple[str, ...], *, required: bool = False) -> FieldView:
    """One of some texts."""
    return FieldView(name, label, Widget.CHOICE, required, choices=choices)


def reference(name: str, label: str, target: str, *, required: bool = False) -> FieldView:
    """Another record."""
    return FieldView(name, label, Widget.REFERENCE, required, target)


def shown(name: str, label: str) -> FieldView:
    """A value that users cannot change."""
    return FieldView(name, label, Widget.READ_ONLY)


def moment(name: str, label: str) -> FieldView:
    """A point in time that users cannot change."""
    return FieldView(name, label, Widget.MOMENT)
