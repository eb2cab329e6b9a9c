"""The default address of a contact or customer, flat on our side and a line of a sublist on NetSuite's.

`address.street|city|state|zip|country` stand for the line with the billing default, else the one with the shipping
default, else for nothing. Writing touches that line only: lines that are sent with their key merge, others stay
(netsuite.md 2.6). A street of several lines fills addr1 to addr3; what is left over goes to the third.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from twinbook.domain.canonical import street_lines
from twinbook.domain.records import Fields, Value
from twinbook.netsuite.fields import ADDRESS_FIELDS, ADDRESS_LINES, CITY, COUNTRY, STATE, STREET, ZIP

STREET_LINES: Final = ("addr1", "addr2", "addr3")
_PLAIN: Final = {CITY: "city", STATE: "state", ZIP: "zip"}

Subrecord = dict[str, Any]


def split_street(street: str) -> tuple[str | None, str | None, str | None]:
    """A street as addr1 to addr3; more lines than three are joined into the third with commas."""
    # The domain's own idea of lines: another one would find every pair different after each write.
    lines = street_lines(street.replace("\r\n", "\n").replace("\r", "\n"))
    kept = lines[: ADDRESS_LINES - 1]
    rest = ", ".join(lines[ADDRESS_LINES - 1 :])
    padded = [*kept, *([rest] if rest else []), None, None, None]
    return padded[0], padded[1], padded[2]


def join_street(lines: Iterable[str | None]) -> str | None:
    """addr1 to addr3 as one text; None when all are empty."""
    return "\n".join(line for line in lines if line) or None


def flatten(column: Mapping[str, str]) -> Fields:
    """The virtual fields from a row with the columns addr1 … addr3, city, state, zip and country."""
    return {
        STREET: join_street(column.get(line) for line in STREET_LINES),
        CITY: column.get("city"),
        STATE: column.get("state"),
        ZIP: column.get("zip"),
        COUNTRY: column.get("country"),
    }


def has_address(fields: Fields) -> bool:
    return any(name in fields for name in ADDRESS_FIELDS)


def subrecord(fields: Fields) -> Subrecord:
    """The `addressBookAddress` that carries these virtual fields; None clears."""
    address: Subrecord = {}
    if STREET in fields:
        street = fields[STREET]
        lines = split_street(str(street)) if street is not None else (None, None, None)
        address.update(zip(STREET_LINES, lines, strict=True))
    address |= {plain: fields[name] for name, plain in _PLAIN.items() if name in fields}
    if COUNTRY in fields:
        address["country"] = None if fields[COUNTRY] is None else {"id": str(fields[COUNTRY])}
    return address


def default_line(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The default line of a record that was read with its sublists; None when no line is a default."""
    book = record.get("addressBook") or {}
    lines: list[Mapping[str, Any]] = list(book.get("items") or ())
    for mark in ("defaultBilling", "defaultShipping"):
        for line in lines:
            if line.get(mark) is True:
                return line
    return None


def line_key(line: Mapping[str, Any]) -> Value:
    """The key of a line. The sublist names it `internalId`; some answers show only `id` (unverified)."""
    key: Value = line.get("internalId", line.get("id"))
    return key


def address_book(fields: Fields, line: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The `addressBook` member of a write: changes of `line`, or a new default line. None: nothing to write."""
    address = subrecord(fields)
    if line is not None:
        return {"items": [{"internalId": line_key(line), "addressBookAddress": address}]}
    filled = {name: value for name, value in address.items() if value is not None}
    if not filled:
        return None
    return {"items": [{"defaultBilling": True, "defaultShipping": True, "addressBookAddress": filled}]}
