"""SuiteQL over REST: literals that cannot break out, IN lists within the limits, and pages (netsuite.md 4).

Values are escaped by hand because bound parameters are not dependable (netsuite.md 4.3).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twinbook.domain.errors import TemporaryError
from twinbook.http import HttpResponse
from twinbook.netsuite.client import NetSuiteClient

PATH: Final = "/services/rest/query/v1/suiteql"
PAGE: Final = 1_000
MAX_PAGES: Final = 100
IN_LIST: Final = 1_000
TEXT_LIMIT: Final = 100_000
TIME_FORMAT: Final = "YYYY-MM-DD HH24:MI:SS"

Row = Mapping[str, str]
"""One row: lower-case keys, text values; a NULL column is absent."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ID = re.compile(r"-?[0-9]{1,18}")


def literal(text: str) -> str:
    """A SuiteQL text literal. Raises ValueError for control characters and lone surrogates."""
    unsafe = _UNSAFE.search(text)
    if unsafe is not None:
        raise ValueError(
            f"a SuiteQL text may not hold the control character U+{ord(unsafe.group()):04X}; remove it"
        )
    return "'" + text.replace("'", "''") + "'"


def is_literal(text: str) -> bool:
    """Whether `literal` accepts the text. What it refuses cannot stand in a NetSuite record either."""
    return _UNSAFE.search(text) is None


def id_literal(id_: str) -> str:
    """An internal id as a number. Raises ValueError when it is none."""
    if not is_id(id_):
        raise ValueError(f"{id_!r} is no NetSuite internal id; it must be a whole number")
    return id_


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def timestamp(text: str) -> str:
    """A moment, written as `TIME_FORMAT`, as an expression to compare date columns with."""
    return f"TO_TIMESTAMP({literal(text)}, '{TIME_FORMAT}')"


def any_of(terms: Mapping[str, Iterable[str]], *, limit: int = TEXT_LIMIT // 2) -> Iterator[str]:
    """WHERE texts `(a IN (…) OR b IN (…))` that together ask for every literal, each at most `limit` bytes.

    `terms` are literals (already escaped) by the column expression they are compared with. One text is the
    rule; more are needed only beyond the limits of a query.
    """
    lists: dict[str, list[str]] = {}
    size = 0
    for column, literals in terms.items():
        for item in literals:
            cost = len(item.encode()) + 1 + (0 if column in lists else len(column) + 12)
            if lists and size + cost > limit:
                yield _or(lists)
                lists, size = {}, 0
                cost = len(item.encode()) + 1 + len(column) + 12
            lists.setdefault(column, []).append(item)
            size += cost
    if lists:
        yield _or(lists)


def _or(lists: Mapping[str, Sequence[str]]) -> str:
    parts = [
        f"{column} IN ({','.join(items[start : start + IN_LIST])})"
        for column, items in lists.items()
        for start in range(0, len(items), IN_LIST)
    ]
    return f"({' OR '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, whether others follow, and the answer that they came in."""

    rows: list[Row]
    more: bool
    answer: HttpResponse


class SuiteQL:
    """Queries against one account. Every method raises `TemporaryError` or `PermanentError`."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    async def query(self, sql: str) -> Sequence[Row]:
        """All rows, page by page, at most 100,000. Give `sql` an order that does not change meanwhile."""
        return [row async for page in self.pages(sql) for row in page.rows]

    async def pages(self, sql: str) -> AsyncIterator[Page]:
        """The pages of `query`."""
        for number in range(MAX_PAGES):
            page = await self._page(sql, limit=PAGE, offset=number * PAGE)
            yield page
            if not page.more:
                break

    async def first(self, sql: str, limit: int = PAGE) -> Sequence[Row]:
        """The first rows only, in one call: the step of keyset paging. `limit` is at most 1,000."""
        bounded = f"{sql} FETCH FIRST {limit} ROWS ONLY"
        return (await self._page(bounded, limit=limit, offset=0)).rows

    async def _page(self, sql: str, *, limit: int, offset: int) -> Page:
        response = await self._client.call(
            "POST",
            PATH,
            params={"limit": str(limit), "offset": str(offset)},
            headers={"Prefer": "transient"},
            json={"q": sql},
            writing=False,
        )
        try:
            answer = response.json()
            rows = [_row(item) for item in answer["items"]]
            return Page(rows, bool(answer.get("hasMore", False)), response)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise TemporaryError(
                "UNREADABLE_ANSWER", "NetSuite's answer to a query was no rows."
            ) from problem


def _row(item: Mapping[str, Any]) -> Row:
    return {key.lower(): str(value) for key, value in item.items() if key != "links" and value is not None}
