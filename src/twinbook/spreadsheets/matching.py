"""The matching report as a CSV file that a spreadsheet may open, edit and save, and that is read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from twinbook.engine.care.deciding import CONTACT, DECISION, Choice, Flaw
from twinbook.engine.insight.matching_report import Match, MatchCandidate
from twinbook.spreadsheets.cells import plain, write_cells

COLUMNS = (CONTACT, "name", "email", "account", "would_be", "netsuite_id", "candidates", DECISION)
DELIMITERS = (",", ";", "\t")


class UnreadableFileError(Exception):
    """A file that is no matching report at all; the message says why."""


def write_rows(file: TextIO, rows: Iterable[Match], *, header: bool) -> None:
    if header:
        write_cells(file, [COLUMNS])
    write_cells(file, map(cells_of, rows))


def read_choices(path: Path) -> tuple[list[Choice], list[Flaw]]:
    """The rows in which something is decided, and what is wrong with the file itself, row by row.

    Raises `UnreadableFileError` when it is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise UnreadableFileError(f"{path} cannot be read: {problem.strerror}") from None
    return choices_in(content, str(path))


def choices_in(content: bytes, name: str) -> tuple[list[Choice], list[Flaw]]:
    """The same for what such a file holds; `name` is what people call it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{name} is not UTF-8 text; save it as CSV UTF-8") from None
    choices: list[Choice] = []
    flaws: list[Flaw] = []
    for number, row in _rows(name, text):
        contact, decision = (plain(row.get(column) or "") for column in (CONTACT, DECISION))
        if contact and decision:
            choices.append(Choice(number, contact, decision.casefold()))
        elif decision:
            flaws.append(Flaw(number, CONTACT, "it is empty, so nobody knows whom the decision is about"))
    return choices, flaws


def _rows(name: str, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Spreadsheets of some countries save with semicolons. Rows are counted as a spreadsheet shows them."""
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    # Not by splitlines(), which ends a line at characters that are text to a spreadsheet.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [column.strip() for column in reader.fieldnames or ()]
        missing = [column for column in (CONTACT, DECISION) if column not in names]
        if missing:
            raise UnreadableFileError(
                f"{name} has no column {missing[0]}; start from a file that Twinbook wrote"
            )
        reader.fieldnames = names
        yield from enumerate(reader, start=2)
    except csv.Error as problem:
        raise UnreadableFileError(f"{name}, line {reader.line_num}: {problem}") from None


def cells_of(row: Match) -> tuple[str, ...]:
    """One row, in the order of `COLUMNS`."""
    return (
        row.salesforce_id,
        row.name,
        row.email or "",
        row.account or "",
        row.kind,
        row.netsuite_id or "",
        "; ".join(map(described, row.candidates)),
        row.decision or "",
    )


def described(candidate: MatchCandidate) -> str:
    """A candidate in a few words, its id first."""
    notes = [
        candidate.email,
        f"company {candidate.company_id}" if candidate.company_id else "no company",
        "inactive" if candidate.inactive else None,
        f"belongs to {candidate.linked_to}" if candidate.linked_to else None,
    ]
    return f"{candidate.id} {candidate.name} ({', '.join(note for note in notes if note)})"
