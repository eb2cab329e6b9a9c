"""Salesforce record ids: check suffix, normalisation, and a generator (salesforce.md 4.8)."""

from __future__ import annotations

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_INSTANCE = "5g0"
_SERIAL_DIGITS = 9


def to_18(id15: str) -> str:
    """The case-safe form of a 15-character id: three check characters appended, one for each group of five."""
    checks = (
        sum(1 << position for position, char in enumerate(id15[start : start + 5]) if "A" <= char <= "Z")
        for start in (0, 5, 10)
    )
    return id15 + "".join(_SUFFIX[check] for check in checks)


def normalise(text: str) -> str | None:
    """The 18-character form of a 15- or 18-character id; None when `text` has not the shape of an id."""
    if not _ID.fullmatch(text):
        return None
    return to_18(text[:15])


def make_id(prefix: str, serial: int) -> str:
    """The id number `serial` of the object with this three-character key prefix.

    Ids of one object sort by serial, as `ORDER BY Id` does in an org.
    """
    digits = []
    for _ in range(_SERIAL_DIGITS):
        serial, digit = divmod(serial, 62)
        digits.append(_DIGITS[digit])
    return to_18(f"{prefix}{_INSTANCE}{''.join(reversed(digits))}")
