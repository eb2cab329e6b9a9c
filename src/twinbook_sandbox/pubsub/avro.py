"""Avro schemas of change events, derived from the schemas of the objects (salesforce.md 3.2, 3.3)."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fastavro

from twinbook_sandbox.salesforce.schema import EventField, Field, FieldType, ObjectSchema

NAMESPACE = "com.sforce.eventbus"
HEADER = "ChangeEventHeader"
CHANGE_TYPES = (
    "CREATE",
    "UPDATE",
    "DELETE",
    "UNDELETE",
    "GAP_CREATE",
    "GAP_UPDATE",
    "GAP_DELETE",
    "GAP_UNDELETE",
    "GAP_OVERFLOW",
    "SNAPSHOT",
)

_TEXTS: dict[str, Any] = {"type": "array", "items": "string"}
_HEADER_TYPES: dict[str, Any] = {
    "entityName": "string",
    "recordIds": _TEXTS,
    "changeType": {"type": "enum", "name": "ChangeType", "symbols": list(CHANGE_TYPES)},
    "changeOrigin": "string",
    "transactionKey": "string",
    "sequenceNumber": "int",
    "commitTimestamp": "long",
    "commitNumber": "long",
    "commitUser": "string",
    "nulledFields": _TEXTS,
    "diffFields": _TEXTS,
    "changedFields": _TEXTS,
}

_LONG_TEXT = 256
_SWITCHABLE = "Switchable_"
"""Begins the type of a compound field that can also be a plain text."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a field type travels: its Avro type, its annotation, and how a REST value becomes an Avro value."""

    avro: str
    doc: str
    convert: Callable[[Any], Any] = str


def epoch_ms(text: str) -> int:
    """Milliseconds since the epoch of a REST date or datetime; a date counts from midnight UTC."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


_KINDS: dict[FieldType, _Kind] = {
    FieldType.ID: _Kind("string", "ForeignKey:EntityId"),
    FieldType.REFERENCE: _Kind("string", "ForeignKey:EntityId"),
    FieldType.STRING: _Kind("string", "Data:Text"),
    FieldType.TEXTAREA: _Kind("string", "Data:Text"),
    FieldType.PHONE: _Kind("string", "Data:Phone"),
    FieldType.EMAIL: _Kind("string", "Data:Email"),
    FieldType.URL: _Kind("string", "Data:Url"),
    FieldType.PICKLIST: _Kind("string", "Data:DynamicEnum"),
    FieldType.MULTIPICKLIST: _Kind("string", "Data:MultiEnum"),
    FieldType.BOOLEAN: _Kind("boolean", "Data:Boolean", bool),
    FieldType.INT: _Kind("int", "Data:Integer", int),
    FieldType.DOUBLE: _Kind("double", "Data:Double", float),
    FieldType.CURRENCY: _Kind("double", "Data:Currency", float),
    FieldType.PERCENT: _Kind("double", "Data:Percent", float),
    FieldType.DATE: _Kind("long", "Data:DateOnly", epoch_ms),
    FieldType.DATETIME: _Kind("long", "Data:DateTime", epoch_ms),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field of the REST API stands in the event: its top-level field, and its part of a compound one."""

    position: int
    name: str
    convert: Callable[[Any], Any]
    part: int | None = None
    part_name: str = ""


@dataclass(frozen=True, slots=True)
class EventSchema:
    """The schema of one object's change events at one time. `places` is keyed by REST field names."""

    entity: str
    id: str
    json: str
    places: Mapping[str, Place]
    parsed: Any

    def encode(self, header: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
        """Bare Avro binary; body fields that are not given are null."""
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self.parsed, {HEADER: header, **body})
        return buffer.getvalue()


def event_schema(schema: ObjectSchema, inserted: Sequence[EventField] = ()) -> EventSchema:
    """The change event schema of an object. `inserted` fields come first and shift the others."""
    fields = [*inserted, *schema.event_fields()]
    defined: set[str] = set()
    document = {
        "type": "record",
        "name": event_name(schema.name),
        "namespace": NAMESPACE,
        "fields": [_header(), *(_declaration(each, defined) for each in fields)],
    }
    text = json.dumps(document, separators=(",", ":"))
    return EventSchema(schema.name, schema_id(text), text, _places(fields), fastavro.parse_schema(document))


def event_name(entity: str) -> str:
    """`ContactChangeEvent`; `NetSuite_Link__ChangeEvent` for the custom object `NetSuite_Link__c`."""
    return f"{entity.removesuffix('c') if entity.endswith('__c') else entity}ChangeEvent"


def schema_id(text: str) -> str:
    """22 characters of base64url that change with the schema."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")


def _header() -> dict[str, Any]:
    fields = [{"name": name, "type": type_} for name, type_ in _HEADER_TYPES.items()]
    record = {"type": "record", "name": HEADER, "fields": fields}
    return {"name": HEADER, "type": record, "doc": "Data:ComplexValueType"}


def _declaration(field: EventField, defined: set[str]) -> dict[str, Any]:
    """A body field; a compound type is written out where it is first used."""
    doc = _doc(field)
    union: list[Any] = ["null"]
    if not field.parts:
        union.append(_KINDS[field.field.type].avro)
    else:
        type_name = doc.split(":")[1]
        if type_name.startswith(_SWITCHABLE):
            union.append("string")
        union.append(type_name if type_name in defined else _compound(type_name, field))
        defined.add(type_name)
    return {"name": field.name, "type": union, "doc": doc, "default": None}


def _compound(type_name: str, field: EventField) -> dict[str, Any]:
    parts = [
        {"name": name, "type": ["null", _KINDS[part.type].avro], "default": None}
        for name, part in field.parts
    ]
    return {"type": "record", "name": type_name, "fields": parts}


def _doc(event_field: EventField) -> str:
    field = event_field.field
    doc = field.event_doc or _default_doc(field, compound=bool(event_field.parts))
    return f"{doc}:{field.field_id}" if field.custom and field.field_id else doc


def _default_doc(field: Field, *, compound: bool) -> str:
    if field.type is FieldType.ADDRESS:
        return "Data:Address"
    if compound:
        return "Data:PersonName"
    if field.type is FieldType.TEXTAREA and field.length >= _LONG_TEXT:
        return "Data:StringPlusClob"
    return _KINDS[field.type].doc


def _places(fields: Sequence[EventField]) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for position, field in enumerate(fields, start=1):
        if not field.parts or _SWITCHABLE in _doc(field):
            places[field.name] = Place(position, field.name, _KINDS[field.field.type].convert)
        for number, (part_name, part) in enumerate(field.parts):
            convert = _KINDS[part.type].convert
            places[part.name] = Place(position, field.name, convert, number, part_name)
    return places
