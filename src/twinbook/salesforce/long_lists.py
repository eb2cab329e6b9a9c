"""Listing all records of an object, by the cheaper of two ways: page by page in the order of ids, or, from some number
of records on, by a Bulk query job.

Where a list stands is a text that callers keep and give back: an id, or a job with a locator in it. So a list that was
cut off goes on where it was, days later too. Should its job be lost, the list begins anew page by page; records then
come twice, which callers must bear anyway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twinbook.domain.records import Value
from twinbook.salesforce import soql
from twinbook.salesforce.bulk import BulkQuery, JobLostError
from twinbook.salesforce.rest import Row, SalesforceRest

_JOB: Final = "bulk"
_BEFORE_ALL: Final = "000000000000000AAA"

LOOKS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the looks at a job that one call makes; a job that takes longer is looked at in the next call."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A part of the list as tuples in the order of the columns. `next` is None at the end."""

    rows: Sequence[tuple[Value, ...]]
    next: str | None


class LongLists:
    """Lists of one org. `bulk_from` is the number of records from which a job is made; `sleep` waits for seconds."""

    def __init__(
        self,
        rest: SalesforceRest,
        *,
        page_size: int,
        bulk_size: int,
        bulk_from: int,
        sleep: Callable[[float], Awaitable[Any]],
    ) -> None:
        self._rest = rest
        self._bulk = BulkQuery(rest)
        self._page_size = page_size
        self._bulk_size = bulk_size
        self._bulk_from = bulk_from
        self._sleep = sleep

    async def part(self, sobject: str, columns: Sequence[str], after: str | None) -> Rows:
        """The part of the list that begins at `after`; the first column must be Id. It may be empty while a job is
        under way."""
        if after is None and await self._rest.count(sobject) >= self._bulk_from:
            return Rows((), _position(await self._bulk.start(soql.select(columns, sobject)), None))
        if after is not None and after.startswith(f"{_JOB}:"):
            return await self._of_job(after)
        return await self._page(sobject, columns, after)

    async def _of_job(self, position: str) -> Rows:
        _, job, locator = position.split(":", 2)
        try:
            if not locator and not await self._completes(job):
                return Rows((), position)
            stretch = await self._bulk.stretch(job, locator or None, self._bulk_size)
        except JobLostError:
            return Rows((), _BEFORE_ALL)
        if stretch.locator is None:
            await self._bulk.forget(job)
        rows = [tuple(value or None for value in row) for row in stretch.rows]
        return Rows(rows, None if stretch.locator is None else _position(job, stretch.locator))

    async def _completes(self, job: str) -> bool:
        """Whether the job is done within a while."""
        for wait in LOOKS:
            if await self._bulk.is_complete(job):
                return True
            await self._sleep(wait)
        return await self._bulk.is_complete(job)

    async def _page(self, sobject: str, columns: Sequence[str], after: str | None) -> Rows:
        where = "" if after is None else f"Id > {soql.record_id(after)}"
        tail = f"ORDER BY Id LIMIT {self._page_size}"
        found = await self._rest.query(soql.select(columns, sobject, where, tail))
        rows = [tuple(_value(row, column) for column in columns) for row in found]
        return Rows(rows, str(found[-1]["Id"]) if len(found) == self._page_size else None)


def _position(job: str, locator: str | None) -> str:
    return f"{_JOB}:{job}:{locator or ''}"


def _value(row: Row, column: str) -> Value:
    value: Any = row
    for part in column.split("."):
        value = None if value is None else value[part]
    return value  # type: ignore[no-any-return]  # the columns asked for are plain values
