"""CSV files that a spreadsheet may open and save.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises (CSV injection): the
texts come from records that anybody may have filled in. Reading takes it off again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def plain(cell: str) -> str:
    """The text of a cell, without the apostrophe and without outer blanks."""
    text = cell.strip()
    return text[1:] if text.startswith("'") else text


def open_for_writing(path: Path) -> TextIO:
    """With a byte order mark, without which Excel spoils letters beyond ASCII. Raises OSError."""
    return path.open("w", encoding="utf-8-sig", newline="")


def write_cells(file: TextIO, rows: Iterable[Iterable[str]]) -> None:
    """Rows of texts. All cells are quoted: where lists are separated by semicolons, `a;=1+1` would become two."""
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([safe(cell) for cell in row] for row in rows)
