"""What the way from NetSuite to Salesforce costs: calls while nothing changes, calls for a change, and its time.

`twinbook run` works against the sandbox with `direction = "both"` and looks at NetSuite every second. The time of an
edit starts when NetSuite has committed and ends when Salesforce shows it; on average half of a poll's interval is part
of it. An import is many new contacts at once: their calls are shared, but for the one each that writes the new id back.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from figures import Table, publish, spread
from stage import Record, Stage, stage

POLL_SECONDS = 1.0
IDLE_SECONDS = 15.0
QUIET_SECONDS = 3.5
SAMPLES = 20
IMPORTED = 200
LATENCIES_MS = (0, 300)
PATIENCE_SECONDS = 120.0
SETTINGS = {
    "TWINBOOK_CONNECTIONS__DEFAULT__CONTACTS__DIRECTION": "both",
    "TWINBOOK_CONNECTIONS__DEFAULT__NETSUITE__POLL_SECONDS": str(POLL_SECONDS),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of each sample, and the calls of all of them by system and kind."""

    scene: str
    latency_ms: int
    changes: int
    seconds: tuple[float, ...]
    calls: Mapping[str, int]


async def main() -> None:
    found: list[Cost] = []
    async with stage() as ready:
        people = await ready.people(SAMPLES, accounts=1)
        await ready.twinbook("backfill", "--json")
        [customer] = await ready.netsuite.records("customer", limit=1)
        with ready.running(SETTINGS):
            for latency in LATENCIES_MS:
                print(f"{latency} ms a call …", file=sys.stderr)
                await ready.set_latency(latency)
                await asyncio.sleep(QUIET_SECONDS)
                found.append(await _idle(ready, latency))
                found.append(await _edits(ready, people, latency))
                found.append(await _import(ready, str(customer["id"]), latency))
    publish("reverse", [_table(found)], [asdict(cost) for cost in found])


async def _idle(ready: Stage, latency: int) -> Cost:
    await ready.reset_counters()
    await asyncio.sleep(IDLE_SECONDS)
    polls = round(IDLE_SECONDS / (POLL_SECONDS + 2 * latency / 1000))
    return Cost("nothing changes, per poll", latency, polls, (), await _calls(ready))


async def _edits(ready: Stage, people: Sequence[str], latency: int) -> Cost:
    """One edit after the other, each at another moment of the poll's interval."""
    moments, seconds = random.Random(1), []
    await ready.reset_counters()
    for number, here in enumerate(people):
        there = (await ready.salesforce.read("Contact", here))["NetSuite_Id__c"]
        await asyncio.sleep(moments.random() * POLL_SECONDS)
        title = f"Analyst {latency} {number}"
        await ready.netsuite.update("contact", there, {"title": title})
        began = time.perf_counter()
        while (await ready.salesforce.read("Contact", here)).get("Title") != title:
            await _patience(began)
        seconds.append(time.perf_counter() - began)
    await asyncio.sleep(QUIET_SECONDS)
    return Cost("an edit", latency, len(people), tuple(seconds), await _calls(ready))


async def _import(ready: Stage, customer: str, latency: int) -> Cost:
    await ready.reset_counters()
    before = await ready.salesforce.count("Contact")
    for number in range(IMPORTED):
        await ready.netsuite.insert("contact", _newcomer(f"{latency}-{number}", customer))
    began = time.perf_counter()
    while await ready.salesforce.count("Contact") < before + IMPORTED:
        await _patience(began)
    seconds = time.perf_counter() - began
    await asyncio.sleep(QUIET_SECONDS)
    return Cost(f"an import of {IMPORTED}, per contact", latency, IMPORTED, (seconds,), await _calls(ready))


def _newcomer(number: str, customer: str) -> Record:
    company = {"company": {"id": customer}, "subsidiary": {"id": "1"}}
    return {"lastName": f"Person {number}", "email": f"p{number}@company.example", **company}


async def _patience(began: float) -> None:
    if time.perf_counter() - began > PATIENCE_SECONDS:
        raise RuntimeError("it never arrived in Salesforce")
    await asyncio.sleep(0.005)


async def _calls(ready: Stage) -> dict[str, int]:
    found = {}
    for name, system in (("Salesforce", ready.salesforce), ("NetSuite", ready.netsuite)):
        for kind, count in (await system.counters())["kinds"].items():
            if count["calls"]:
                found[f"{name} {kind}"] = count["calls"]
    return found


def _table(found: Sequence[Cost]) -> Table:
    rows = []
    for cost in found:
        shown = ", ".join(
            f"{kind} {number / cost.changes:.2f}" for kind, number in sorted(cost.calls.items())
        )
        seconds = spread(cost.seconds, 2) if cost.seconds else "-"
        rows.append((cost.scene, f"{cost.latency_ms} ms", seconds, shown))
    title = f"From NetSuite to Salesforce, polled every {POLL_SECONDS:g} s"
    return Table(title, ("what", "a call takes", "seconds", "calls for one"), tuple(rows))


if __name__ == "__main__":
    asyncio.run(main())
