"""Salesforce record ids: check suffix, normalisation, and a generator (salesforce.md 4.8)."""

from __future__ import annotations

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_UPPER_CASE_BITS = {ord(digit): "1" if digit.isupper() else "0" for digit in _DIGITS}
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_INSTANCE = "5g0"
_SERIAL_DIGITS = 9


def to_18(id15: str) -> str:
    """The case-safe form of a 15-character id: three check characters appended, one for each group of five.

    Bit k of a check is set when the k-th character of the group is an upper-case letter.
    """
    bits = id15.translate(_UPPER_CASE_BITS)
    first, second, third = int(bits[4::-1], 2), int(bits[9:4:-1], 2), int(bits[14:9:-1], 2)
    return f"{id15}{_SUFFIX[first]}{_SUFFIX[second]}{_SUFFIX[third]}"


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
