"""The form of the settings, made from the list of options: what each field shows, and what was typed into it.

A field is named as problems name its place: `contacts.direction`, `contacts.rules[0].expression`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from starlette.datastructures import FormData

from twinbook.settings import ConnectionSettings
from twinbook.settings.editing import Place
from twinbook.settings.options import Option, TableOptions
from twinbook.settings.promotion import behaviour
from twinbook.settings.revising import effective
from twinbook.settings.table import Table

Control = Literal["choice", "many", "yes or no", "number", "text", "expression", "lines", "pairs"]
TRUE: Final = "true"

# What is put first; every other option of a connection is among the advanced settings.
FIRST: Final[Mapping[str, Sequence[str]]] = {
    "Contacts Sync": (
        "contacts.direction",
        "contacts.create",
        "contacts.update",
        "contacts.contacts_without_account",
        "contacts.role_filter",
        "contacts.rules",
    ),
    "Matching": (
        "contacts.match_scope",
        "contacts.other_company",
        "contacts.shared_email",
        "contacts.name_clash",
        "contacts.counterpart_missing",
    ),
    "Accounts": (
        "accounts.mode",
        "accounts.triggers",
        "accounts.rules",
        "accounts.update",
        "accounts.subsidiary_id",
    ),
    "Schedule": ("sweep.nightly", "sweep.hour", "sweep.repair"),
    "Test mode": ("contacts.test_mode", "contacts.test_mode_field", "contacts.test_mode_tag"),
}
ADVANCED: Final = "Advanced settings"
# Tables with a page of their own.
APART: Final = frozenset({("contacts", "mapping"), ("accounts", "mapping")})


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the form as it is shown. `value` is text, a truth value, or the texts of several."""

    name: str
    label: str
    doc: str
    control: Control
    value: Any
    choices: tuple[str, ...] = ()
    optional: bool = False
    default: str = ""
    variable: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """An array of tables: its rows, and one empty row to add to it."""

    name: str
    label: str
    doc: str
    rows: tuple[tuple[Field, ...], ...]
    variable: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together, by heading."""

    title: str
    groups: tuple[tuple[str, tuple[Field | Rows, ...]], ...]

    @property
    def faulty(self) -> bool:
        return any(faulty(item) for _, items in self.groups for item in items)


class Shown:
    """What the form shows: values by place, with what is wrong with them by name, and what the environment sets."""

    def __init__(
        self,
        values: Mapping[Place, Any],
        *,
        faults: Mapping[str, str] | None = None,
        variables: Mapping[Place, str] | None = None,
    ) -> None:
        self._values = values
        self._faults = faults or {}
        self._variables = variables or {}

    def sections(self) -> list[Section]:
        """All options of a connection, each in one section."""
        tables = {item.name: (table, item) for table, item in self._items()}
        found = []
        for title, names in FIRST.items():
            items = tuple(tables.pop(name)[1] for name in names)
            found.append(Section(title, (("", items),)))
        rest: dict[str, list[Field | Rows]] = {}
        for table, item in tables.values():
            rest.setdefault(_title(table), []).append(item)
        groups = tuple((title, tuple(items)) for title, items in rest.items())
        return [*found, Section(ADVANCED, groups)]

    def _items(self) -> Iterator[tuple[TableOptions, Field | Rows]]:
        for table in tables_of_the_form():
            if table.rows:
                yield table, self._rows(table)
                continue
            for option in table.options:
                place = (*table.path, option.name)
                name = ".".join(place)
                variable = self._variables.get(place)
                yield (
                    table,
                    field_of(option, name, self._values[place], self._faults.get(name, ""), variable),
                )

    def _rows(self, table: TableOptions) -> Rows:
        name = ".".join(table.path)
        given: Sequence[Mapping[str, Any]] = self._values[table.path]
        rows = tuple(
            tuple(
                field_of(
                    option,
                    f"{name}[{number}].{option.name}",
                    row.get(option.name, option.default),
                    self._faults.get(f"{name}[{number}].{option.name}", ""),
                )
                for option in table.options
            )
            for number, row in enumerate([*given, {}])
        )
        variable = self._variables.get(table.path)
        return Rows(name, words(table.path[-1]), table.doc, rows, variable, self._faults.get(name, ""))


def values_of(settings: ConnectionSettings) -> dict[Place, Any]:
    """The values that count, for the form."""
    found: dict[Place, Any] = {}
    for table in tables_of_the_form():
        if table.rows:
            found[table.path] = rows_of(settings, table.path)
        else:
            places = ((*table.path, option.name) for option in table.options)
            found |= {place: effective(settings, place) for place in places}
    return found


def rows_of(settings: ConnectionSettings, place: Place) -> list[dict[str, Any]]:
    """The rows of an array of tables, without what is left at its default."""
    rows: Sequence[Table] = getattr(getattr(settings, place[0]), place[1])
    return [row.model_dump(mode="json", exclude_defaults=True) for row in rows]


def changed_by(typed_values: Mapping[Place, Any], shown: Mapping[Place, Any]) -> dict[Place, Any]:
    """What was typed that is not what was shown. Boxes that are ticked have no order."""
    return {
        place: value
        for place, value in typed_values.items()
        if value != shown[place] and not (_are_words(value) and sorted(value) == sorted(shown[place]))
    }


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def tables_of_the_form() -> list[TableOptions]:
    """The tables that the form changes; their path begins below the connection."""
    return [table for table in behaviour() if table.path not in APART]


def field_of(option: Option, name: str, value: Any, fault: str = "", variable: str | None = None) -> Field:
    """An option as a field that shows this value."""
    control = control_of(option)
    default = "" if option.default in (None, "", (), {}) else as_text(option, option.default)
    return Field(
        name,
        words(option.name),
        option.doc,
        control,
        value if control in ("yes or no", "many") else as_text(option, value),
        option.choices,
        not option.required and option.default is None,
        default if isinstance(default, str) else ", ".join(default),
        variable,
        fault,
    )


def control_of(option: Option) -> Control:
    """How an option is asked for."""
    if option.form == "list":
        return "many" if option.choices else "lines"
    if option.form == "table":
        return "pairs"
    if option.choices:
        return "choice"
    if option.kind == "true or false":
        return "yes or no"
    if option.kind == "number":
        return "number"
    return "expression" if option.name in ("expression", "when") else "text"


def as_text(option: Option, value: Any) -> str:
    """A value as a field shows it."""
    if value is None or isinstance(value, str):
        return value or ""
    if option.form == "table":
        return "\n".join(f"{key} = {_word(item)}" for key, item in dict(value).items())
    if option.form == "list":
        return "\n".join(map(str, value))
    return _word(value)


def typed(form: FormData) -> dict[Place, Any]:
    """What was typed into the whole form, by place, as the file would write it."""
    found: dict[Place, Any] = {}
    for table in tables_of_the_form():
        if table.rows:
            found[table.path] = _typed_rows(table, form)
        else:
            found |= {
                (*table.path, option.name): typed_value(option, ".".join((*table.path, option.name)), form)
                for option in table.options
            }
    return found


def typed_row(options: Iterable[Option], prefix: str, form: FormData) -> dict[str, Any]:
    """What was typed into one row; what is left at its default is left out."""
    row = {option.name: typed_value(option, f"{prefix}{option.name}", form) for option in options}
    defaults = {option.name: option.default for option in options}
    return {
        name: value
        for name, value in row.items()
        if value not in (None, "", {}, []) and value != _plain(defaults[name])
    }


def typed_value(option: Option, name: str, form: FormData) -> Any:
    """What was typed into one field. What cannot be understood stays text, for the settings to refuse."""
    control, text = control_of(option), str(form.get(name, "")).strip()
    match control:
        case "yes or no":
            return text == TRUE
        case "many":
            return [str(item) for item in form.getlist(name)]
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
        case "pairs":
            return _pairs(text, _scalar if "number" in option.kind else str)
        case "number":
            return None if not text and option.default is None else _number(text)
    if not text and option.default is None:
        return None
    return _scalar(text) if "number" in option.kind else text


def words(name: str) -> str:
    """The name of a key as people read it."""
    text = name.replace("_", " ").replace("netsuite", "NetSuite").replace("salesforce", "Salesforce")
    return f"{text[:1].upper()}{text[1:]}"


def faulty(item: Field | Rows) -> bool:
    """Whether anything is wrong with it."""
    if isinstance(item, Field):
        return bool(item.fault)
    return bool(item.fault) or any(field.fault for row in item.rows for field in row)


def _typed_rows(table: TableOptions, form: FormData) -> list[dict[str, Any]]:
    name = ".".join(table.path)
    numbers = range(_last_row(name, form) + 1)
    rows = (typed_row(table.options, f"{name}[{number}].", form) for number in numbers)
    return [row for row in rows if row]


def _last_row(name: str, form: FormData) -> int:
    """The highest number of a row that the form has, -1 where there is none."""
    numbers = (key[len(name) + 1 :].partition("]")[0] for key in form if key.startswith(f"{name}["))
    return max((int(number) for number in numbers if number.isdigit() and len(number) < 4), default=-1)


def _title(table: TableOptions) -> str:
    path = table.path[:-1] if table.rows else table.path
    return words(path[-1]) if path else "Connection"


def _pairs(text: str, read: Any) -> Any:
    """A table of values, or the text where a line is no pair."""
    pairs: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = line.rpartition("=")
        if not equals:
            return text
        pairs[key.strip()] = read(value.strip())
    return pairs


def _number(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _scalar(text: str) -> Any:
    """Text that a file would write without quotes is what it looks like there; 007 is text."""
    if text in ("true", "false"):
        return text == "true"
    number = _number(text)
    return number if str(number) == text else text


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
