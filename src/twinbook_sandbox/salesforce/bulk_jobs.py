"""What query and ingest jobs have in common: their description, their life, and how many are kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from twinbook_sandbox.salesforce.api import Call, Reply
from twinbook_sandbox.salesforce.errors import ApiError, not_found
from twinbook_sandbox.salesforce.ids import make_id, normalise
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.times import datetime_text

FINISHED = ("JobComplete", "Failed", "Aborted")
_KEPT_DAYS = 7
_MOST_JOBS = 50


@dataclass(slots=True, kw_only=True)
class BulkJob:
    """A job as it stands."""

    id_: str
    operation: str
    object_: str
    created_by: str
    created_at: datetime
    version: int
    state: str
    column_delimiter: str
    line_ending: str
    processed: int = 0
    error_message: str | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def head(self) -> dict[str, Any]:
        """The description that creating a job answers with."""
        moment = datetime_text(self.created_at)
        return {
            "id": self.id_,
            "operation": self.operation,
            "object": self.object_,
            "createdById": self.created_by,
            "createdDate": moment,
            "systemModstamp": moment,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.column_delimiter,
        }

    def details(self, now: datetime) -> dict[str, Any]:
        """The description with progress."""
        more: dict[str, Any] = {
            "numberRecordsProcessed": self.processed,
            "retries": 0,
            "totalProcessingTime": int((now - self.created_at).total_seconds() * 1000),
        }
        if self.error_message:
            more["errorMessage"] = self.error_message
        return self.head() | more

    def close(self) -> None:
        """Let go of the files."""


Job = TypeVar("Job", bound=BulkJob)


class JobBook(Generic[Job]):
    """The jobs of one kind. Old ones are forgotten, after seven days or when there are too many."""

    def __init__(self, org: OrgState, jobs: OrderedDict[str, Job]) -> None:
        self._org = org
        self._jobs = jobs

    def new_id(self) -> str:
        return make_id("750", self._org.storage.next_serial("_jobs"))

    def add(self, job: Job) -> None:
        """Keep a job that waits for its data."""
        expired = self._org.clock.now() - timedelta(days=_KEPT_DAYS)
        while self._jobs and (
            len(self._jobs) >= _MOST_JOBS or next(iter(self._jobs.values())).created_at < expired
        ):
            self._forget(next(iter(self._jobs.values())))
        self._jobs[job.id_] = job

    def start(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        """Keep a job and run its work in the background."""
        if job.id_ not in self._jobs:
            self.add(job)
        job.task = asyncio.get_running_loop().create_task(self._run(job, work))

    async def _run(self, job: Job, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ApiError as error:
            job.state, job.error_message = "Failed", f"{error.code} : {error.message}"
        except Exception as error:
            job.state, job.error_message = "Failed", f"InternalServerError : {error}"
            raise

    def find(self, call: Call) -> Job:
        """The job of a path. Raises ApiError(NOT_FOUND)."""
        job = self._jobs.get(normalise(call.path["id"]) or "")
        if job is None:
            raise not_found()
        return job

    def list_all(self) -> Reply:
        records = [job.head() for job in self._jobs.values()]
        return Reply(200, {"done": True, "records": records, "nextRecordsUrl": None})

    def abort(self, job: Job) -> None:
        """Stop a job that has not finished. Raises ApiError."""
        if job.state in FINISHED:
            raise ApiError("INVALIDJOBSTATE", f"Aborting already {job.state} Job not allowed")
        job.state = "Aborted"
        if job.task:
            job.task.cancel()

    def delete(self, job: Job) -> None:
        """Forget a finished job. Raises ApiError."""
        if job.state not in FINISHED:
            raise ApiError(
                "INVALIDJOBSTATE", f"Deleting a job that is {job.state} is not allowed: abort it first"
            )
        self._forget(job)

    def close_all(self) -> None:
        for job in list(self._jobs.values()):
            self._forget(job)

    def _forget(self, job: Job) -> None:
        if job.task:
            job.task.cancel()
        del self._jobs[job.id_]
        job.close()
