"""N/record for scripts: records as field ids and values, and back into what the record service takes."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twinbook_sandbox.netsuite.errors import NetSuiteError, invalid_body
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.relations import Relations
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.schema import ADDRESS, ADDRESS_LINE, FieldSpec, Kind, RecordType
from twinbook_sandbox.netsuite.storage import Row
from twinbook_sandbox.netsuite.suitescript.faults import as_script_error, changed_meanwhile
from twinbook_sandbox.netsuite.values import WriteOptions

_STRICT = WriteOptions(names="error")
_TYPES = {Kind.DATETIME: "datetimetz", Kind.BOOL: "checkbox", Kind.ENUM: "select"}


class RecordModule:
    """The operations of N/record for one actor."""

    def __init__(self, records: Records, permissions: Permissions, actor: Actor) -> None:
        self._records = records
        self._permissions = permissions
        self._relations = Relations(records)
        self._actor = actor

    def create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A record that is not saved yet."""
        kind = self._kind(asked, "CREATE")
        return {
            "id": None,
            "type": kind.name,
            "values": {},
            "types": _types(kind),
            "lines": [],
            "stamp": None,
        }

    def load(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A record with its address lines, and a stamp by which its save notices other people's changes."""
        kind = self._kind(asked, "EDIT")
        return self.shown(kind, self._records.require(kind, str(asked["id"]), self._actor))

    def shown(self, kind: RecordType, row: Row) -> dict[str, Any]:
        """A record as scripts get it."""
        lines = self._records.addresses.lines(row["id"]) if kind.has_addresses else []
        return {
            "id": str(row["id"]),
            "type": kind.name,
            "values": {spec.column: _shown(spec, row) for spec in kind.fields.values() if not spec.computed},
            "types": _types(kind),
            "stamp": self._stamp(row),
            "lines": [_line(line) for line in lines],
        }

    def save(self, asked: Mapping[str, Any]) -> str:
        """Store a record; its id."""
        kind = self._kind(asked, "EDIT" if asked["id"] else "CREATE")
        body = dict(_sent(kind, name, value) for name, value in asked["changes"].items())
        lines = [_sent_line(line) for line in asked["lines"]]
        if any(len(line) > ("internalId" in line) for line in lines):
            body["addressBook"] = {"items": lines}
        if not asked["id"]:
            return str(self._records.create(kind, body, _STRICT, self._actor).id)
        row = self._records.require(kind, asked["id"], self._actor)
        if asked["stamp"] != self._stamp(row):
            raise changed_meanwhile()
        return str(self._records.update(kind, asked["id"], body, _STRICT, self._actor).id)

    def delete(self, asked: Mapping[str, Any]) -> str:
        """Take a record out."""
        self._records.delete(self._kind(asked, "FULL"), str(asked["id"]), self._actor)
        return str(asked["id"])

    def attach(self, asked: Mapping[str, Any]) -> None:
        """Attach a contact to a customer: {"record": {"type", "id"}, "to": {"type", "id"}, "attributes": {"role"}}."""
        role = (asked.get("attributes") or {}).get("role")
        body = {"role": {"id": str(role)}} if role is not None else {}
        self._relations.attach(str(asked["to"]["id"]), str(asked["record"]["id"]), body, self._actor)

    def detach(self, asked: Mapping[str, Any]) -> None:
        """Take a contact off a customer: {"record": {"type", "id"}, "from": {"type", "id"}}."""
        self._relations.detach(str(asked["from"]["id"]), str(asked["record"]["id"]), self._actor)

    def carry_out(self, operation: str, asked: Mapping[str, Any]) -> Any:
        """One operation by name, refusals as scripts meet them."""
        try:
            return getattr(self, operation)(asked)
        except NetSuiteError as error:
            raise as_script_error(error) from error

    def _kind(self, asked: Mapping[str, Any], level: Any) -> RecordType:
        kind = self._records.kind(str(asked["type"]))
        self._permissions.require(kind, level)
        return kind

    def _stamp(self, row: Row) -> str:
        lines = [tuple(line) for line in self._records.addresses.lines(row["id"])]
        return hashlib.sha256(repr((tuple(row), lines)).encode()).hexdigest()


def _types(kind: RecordType) -> dict[str, str]:
    return {
        spec.column: _TYPES.get(spec.kind, spec.kind.value)
        for spec in kind.fields.values()
        if not spec.computed and spec.name not in ("id", "externalId")
    }


def _shown(spec: FieldSpec, row: Row) -> Any:
    value = row[spec.column]
    if spec.kind is Kind.BOOL:
        return value == "T"
    return str(value) if spec.kind is Kind.REF and value is not None else value


def _line(line: Row) -> dict[str, Any]:
    flags = {
        spec.column: line[spec.column] == "T" for spec in ADDRESS_LINE.values() if spec.kind is Kind.BOOL
    }
    address = {spec.column: line[spec.column] for spec in ADDRESS.values() if spec.kind is not Kind.BOOL}
    return {"key": line["internalid"], "values": {**flags, "label": line["label"]}, "address": address}


def _sent(kind: RecordType, field_id: str, value: Any) -> tuple[str, Any]:
    """A field as the record service takes it."""
    spec = next((one for one in kind.fields.values() if one.column == field_id), None)
    if spec is None or spec.read_only:
        raise invalid_body(f"The record has no field {field_id} that can be set.", field_id)
    return spec.name, _plain(spec, value)


def _plain(spec: FieldSpec, value: Any) -> Any:
    if value in ("", None):
        return None
    if spec.kind is Kind.BOOL and value in ("T", "F"):
        return value == "T"
    if isinstance(value, dict) and "$date" in value:
        return _moment(spec, value)
    return value


def _moment(spec: FieldSpec, value: Mapping[str, Any]) -> str | None:
    year, month, day = value["$date"]
    if year is None:
        return "an invalid date"
    if spec.kind is Kind.DATETIME:
        return datetime.fromtimestamp(value["$ms"] / 1000, UTC).isoformat()
    return f"{year:04d}-{month:02d}-{day:02d}"


def _sent_line(line: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {} if line["key"] is None else {"internalId": line["key"]}
    for spec in ADDRESS_LINE.values():
        if spec.column in line["changes"]:
            sent[spec.name] = _plain(spec, line["changes"][spec.column])
    address = {
        spec.name: _plain(spec, line["address"][spec.column])
        for spec in ADDRESS.values()
        if spec.column in line["address"]
    }
    return {**sent, "addressBookAddress": address} if address else sent
