"""Record ids of Salesforce: their shape, and the one form in which Twinbook keeps them (salesforce.md 4.8)."""

from __future__ import annotations

import re

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def to_18(text: str) -> str:
    """The 18-character form of a 15- or 18-character id; raises `ValueError` for anything else."""
    if not _ID.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a Salesforce id: 15 or 18 letters and digits are expected")
    if len(text) == 18:
        return text
    return text + "".join(_SUFFIX[_case_bits(text[start : start + 5])] for start in (0, 5, 10))


def _case_bits(group: str) -> int:
    return sum(1 << position for position, char in enumerate(group) if char.isupper())
