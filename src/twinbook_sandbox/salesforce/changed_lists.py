"""Which records were deleted or updated in a span of time (salesforce.md 4.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from twinbook_sandbox.salesforce.api import Call, Reply, Resource, find_object
from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.storage import DELETED_AT
from twinbook_sandbox.salesforce.times import datetime_text, parse_datetime

_DELETED_DAYS = 15
_UPDATED_DAYS = 30
MOST_IDS = 600_000


class ChangedListResources:
    """The `deleted` and `updated` lists of an object."""

    def __init__(self, org: OrgState) -> None:
        self._org = org

    def resources(self) -> list[Resource]:
        return [
            Resource("GET", "/sobjects/{object}/deleted", self.deleted, "deleted"),
            Resource("GET", "/sobjects/{object}/updated", self.updated, "updated"),
        ]

    def deleted(self, call: Call) -> Reply:
        """Records that went to the recycle bin."""
        schema, start, end = self._span(call, _DELETED_DAYS)
        rows = self._between(schema, f'"IsDeleted"=1 AND "{DELETED_AT}"', DELETED_AT, start, end)
        return Reply(
            200,
            {
                "deletedRecords": [{"id": id_, "deletedDate": moment} for id_, moment in rows],
                "earliestDateAvailable": datetime_text(self._org.clock.now() - timedelta(days=_DELETED_DAYS)),
                "latestDateCovered": datetime_text(end),
            },
        )

    def updated(self, call: Call) -> Reply:
        """Records that were created or changed, and are live."""
        schema, start, end = self._span(call, _UPDATED_DAYS)
        rows = self._between(schema, '"IsDeleted"=0 AND "SystemModstamp"', "SystemModstamp", start, end)
        if len(rows) > MOST_IDS:
            raise ApiError("EXCEEDED_ID_LIMIT", f"more than {MOST_IDS} ids: choose a shorter span")
        return Reply(200, {"ids": [id_ for id_, _ in rows], "latestDateCovered": datetime_text(end)})

    def _between(
        self, schema: ObjectSchema, condition: str, moment: str, start: datetime, end: datetime
    ) -> list[Any]:
        sql = (
            f'SELECT "Id", "{moment}" FROM "{schema.name}" WHERE {condition}>=? AND "{moment}"<? '  # noqa: S608
            f'ORDER BY "{moment}", "Id" LIMIT {MOST_IDS + 1}'
        )
        return self._org.storage.select(sql, (datetime_text(start), datetime_text(end))).fetchall()

    def _span(self, call: Call, days: int) -> tuple[ObjectSchema, datetime, datetime]:
        schema = find_object(self._org, call.path["object"])
        if schema.field("IsDeleted") is None:
            raise ApiError("INVALID_TYPE", f"{schema.name} is not replicateable")
        moments = []
        for name in ("start", "end"):
            try:
                moments.append(parse_datetime(call.query[name].replace(" ", "+")))
            except (KeyError, ValueError):
                raise ApiError("INVALID_REPLICATION_DATE", f"{name}: an ISO datetime is needed") from None
        now = self._org.clock.now()
        start, end = moments[0], min(moments[1], now.replace(microsecond=0))
        if start >= moments[1]:
            raise ApiError("INVALID_REPLICATION_DATE", "end date must be after start date")
        if start < now - timedelta(days=days):
            raise ApiError("INVALID_REPLICATION_DATE", f"startDate before {days} days ago")
        return schema, start, max(start, end)
