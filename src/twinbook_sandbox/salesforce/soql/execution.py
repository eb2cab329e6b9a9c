"""Runs compiled queries and pages through their results.

A result that does not fit on a page is pinned: the numbers of its rows go to a temporary table in order, and
each page reads its stretch of them. So pages keep the order and the size of the moment of the query, cost no
copy of the records, and show values as they are when the page is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twinbook_sandbox.salesforce.soql.compiler import Statement
from twinbook_sandbox.salesforce.soql.results import RecordBuilder
from twinbook_sandbox.salesforce.storage import Storage

UrlOf = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Pinned:
    """A result whose rows are pinned in a temporary table."""

    statement: Statement
    table: str
    total: int


class Executor:
    """Runs statements on the storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._pins = 0

    def count(self, statement: Statement) -> int:
        """How many rows the statement finds."""
        sql = f"SELECT count(*) FROM {statement.from_} WHERE {statement.where}"  # noqa: S608
        found = int(self._storage.select(sql, statement.parameters).fetchone()[0])
        found = max(0, found - statement.offset)
        return found if statement.limit is None else min(found, statement.limit)

    def aggregate(self, statement: Statement) -> list[dict[str, Any]]:
        """The rows of an aggregate query."""
        head = {"attributes": {"type": "AggregateResult"}}
        rows = self._storage.select(_select(statement, statement.columns), statement.parameters)
        return [head | dict(zip(statement.names, row, strict=True)) for row in rows]

    def first(self, statement: Statement, size: int) -> list[Any]:
        """The first rows, as many as `size` and one more if there are."""
        limit = size + 1 if statement.limit is None else min(statement.limit, size + 1)
        sql = _select(statement, statement.columns, limit)
        return self._storage.select(sql, statement.parameters).fetchall()

    def pin(self, statement: Statement) -> Pinned:
        """Fix which rows the result has, and their order."""
        self._pins += 1
        table = f"pinned_{self._pins}"
        self._storage.select(f"CREATE TEMP TABLE {table} (position INTEGER PRIMARY KEY, row INTEGER)")
        rows = _select(statement, (f"{statement.table}._row",))
        total = self._storage.select(f"INSERT INTO {table} (row) {rows}", statement.parameters).rowcount
        return Pinned(statement, table, total)

    def stretch(self, pinned: Pinned, start: int, size: int) -> list[Any]:
        """The rows from position `start` (from 0); fewer where records were purged meanwhile."""
        statement = pinned.statement
        sql = (
            f"SELECT {', '.join(statement.columns)} FROM {pinned.table} AS pin "  # noqa: S608
            f"CROSS JOIN {statement.from_} "
            f"WHERE {statement.table}._row = pin.row AND pin.position > ? AND pin.position <= ? ORDER BY pin.position"
        )
        return self._storage.select(sql, (start, start + size)).fetchall()

    def unpin(self, pinned: Pinned) -> None:
        self._storage.select(f"DROP TABLE IF EXISTS {pinned.table}")

    def records(self, statement: Statement, rows: list[Any], url_of: UrlOf) -> Iterator[dict[str, Any]]:
        """The records of rows, with their children."""
        assert statement.shape is not None  # noqa: S101
        children: dict[str, Mapping[str, list[dict[str, Any]]]] = {
            name: self._children(child, (row[0] for row in rows), url_of)
            for name, child in statement.shape.children.items()
        }
        return map(RecordBuilder(statement.shape, url_of, children).build, rows)

    def _children(
        self, statement: Statement, parents: Iterable[str], url_of: UrlOf
    ) -> Mapping[str, list[dict[str, Any]]]:
        assert statement.shape is not None  # noqa: S101
        reference = f'{statement.table}."{statement.parent_field}"'
        columns = ", ".join((*statement.columns, reference))
        sql = (
            f"SELECT {columns} FROM {statement.from_} WHERE {statement.where} "  # noqa: S608
            f"AND {reference} IN (SELECT value FROM json_each(?)) {statement.order}"
        )
        build = RecordBuilder(statement.shape, url_of, {}).build
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._storage.select(sql, (*statement.parameters, json.dumps(list(parents)))):
            siblings = found.setdefault(row[-1], [])
            if statement.limit is None or len(siblings) < statement.limit:
                siblings.append(build(row))
        return found


def _select(statement: Statement, columns: tuple[str, ...], limit: int | None = None) -> str:
    limit = statement.limit if limit is None else limit
    return (
        f"SELECT {', '.join(columns)} FROM {statement.from_} WHERE {statement.where} "  # noqa: S608
        f"{statement.group} {statement.order} LIMIT {-1 if limit is None else limit} OFFSET {statement.offset}"
    )
