"""CSV as the Bulk API 2.0 writes and reads it (salesforce.md 5): every value quoted, null empty."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import Any

from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.schema import Field, FieldType
from twinbook_sandbox.salesforce.soql.compiler import Shape, Statement

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "BACKQUOTE": "`", "CARET": "^"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


class CsvFile:
    """Rows on disk, any stretch of which can be read at once. Nothing but the positions is in memory."""

    def __init__(self, header: Sequence[str], delimiter: str, line_ending: str) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - lives as long as the job
        self._starts = array("Q", [0])
        self._writer = csv.writer(
            self, delimiter=delimiter, lineterminator=line_ending, quoting=csv.QUOTE_ALL, escapechar=None
        )
        head = io.StringIO()
        csv.writer(head, delimiter=delimiter, lineterminator=line_ending, quoting=csv.QUOTE_ALL).writerow(
            header
        )
        self.header = head.getvalue().encode()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def write(self, line: str) -> None:
        """Take one line from the CSV writer."""
        content = line.encode()
        self._file.write(content)
        self._starts.append(self._starts[-1] + len(content))

    def append(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows at the end."""
        self._writer.writerows(rows)

    def read(self, start: int, number: int) -> bytes:
        """The header and up to `number` rows from row `start`."""
        end = min(start + number, len(self))
        self._file.seek(self._starts[start])
        rows = self._file.read(self._starts[end] - self._starts[start])
        self._file.seek(0, io.SEEK_END)
        return self.header + rows

    def close(self) -> None:
        self._file.close()


def _boolean_text(value: Any) -> str:
    return "true" if value else "false"


def _datetime_text(value: str | None) -> str | None:
    return value and f"{value[:-5]}Z"


_TEXT: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.BOOLEAN: _boolean_text,
    FieldType.DATETIME: _datetime_text,
}


class RowFormat:
    """Turns rows of a query into CSV rows, in the order of the selected fields."""

    def __init__(self, statement: Statement) -> None:
        assert statement.shape is not None  # noqa: S101
        columns = [_find(statement.shape, path.split(".")) for path in statement.names]
        self._indices = [index for index, _ in columns]
        self._converted = [
            (position, _TEXT[field.type])
            for position, (_, field) in enumerate(columns)
            if field.type in _TEXT
        ]

    def rows(self, found: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        """The CSV rows of database rows."""
        for row in found:
            values = [row[index] for index in self._indices]
            for position, convert in self._converted:
                values[position] = convert(values[position])
            yield values


def _find(shape: Shape, path: list[str]) -> tuple[int, Field]:
    for name in path[:-1]:
        shape = shape.parents[name]
    return shape.values[path[-1]]


def choice(body: dict[str, Any], name: str, table: dict[str, str], default: str) -> str:
    """The key of a table that a job asks for. Raises ApiError."""
    chosen = str(body.get(name) or default)
    if chosen not in table:
        raise ApiError("INVALIDJOB", f"{name}: choose one of {', '.join(table)}")
    return chosen
