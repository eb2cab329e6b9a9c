"""Query jobs of the Bulk API 2.0 (salesforce.md 5.1): the org works out a long list by itself, and it is fetched in
stretches. A job costs a few calls however long the list; its result is kept for seven days.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Final

from twinbook.domain.errors import PermanentError
from twinbook.salesforce.rest import SalesforceRest

NO_LOCATOR: Final = "null"
"""What the org writes as the locator after the last stretch."""

UNDERWAY: Final = frozenset({"UploadComplete", "InProgress"})
COMPLETE: Final = "JobComplete"


class JobLostError(Exception):
    """The job failed, was aborted, or is no longer known: its list has to be made in another way."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows of a result, in the order of the columns asked for; empty texts stand for empty fields. `locator`
    leads to the following stretch, None after the last."""

    rows: list[list[str]]
    locator: str | None


class BulkQuery:
    """Jobs over the REST client of an org."""

    def __init__(self, rest: SalesforceRest) -> None:
        self._rest = rest

    async def start(self, statement: str) -> str:
        """Have the org work out a statement; the id of the job. No ORDER BY and no LIMIT: they would keep the org from
        working on parts side by side."""
        asked = {"operation": "query", "query": statement, "contentType": "CSV"}
        answer = await self._rest.send("POST", "/jobs/query", json=asked)
        return str(answer.json()["id"])

    async def is_complete(self, job: str) -> bool:
        """Whether the result can be fetched. Raises `JobLostError` when there will be none."""
        try:
            state = (await self._rest.send("GET", f"/jobs/query/{job}")).json()["state"]
        except PermanentError as error:
            raise JobLostError(str(error)) from error
        if state not in UNDERWAY and state != COMPLETE:
            raise JobLostError(f"job {job} ended with {state}")
        return bool(state == COMPLETE)

    async def stretch(self, job: str, locator: str | None, size: int) -> Stretch:
        """Rows of a complete job, from `locator` on (None: from the first). Raises `JobLostError` when the result is
        no longer kept."""
        params = {"maxRecords": str(size)} | ({"locator": locator} if locator else {})
        try:
            answer = await self._rest.send("GET", f"/jobs/query/{job}/results", params=params)
        except PermanentError as error:
            raise JobLostError(str(error)) from error
        following = answer.headers.get("Sforce-Locator", NO_LOCATOR)
        lines = csv.reader(io.StringIO(answer.text(), newline=""))
        next(lines, None)
        return Stretch(list(lines), None if following == NO_LOCATOR else following)

    async def forget(self, job: str) -> None:
        """Delete a job whose result was fetched. One that is gone already counts as deleted."""
        try:
            await self._rest.send("DELETE", f"/jobs/query/{job}")
        except PermanentError:
            return
