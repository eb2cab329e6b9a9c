"""The addressBook sublist: lines with a key merge, lines without one append (netsuite.md 2.6)."""

from collections.abc import Mapping
from typing import Any

from twinbook_sandbox.netsuite.errors import NetSuiteError, invalid_body, invalid_value, user_error
from twinbook_sandbox.netsuite.schema import ADDRESS, ADDRESS_LINE, ENUMS, Kind
from twinbook_sandbox.netsuite.storage import Row, Storage, Value
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.netsuite.values import BodyParser, Parsed, WriteOptions

STATES: Mapping[str, frozenset[str]] = {
    "US": frozenset(
        [
            "AL",
            "AK",
            "AZ",
            "AR",
            "CA",
            "CO",
            "CT",
            "DE",
            "DC",
            "FL",
            "GA",
            "HI",
            "ID",
            "IL",
            "IN",
            "IA",
            "KS",
            "KY",
            "LA",
            "ME",
            "MD",
            "MA",
            "MI",
            "MN",
            "MS",
            "MO",
            "MT",
            "NE",
            "NV",
            "NH",
            "NJ",
            "NM",
            "NY",
            "NC",
            "ND",
            "OH",
            "OK",
            "OR",
            "PA",
            "PR",
            "RI",
            "SC",
            "SD",
            "TN",
            "TX",
            "UT",
            "VT",
            "VA",
            "WA",
            "WV",
            "WI",
            "WY",
        ]
    ),
    "CA": frozenset(["AB", "BC", "MB", "NB", "NL", "NT", "NS", "NU", "ON", "PE", "QC", "SK", "YT"]),
}
"""States that are checked when the account does not allow free-form ones."""

_LINE_MEMBERS = frozenset(
    {"id", "internalId", "addressId", "addressBookAddress", "addressBookAddress_text", "links"}
)
_ADDRESS_MEMBERS = frozenset({"addrText", "id", "links", "refName"})


