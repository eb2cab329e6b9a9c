"""Writing one record of many: the operations that collections and bulk jobs share (salesforce.md 4.3, 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinbook_sandbox.salesforce import recycle
from twinbook_sandbox.salesforce.errors import refuse
from twinbook_sandbox.salesforce.ids import normalise
from twinbook_sandbox.salesforce.schema import Field, ObjectSchema
from twinbook_sandbox.salesforce.work import SaveResult, UnitOfWork

Record = dict[str, Any]
Write = Callable[[UnitOfWork, str, Record], SaveResult]
"""Writes one record of the object named. Raises RefusedError."""


class Upsert:
    """Writes one record by its key; knows the keys that this call has used."""

    def __init__(self, key: Field) -> None:
        self._key = key
        self._used: set[Any] = set()

    def __call__(self, work: UnitOfWork, entity: str, record: Record) -> SaveResult:
        schema = work.schemas[entity]
        if self._key.name == "Id":
            return self._by_id(work, schema, record)
        name = next((name for name in record if name.lower() == self._key.name.lower()), None)
        value = record[name] if name else None
        if value in (None, ""):
            raise refuse("MISSING_ARGUMENT", f"{self._key.name} not specified")
        if value in self._used and work.switches.repeated_external_id_fails:
            raise refuse("DUPLICATE_VALUE", f"Duplicate external id specified: {value}")
        self._used.add(value)
        found = work.storage.find(entity, self._key.name, value)
        if len(found) > 1:
            raise refuse(
                "DUPLICATE_EXTERNAL_ID",
                f"{self._key.name}: more than one record found for external id field: {value}",
            )
        if not found:
            return SaveResult(work.insert(entity, record), created=True)
        rest = {key: each for key, each in record.items() if key != name}
        work.update(entity, found[0]["Id"], rest)
        return SaveResult(found[0]["Id"], created=False)

    def _by_id(self, work: UnitOfWork, schema: ObjectSchema, record: Record) -> SaveResult:
        if given_id(record):
            return SaveResult(update_record(work, schema.name, record).id_, created=False)
        return SaveResult(work.insert(schema.name, record), created=True)


def insert_record(work: UnitOfWork, entity: str, record: Record) -> SaveResult:
    """Create a record."""
    if given_id(record):
        raise refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
    return SaveResult(work.insert(entity, record))


def update_record(work: UnitOfWork, entity: str, record: Record) -> SaveResult:
    """Change the record with the id that stands in it."""
    id_ = _own_id(work, entity, record)
    work.update(entity, id_, record)
    return SaveResult(id_)


def delete_record(work: UnitOfWork, entity: str, record: Record) -> SaveResult:
    """Move the record with the id that stands in it to the recycle bin."""
    id_ = _own_id(work, entity, record)
    recycle.delete(work, entity, id_)
    return SaveResult(id_)


def _own_id(work: UnitOfWork, entity: str, record: Record) -> str:
    text = given_id(record)
    if not text:
        raise refuse("MISSING_ARGUMENT", "Id not specified in an update call")
    id_ = normalise(text)
    if id_ is None or id_[:3] != work.schemas[entity].key_prefix:
        raise refuse(
            "MALFORMED_ID", f"{work.schemas[entity].label} ID: id value of incorrect type: {text}", "Id"
        )
    return id_


def hard_delete_record(work: UnitOfWork, entity: str, record: Record) -> SaveResult:
    """Delete past the recycle bin."""
    id_ = _own_id(work, entity, record)
    recycle.hard_delete(work, entity, id_)
    return SaveResult(id_)


def given_id(record: Record) -> str | None:
    """The id that stands in a record, under `id` or `Id`; None when there is none or it is empty."""
    value = record.get("id", record.get("Id"))
    return value if isinstance(value, str) and value else None
