"""`/query` and `/queryAll`, with pages tied to their session (salesforce.md 4.1)."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twinbook_sandbox.salesforce.api import Call, Reply, Resource
from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.ids import make_id
from twinbook_sandbox.salesforce.soql.compiler import Statement
from twinbook_sandbox.salesforce.soql.execution import Pinned
from twinbook_sandbox.salesforce.state import OrgState

DEFAULT_BATCH = 2000
SMALLEST_BATCH = 200
_MOST_CURSORS = 50
_CURSOR_LIFE = timedelta(days=2)
_BATCH_SIZE = re.compile(r"batchSize=(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Cursor:
    token: str
    pinned: Pinned
    batch: int
    opened_at: datetime


class QueryResources:
    """Answers queries and keeps the cursors of those with more pages."""

    def __init__(self, org: OrgState) -> None:
        self._org = org
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._opened = 0

    def resources(self) -> list[Resource]:
        return [
            Resource("GET", "/query", self.query, "query"),
            Resource("GET", "/queryAll", self.query_all, "queryall"),
            Resource("GET", "/query/{locator}", self.more, "query.more"),
            Resource("GET", "/queryAll/{locator}", self.more, "query.more"),
        ]

    def query(self, call: Call) -> Reply:
        """Live records."""
        return self._run(call, self._org.compile(_soql(call), with_deleted=False))

    def query_all(self, call: Call) -> Reply:
        """Deleted and merged records too."""
        return self._run(call, self._org.compile(_soql(call), with_deleted=True))

    def close_all(self) -> None:
        """Forget all cursors."""
        while self._cursors:
            self._close(next(iter(self._cursors)))

    def _run(self, call: Call, statement: Statement) -> Reply:
        executor = self._org.executor
        if statement.kind == "count":
            return Reply(200, {"totalSize": executor.count(statement), "done": True, "records": []})
        if statement.kind == "aggregate":
            groups = executor.aggregate(statement)
            return Reply(200, {"totalSize": len(groups), "done": True, "records": groups})
        batch = self._batch(call, DEFAULT_BATCH)
        rows = executor.first(statement, batch)
        if len(rows) <= batch:
            return Reply(200, self._page(call, statement, rows, len(rows), None))
        pinned = executor.pin(statement)
        locator = self._open(_Cursor(call.session.token, pinned, batch, self._org.clock.now()))
        return Reply(200, self._page(call, statement, rows[:batch], pinned.total, f"{locator}-{batch}"))

    def more(self, call: Call) -> Reply:
        """The page that a nextRecordsUrl points to."""
        id_, _, position = call.path["locator"].partition("-")
        cursor = self._cursors.get(id_)
        expired = cursor and self._org.clock.now() - cursor.opened_at > _CURSOR_LIFE
        if cursor is None or expired or cursor.token != call.session.token or not position.isdigit():
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        batch = self._batch(call, cursor.batch)
        start = int(position)
        rows = self._org.executor.stretch(cursor.pinned, start, batch)
        following = f"{id_}-{start + batch}" if start + batch < cursor.pinned.total else None
        return Reply(200, self._page(call, cursor.pinned.statement, rows, cursor.pinned.total, following))

    def _page(
        self, call: Call, statement: Statement, rows: list[Any], total: int, following: str | None
    ) -> dict[str, Any]:
        page: dict[str, Any] = {"totalSize": total, "done": following is None}
        if following:
            page["nextRecordsUrl"] = f"{call.base}/query/{following}"
        page["records"] = list(self._org.executor.records(statement, rows, call.record_url))
        return page

    def _batch(self, call: Call, default: int) -> int:
        asked = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
        batch = int(asked.group(1)) if asked else default
        return min(max(batch, SMALLEST_BATCH), DEFAULT_BATCH, self._org.switches.largest_page)

    def _open(self, cursor: _Cursor) -> str:
        while len(self._cursors) >= _MOST_CURSORS:
            self._close(next(iter(self._cursors)))
        self._opened += 1
        locator = make_id("01g", self._opened)
        self._cursors[locator] = cursor
        return locator

    def _close(self, locator: str) -> None:
        self._org.executor.unpin(self._cursors.pop(locator).pinned)


def _soql(call: Call) -> str:
    soql = call.query.get("q", "").strip()
    if not soql:
        raise ApiError("MALFORMED_QUERY", "SOQL string may not be null or empty")
    return soql
