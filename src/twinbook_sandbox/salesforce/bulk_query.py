"""Bulk API 2.0 query jobs (salesforce.md 5.1). A job writes its result to a file on disk, in the background."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from twinbook_sandbox.salesforce.api import Call, Reply, Resource
from twinbook_sandbox.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS, CsvFile, RowFormat, choice
from twinbook_sandbox.salesforce.bulk_jobs import FINISHED, BulkJob, JobBook
from twinbook_sandbox.salesforce.errors import ApiError, not_found
from twinbook_sandbox.salesforce.soql.compiler import Statement
from twinbook_sandbox.salesforce.state import OrgState

DEFAULT_RECORDS = 50_000
_ROWS_AT_A_TIME = 2_000
_MOST_RESULT_URLS = 5


@dataclass(slots=True)
class QueryJob(BulkJob):
    """A query job with its statement and, once it runs, its result."""

    statement: Statement
    result: CsvFile

    def close(self) -> None:
        self.result.close()


class BulkQueryResources:
    """Query jobs."""

    def __init__(self, org: OrgState) -> None:
        self._org = org
        self._jobs: JobBook[QueryJob] = JobBook(org, OrderedDict())

    def resources(self) -> list[Resource]:
        jobs, job = "/jobs/query", "/jobs/query/{id}"
        return [
            Resource("POST", jobs, self.create, "bulk.query.create"),
            Resource("GET", jobs, self.list_jobs, "bulk.query.list"),
            Resource("GET", job, self.show, "bulk.query.status"),
            Resource("PATCH", job, self.abort, "bulk.query.abort"),
            Resource("DELETE", job, self.delete, "bulk.query.delete"),
            Resource("GET", job + "/results", self.results, "bulk.query.results"),
            Resource("GET", job + "/resultPages", self.result_pages, "bulk.query.resultpages"),
        ]

    def close_all(self) -> None:
        """Forget all jobs."""
        self._jobs.close_all()

    def create(self, call: Call) -> Reply:
        """Start a job."""
        body = call.json_object()
        operation = body.get("operation")
        if operation not in ("query", "queryAll"):
            raise ApiError("INVALIDJOB", "operation: query or queryAll")
        statement = self._org.compile(str(body.get("query") or ""), with_deleted=operation == "queryAll")
        _check_suitable(statement)
        delimiter = choice(body, "columnDelimiter", DELIMITERS, "COMMA")
        line_ending = choice(body, "lineEnding", LINE_ENDINGS, "LF")
        job = QueryJob(
            id_=self._jobs.new_id(),
            operation=operation,
            object_=statement.entity,
            created_by=call.session.user_id,
            created_at=self._org.clock.now(),
            version=call.version,
            state="UploadComplete",
            column_delimiter=delimiter,
            line_ending=line_ending,
            statement=statement,
            result=CsvFile(statement.names, DELIMITERS[delimiter], LINE_ENDINGS[line_ending]),
        )
        reply = Reply(200, job.head())
        self._jobs.start(job, self._extract(job))
        return reply

    async def _extract(self, job: QueryJob) -> None:
        """Write the result, giving way to other requests after every few thousand rows."""
        executor = self._org.executor
        pinned = executor.pin(job.statement)
        row_format = RowFormat(job.statement)
        job.state = "InProgress"
        try:
            for start in range(0, pinned.total, _ROWS_AT_A_TIME):
                job.result.append(row_format.rows(executor.stretch(pinned, start, _ROWS_AT_A_TIME)))
                job.processed = len(job.result)
                await asyncio.sleep(0)
            job.state = "JobComplete"
        finally:
            executor.unpin(pinned)

    def list_jobs(self, _call: Call) -> Reply:
        """All jobs that are still known."""
        return self._jobs.list_all()

    def show(self, call: Call) -> Reply:
        """State and progress."""
        return Reply(200, self._details(self._jobs.find(call)))

    def _details(self, job: QueryJob) -> dict[str, Any]:
        return job.details(self._org.clock.now()) | {"jobType": "V2Query", "isPkChunkingSupported": True}

    def abort(self, call: Call) -> Reply:
        """`{"state": "Aborted"}`."""
        job = self._jobs.find(call)
        if call.json_object().get("state") != "Aborted":
            raise ApiError("INVALIDJOBSTATE", "state: a query job can only be set to Aborted")
        self._jobs.abort(job)
        return Reply(200, self._details(job))

    def delete(self, call: Call) -> Reply:
        """Forget a finished job."""
        self._jobs.delete(self._jobs.find(call))
        return Reply(204)

    def results(self, call: Call) -> Reply:
        """A stretch of the result."""
        job = self._complete(call)
        number = _number(call, "maxRecords", DEFAULT_RECORDS)
        start = _position(call.query.get("locator"))
        if start and start >= len(job.result):
            raise ApiError("INVALID_LOCATOR", "invalid locator")
        following = start + number
        headers = {
            "Sforce-NumberOfRecords": str(min(number, len(job.result) - start)),
            "Sforce-Locator": _locator(following) if following < len(job.result) else "null",
        }
        empty = not len(job.result) and not self._org.switches.bulk_header_without_rows
        content = b"" if empty else job.result.read(start, number)
        return Reply(200, content, headers, "text/csv; charset=UTF-8")

    def result_pages(self, call: Call) -> Reply:
        """Where to get the stretches of the result, to load them in parallel."""
        job = self._complete(call)
        number = _number(call, "maxRecords", DEFAULT_RECORDS)
        first = _position(call.query.get("locator"))
        base = f"{call.base}/jobs/query/{job.id_}"
        starts = list(range(first, len(job.result), number))
        urls = [
            f"{base}/results?locator={_locator(start)}&maxRecords={number}"
            for start in starts[:_MOST_RESULT_URLS]
        ]
        more = starts[_MOST_RESULT_URLS:]
        following = f"{base}/resultPages?locator={_locator(more[0])}&maxRecords={number}" if more else None
        pages = [{"resultUrl": url} for url in urls]
        return Reply(200, {"resultPages": pages, "nextRecordsUrl": following, "done": not more})

    def _complete(self, call: Call) -> QueryJob:
        job = self._jobs.find(call)
        if job.version != call.version:
            raise ApiError("INVALID_VERSION", "use the API version the job was created with", status=409)
        if job.state != "JobComplete":
            reason = "has no results" if job.state in FINISHED else "is not complete yet"
            raise ApiError("INVALIDJOBSTATE", f"Job {job.id_} {reason}: {job.state}")
        return job


def _check_suitable(statement: Statement) -> None:
    """Refuse what bulk queries do not know (salesforce.md 5.1)."""
    shape = statement.shape
    if shape is None or statement.offset:
        raise ApiError("API_ERROR", "Bulk query does not support GROUP BY, aggregates or OFFSET")
    if shape.children:
        raise ApiError("API_ERROR", "Bulk query does not support child sub-queries")
    shapes = [shape]
    while shapes:
        each = shapes.pop()
        if each.addresses:
            raise ApiError(
                "API_ERROR", f"Bulk query does not support compound fields: {', '.join(each.addresses)}"
            )
        shapes += each.parents.values()


def _locator(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _position(locator: str | None) -> int:
    if not locator:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        raise not_found("invalid locator") from None


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise ApiError("INVALID_INPUT", f"{name}: a positive whole number is needed")
    return int(text)
