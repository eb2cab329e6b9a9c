"""Bulk API 2.0 ingest jobs (salesforce.md 5.2): records written from a CSV, in the background."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from twinbook_sandbox.salesforce.api import Call, Reply, Resource, actor_of, find_object
from twinbook_sandbox.salesforce.bulk_csv import DELIMITERS, LINE_ENDINGS, CsvFile, choice
from twinbook_sandbox.salesforce.bulk_jobs import BulkJob, JobBook
from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.schema import Field, ObjectSchema
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.values import from_csv
from twinbook_sandbox.salesforce.work import Actor, SaveResult, UnitOfWork
from twinbook_sandbox.salesforce.writes import (
    Record,
    Upsert,
    Write,
    delete_record,
    hard_delete_record,
    insert_record,
    update_record,
)

_RECORDS_AT_A_TIME = 200
_LONGEST_HEADER = 32_000
_LARGEST_UPLOAD = 100 * 1024 * 1024
_WRITES: dict[str, Write] = {
    "insert": insert_record,
    "update": update_record,
    "delete": delete_record,
    "hardDelete": hard_delete_record,
}
_RESULTS = {
    "successfulResults": ("sf__Id", "sf__Created"),
    "failedResults": ("sf__Id", "sf__Error"),
    "unprocessedrecords": (),
}


@dataclass(slots=True, kw_only=True)
class IngestJob(BulkJob):
    """An ingest job with its upload and its results."""

    write: Write
    key: str | None
    actor: Actor
    upload: bytes | None = None
    failed: int = 0
    results: dict[str, CsvFile] = field(default_factory=dict)

    def close(self) -> None:
        for each in self.results.values():
            each.close()


class BulkIngestResources:
    """Ingest jobs."""

    def __init__(self, org: OrgState) -> None:
        self._org = org
        self._jobs: JobBook[IngestJob] = JobBook(org, OrderedDict())

    def resources(self) -> list[Resource]:
        jobs, job = "/jobs/ingest", "/jobs/ingest/{id}"
        return [
            Resource("POST", jobs, self.create, "bulk.ingest.create"),
            Resource("GET", jobs, self.list_jobs, "bulk.ingest.list"),
            Resource("GET", job, self.show, "bulk.ingest.status"),
            Resource("PATCH", job, self.change_state, "bulk.ingest.state"),
            Resource("DELETE", job, self.delete, "bulk.ingest.delete"),
            Resource("PUT", job + "/batches", self.upload, "bulk.ingest.upload"),
            *(
                Resource("GET", f"{job}/{name}", self._result_reader(name), "bulk.ingest.results")
                for name in _RESULTS
            ),
        ]

    def close_all(self) -> None:
        """Forget all jobs."""
        self._jobs.close_all()

    def create(self, call: Call) -> Reply:
        """Open a job."""
        body = call.json_object()
        schema = find_object(self._org, str(body.get("object") or ""))
        operation = str(body.get("operation"))
        if operation not in (*_WRITES, "upsert"):
            raise ApiError("INVALIDJOB", f"operation: choose one of {', '.join((*_WRITES, 'upsert'))}")
        key = _key_field(schema, body) if operation == "upsert" else None
        job = IngestJob(
            id_=self._jobs.new_id(),
            operation=operation,
            object_=schema.name,
            created_by=call.session.user_id,
            created_at=self._org.clock.now(),
            version=call.version,
            state="Open",
            column_delimiter=choice(body, "columnDelimiter", DELIMITERS, "COMMA"),
            line_ending=choice(body, "lineEnding", LINE_ENDINGS, "LF"),
            write=Upsert(key) if key else _WRITES[operation],
            key=key.name if key else None,
            actor=actor_of(self._org, call, self._org.switches.bulk_origin),
        )
        self._jobs.add(job)
        return Reply(200, self._head(job))

    def _head(self, job: IngestJob) -> dict[str, Any]:
        url = f"services/data/v{job.version}.0/jobs/ingest/{job.id_}/batches"
        return job.head() | {"contentUrl": url} | ({"externalIdFieldName": job.key} if job.key else {})

    def list_jobs(self, _call: Call) -> Reply:
        """All jobs that are still known."""
        return self._jobs.list_all()

    def show(self, call: Call) -> Reply:
        """State and progress."""
        job = self._jobs.find(call)
        more = {"jobType": "V2Ingest", "numberRecordsFailed": job.failed, "apexProcessingTime": 0}
        return Reply(200, self._head(job) | job.details(self._org.clock.now()) | more)

    def upload(self, call: Call) -> Reply:
        """Take the CSV: 201."""
        job = self._jobs.find(call)
        if job.state != "Open" or job.upload is not None:
            raise ApiError(
                "INVALIDJOBSTATE", f"Found multiple contents for job: {job.id_}, or it is not open"
            )
        if len(call.body) > _LARGEST_UPLOAD:
            raise ApiError("INVALIDJOB", "The upload is larger than 100 MB: split it into several jobs")
        job.upload = call.body
        return Reply(201)

    def change_state(self, call: Call) -> Reply:
        """`UploadComplete` starts the job, `Aborted` ends it."""
        job = self._jobs.find(call)
        state = call.json_object().get("state")
        if state == "Aborted":
            self._jobs.abort(job)
        elif state == "UploadComplete" and job.state == "Open":
            job.state = "UploadComplete"
            self._jobs.start(job, self._ingest(job))
        else:
            raise ApiError("INVALIDJOBSTATE", f"state: {state} is not possible while the job is {job.state}")
        return Reply(200, self._head(job))

    def delete(self, call: Call) -> Reply:
        """Forget a finished job."""
        self._jobs.delete(self._jobs.find(call))
        return Reply(204)

    async def _ingest(self, job: IngestJob) -> None:
        """Write the records, 200 in a transaction, giving way to other requests in between."""
        reader = _csv_reader(job)
        header = next(reader, [])
        if len(",".join(header)) > _LONGEST_HEADER:
            raise ApiError("InvalidBatch", f"the header is longer than {_LONGEST_HEADER} characters")
        columns = [_Column(self._org.visible, job.object_, name) for name in header]
        job.results = {
            name: CsvFile((*own, *header), DELIMITERS[job.column_delimiter], LINE_ENDINGS[job.line_ending])
            for name, own in _RESULTS.items()
        }
        job.state, job.upload = "InProgress", None
        while lines := list(islice(reader, _RECORDS_AT_A_TIME)):
            self._write(job, columns, [line for line in lines if line])
            await asyncio.sleep(0)
        job.state = "JobComplete"

    def _write(self, job: IngestJob, columns: Sequence[_Column], lines: Sequence[list[str]]) -> None:
        with self._org.records.unit_of_work(job.actor) as work:
            results = [_write_line(work, job, columns, line) for line in lines]
        for line, result in zip(lines, results, strict=True):
            if result.success:
                created = result.created if result.created is not None else job.operation == "insert"
                row = (result.id_, "true" if created else "false", *line)
                job.results["successfulResults"].append([row])
            else:
                row = (result.id_ or "", _error_text(result), *line)
                job.results["failedResults"].append([row])
                job.failed += 1
        job.processed += len(lines)

    def _result_reader(self, name: str) -> Any:
        def read(call: Call) -> Reply:
            found = self._jobs.find(call).results.get(name)
            content = found.read(0, len(found)) if found else b""
            return Reply(200, content, {}, "text/csv; charset=UTF-8")

        return read


class _Column:
    """A column of the upload: a field, or an external id of a parent such as `Account.NetSuite_Id__c`."""

    def __init__(self, objects: Any, entity: str, name: str) -> None:
        schema: ObjectSchema = objects[entity]
        relation, _, key = name.rpartition(".")
        reference = schema.reference_by_relationship(relation) if relation else None
        self.relation = relation or None
        owner = objects[reference.reference_to] if reference and reference.reference_to else schema
        found: Field | None = owner.field(key)
        if found is None or (relation and reference is None):
            raise ApiError("InvalidBatch", f"Field name not found : {name}")
        self.field = found

    def put(self, record: Record, text: str) -> None:
        """Put a cell into a record: empty cells are left out. Raises RefusedError."""
        if not text:
            return
        value = from_csv(self.field, text)
        if self.relation is None:
            record[self.field.name] = value
        else:
            record[self.relation] = None if value is None else {self.field.name: value}


def _csv_reader(job: IngestJob) -> Iterator[list[str]]:
    try:
        text = (job.upload or b"").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError("InvalidBatch", f"the upload is not UTF-8: {error}") from None
    return csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.column_delimiter])


def _write_line(
    work: UnitOfWork, job: IngestJob, columns: Sequence[_Column], line: Sequence[str]
) -> SaveResult:
    def write() -> SaveResult:
        record: Record = {}
        for column, text in zip(columns, line, strict=False):
            column.put(record, text)
        return job.write(work, job.object_, record)

    ids: Iterator[str] = (
        text for column, text in zip(columns, line, strict=False) if column.field.name == "Id"
    )
    return work.attempt(write, next(ids, None))


def _key_field(schema: ObjectSchema, body: dict[str, Any]) -> Field:
    name = str(body.get("externalIdFieldName") or "")
    found = schema.field(name)
    if found is None or not (found.id_lookup or found.external_id or found.name == "Id"):
        raise ApiError(
            "INVALIDJOB", f"externalIdFieldName: {name or 'it'} is no external id of {schema.name}"
        )
    return found


def _error_text(result: SaveResult) -> str:
    first = result.problems[0]
    return f"{first.code}:{first.message}:{' '.join(first.fields)} --"
