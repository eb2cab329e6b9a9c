"""The REST API of an org: one authorised call at a time, paging, collections, limits (salesforce.md 4).

    TemporaryError  UNEXPECTED_RESPONSE  a success that is no JSON, such as a proxy's own page
    PermanentError  TOO_MANY_PAGES       a query that does not end

All other errors come from `twinbook.salesforce.errors` and `twinbook.http`. A call that is refused for its token
is sent once more with a new one; nothing else is repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import Allowance, Failed, WriteResult, Written
from twinbook.domain.versions import SETTLED_AFTER_S, version_seen
from twinbook.http import Http, HttpResponse
from twinbook.salesforce import soql
from twinbook.salesforce.auth import Token, TokenProvider
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.errors import from_record, from_response

Row = Mapping[str, Any]

COLLECTION_LIMIT: Final = 200
MAX_PAGES: Final = 500
_API_USAGE: Final = re.compile(r"api-usage=(\d+)/(\d+)")


API_REQUESTS: Final = "DailyApiRequests"
"""The org's own name of its requests in the last 24 hours (salesforce.md 4.6)."""


class SalesforceRest:
    """The org behind a token. `usage` is what the latest answer said of the org's daily requests."""

    def __init__(self, http: Http, tokens: TokenProvider, config: SalesforceConfig) -> None:
        self.usage: Allowance | None = None
        self._http = http
        self._tokens = tokens
        self._base = f"/services/data/v{config.api_version}"
        self._headers = {
            "Accept": "application/json",
            "Sforce-Call-Options": f"client={config.client_name}",
            "Sforce-Query-Options": "batchSize=2000",
            "Sforce-Auto-Assign": "FALSE",
            "Sforce-Mru": "updateMru=false",
        }
        if config.save_past_duplicate_alerts:
            self._headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"

    async def query(self, statement: str, *, version: str | None = None) -> list[Row]:
        """All rows of a statement, live records only. `version` is the column that is to be made a version of: it is
        marked where it is too young to tell of the next edit."""
        return await self._rows(f"{self._base}/query", statement, version)

    async def query_all(self, statement: str, *, version: str | None = None) -> list[Row]:
        """Like `query`, with the records in the recycle bin."""
        return await self._rows(f"{self._base}/queryAll", statement, version)

    async def count(self, sobject: str) -> int:
        """The number of live records."""
        statement = soql.select(("COUNT()",), sobject)
        answer = await self._json("GET", f"{self._base}/query", {"q": statement})
        return int(answer["totalSize"])

    async def update(self, sobject: str, changes: Mapping[str, Row]) -> Mapping[str, WriteResult]:
        """Change fields of ≤ 200 records by id in one call; one result each."""
        records = [{"attributes": {"type": sobject}, "id": id_, **fields} for id_, fields in changes.items()]
        return await self._collection(f"{self._base}/composite/sobjects", changes, records)

    async def upsert(
        self, sobject: str, external_id: str, records: Mapping[str, Row]
    ) -> Mapping[str, WriteResult]:
        """Create or change ≤ 200 records by the value of an external id field in one call; one result each."""
        sent = [
            {"attributes": {"type": sobject}, **fields, external_id: value}
            for value, fields in records.items()
        ]
        return await self._collection(
            f"{self._base}/composite/sobjects/{sobject}/{external_id}", records, sent
        )

    async def delete(self, ids: Sequence[str]) -> Mapping[str, WriteResult]:
        """Put ≤ 200 records into the recycle bin; one result each."""
        params = {"ids": ",".join(ids), "allOrNone": "false"}
        answer = await self._json("DELETE", f"{self._base}/composite/sobjects", params)
        return _results(ids, answer)

    async def describe(self, sobject: str) -> Row:
        """The metadata of an object as the integration user sees it."""
        answer: Row = await self._json("GET", f"{self._base}/sobjects/{sobject}/describe")
        return answer

    async def layouts(self, sobject: str, record_type: str | None = None) -> Row:
        """The page layouts of an object for the integration user's profile, or the one of a record type."""
        path = f"{self._base}/sobjects/{sobject}/describe/layouts"
        answer: Row = await self._json("GET", path if record_type is None else f"{path}/{record_type}")
        return answer

    async def limits(self) -> Mapping[str, Mapping[str, int]]:
        """The org's limits: name → `Max` and `Remaining`."""
        answer: Mapping[str, Mapping[str, int]] = await self._json("GET", f"{self._base}/limits")
        return answer

    async def versions(self) -> list[str]:
        """The API versions that the org serves, such as `67.0`."""
        return [str(each["version"]) for each in await self._json("GET", "/services/data/")]

    async def login(self) -> Token:
        """The token in use: who we are, and where."""
        return await self._tokens.token()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
    ) -> HttpResponse:
        """One call below the API version's path, for what is not answered in JSON."""
        return await self._call(method, self._base + path, params, json)

    async def _rows(self, path: str, statement: str, version: str | None) -> list[Row]:
        """A dead locator starts the statement over once: a new token may have ended its session (1.6)."""
        try:
            return await self._statement(path, statement, version)
        except TemporaryError as error:
            if error.code != "INVALID_QUERY_LOCATOR":
                raise
        return await self._statement(path, statement, version)

    async def _statement(self, path: str, statement: str, version: str | None) -> list[Row]:
        response = await self._call("GET", path, {"q": statement}, None)
        rows = await self._pages(_parsed(response))
        return rows if version is None else [_with_version(row, version, response) for row in rows]

    async def _pages(self, page: Row) -> list[Row]:
        rows: list[Row] = []
        for _ in range(MAX_PAGES):
            rows += [await self._whole(row, cut) if (cut := _cut(row)) else row for row in page["records"]]
            if page["done"]:
                return rows
            page = await self._json("GET", str(page["nextRecordsUrl"]))
        raise PermanentError(
            "TOO_MANY_PAGES",
            f"a query did not end after {MAX_PAGES} pages",
            remedy="This is a defect: please report it.",
        )

    async def _whole(self, row: Row, cut: Iterable[str]) -> Row:
        return {**row, **{name: {"records": await self._pages(row[name])} for name in cut}}

    async def _collection(
        self, path: str, asked: Mapping[str, Row], records: Sequence[Row]
    ) -> Mapping[str, WriteResult]:
        if not records:
            return {}
        if len(records) > COLLECTION_LIMIT:
            raise ValueError(f"{len(records)} records in one call; at most {COLLECTION_LIMIT} are allowed")
        answer = await self._json("PATCH", path, json={"allOrNone": False, "records": records})
        return _results(asked, answer)

    async def _json(
        self, method: str, path: str, params: Mapping[str, str] | None = None, json: object | None = None
    ) -> Any:
        return _parsed(await self._call(method, path, params, json))

    async def _call(
        self, method: str, path: str, params: Mapping[str, str] | None, json: object | None
    ) -> HttpResponse:
        token = await self._tokens.token()
        response = await self._send(token, method, path, params, json)
        if response.status == 401:
            self._tokens.invalidate(token)
            response = await self._send(await self._tokens.token(), method, path, params, json)
        if response.status >= 300:
            raise from_response(method, response)
        return response

    async def _send(
        self, token: Token, method: str, path: str, params: Mapping[str, str] | None, json: object | None
    ) -> HttpResponse:
        headers = {**self._headers, "Authorization": f"Bearer {token.value}"}
        url = token.instance_url + path
        response = await self._http.request(method, url, headers=headers, params=params, json=json)
        usage = _API_USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if usage:
            self.usage = Allowance(API_REQUESTS, int(usage[1]), int(usage[2]))
        return response


def _parsed(response: HttpResponse) -> Any:
    try:
        return response.json()
    except ValueError as problem:
        raise TemporaryError(
            "UNEXPECTED_RESPONSE", f"a success with status {response.status} that is no JSON"
        ) from problem


def _with_version(row: Row, column: str, first_page: HttpResponse) -> Row:
    """The moment when the org began to work on the statement is at least as late as the time of its answer, less what
    the call took."""
    answered = first_page.answered_at
    settled = None if answered is None else answered - first_page.seconds - SETTLED_AFTER_S
    changed = datetime.fromisoformat(row[column]).timestamp()
    return {**row, column: version_seen(row[column], is_open=settled is None or changed >= settled)}


def _cut(row: Row) -> list[str]:
    """The child relationships of which the row holds only a first part."""
    return [name for name, value in row.items() if type(value) is dict and value.get("done") is False]


def _results(asked: Iterable[str], answer: Sequence[Row]) -> dict[str, WriteResult]:
    """Results stand in the order of the request (salesforce.md 4.3)."""
    return {
        key: Written(result["id"]) if result["success"] else Failed(from_record(result["errors"]))
        for key, result in zip(asked, answer, strict=True)
    }