class AddressBook:
    """Address lines of contacts and customers."""

    def __init__(self, storage: Storage, switches: NetSuiteSwitches, parser: BodyParser) -> None:
        self._storage = storage
        self._switches = switches
        self._parser = parser

    def lines(self, entity: int) -> list[Row]:
        """The lines of one entity, in the order of their keys."""
        return self._storage.rows("SELECT * FROM address WHERE entity = ? ORDER BY internalid", (entity,))

    def line(self, entity: int, key: str) -> Row | None:
        """One line by its key."""
        sql = "SELECT * FROM address WHERE entity = ? AND internalid = ?"
        return self._storage.row(sql, (entity, int(key))) if key.isdecimal() else None

    def apply(self, entity: int, raw: Any, options: WriteOptions, warnings: list[str]) -> None:
        """Carry out what a body says about the sublist."""
        if isinstance(raw, dict) and "items" not in raw:
            return  # as GET answers it, sent back
        items = raw.get("items") if isinstance(raw, dict) else raw
        if items is not None and not isinstance(items, list):
            raise invalid_body("The sublist addressBook needs a list of items.", "addressBook")
        if items is None or "addressBook" in options.replace:
            self._storage.execute("DELETE FROM address WHERE entity = ?", (entity,))
        for index, item in enumerate(items or []):
            path = f"addressBook.items[{index}]"
            if not isinstance(item, dict):
                raise invalid_body("A line of a sublist is an object.", path)
            self._put(entity, item, path, options, warnings)

    def _put(
        self, entity: int, item: dict[str, Any], path: str, options: WriteOptions, warnings: list[str]
    ) -> None:
        address = item.get("addressBookAddress") or {}
        if not isinstance(address, dict):
            raise invalid_value(f"{path}.addressBookAddress", address)
        parsed = self._understood(item, address, path, options)
        warnings.extend(parsed.warnings)
        key = self._key(entity, item, path, "addressBook" in options.replace)
        old = self.line(entity, str(key)) if key is not None else None
        country = parsed.values.get("country", old["country"] if old else None)
        parsed.values["country"] = country or self._switches.default_country
        self._check_state({**(dict(old) if old else {}), **parsed.values}, path)
        if old is None:
            self._append(entity, key, parsed.values)
        else:
            self._change(entity, old["internalid"], parsed.values)

    def _understood(
        self, item: dict[str, Any], address: dict[str, Any], path: str, options: WriteOptions
    ) -> Parsed:
        line = self._parser.fields(ADDRESS_LINE, item, f"{path}.", options)
        inner = self._parser.fields(ADDRESS, address, f"{path}.addressBookAddress.", options)
        unknown = [f"{path}.{name}" for name in item.keys() - ADDRESS_LINE.keys() - _LINE_MEMBERS]
        strange = address.keys() - ADDRESS.keys() - _ADDRESS_MEMBERS
        unknown += [f"{path}.addressBookAddress.{name}" for name in strange]
        warnings = line.warnings + inner.warnings
        for name in sorted(unknown):
            self._parser.refuse_name(name, options, warnings)
        return Parsed(values={**line.values, **inner.values}, warnings=warnings)

    def _key(self, entity: int, item: dict[str, Any], path: str, replacing: bool) -> int | None:
        given = item.get("internalId", item.get("id"))
        if given is None or replacing:
            return None
        if self.line(entity, str(given)) is None:
            raise invalid_value(f"{path}.internalId", given)
        return int(given)

    def _append(self, entity: int, key: int | None, values: dict[str, Value]) -> None:
        if key is None:
            sql = "SELECT 1 + MAX(0, COALESCE(MAX(internalid), 0)) FROM address WHERE entity = ?"
            key = int(self._storage.value(sql, (entity,)))
        row = {**values, "entity": entity, "internalid": key}
        row["label"] = row.get("label") or row.get("addr1")
        self._only_default(entity, values)
        marks = ", ".join("?" * len(row))
        sql = f"INSERT INTO address ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - schema names
        self._storage.execute(sql, list(row.values()))

    def _change(self, entity: int, key: int, values: dict[str, Value]) -> None:
        self._only_default(entity, values)
        sets = ", ".join(f"{name} = ?" for name in values)
        sql = f"UPDATE address SET {sets} WHERE entity = ? AND internalid = ?"  # noqa: S608 - schema names
        self._storage.execute(sql, [*values.values(), entity, key])

    def _only_default(self, entity: int, values: dict[str, Value]) -> None:
        for column in ("defaultbilling", "defaultshipping"):
            if values.get(column) == "T":
                self._storage.execute(f"UPDATE address SET {column} = 'F' WHERE entity = ?", (entity,))  # noqa: S608

    def _check_state(self, address: Mapping[str, Value], path: str) -> None:
        known = STATES.get(str(address.get("country")))
        state = address.get("state")
        if self._switches.free_form_states or known is None or state is None or state in known:
            return
        told = user_error(f"The state {state} does not belong to the country {address['country']}.")
        raise NetSuiteError(
            told.status, told.code, told.detail, {"o:errorPath": f"{path}.addressBookAddress.state"}
        )


def address_text(line: Row) -> str:
    """The address as one text, as NetSuite prints it."""
    place = " ".join(str(line[name]) for name in ("city", "state", "zip") if line[name])
    country = ENUMS["country"].get(line["country"] or "", line["country"])
    parts = [line[name] for name in ("attention", "addressee", "addr1", "addr2", "addr3")] + [place, country]
    return "\n".join(str(part) for part in parts if part)


def address_json(line: Row, links: dict[str, Any]) -> dict[str, Any]:
    """The address subrecord of a line."""
    body: dict[str, Any] = {**links, "addrText": address_text(line), "id": str(line["nkey"])}
    for name, spec in ADDRESS.items():
        value = line[spec.column]
        if spec.kind is Kind.BOOL:
            body[name] = value == "T"
        elif spec.kind is Kind.ENUM:
            body[name] = {"id": value, "refName": ENUMS["country"].get(value, value)}
        elif value is not None:
            body[name] = value
    return body
