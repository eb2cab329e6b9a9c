"""From rows to records as the API shows them (salesforce.md 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from twinbook_sandbox.salesforce.schema import FieldType
from twinbook_sandbox.salesforce.soql.compiler import Shape

Row = Sequence[Any]
Children = Mapping[str, Mapping[str, list[dict[str, Any]]]]
"""By relationship name, by id of the parent: the child records."""
_Member = Callable[[Row], Any]


class RecordBuilder:
    """Builds the records of one shape; prepared once, called for each row.

    A record starts as a plain mapping of all its values; what is more than a plain value replaces its place.
    """

    def __init__(self, shape: Shape, url_of: Callable[[str, str], str], children: Children) -> None:
        self._entity = shape.entity
        self._id_index = shape.id_index
        self._url_of = url_of
        self._names = tuple(shape.order)
        indices = [shape.values[name][0] if name in shape.values else shape.id_index for name in shape.order]
        self._values: Callable[[Row], tuple[Any, ...]] = (
            itemgetter(*indices) if len(indices) > 1 else lambda row: tuple(row[index] for index in indices)
        )
        self._made = [
            (name, member) for name in shape.order if (member := self._member(shape, name, children))
        ]

    def build(self, row: Row) -> dict[str, Any]:
        """The record of a row."""
        url = self._url_of(self._entity, row[self._id_index])
        record: dict[str, Any] = {"attributes": {"type": self._entity, "url": url}}
        record.update(zip(self._names, self._values(row), strict=True))
        for name, member in self._made:
            record[name] = member(row)
        return record

    def build_parent(self, row: Row) -> dict[str, Any] | None:
        """As `build`, but None when the row has no such parent."""
        return None if row[self._id_index] is None else self.build(row)

    def _member(self, shape: Shape, name: str, children: Children) -> _Member | None:
        if name in shape.values:
            index, field = shape.values[name]
            return (lambda row: bool(row[index])) if field.type is FieldType.BOOLEAN else None
        if name in shape.addresses:
            parts = shape.addresses[name]
            return lambda row: _address(parts, row)
        if name in shape.parents:
            return RecordBuilder(shape.parents[name], self._url_of, {}).build_parent
        by_parent = children[name]
        id_index = shape.id_index
        return lambda row: _child_result(by_parent.get(row[id_index]))


def _address(parts: tuple[tuple[str, int], ...], row: Row) -> dict[str, Any] | None:
    values = {name: row[index] for name, index in parts}
    return None if all(value is None for value in values.values()) else values


def _child_result(records: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    if not records:
        return None
    return {"totalSize": len(records), "done": True, "records": records}
