"""Single records: create, read, update, delete, and upsert by external id (salesforce.md 4.2)."""

from __future__ import annotations

import re
from typing import Any

from twinbook_sandbox.salesforce import recycle
from twinbook_sandbox.salesforce.api import (
    Call,
    Reply,
    Resource,
    actor_of,
    error_reply,
    find_object,
    http_moment,
)
from twinbook_sandbox.salesforce.errors import ApiError, RefusedError, not_found, refuse
from twinbook_sandbox.salesforce.ids import normalise
from twinbook_sandbox.salesforce.reading import all_fields, read_records
from twinbook_sandbox.salesforce.schema import Field, ObjectSchema
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.storage import Row
from twinbook_sandbox.salesforce.times import http_date, parse_datetime

_UPSERT_BODY_SINCE = 46
_LIKE_A_FILE = re.compile(r"\.[A-Za-z]{2,4}")


class SObjectResources:
    """The rows of objects."""

    def __init__(self, org: OrgState) -> None:
        self._org = org

    def resources(self) -> list[Resource]:
        row, by_key = "/sobjects/{object}/{id}", "/sobjects/{object}/{field}/{value:path}"
        return [
            Resource("POST", "/sobjects/{object}", self.create, "{object}.post"),
            Resource("GET", row, self.read, "{object}.get"),
            Resource("PATCH", row, self.update, "{object}.patch"),
            Resource("DELETE", row, self.delete, "{object}.delete"),
            Resource("GET", by_key, self.read_by_key, "{object}.get"),
            Resource("PATCH", by_key, self.upsert, "{object}.upsert"),
            Resource("DELETE", by_key, self.delete_by_key, "{object}.delete"),
        ]

    def create(self, call: Call) -> Reply:
        """Insert a record: 201 with its id."""
        schema = find_object(self._org, call.path["object"])
        with self._org.records.unit_of_work(actor_of(self._org, call)) as work:
            id_ = work.insert(schema.name, call.json_object())
        return Reply(
            201, {"id": id_, "success": True, "errors": []}, {"Location": call.record_url(schema.name, id_)}
        )

    def read(self, call: Call) -> Reply:
        """The record, or of it the fields in `?fields=`."""
        schema = find_object(self._org, call.path["object"])
        return self._read(call, schema, self._id_of_path(call, schema))

    def read_by_key(self, call: Call) -> Reply:
        """The record with an external id."""
        schema = find_object(self._org, call.path["object"])
        rows = self._find_by_key(schema, call)
        if not rows:
            raise not_found()
        if len(rows) > 1:
            return _several(call, schema, rows)
        return self._read(call, schema, rows[0]["Id"])

    def update(self, call: Call) -> Reply:
        """Change fields: 204."""
        schema = find_object(self._org, call.path["object"])
        id_ = self._id_of_path(call, schema)
        return self._guarded(lambda: self._update(call, schema, id_))

    def delete(self, call: Call) -> Reply:
        """Move to the recycle bin: 204."""
        schema = find_object(self._org, call.path["object"])
        id_ = self._id_of_path(call, schema)
        return self._guarded(lambda: self._delete(call, schema, id_))

    def delete_by_key(self, call: Call) -> Reply:
        """Delete the record with an external id: 204."""
        schema = find_object(self._org, call.path["object"])
        rows = self._find_by_key(schema, call)
        if not rows:
            raise not_found()
        if len(rows) > 1:
            return _several(call, schema, rows)
        return self._guarded(lambda: self._delete(call, schema, rows[0]["Id"]))

    def upsert(self, call: Call) -> Reply:
        """Update the record with an external id, or create it: 200 or 201; 300 when there are several."""
        schema = find_object(self._org, call.path["object"])
        key = self._key_field(schema, call)
        rows = self._find_by_key(schema, call)
        body = call.json_object()
        if any(name.lower() == key.name.lower() for name in body):
            raise ApiError(
                "INVALID_FIELD", f"The {key.name} field should not be specified in the sobject data."
            )
        if len(rows) > 1:
            return _several(call, schema, rows)
        if rows:
            return self._guarded(lambda: self._update_by_key(call, schema, rows[0]["Id"]))
        with self._org.records.unit_of_work(actor_of(self._org, call)) as work:
            id_ = work.insert(schema.name, {key.name: call.path["value"]} | body)
        return Reply(201, _upserted(id_, created=True))

    def _update_by_key(self, call: Call, schema: ObjectSchema, id_: str) -> Reply:
        reply = self._update(call, schema, id_)
        if reply.status != 204 or call.version < _UPSERT_BODY_SINCE:
            return reply
        return Reply(200, _upserted(id_, created=False))

    def _read(self, call: Call, schema: ObjectSchema, id_: str) -> Reply:
        row = self._org.storage.get(schema.name, id_)
        if row is None:
            raise not_found()
        if row.get("IsDeleted"):
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted")
        unmet = self._unmet_condition(call, row)
        if unmet:
            return unmet
        asked = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
        fields = ["Id", *(name for name in asked if name.lower() != "id")] if asked else all_fields(schema)
        record = read_records(self._org, call, schema, [id_], fields)[id_]
        return Reply(200, record, {"Last-Modified": _last_modified(row)})

    def _update(self, call: Call, schema: ObjectSchema, id_: str) -> Reply:
        row = self._org.storage.get(schema.name, id_)
        unmet = self._unmet_condition(call, row) if row else None
        if unmet:
            return unmet
        with self._org.records.unit_of_work(actor_of(self._org, call)) as work:
            work.update(schema.name, id_, call.json_object())
        return Reply(204)

    def _delete(self, call: Call, schema: ObjectSchema, id_: str) -> Reply:
        with self._org.records.unit_of_work(actor_of(self._org, call)) as work:
            recycle.delete(work, schema.name, id_)
        return Reply(204)

    def _guarded(self, write: Any) -> Reply:
        """Give refusals the HTTP status that switches choose for them (salesforce.md 11.7)."""
        try:
            reply: Reply = write()
        except RefusedError as refused:
            code = refused.problems[0].code
            reply = error_reply(refused)
            chosen = {
                "INVALID_CROSS_REFERENCE_KEY": self._org.switches.unknown_id_status,
                "UNABLE_TO_LOCK_ROW": self._org.switches.row_lock_status,
            }
            about_target = not refused.problems[0].fields
            return Reply(chosen.get(code, reply.status) if about_target else reply.status, reply.body)
        return reply

    def _unmet_condition(self, call: Call, row: Row) -> Reply | None:
        """304 or 412 when If-Modified-Since or If-Unmodified-Since says so. Whole seconds count."""
        modified = parse_datetime(row["LastModifiedDate"])
        since = http_moment(call.headers, "if-modified-since")
        if since and call.method == "GET" and modified <= since:
            return Reply(304)
        until = http_moment(call.headers, "if-unmodified-since")
        return Reply(412) if until and modified > until else None

    def _id_of_path(self, call: Call, schema: ObjectSchema) -> str:
        text = call.path["id"]
        id_ = normalise(text)
        if id_ is None:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
        if id_[:3] != schema.key_prefix:
            raise refuse("MALFORMED_ID", f"{schema.label} ID: id value of incorrect type: {text}", "Id")
        return id_

    def _key_field(self, schema: ObjectSchema, call: Call) -> Field:
        name = call.path["field"]
        field = schema.field(name)
        if field is None or not (field.id_lookup or field.external_id or field.name == "Id"):
            raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
        return field

    def _find_by_key(self, schema: ObjectSchema, call: Call) -> list[Row]:
        field = self._key_field(schema, call)
        value = call.path["value"]
        like_a_file = _LIKE_A_FILE.fullmatch(value[value.rfind(".") :]) if "." in value else None
        if not value or (like_a_file and self._org.switches.dotted_external_id_404):
            raise not_found()
        return self._org.storage.find(schema.name, field.name, value)


def _several(call: Call, schema: ObjectSchema, rows: list[Row]) -> Reply:
    return Reply(300, [call.record_url(schema.name, row["Id"]) for row in rows])


def _upserted(id_: str, *, created: bool) -> dict[str, Any]:
    return {"id": id_, "success": True, "errors": [], "created": created}


def _last_modified(row: Row) -> str:
    return http_date(parse_datetime(row["LastModifiedDate"]))
