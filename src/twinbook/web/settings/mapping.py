"""The mapping editor: the rows of the field map as people see and change them, checked against the live fields of both
systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twinbook.domain.account_mapping import default_account_mapping
from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import FieldMap, MappingRow, default_mapping
from twinbook.domain.ports import FieldMeta, Schema
from twinbook.domain.records import Entity, Side
from twinbook.settings import ConnectionSettings, account_policy, contact_policy
from twinbook.settings.editing import Place
from twinbook.settings.options import Option
from twinbook.settings.promotion import behaviour
from twinbook.web.problems import Fault, NotFound
from twinbook.web.settings.form import rows_of

Row = Mapping[str, Any]

PLACES: Final[Mapping[Entity, Place]] = {
    Entity.CONTACT: ("contacts", "mapping"),
    Entity.ACCOUNT: ("accounts", "mapping"),
}
# Fields of a contact's account; they are not in the contact's own metadata.
_OF_ACCOUNT = "Account."


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the editor. `number` is its place among the rows of the settings, None for a row of the usual map;
    `notes` are its options in words; `faults` is what the systems have against it."""

    number: int | None
    salesforce: str
    netsuite: str
    direction: str
    enabled: bool
    notes: tuple[str, ...]
    faults: tuple[str, ...]
    key: str


def options_of(entity: Entity) -> tuple[Option, ...]:
    """The options of one row."""
    return next(table.options for table in behaviour() if table.path == PLACES[entity])


def own_rows(settings: ConnectionSettings, entity: Entity) -> list[dict[str, Any]]:
    """The rows of the settings, without what is left at its default."""
    return rows_of(settings, PLACES[entity])


def map_of(settings: ConnectionSettings, entity: Entity) -> FieldMap:
    """The whole map that these settings make."""
    if entity is Entity.ACCOUNT:
        return account_policy(settings).mapping
    return contact_policy(settings).mapping


def usual_row(entity: Entity, key: str) -> MappingRow:
    """A row of the usual map, by its key. Raises `NotFound`."""
    usual = default_account_mapping() if entity is Entity.ACCOUNT else default_mapping()
    for row in usual.rows:
        if row.key == key:
            return row
    raise NotFound("row")


def as_row(entity: Entity, row: MappingRow) -> dict[str, Any]:
    """A row of the map as the settings would write it."""
    found: dict[str, Any] = {}
    for option in options_of(entity):
        value = getattr(row, option.name, None)
        if option.name == "lookup":
            value = dict(row.lookup)
        if value not in (None, "", {}) and value != option.default:
            found[option.name] = value if isinstance(value, bool | dict | int | float) else str(value)
    return found


def lines(
    settings: ConnectionSettings, entity: Entity, schemas: Mapping[Side, Schema]
) -> tuple[list[Line], list[Line]]:
    """The rows of the settings, in their order, and those of the usual map that are in force beside them."""
    whole = map_of(settings, entity).rows
    own = own_rows(settings, entity)
    mine = [_own_line(number, row, entity, schemas) for number, row in enumerate(own)]
    pairs = {(row.get("salesforce", ""), row.get("netsuite", "")) for row in own}
    usual = [
        Line(
            None,
            row.salesforce,
            row.netsuite,
            row.direction,
            True,
            tuple(_notes(as_row(entity, row), entity)),
            tuple(fault.message for fault in faults_of(as_row(entity, row), schemas)),
            row.key,
        )
        for row in whole
        if (row.salesforce, row.netsuite) not in pairs
    ]
    return mine, usual


def faults_of(row: Row, schemas: Mapping[Side, Schema]) -> list[Fault]:
    """What the systems have against a row: fields that are not there, or that cannot be written. Nothing where their
    fields are not known."""
    return list(_faults(row, schemas))


def _faults(row: Row, schemas: Mapping[Side, Schema]) -> Iterator[Fault]:
    direction = row.get("direction", "<->")
    if not row.get("enabled", True):
        return
    for side, arrow in ((Side.SALESFORCE, "->"), (Side.NETSUITE, "<-")):
        name, schema = row.get(side.value, ""), schemas.get(side)
        if not name or schema is None or name.startswith(_OF_ACCOUNT):
            continue
        field = schema.get(name)
        if field is None:
            yield Fault(
                side.value, f"{side.system} has no field {name} that this login sees. Choose another."
            )
        elif not field.writable and direction != arrow:
            yield Fault(side.value, f"{side.system}'s field {name} cannot be written. Turn the row {arrow}.")


def choices(schema: Schema | None) -> list[FieldMeta]:
    """The fields to choose from, by name."""
    return sorted((schema or {}).values(), key=lambda field: field.name.casefold())


def moved(rows: Sequence[Row], number: int, by: int) -> list[Row]:
    """The rows with one moved up or down. Raises `NotFound`."""
    if not 0 <= number < len(rows):
        raise NotFound("row")
    rest = [row for index, row in enumerate(rows) if index != number]
    place = min(max(number + by, 0), len(rest))
    return [*rest[:place], rows[number], *rest[place:]]


def _own_line(number: int, row: Row, entity: Entity, schemas: Mapping[Side, Schema]) -> Line:
    return Line(
        number,
        row.get("salesforce", ""),
        row.get("netsuite", ""),
        row.get("direction", "<->"),
        row.get("enabled", True),
        tuple(_notes(row, entity)),
        tuple(fault.message for fault in faults_of(row, schemas)),
        "",
    )


def _notes(row: Row, entity: Entity) -> Iterator[str]:
    """The options of a row that are not as usual, in the words of the settings."""
    for option in options_of(entity):
        value = row.get(option.name)
        shown_already = option.name in ("salesforce", "netsuite", "direction", "enabled")
        if shown_already or value in (None, "", {}) or (option.name, value) == ("kind", Kind.TEXT):
            continue
        if value is True:
            yield option.name.replace("_", " ")
        elif isinstance(value, Mapping):
            yield f"{option.name}: {len(value)} values"
        else:
            yield f"{option.name.replace('_', ' ')}: {value}"
