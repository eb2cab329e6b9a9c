"""Records as JSON: for the REST service with its links, and flat for the control plane (netsuite.md 2.2, 2.6)."""

from collections.abc import Iterable
from typing import Any

from twinbook_sandbox.netsuite.addresses import AddressBook, address_json
from twinbook_sandbox.netsuite.errors import invalid_parameter
from twinbook_sandbox.netsuite.schema import (
    ADDRESS,
    ADDRESS_LINE,
    ENUMS,
    PRIMARY_CONTACT,
    FieldSpec,
    Kind,
    RecordType,
)
from twinbook_sandbox.netsuite.storage import Row, Storage, Value

RECORD_PATH = "/services/rest/record/v1"
_PARENTS = 10
"""How far up the names of subsidiaries are followed."""


def self_link(url: str) -> dict[str, Any]:
    """The ``links`` member of something that only knows itself."""
    return {"links": [{"rel": "self", "href": url}]}


class Presenter:
    """Turns rows into JSON."""

    def __init__(self, storage: Storage, addresses: AddressBook) -> None:
        self._storage = storage
        self._addresses = addresses

    # --- REST

    def record(
        self,
        kind: RecordType,
        row: Row,
        base_url: str,
        *,
        only: Iterable[str] = (),
        expand: bool = False,
        simple_enums: bool = False,
    ) -> dict[str, Any]:
        """One record as GET answers it. ``only``: the body fields wanted (none: all)."""
        wanted = self._wanted(kind, only)
        url = f"{base_url}{RECORD_PATH}/{kind.name}/{row['id']}"
        body: dict[str, Any] = self_link(url)
        for spec in wanted:
            if spec.kind is Kind.MULTI:
                body[spec.name] = self._multi(spec, row[spec.column], f"{url}/{spec.name}", base_url, expand)
            else:
                value = self.computed(spec, row) if spec.computed else row[spec.column]
                if value is not None:
                    body[spec.name] = self._value(spec, value, base_url, simple_enums)
        if kind.has_addresses and not only:
            if expand:
                body["addressBook"] = self.address_book(int(row["id"]), url)
            else:
                body["addressBook"] = self_link(f"{url}/addressBook")
        return body

    def _wanted(self, kind: RecordType, only: Iterable[str]) -> list[FieldSpec]:
        names = list(only)
        unknown = [name for name in names if name not in kind.fields]
        if unknown:
            raise invalid_parameter("fields", f"Field '{unknown[0]}' does not exist in {kind.name}.")
        return (
            [kind.fields[name] for name in dict.fromkeys([*names, "id"])]
            if names
            else list(kind.fields.values())
        )

    def _value(self, spec: FieldSpec, value: Any, base_url: str, simple_enums: bool) -> Any:
        if spec.kind is Kind.BOOL:
            return value == "T"
        if spec.kind is Kind.REF:
            return self.reference(spec.target or "", int(value), base_url)
        if spec.kind is Kind.ENUM:
            name = ENUMS[spec.target or ""].get(value, value)
            return value if simple_enums else {"id": value, "refName": name}
        return str(value) if spec.name == "id" else value

    def reference(self, target: str, id_: int, base_url: str) -> dict[str, Any]:
        """A reference as it is answered."""
        named: dict[str, Any] = {"id": str(id_), "refName": self.display_name(target, id_)}
        if target in ("contact", "customer", "subsidiary", "contactRole"):
            return {**self_link(f"{base_url}{RECORD_PATH}/{target}/{id_}"), **named}
        return named

    def display_name(self, target: str, id_: int) -> str | None:
        """What a reference shows."""
        if target in ("contact", "customer"):
            name = self._storage.value("SELECT entityid FROM entity WHERE id = ?", (id_,))
        else:
            sql = "SELECT name FROM listitem WHERE id = ? AND type = ?"
            name = self._storage.value(sql, (id_, target))
        return None if name is None else str(name)

    def computed(self, spec: FieldSpec, row: Row) -> Value:
        """A field that is not stored but follows from other rows."""
        if spec.name == "contact":
            sql = "SELECT contact FROM relation WHERE company = ? AND role = ?"
            primary: int | None = self._storage.value(sql, (row["id"], PRIMARY_CONTACT))
            return primary
        if spec.name == "fullName":
            return self._full_name(row)
        lines = [line for line in self._addresses.lines(row["id"]) if line["defaultbilling"] == "T"]
        return str(address_json(lines[0], {})["addrText"]) if lines else None

    def _full_name(self, row: Row) -> str:
        names, parent = [str(row["name"])], row["parent"]
        for _ in range(_PARENTS):
            sql = "SELECT name, parent FROM listitem WHERE type = ? AND id = ?"
            above = self._storage.row(sql, (row["type"], parent))
            if above is None:
                break
            names.insert(0, str(above["name"]))
            parent = above["parent"]
        return " : ".join(names)

    def _multi(
        self, spec: FieldSpec, value: str | None, url: str, base_url: str, expand: bool
    ) -> dict[str, Any]:
        if not expand:
            return self_link(url)
        ids = [int(one) for one in (value or "").split(", ") if one]
        items = [self.reference(spec.target or "", one, base_url) for one in ids]
        return {**self_link(url), "items": items, "totalResults": len(items)}

    # --- the address sublist

    def address_book(self, entity: int, url: str) -> dict[str, Any]:
        """The whole sublist with its subrecords; ``url`` is that of the record."""
        items = [self.address_line(line, url, expand=True) for line in self._addresses.lines(entity)]
        return {**self_link(f"{url}/addressBook"), "items": items, "totalResults": len(items)}

    def address_line(self, line: Row, url: str, *, expand: bool) -> dict[str, Any]:
        """One line; its key stands in the links."""
        line_url = f"{url}/addressBook/{line['internalid']}"
        links = self_link(f"{line_url}/addressBookAddress")
        body: dict[str, Any] = {
            **self_link(line_url),
            "id": line["internalid"],
            "internalId": line["internalid"],
        }
        body["addressId"] = str(line["nkey"])
        inner = address_json(line, links)
        body["addressBookAddress"] = inner if expand else links
        body["addressBookAddress_text"] = inner["addrText"]
        return body | _line_fields(line)

    # --- the control plane

    def flat(self, kind: RecordType, row: Row) -> dict[str, Any]:
        """All fields of a record by name, references as id texts, addresses as lines; empty ones are ``None``."""
        body: dict[str, Any] = {}
        for name, spec in kind.fields.items():
            value = self.computed(spec, row) if spec.computed else row[spec.column]
            if spec.kind is Kind.BOOL:
                body[name] = value == "T"
            elif spec.kind in (Kind.REF, Kind.INTEGER) and value is not None:
                body[name] = str(value)
            else:
                body[name] = value
        if kind.has_addresses:
            body["addressBook"] = [_flat_line(line) for line in self._addresses.lines(row["id"])]
        return body


def _line_fields(line: Row) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, spec in ADDRESS_LINE.items():
        value = line[spec.column]
        if value is not None:
            fields[name] = value == "T" if spec.kind is Kind.BOOL else value
    return fields


def _flat_line(line: Row) -> dict[str, Any]:
    inner = {name: line[spec.column] for name, spec in ADDRESS.items() if spec.kind is not Kind.BOOL}
    return {"internalId": line["internalid"], **_line_fields(line), "addressBookAddress": inner}
