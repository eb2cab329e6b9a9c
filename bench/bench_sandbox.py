"""How fast the sandbox itself answers, without emulated latency, and what memory it takes.

Goals: a page of 1,000 rows within 25 ms, an update of 200 records within 60 ms, a Bulk query of 100,000 rows within
6 s. Times are those of a client in another process, from the request to the last byte of the answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import orjson

from figures import Table, publish, spread
from stage import Api, Stage, resident_mb, stage

DATA = "/services/data/v67.0"
BULK_ROWS = 100_000
CONTACT_COLUMNS = (
    "Id, FirstName, LastName, Email, Phone, Title, AccountId, Account.Name, Account.NetSuite_Id__c, "
    "NetSuite_Id__c, MailingStreet, MailingCity, MailingPostalCode, MailingCountry, SystemModstamp"
)
SUITEQL = (
    "SELECT c.id, c.externalid, c.firstname, c.lastname, c.email, c.phone, c.title, c.company, c.isinactive, "
    "c.custentity_twinbook_sf_id, TO_CHAR(c.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS version, "
    "k.id AS customerid FROM contact c LEFT JOIN customer k ON k.id = c.company ORDER BY c.id"
)


@dataclass(slots=True)
class Measured:
    """One kind of call: milliseconds of each, and what they should be at most."""

    what: str
    goal_ms: float
    times: int
    call: Callable[[], Awaitable[None]]
    samples: list[float] = field(default_factory=list)

    async def measure(self) -> None:
        await self.call()
        for _ in range(self.times):
            began = time.perf_counter()
            await self.call()
            self.samples.append((time.perf_counter() - began) * 1000)

    def row(self) -> tuple[str, ...]:
        return self.what, f"{self.goal_ms:,.0f}", spread(self.samples, 1), str(len(self.samples))


async def main() -> None:
    memory = []
    async with stage() as empty:
        memory.append((0, resident_mb(empty.sandbox)))
    async with stage(accounts=2_000, contacts=20_000) as ready:
        memory.append((20_000, resident_mb(ready.sandbox)))
        measured = await _calls(ready)
        for item in measured:
            await item.measure()
    async with stage(accounts=10_000, contacts=BULK_ROWS) as large:
        memory.append((BULK_ROWS, resident_mb(large.sandbox)))
        deep = _suiteql(large.netsuite_api, offset=9_000)
        late = Measured("SuiteQL, page 10 of a larger data set", 25, 30, deep)
        bulk = Measured("Bulk query, 100,000 rows", 6_000, 3, lambda: _bulk(large.salesforce_api))
        for item in (late, bulk):
            await item.measure()
        memory.append((BULK_ROWS, resident_mb(large.sandbox)))
    measured += [late, bulk]
    publish(
        "sandbox",
        [
            Table(
                "The sandbox's answers, ms",
                ("call", "goal", "median (min-max)", "runs"),
                tuple(item.row() for item in measured),
            ),
            _memory_table(memory),
        ],
        {item.what: item.samples for item in measured},
    )


async def _calls(ready: Stage) -> list[Measured]:
    found = orjson.loads(await _query(ready.salesforce_api, "SELECT Id FROM Contact ORDER BY Id LIMIT 200"))
    ids = [row["Id"] for row in found["records"]]
    page = f"SELECT {CONTACT_COLUMNS} FROM Contact ORDER BY Id LIMIT 1000"  # noqa: S608
    among = f"SELECT {CONTACT_COLUMNS} FROM Contact WHERE Id IN ({','.join(map(repr, ids))})"  # noqa: S608

    async def soql(statement: str, rows: int) -> None:
        answer = orjson.loads(await _query(ready.salesforce_api, statement))
        assert len(answer["records"]) == rows

    return [
        Measured("SuiteQL, page of 1,000 contacts", 25, 50, _suiteql(ready.netsuite_api, offset=0)),
        Measured("SOQL, page of 1,000 contacts", 25, 50, lambda: soql(page, 1000)),
        Measured("SOQL, 200 contacts by id", 25, 50, lambda: soql(among, 200)),
        Measured("Collections, update of 200 contacts", 60, 30, _update(ready.salesforce_api, ids, count())),
    ]


def _query(api: Api, statement: str) -> Awaitable[bytes]:
    return api.call("GET", f"{DATA}/query", params={"q": statement})


def _suiteql(api: Api, *, offset: int) -> Callable[[], Awaitable[None]]:
    params = {"limit": "1000", "offset": str(offset)}

    async def page() -> None:
        response = await api.http.request(
            "POST",
            f"{api.base_url}/services/rest/query/v1/suiteql",
            headers={"Authorization": api.login, "Prefer": "transient"},
            params=params,
            json={"q": SUITEQL},
        )
        assert len(response.json()["items"]) == 1000

    return page


def _update(api: Api, ids: list[str], turn: Iterator[int]) -> Callable[[], Awaitable[None]]:
    async def update() -> None:
        title = f"Analyst {next(turn)}"
        records = [{"attributes": {"type": "Contact"}, "id": id_, "Title": title} for id_ in ids]
        answer = await api.call(
            "PATCH", f"{DATA}/composite/sobjects", json={"allOrNone": False, "records": records}
        )
        assert all(result["success"] for result in orjson.loads(answer))

    return update


async def _bulk(api: Api) -> None:
    """From the order to the last row, asking every 20 ms whether it is done."""
    jobs = f"{DATA}/jobs/query"
    order = {"operation": "query", "query": f"SELECT {CONTACT_COLUMNS} FROM Contact"}  # noqa: S608
    job = orjson.loads(await api.call("POST", jobs, json=order))["id"]
    while orjson.loads(await api.call("GET", f"{jobs}/{job}"))["state"] != "JobComplete":  # noqa: ASYNC110 -- as clients do
        await asyncio.sleep(0.02)
    rows, locator = 0, ""
    while locator != "null":
        params = {"maxRecords": "50000"} | ({"locator": locator} if locator else {})
        response = await api.http.request(
            "GET",
            f"{api.base_url}{jobs}/{job}/results",
            headers={"Authorization": api.login},
            params=params,
        )
        rows += int(response.headers["Sforce-NumberOfRecords"])
        locator = response.headers["Sforce-Locator"]
    assert rows == BULK_ROWS


def _memory_table(memory: list[tuple[int, float]]) -> Table:
    empty = memory[0][1]
    rows = [
        (
            f"{contacts:,}",
            f"{used:,.0f}",
            f"{(used - empty) * 1000 / contacts:.1f}" if contacts else "",
        )
        for contacts, used in memory
    ]
    rows[-1] = (f"{rows[-1][0]}, after the queries", *rows[-1][1:])
    return Table(
        "The sandbox's resident memory", ("contacts in Salesforce", "MB", "kB per contact"), tuple(rows)
    )


if __name__ == "__main__":
    asyncio.run(main())
