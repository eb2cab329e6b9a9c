"""The first sync: how many contacts a second, at what cost, with how many calls; and that a second one writes nothing.

Without latency it shows what Twinbook itself costs. With 300 ms a call it shows how much of NetSuite's budget is
used: the possible maximum is concurrency / latency, as each new contact needs one write of its own. The work of an
empty back-fill (starting Python, logging in, describing fields) is measured by itself and taken off the cost of a
contact.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass

from figures import Table, publish, spread
from stage import Stage, Usage, cpu_seconds, stage

CONCURRENCY = 4
SLOW_MS = 300
RUNS = 3
PER_ACCOUNT = 5
WRITES = ("contact.put", "contact.post", "contact.patch", "contact.delete", "customer.put", "customer.patch")


@dataclass(frozen=True, slots=True)
class Case:
    contacts: int
    latency_ms: int

    @property
    def name(self) -> str:
        return f"{self.contacts:,} contacts, {self.latency_ms} ms a call"


@dataclass(frozen=True, slots=True)
class Sync:
    """One back-fill: what the process used, how long the work itself took, how long it was from the first write to the
    last one, and the calls of each side by kind."""

    usage: Usage
    work_seconds: float
    writing_seconds: float
    sandbox_cpu_seconds: float
    salesforce: dict[str, int]
    netsuite: dict[str, int]
    high_water: int

    @property
    def writes(self) -> int:
        return sum(self.netsuite.get(kind, 0) for kind in WRITES) + self.salesforce.get(
            "collections.update", 0
        )


async def main() -> None:
    cases = [Case(1_000, 0), Case(5_000, 0), Case(200, SLOW_MS)]
    idle = [(await _pair(Case(0, 0)))[0] for _ in range(RUNS)]
    found = {case: [await _pair(case) for _ in range(RUNS)] for case in cases}
    idle_cpu = sorted(sync.usage.cpu_seconds for sync in idle)[len(idle) // 2]
    publish(
        "backfill",
        [
            _speed(found, idle_cpu),
            _budget(found),
            _calls(found),
            _second(found),
            Table(
                "An empty back-fill",
                ("s", "CPU s", "peak MB"),
                (_usage(idle),),
            ),
        ],
        {case.name: [[asdict(sync) for sync in pair] for pair in pairs] for case, pairs in found.items()},
    )


async def _pair(case: Case) -> tuple[Sync, Sync]:
    """A first sync and a second one, against systems of their own."""
    print(f"{case.name} …", file=sys.stderr)
    async with stage() as ready:
        await ready.people(case.contacts, accounts=max(1, case.contacts // PER_ACCOUNT))
        await ready.set_latency(case.latency_ms)
        first, second = await _sync(ready), await _sync(ready)
        print(f"  {first.work_seconds:.1f} s, then {second.work_seconds:.1f} s", file=sys.stderr)
        await _check(ready, case, second)
        return first, second


async def _sync(ready: Stage) -> Sync:
    await ready.reset_counters()
    before = cpu_seconds(ready.sandbox)
    usage = await ready.twinbook("backfill", "--json")
    sandbox_cpu = cpu_seconds(ready.sandbox) - before
    salesforce, netsuite = await ready.salesforce.counters(), await ready.netsuite.counters()
    with closing(sqlite3.connect(ready.store)) as store:
        [(began, ended)] = store.execute(
            "SELECT started_at, finished_at FROM run WHERE entity = 'contact' ORDER BY id DESC LIMIT 1"
        )
    log = [call for call in await ready.netsuite.call_log() if call["kind"] in WRITES]
    writing = max(call["answered"] for call in log) - min(call["arrived"] for call in log) if log else 0.0
    calls = _by_kind(salesforce), _by_kind(netsuite)
    return Sync(usage, ended - began, writing, sandbox_cpu, *calls, netsuite["high_water"])


async def _check(ready: Stage, case: Case, second: Sync) -> None:
    """The figures count only if the work was done: every contact once, both ids, and nothing written twice."""
    assert await ready.netsuite.count("contact") == case.contacts
    found = await ready.salesforce.records("Contact", limit=10_000)
    linked = {record["Id"]: record["NetSuite_Id__c"] for record in found}
    assert len(set(linked.values())) == case.contacts and None not in linked.values()
    for record in await ready.netsuite.records("contact", limit=10_000):
        assert linked[record["custentity_twinbook_sf_id"]] == str(record["id"])
    assert second.writes == 0, (second.salesforce, second.netsuite)


def _by_kind(counters: dict[str, dict[str, dict[str, int]]]) -> dict[str, int]:
    return {kind: count["calls"] for kind, count in counters["kinds"].items() if kind != "token"}


def _speed(found: dict[Case, list[tuple[Sync, Sync]]], idle_cpu: float) -> Table:
    rows = []
    for case, pairs in found.items():
        firsts = [first for first, _ in pairs]
        cpu = [(sync.usage.cpu_seconds - idle_cpu) * 1000 / case.contacts for sync in firsts]
        sandbox = [sync.sandbox_cpu_seconds * 1000 / case.contacts for sync in firsts]
        rates = spread([case.contacts / sync.work_seconds for sync in firsts], 1)
        peak = spread([sync.usage.peak_mb for sync in firsts])
        rows.append((case.name, rates, spread(cpu, 2), spread(sandbox, 2), peak))
    columns = ("first sync", "contacts/s", "CPU ms per contact", "the sandbox's CPU ms", "peak MB")
    return Table("First sync, with concurrency 4", columns, tuple(rows))


def _budget(found: dict[Case, list[tuple[Sync, Sync]]]) -> Table:
    """What became of the calls that NetSuite would have taken: concurrency / latency."""
    rows = []
    for case, pairs in found.items():
        if not case.latency_ms:
            continue
        firsts = [first for first, _ in pairs]
        assert max(sync.high_water for sync in firsts) <= CONCURRENCY
        possible = CONCURRENCY / (case.latency_ms / 1000)
        whole = [case.contacts / sync.work_seconds / possible * 100 for sync in firsts]
        writing = [case.contacts / sync.writing_seconds / possible * 100 for sync in firsts]
        calls = [sum(sync.netsuite.values()) / sync.work_seconds / possible * 100 for sync in firsts]
        rows.append((case.name, f"{possible:.1f}", *(spread(share) for share in (whole, writing, calls))))
    columns = (
        "first sync",
        "possible contacts/s",
        "reached, %",
        "from the first to the last write, %",
        "all NetSuite calls, %",
    )
    return Table("Share of NetSuite's budget that was used", columns, tuple(rows))


def _calls(found: dict[Case, list[tuple[Sync, Sync]]]) -> Table:
    rows = []
    for case, pairs in found.items():
        first, _ = pairs[-1]
        for side, calls in (("Salesforce", first.salesforce), ("NetSuite", first.netsuite)):
            total = sum(calls.values())
            rows.append((case.name, side, str(total), f"{total / case.contacts:.3f}", _listed(calls)))
    columns = ("first sync", "side", "calls", "per contact", "by kind")
    return Table("Calls of a first sync", columns, tuple(rows))


def _second(found: dict[Case, list[tuple[Sync, Sync]]]) -> Table:
    rows = []
    for case, pairs in found.items():
        seconds = [second for _, second in pairs]
        calls = seconds[-1]
        rows.append(
            (
                case.name,
                str(max(sync.writes for sync in seconds)),
                spread([sync.work_seconds for sync in seconds], 1),
                spread([sync.usage.cpu_seconds for sync in seconds], 1),
                _listed(Counter(calls.salesforce) + Counter(calls.netsuite)),
            )
        )
    return Table(
        "A second sync, nothing having changed", ("first sync", "writes", "s", "CPU s", "calls"), tuple(rows)
    )


def _usage(syncs: Iterable[Sync]) -> tuple[str, ...]:
    used = [sync.usage for sync in syncs]
    return (
        spread([item.seconds for item in used], 1),
        spread([item.cpu_seconds for item in used], 1),
        spread([item.peak_mb for item in used]),
    )


def _listed(calls: dict[str, int]) -> str:
    return ", ".join(f"{kind} {number}" for kind, number in sorted(calls.items()))


if __name__ == "__main__":
    asyncio.run(main())
