"""Two systems in a process of its own that hold any number of linked contacts, all in step, and answer nothing but the
lists of a sweep: rows are made when they are asked for, so a million of them costs no memory here. Started as

    python bench/crowd.py <number of contacts>

it prints its address and serves until it is stopped. Its answers have the form of the real ones (salesforce.md 4.1,
5.1; netsuite.md 4.1).
"""

from __future__ import annotations

import re
import sys

import orjson
from aiohttp import web

VERSION_SALESFORCE = "2026-11-01T08:00:00.000+0000"
VERSION_NETSUITE = "2026-11-01 08:00:00"
FIRST_NETSUITE = 1_000_000_000
CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(number: int) -> str:
    """A valid id of 18 characters; ids of greater numbers are greater."""
    return f"0035g{number:010}AAA"


def number_of(id_: str) -> int:
    return int(id_[5:15])


def netsuite_id(number: int) -> str:
    return str(FIRST_NETSUITE + number)


class Crowd:
    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = 0

    def app(self) -> web.Application:
        app = web.Application()
        version = "/services/data/v67.0"
        app.router.add_post("/services/oauth2/token", self.token)
        app.router.add_get(f"{version}/query", self.query)
        app.router.add_post(f"{version}/jobs/query", self.job)
        app.router.add_get(version + "/jobs/query/{id}", self.job)
        app.router.add_delete(version + "/jobs/query/{id}", self.job)
        app.router.add_get(version + "/jobs/query/{id}/results", self.results)
        app.router.add_post("/services/rest/query/v1/suiteql", self.suiteql)
        app.router.add_get("/calls", self.tell)
        return app

    async def token(self, request: web.Request) -> web.Response:
        origin = f"http://{request.host}"
        return web.json_response({"access_token": "t", "instance_url": origin, "id": f"{origin}/id/00D/005"})

    async def query(self, request: web.Request) -> web.Response:
        self.calls += 1
        statement = request.query["q"]
        if "COUNT()" in statement:
            return web.json_response({"totalSize": self.number, "done": True, "records": []})
        after = re.search(r"Id > '(\w+)'", statement)
        start = number_of(after.group(1)) + 1 if after else 0
        limit = int(statement.rpartition("LIMIT ")[2])
        records = [
            {
                "attributes": {"type": "Contact", "url": f"/services/data/v67.0/sobjects/Contact/{id_}"},
                "Id": id_,
                "LastModifiedDate": VERSION_SALESFORCE,
                "NetSuite_Id__c": netsuite_id(n),
                "Account": {"attributes": {"type": "Account"}, "NetSuite_Id__c": "800"},
            }
            for n in range(start, min(self.number, start + limit))
            if (id_ := salesforce_id(n))
        ]
        body = {"totalSize": len(records), "done": True, "records": records}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    async def job(self, _request: web.Request) -> web.Response:
        self.calls += 1
        return web.json_response({"id": "7505g0000000001AAA", "state": "JobComplete"})

    async def results(self, request: web.Request) -> web.Response:
        self.calls += 1
        start = int(request.query.get("locator", "0"))
        end = min(self.number, start + int(request.query["maxRecords"]))
        stamp = VERSION_SALESFORCE.replace("+0000", "Z")
        lines = ['"Id","LastModifiedDate","NetSuite_Id__c","Account.NetSuite_Id__c"']
        lines += [f'"{salesforce_id(n)}","{stamp}","{netsuite_id(n)}","800"' for n in range(start, end)]
        locator = str(end) if end < self.number else "null"
        headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(end - start)}
        return web.Response(text="\n".join(lines) + "\n", content_type="text/csv", headers=headers)

    async def suiteql(self, request: web.Request) -> web.Response:
        self.calls += 1
        statement = orjson.loads(await request.read())["q"]
        after = re.search(r"c\.id > (\d+)", statement)
        start = int(after.group(1)) - FIRST_NETSUITE + 1 if after else 0
        limit = int(request.query["limit"])
        items = [
            {
                "links": [],
                "id": netsuite_id(n),
                "externalid": f"SFC_{id_}",
                "custentity_twinbook_sf_id": id_,
                "version": VERSION_NETSUITE,
            }
            for n in range(start, min(self.number, start + limit))
            if (id_ := salesforce_id(n))
        ]
        body = {"links": [], "count": len(items), "hasMore": False, "items": items, "offset": 0}
        return web.Response(body=orjson.dumps(body), content_type="application/vnd.oracle.resource+json")

    async def tell(self, _request: web.Request) -> web.Response:
        return web.json_response({"calls": self.calls})


async def _announce(runner: web.AppRunner) -> None:
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    print(f"http://127.0.0.1:{port}", flush=True)


if __name__ == "__main__":
    import asyncio

    async def _serve() -> None:
        await _announce(web.AppRunner(Crowd(int(sys.argv[1])).app(), access_log=None))
        await asyncio.Event().wait()

    asyncio.run(_serve())
