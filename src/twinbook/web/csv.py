"""Lines of CSV that spreadsheets read as what they are: text that looks like a formula is not run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_line(values: Iterable[object | None]) -> str:
    """One line. Text that begins like a formula gets an apostrophe before it."""
    line = io.StringIO()
    csv.writer(line).writerow([_safe(value) for value in values])
    return line.getvalue()


def _safe(value: object | None) -> object:
    if isinstance(value, str) and value.startswith(_RISKY):
        return f"'{value}"
    return "" if value is None else value
