"""SOQL as text: every value escaped, every statement short enough for a URL (salesforce.md 4.1).

Emails and other values of people appear in quoted literals of the query parameter only, never in a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from string import ascii_letters, digits
from typing import Final

from twinbook.domain.ids import to_18
from twinbook.http import PLAIN_IN_QUERY

URL_BUDGET: Final = 12_000
"""Bytes of an escaped statement. The org refuses 16,384 for address and headers together; a token in the form
of a JWT takes about 2,000 of them."""

_PLAIN: Final = (ascii_letters + digits + PLAIN_IN_QUERY).encode()
_ESCAPES: Final[Mapping[int, str]] = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in range(32)}
    | {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)


def text(value: str) -> str:
    """A quoted literal."""
    return f"'{value.translate(_ESCAPES)}'"


def record_id(value: str) -> str:
    """A quoted id; raises `ValueError` for what is none."""
    return f"'{to_18(value)}'"


def moment(value: datetime) -> str:
    """A datetime literal, in UTC and without the `+` that a URL would have to escape."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def select(fields: Iterable[str], sobject: str, where: str = "", tail: str = "") -> str:
    """A statement of names that come from the org's own metadata and of conditions that are already escaped."""
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {', '.join(fields)} FROM {sobject}{condition}{f' {tail}' if tail else ''}"  # noqa: S608


def statements(statement: Callable[[str], str], literals: Sequence[str]) -> Iterator[str]:
    """Statements that together name all `literals` in their IN lists, each within `URL_BUDGET`.

    `statement` makes a statement of the inside of an IN list, which may stand in several places of it.
    """
    places = len(statement(",")) - len(statement(""))
    room = (URL_BUDGET - _size(statement(""))) // places
    chunk: list[str] = []
    used = 0
    for literal in literals:
        size = _size(literal) + 1
        if chunk and used + size > room:
            yield statement(",".join(chunk))
            chunk, used = [], 0
        chunk.append(literal)
        used += size
    if chunk:
        yield statement(",".join(chunk))


def _size(part: str) -> int:
    """Bytes of a part once escaped for the query string: three for each that does not stay as it is."""
    raw = part.encode()
    return len(raw) + 2 * len(raw.translate(None, _PLAIN))
