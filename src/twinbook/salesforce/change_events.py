"""Decoding change events: bare Avro binary with the writer's schema, and field bitmaps (salesforce.md 3.2 to 3.4).

Only the header is decoded. Twinbook re-reads the records that an event names, so the values in the body, of
which an event may hold a part or none, never matter.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import fastavro

HEADER: Final = "ChangeEventHeader"
OVERFLOW: Final = "GAP_OVERFLOW"

_BITMAP = re.compile(r"(?:(?P<parent>\d{1,4})-)?0x(?P<bits>[0-9A-Fa-f]{1,1024})")

Declaration = Mapping[str, Any]
"""A field as an Avro schema declares it."""


class UndecodableEventError(Exception):
    """An event or a schema that does not have the documented form."""


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """The header of a change event.

    `committed_at` is in epoch seconds, by Salesforce's clock. What the three bitmap lists say is told by
    `EventSchema.field_names`; they are empty unless the change is an update.
    """

    entity_name: str
    change_type: str
    record_ids: tuple[str, ...]
    committed_at: float
    commit_number: int
    commit_user: str
    change_origin: str
    transaction_key: str
    sequence_number: int
    changed_bitmaps: tuple[str, ...]
    nulled_bitmaps: tuple[str, ...]
    diff_bitmaps: tuple[str, ...]

    @property
    def names_its_records(self) -> bool:
        """False for an overflow and for a wildcard such as `003*`: any record may have changed (3.6)."""
        return self.change_type != OVERFLOW and not any("*" in each for each in self.record_ids)


class EventSchema:
    """The schema that all events of one schema id are written with. Raises `UndecodableEventError`."""

    def __init__(self, schema_json: str) -> None:
        try:
            document = json.loads(schema_json)
            self._fields: Sequence[Declaration] = document["fields"]
            self._compounds = _compound_types(self._fields)
            self._header = fastavro.parse_schema(_up_to_header(document))
        except (ValueError, TypeError, KeyError, fastavro.schema.SchemaParseException) as problem:
            raise UndecodableEventError(f"the schema cannot be read: {problem!r}") from problem

    def decode(self, payload: bytes) -> ChangeEvent:
        """The header of an event."""
        try:
            record = fastavro.schemaless_reader(io.BytesIO(payload), self._header, None)
            return _change_event(cast(dict[str, Any], record)[HEADER])
        except (EOFError, ValueError, KeyError, IndexError, TypeError) as problem:
            # Without the words of the problem: they may quote the bytes, and so a person.
            raise UndecodableEventError(f"the event cannot be read: {type(problem).__name__}") from problem

    def field_names(self, bitmaps: Iterable[str]) -> tuple[str, ...]:
        """The fields that a list of bitmaps stands for, parts of compound fields as `Name.LastName`.

        Positions count against this very schema: they differ between orgs and over time. The own bit of a
        compound field may be set or not. Raises `UndecodableEventError` for what fits no field.
        """
        try:
            return tuple(name for bitmap in bitmaps for name in self._names(bitmap))
        except (IndexError, KeyError) as problem:
            raise UndecodableEventError("a field bitmap does not fit the schema of its event") from problem

    def _names(self, bitmap: str) -> Iterator[str]:
        match = _BITMAP.fullmatch(bitmap)
        if match is None:
            raise UndecodableEventError(f"{bitmap!r} is no field bitmap")
        fields, prefix = self._fields, ""
        if match["parent"] is not None:
            parent = self._fields[int(match["parent"])]
            fields, prefix = self._parts(parent), f"{parent['name']}."
        for position in set_bits(match["bits"]):
            yield f"{prefix}{fields[position]['name']}"

    def _parts(self, field: Declaration) -> Sequence[Declaration]:
        for member in _members(field):
            name = member["name"] if isinstance(member, dict) else member
            if name.rpartition(".")[2] in self._compounds:
                return self._compounds[name.rpartition(".")[2]]
        raise KeyError(field["name"])


def set_bits(hexadecimal: str) -> list[int]:
    """The positions of the bits that are set, the lowest first. `0x` in front is allowed."""
    value = int(hexadecimal, 16)
    return [position for position in range(value.bit_length()) if value >> position & 1]


def _change_event(header: Mapping[str, Any]) -> ChangeEvent:
    return ChangeEvent(
        entity_name=header["entityName"],
        change_type=header["changeType"],
        record_ids=tuple(header["recordIds"]),
        committed_at=header["commitTimestamp"] / 1000,
        commit_number=header["commitNumber"],
        commit_user=header["commitUser"],
        change_origin=header["changeOrigin"],
        transaction_key=header["transactionKey"],
        sequence_number=header["sequenceNumber"],
        changed_bitmaps=tuple(header["changedFields"]),
        nulled_bitmaps=tuple(header["nulledFields"]),
        diff_bitmaps=tuple(header["diffFields"]),
    )


def _up_to_header(document: Declaration) -> dict[str, Any]:
    """The schema without the fields behind the header: bare Avro can be read as far as one likes."""
    names = [field["name"] for field in document["fields"]]
    return {**document, "fields": document["fields"][: names.index(HEADER) + 1]}


def _compound_types(fields: Sequence[Declaration]) -> dict[str, Sequence[Declaration]]:
    """The record types by name: each is written out where it is first used and referred to later (3.3)."""
    members = (member for field in fields for member in _members(field))
    return {each["name"]: each["fields"] for each in members if isinstance(each, dict) and "fields" in each}


def _members(field: Declaration) -> Sequence[Any]:
    """What a field may hold: the members of its union, or its only type."""
    type_ = field["type"]
    return type_ if isinstance(type_, list) else [type_]
