"""The cells of CSV files that a spreadsheet may open and save.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises (CSV injection): the
texts come from records that anybody may have filled in. Reading takes it off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

# What a file begins with: without it, Excel spoils letters beyond ASCII.
MARK = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def plain(cell: str) -> str:
    """The text of a cell, without the apostrophe and without outer blanks."""
    text = cell.strip()
    return text[1:] if text.startswith("'") else text


def open_for_writing(path: Path) -> TextIO:
    """With its mark. Raises OSError."""
    return path.open("w", encoding="utf-8-sig", newline="")


def write_cells(file: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Rows of values; None is an empty cell. All are quoted: where lists are separated by semicolons, `a;=1+1` would
    become two."""
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([_cell(value) for value in row] for row in rows)


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """The same as text, without the mark that a file begins with."""
    text = io.StringIO()
    write_cells(text, rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return safe(value) if isinstance(value, str) else value
