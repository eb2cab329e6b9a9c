"""What fields a record type has in this account: the metadata catalogue, with the documented lengths merged in.

The catalogue knows custom fields and leaves out what the account lacks (such as `subsidiary` outside OneWorld);
it does not know lengths (netsuite.md 2.12).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from twinbook.domain.errors import TemporaryError
from twinbook.domain.ports import FieldMeta, Schema
from twinbook.domain.records import Entity
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.fields import (
    ADDRESS_FIELDS,
    BOOLEAN,
    COLLECTION,
    DATE,
    DATETIME,
    DOCUMENTED,
    INTEGER,
    NUMBER,
    REFERENCE,
    TEXT,
)
from twinbook.netsuite.records import PATH, RecordType

RECORD_TYPES: Final = {Entity.CONTACT: RecordType.CONTACT, Entity.ACCOUNT: RecordType.CUSTOMER}

_NOT_FIELDS = frozenset({"links", "refName", "addressBook"})
_SCALARS = {"boolean": BOOLEAN, "integer": INTEGER, "number": NUMBER}
_TEXTS = {"date": DATE, "date-time": DATETIME}


class Metadata:
    """Reads the catalogue of one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    async def describe(self, entity: Entity) -> Schema:
        """The fields of contact or customer. Raises `TemporaryError`, `PermanentError`, or KeyError for others."""
        response = await self._client.call(
            "GET",
            f"{PATH}/metadata-catalog/{RECORD_TYPES[entity].value}",
            headers={"Accept": "application/schema+json"},
            writing=False,
        )
        try:
            return schema_from(response.json(), DOCUMENTED[entity])
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise TemporaryError("UNREADABLE_ANSWER", "NetSuite's metadata was no JSON schema.") from problem


class Catalogue:
    """Remembers what the account said of its fields, and asks only when the documented facts are not enough.

    `own` are fields of our package with their types; `oneworld` None means to look whether contacts have a
    subsidiary.
    """

    def __init__(self, metadata: Metadata, own: Mapping[str, str], *, oneworld: bool | None) -> None:
        self._metadata = metadata
        self._own = own
        self._oneworld = oneworld
        self._schemas: dict[Entity, Schema] = {}
        self._asking = asyncio.Lock()

    async def refresh(self, entity: Entity) -> Schema:
        """Ask the account anew."""
        self._schemas[entity] = await self._metadata.describe(entity)
        return self._schemas[entity]

    async def oneworld(self) -> bool:
        if self._oneworld is not None:
            return self._oneworld
        return "subsidiary" in await self._schema(Entity.CONTACT)

    async def types(self, entity: Entity, names: Iterable[str]) -> Mapping[str, str]:
        """The types of these fields, without those that the account lacks or that cannot be read in a row."""
        wanted = tuple(names)
        known: Mapping[str, str] = {name: meta.type for name, meta in DOCUMENTED[entity].items()}
        known = {**known, **self._own}
        if any(name not in known for name in wanted):
            found = {name: meta.type for name, meta in (await self._schema(entity)).items()}
            known = {**found, **self._own}
        return {name: known[name] for name in wanted if known.get(name, COLLECTION) != COLLECTION}

    async def _schema(self, entity: Entity) -> Schema:
        async with self._asking:
            return self._schemas.get(entity) or await self.refresh(entity)


def schema_from(catalogue: Mapping[str, Any], documented: Schema) -> Schema:
    """Fields that the account has, by REST name, with the five virtual address fields."""
    properties: Mapping[str, Mapping[str, Any]] = catalogue["properties"]
    required = frozenset(catalogue.get("required", ()))
    fields = {
        name: _field(name, spec, documented.get(name), required=name in required)
        for name, spec in properties.items()
        if name not in _NOT_FIELDS
    }
    if "addressBook" in properties:
        fields |= {name: documented[name] for name in ADDRESS_FIELDS}
    return fields


def _field(name: str, spec: Mapping[str, Any], documented: FieldMeta | None, *, required: bool) -> FieldMeta:
    kind = _kind(spec)
    known = documented or FieldMeta(name, kind, length=spec.get("maxLength"))
    return FieldMeta(
        name,
        known.type,
        length=known.length,
        required=required or known.required,
        writable=known.writable and not spec.get("readOnly", False) and kind != COLLECTION,
        values=_values(spec),
    )


def _kind(spec: Mapping[str, Any]) -> str:
    type_ = spec.get("type")
    if isinstance(type_, list):
        type_ = next((one for one in type_ if one != "null"), None)
    if type_ in _SCALARS:
        return _SCALARS[type_]
    if type_ == "string":
        return _TEXTS.get(str(spec.get("format", "")), TEXT)
    if "items" in spec.get("properties", {}) or type_ == "array":
        return COLLECTION
    return REFERENCE


def _values(spec: Mapping[str, Any]) -> frozenset[str] | None:
    """The ids of an enumeration: on the field itself, or on its `id`."""
    of_id = spec.get("properties", {}).get("id", {})
    listed = spec.get("enum") or of_id.get("enum")
    return frozenset(str(one) for one in listed if one is not None) if listed else None
