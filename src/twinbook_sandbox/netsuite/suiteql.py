"""The SuiteQL service: one page of a query's rows (netsuite.md 4)."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twinbook_sandbox.netsuite.dates import account_date_formatter
from twinbook_sandbox.netsuite.errors import invalid_parameter
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.suiteql_compiler import MAX_ROWS, Compiled, compile_query
from twinbook_sandbox.netsuite.suiteql_functions import Functions
from twinbook_sandbox.netsuite.suiteql_tables import TableCatalog
from twinbook_sandbox.netsuite.suiteql_text import Query, search_error, take_apart

KEPT_SHAPES = 500
KEPT_COUNTS = 50
MAX_QUERY_S = 30.0
_STEPS_BETWEEN_LOOKS = 500_000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as SuiteQL answers them: lower-case keys, text values, no NULLs."""

    items: list[dict[str, Any]]
    total: int


class SuiteQL:
    """Runs queries for one account. Translations of query shapes are kept, up to a number."""

    def __init__(self, records: Records, permissions: Permissions) -> None:
        self._storage = records.storage
        self._switches = records.switches
        self._permissions = permissions
        self._catalog = TableCatalog(records)
        self._functions = Functions(self._storage.connection, records.switches, records.calendar)
        self._compiled: dict[str, Compiled] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        self._counts_as_of = -1

    def page(self, text: str, params: Sequence[Any], limit: int, offset: int) -> Page:
        """One page; :class:`NetSuiteError` (``INVALID_PARAMETER``) if the query will not do."""
        if len(text) > self._switches.suiteql_max_chars:
            raise search_error("The query is too long.")
        if offset >= MAX_ROWS:
            raise invalid_parameter("offset", f"A query gives {MAX_ROWS} rows at most.")
        self._storage.follow_zone()
        if self._catalog.refresh():
            self._compiled.clear()
        query = take_apart(text, params)
        compiled = self._compile(query.shape)
        return self._run(compiled, query, min(limit, MAX_ROWS - offset), offset)

    def _compile(self, shape: str) -> Compiled:
        if (known := self._compiled.get(shape)) is None or self._permissions.restricted:
            self._check_permissions(shape)
            known = compile_query(shape, self._catalog.tables)
            if len(self._compiled) >= KEPT_SHAPES:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[shape] = known
        return known

    def _check_permissions(self, shape: str) -> None:
        words = {word.lower() for word in shape.split()}
        for table in self._catalog.tables.values():
            if table.name in words and not self._permissions.allows(table.permission, "VIEW"):
                raise search_error(f"Record '{table.name}' was not found.")

    def _run(self, compiled: Compiled, query: Query, limit: int, offset: int) -> Page:
        self._functions.failure = ""
        self._limit_time()
        cursor = self._storage.connection.cursor()
        cursor.row_factory = None
        try:
            rows = cursor.execute(
                compiled.sql, {**query.values, "page": limit + 1, "skip": offset}
            ).fetchall()
            if len(rows) > limit or (not rows and offset):
                total = self._count(cursor, compiled.count_sql, query)
            else:
                total = offset + len(rows)
        except sqlite3.Error as error:
            reason = self._functions.failure or "Invalid or unsupported search."
            raise search_error(reason) from error
        finally:
            self._storage.connection.set_progress_handler(None, 0)
        return Page(self._items(compiled, rows[:limit]), min(total, MAX_ROWS))

    def _limit_time(self) -> None:
        """A careless join must not hold up the sandbox for ever."""
        ends = time.monotonic() + MAX_QUERY_S

        def is_over() -> bool:
            if time.monotonic() < ends:
                return False
            self._functions.failure = f"The search took more than {MAX_QUERY_S:.0f} seconds."
            return True

        self._storage.connection.set_progress_handler(is_over, _STEPS_BETWEEN_LOOKS)

    def _count(self, cursor: sqlite3.Cursor, sql: str, query: Query) -> int:
        """All rows of a query; remembered until anything is written, since a client asks page after page."""
        written = self._storage.connection.total_changes
        if written != self._counts_as_of or len(self._counts) >= KEPT_COUNTS:
            self._counts.clear()
            self._counts_as_of = written
        key = (sql, *(repr(value) for value in query.values.values()))
        if key not in self._counts:
            self._counts[key] = int(cursor.execute(sql, query.values).fetchone()[0])
        return self._counts[key]

    def _items(self, compiled: Compiled, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        if len(compiled.date_columns) > 0:
            rows = self._with_account_dates(rows, compiled.date_columns)
        keys = compiled.keys
        items: list[dict[str, Any]] = []
        for row in rows:
            item: dict[str, Any] = {"links": []}
            for key, value in zip(keys, row, strict=True):
                if value is not None:
                    item[key] = value if type(value) is str else _text(value)
            items.append(item)
        return items

    def _with_account_dates(
        self, rows: list[tuple[Any, ...]], positions: tuple[int, ...]
    ) -> list[tuple[Any, ...]]:
        show = account_date_formatter(self._switches.suiteql_date_format)
        shown = []
        for row in rows:
            values = list(row)
            for position in positions:
                if values[position] is not None:
                    values[position] = show(values[position])
            shown.append(tuple(values))
        return shown


def _text(value: float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
