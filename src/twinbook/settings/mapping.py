"""The field map as settings: rows that replace or extend the default map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from twinbook.domain.account_mapping import AccountMapping, default_account_mapping
from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import (
    ConflictPolicy,
    ContactMapping,
    MappingRow,
    Overflow,
    RowDirection,
    default_mapping,
)
from twinbook.domain.records import Side
from twinbook.settings.table import Table, refusal

MappingBase = Literal["default", "empty"]


class MappingSettings(Table):
    """One pair of fields that is kept in step. It replaces the default rows that write a field which it writes too."""

    salesforce: str = ""
    """Field of the Salesforce contact; may be left out when `expression` gives the value."""
    netsuite: str = ""
    """Field of the NetSuite contact, by its REST name, such as title, custentity_department or address.city."""
    enabled: bool = True
    """Off takes the default rows with these fields out of the map."""
    direction: RowDirection = RowDirection.BOTH
    """To NetSuite (->), to Salesforce (<-), or both."""
    conflict: ConflictPolicy = ConflictPolicy.SALESFORCE
    """Whose value counts when both sides changed the field since they last agreed; review writes neither."""
    kind: Kind | None = None
    """How values are compared: as in the default map for its fields when absent, as text for others."""
    when: str | None = None
    """Condition in CEL; while it is false the row is left alone."""
    create_only: bool = False
    """Write the field only when the counterpart is created."""
    ignore_blank: bool = False
    """Do not let an emptied field empty the other side."""
    default: str | bool | int | float | None = None
    """Value to write instead of a blank."""
    lookup: dict[str, str | bool | int | float] = Field(default_factory=dict)
    """Translation of values: Salesforce's value = NetSuite's value. Others pass unchanged."""
    expression: str | None = None
    """Value computed in CEL; only for one direction."""
    on_overflow: Overflow = Overflow.ERROR
    """What to do with a value that is too long for the target field."""

    @classmethod
    def usual_rows(cls) -> Sequence[MappingRow]:
        """The default map that these rows change."""
        return default_mapping().rows

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.enabled:
            self.row()
        elif not _fitting(self):
            raise refusal("takes out a row that is not in the default map", "correct the field names")
        return self

    def row(self) -> MappingRow:
        """The row as the planner obeys it."""
        rest = self.model_dump(exclude={"enabled", "kind", "lookup"})
        try:
            return MappingRow(kind=self.kind or self._usual_kind(), lookup=tuple(self.lookup.items()), **rest)
        except ValueError as problem:
            raise _refused(problem) from None

    def _usual_kind(self) -> Kind:
        fields = {self.salesforce, self.netsuite} - {""}
        kinds = (row.kind for row in self.usual_rows() if fields & {row.salesforce, row.netsuite})
        return next(kinds, Kind.TEXT)


class AccountMappingSettings(MappingSettings):
    """One pair of fields of account and customer that is kept in step. It replaces the default rows that write a field
    which it writes too."""

    salesforce: str = ""
    """Field of the Salesforce account; may be left out when `expression` gives the value."""
    netsuite: str = ""
    """Field of the NetSuite customer, by its REST name, such as phone, custentity_region or address.city."""

    @classmethod
    def usual_rows(cls) -> Sequence[MappingRow]:
        return default_account_mapping().rows


def mapping_of(base: MappingBase, changes: Sequence[MappingSettings]) -> ContactMapping:
    """The map that `changes` make of the base. Raises a refusal when two of them exclude each other."""
    try:
        return ContactMapping(_changed(default_mapping().rows if base == "default" else (), changes))
    except ValueError as problem:
        raise _refused(problem) from None


def account_mapping_of(base: MappingBase, changes: Sequence[AccountMappingSettings]) -> AccountMapping:
    """The same for accounts."""
    try:
        return AccountMapping(_changed(default_account_mapping().rows if base == "default" else (), changes))
    except ValueError as problem:
        raise _refused(problem) from None


def _changed(rows: Iterable[MappingRow], changes: Sequence[MappingSettings]) -> tuple[MappingRow, ...]:
    given = [change.row() for change in changes if change.enabled]
    gone = [row for change in changes if not change.enabled for row in _fitting(change)]
    taken = {place for row in given for place in _written(row)}
    kept = [row for row in rows if row not in gone and not taken & _written(row)]
    return (*kept, *given)


def _written(row: MappingRow) -> set[tuple[Side, str]]:
    return {(side, row.field_on(side)) for side in Side if row.direction.reaches(side)}


def _fitting(change: MappingSettings) -> list[MappingRow]:
    """The default rows that have the fields which are named."""
    if not change.salesforce and not change.netsuite:
        return []
    return [
        row
        for row in change.usual_rows()
        if change.salesforce in ("", row.salesforce) and change.netsuite in ("", row.netsuite)
    ]


def _refused(problem: ValueError) -> Exception:
    return refusal(str(problem).splitlines()[0], "correct the row; docs/settings.md has an example")
