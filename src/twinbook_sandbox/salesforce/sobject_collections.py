"""sObject Collections: up to 200 records written, or 2,000 read, in one call (salesforce.md 4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from twinbook_sandbox.salesforce.api import Call, Reply, Resource, actor_of, find_object
from twinbook_sandbox.salesforce.errors import ApiError, Problem, not_found
from twinbook_sandbox.salesforce.ids import normalise
from twinbook_sandbox.salesforce.reading import read_records
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.work import SaveResult, UnitOfWork
from twinbook_sandbox.salesforce.writes import (
    Record,
    Upsert,
    Write,
    delete_record,
    given_id,
    insert_record,
    update_record,
)

MOST_WRITTEN = 200
MOST_READ = 2000
MOST_CHUNKS = 10
_ROLLED_BACK = Problem(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class _RollBackError(Exception):
    """Undoes a unit of work whose results are told nevertheless."""


class CollectionResources:
    """Many records in one call."""

    def __init__(self, org: OrgState) -> None:
        self._org = org

    def resources(self) -> list[Resource]:
        path, of_object = "/composite/sobjects", "/composite/sobjects/{object}"
        return [
            Resource("POST", path, self.create, "collections.create"),
            Resource("PATCH", path, self.update, "collections.update"),
            Resource("DELETE", path, self.delete, "collections.delete"),
            Resource("POST", of_object, self.retrieve, "collections.retrieve"),
            Resource("GET", of_object, self.retrieve_by_query, "collections.retrieve"),
            Resource("PATCH", of_object + "/{field}", self.upsert, "collections.upsert"),
        ]

    def create(self, call: Call) -> Reply:
        """Insert up to 200 records."""
        all_or_none, records = _records(call)
        return self._write(call, all_or_none, records, insert_record)

    def update(self, call: Call) -> Reply:
        """Update up to 200 records by id."""
        all_or_none, records = _records(call)
        return self._write(call, all_or_none, records, update_record)

    def upsert(self, call: Call) -> Reply:
        """Update or insert up to 200 records of one object by an external id, an id-lookup field, or Id."""
        schema = find_object(self._org, call.path["object"])
        key = schema.field(call.path["field"])
        if key is None or not (key.id_lookup or key.external_id or key.name == "Id"):
            name = call.path["field"]
            raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
        all_or_none, records = _records(call)
        for record in records:
            if _type_of(record).lower() != schema.name.lower():
                raise ApiError("INVALID_INPUT", f"every record must be of type {schema.name}")
        return self._write(call, all_or_none, records, Upsert(key))

    def delete(self, call: Call) -> Reply:
        """Delete up to 200 records by id."""
        ids = [each for each in call.query.get("ids", "").split(",") if each]
        _check_number(len(ids), MOST_WRITTEN)
        records = [{"attributes": {"type": self._type_of_id(each)}, "id": each} for each in ids]
        return self._write(call, call.query.get("allOrNone", "").lower() == "true", records, delete_record)

    def retrieve(self, call: Call) -> Reply:
        """Read up to 2,000 records by id, in the order asked for, with null for what is not found."""
        body = call.json_object()
        return self._retrieve(call, body.get("ids") or [], body.get("fields") or [])

    def retrieve_by_query(self, call: Call) -> Reply:
        """As `retrieve`, with ids and fields in the URL."""
        ids, fields = (
            [part for part in call.query.get(name, "").split(",") if part] for name in ("ids", "fields")
        )
        return self._retrieve(call, ids, fields)

    def _retrieve(self, call: Call, ids: list[str], fields: list[str]) -> Reply:
        schema = find_object(self._org, call.path["object"])
        _check_number(len(ids), MOST_READ)
        if not fields:
            raise ApiError("INVALID_INPUT", "The fields parameter is required")
        if not self._org.switches.relationship_paths_in_retrieve and any("." in name for name in fields):
            wrong = next(name for name in fields if "." in name)
            raise ApiError("INVALID_FIELD", f"No such column '{wrong}' on entity '{schema.name}'")
        wanted = [normalise(each) or "" for each in ids]
        known = [each for each in wanted if each]
        found = read_records(self._org, call, schema, known, _with_id(fields))
        return Reply(200, [found.get(each) for each in wanted])

    def _type_of_id(self, id_: str) -> str:
        prefix = id_[:3]
        return next((s.name for s in self._org.visible.values() if s.key_prefix == prefix), "")

    def _write(self, call: Call, all_or_none: bool, records: list[Record], write: Write) -> Reply:
        shown = self._org.switches.client_option_on_collections
        actor = actor_of(self._org, call, client_shown=shown)
        results: list[SaveResult] = []
        try:
            with self._org.records.unit_of_work(actor) as work:
                results = self._write_chunks(work, records, write)
                if all_or_none and not all(each.success for each in results):
                    raise _RollBackError
        except _RollBackError:
            results = [
                each if not each.success else SaveResult(None, (_ROLLED_BACK,), each.created)
                for each in results
            ]
        return Reply(200, [_result(each) for each in results])

    def _write_chunks(self, work: UnitOfWork, records: list[Record], write: Write) -> list[SaveResult]:
        chunks = [(name, list(chunk)) for name, chunk in groupby(records, key=_type_of)]
        if len(chunks) > MOST_CHUNKS:
            raise ApiError(
                "INVALID_INPUT",
                f"records of more than {MOST_CHUNKS} consecutive types: sort them by type to make fewer chunks",
            )
        results: list[SaveResult] = []
        for number, (name, chunk) in enumerate(chunks):
            if number and self._org.switches.transaction_per_type_chunk:
                work.begin_transaction()
            entity = self._entity(name)
            results += [self._attempt(work, entity, record, write) for record in chunk]
        return results

    def _entity(self, name: str) -> str:
        try:
            return find_object(self._org, name).name
        except ApiError:
            raise ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.") from None

    def _attempt(self, work: UnitOfWork, entity: str, record: Record, write: Write) -> SaveResult:
        given = given_id(record)
        return work.attempt(lambda: write(work, entity, record), normalise(given) if given else None)


def _type_of(record: Record) -> str:
    type_ = record.get("attributes", {}).get("type") if isinstance(record.get("attributes"), dict) else None
    if not isinstance(type_, str):
        raise ApiError("INVALID_INPUT", "every record needs attributes with its type")
    return type_


def _records(call: Call) -> tuple[bool, list[Record]]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise ApiError("JSON_PARSER_ERROR", "records: an array of records is needed")
    _check_number(len(records), MOST_WRITTEN)
    return body.get("allOrNone") is True, records


def _check_number(number: int, most: int) -> None:
    if number > most:
        raise ApiError(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {most} records into this call",
        )
    if not number:
        raise ApiError("INVALID_INPUT", "at least one record is needed")


def _with_id(fields: Iterable[str]) -> list[str]:
    return ["Id", *(name for name in fields if name.lower() != "id")]


def _result(result: SaveResult) -> dict[str, Any]:
    body: dict[str, Any] = {"id": result.id_} if result.id_ else {}
    body |= {"success": result.success, "errors": [each.as_record_error() for each in result.problems]}
    return body if result.created is None else body | {"created": result.created}
