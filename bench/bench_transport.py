"""Calls per contact over REST and through the RESTlet: a first sync, and updates that come in as change events.

Counted are all calls of each side, also those that poll, list and describe; logins are left out. The goals: at most
0.05 NetSuite calls a contact in bulk through the RESTlet, at most 0.02 Salesforce calls. With arguments: one transport,
fewer contacts (`bench_transport.py restlet 1000`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from figures import Table, publish
from stage import COLLECTION, Stage, stage
from twinbook.packaged import folder

TRANSPORTS = ("rest", "restlet")
CONTACTS = 10_000
UPDATES = 1_000
PER_ACCOUNT = 5
PATIENCE_SECONDS = 600.0
QUIET_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """What was done, over which transport, how long it took, and the calls of each side by kind."""

    what: str
    transport: str
    contacts: int
    seconds: float
    salesforce: Mapping[str, int]
    netsuite: Mapping[str, int]


async def main() -> None:
    number = next((int(argument) for argument in sys.argv[1:] if argument.isdecimal()), CONTACTS)
    chosen = [transport for transport in TRANSPORTS if transport in sys.argv] or TRANSPORTS
    found = [work for transport in chosen for work in await _works(transport, number)]
    publish("transport", [_table(found)], [asdict(work) for work in found])


async def _works(transport: str, number: int) -> Sequence[Work]:
    settings = {"TWINBOOK_CONNECTIONS__DEFAULT__NETSUITE__TRANSPORT": transport}
    print(f"{number:,} contacts over {transport} …", file=sys.stderr)
    async with stage() as ready:
        await ready.netsuite.act("deploy_project", path=str(folder("netsuite")))
        people = await ready.people(number, accounts=max(1, number // PER_ACCOUNT))
        await ready.reset_counters()
        used = await ready.twinbook("backfill", "--json", settings=settings)
        assert await ready.netsuite.count("contact") == number
        first = await _work(ready, "first sync", transport, number, used.seconds)
        with ready.running(settings):
            await asyncio.sleep(QUIET_SECONDS)
            await ready.reset_counters()
            seconds = await _updated(ready, people[:UPDATES])
            await asyncio.sleep(QUIET_SECONDS)
            return first, await _work(ready, "updates", transport, min(UPDATES, number), seconds)


async def _updated(ready: Stage, people: Sequence[str]) -> float:
    """Somebody changes all of these in Salesforce; how long it takes until the last one is in NetSuite."""
    began = time.perf_counter()
    for start in range(0, len(people), COLLECTION):
        changed = [
            {"attributes": {"type": "Contact"}, "id": id_, "Title": "Countess"}
            for id_ in people[start : start + COLLECTION]
        ]
        path = "/services/data/v67.0/composite/sobjects"
        await ready.salesforce_api.call("PATCH", path, json={"allOrNone": True, "records": changed})
    while len(await ready.netsuite.records("contact", {"title": "Countess"}, limit=10_000)) < len(people):
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise RuntimeError("the updates never arrived in NetSuite")
        await asyncio.sleep(0.25)
    return time.perf_counter() - began


async def _work(ready: Stage, what: str, transport: str, contacts: int, seconds: float) -> Work:
    calls = [
        {kind: count["calls"] for kind, count in (await side.counters())["kinds"].items() if kind != "token"}
        for side in (ready.salesforce, ready.netsuite)
    ]
    return Work(what, transport, contacts, seconds, *calls)


def _table(found: Sequence[Work]) -> Table:
    rows = []
    for work in found:
        for side, calls in (("Salesforce", work.salesforce), ("NetSuite", work.netsuite)):
            total = sum(calls.values())
            listed = ", ".join(f"{kind} {number}" for kind, number in sorted(calls.items()))
            name = f"{work.what} of {work.contacts:,}"
            rows.append((name, work.transport, side, str(total), f"{total / work.contacts:.3f}", listed))
    columns = ("work", "transport", "side", "calls", "per contact", "by kind")
    return Table("Calls per contact by transport", columns, tuple(rows))


if __name__ == "__main__":
    asyncio.run(main())
