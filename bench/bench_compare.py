"""Twinbook over both transports, the naive peer and the floor, side by side on the same emulated systems.

For each contender: a first sync without latency (what it costs), one with 300 ms a call (what it makes of NetSuite's
limit), and edits at a fixed rate with 300 ms a call, each of another contact. The time of an edit starts when
Salesforce has committed and ends when NetSuite has saved; both are moments of the same machine. Edits are made at
their time, whether the contender keeps up or not. The floors:

- an edit: one round of reading and half a call of writing, as NetSuite has saved when half of a call has passed;
- a first sync: contacts x latency / (calls at once x records a call), with the calls that Twinbook allows itself.

`--quick` takes two minutes; each size has an option of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from subprocess import Popen

from figures import RECORD, Table, publish
from stage import Stage, Usage, cpu_seconds, peak_mb, stage
from twinbook.packaged import folder

SLOW_MS = 300
FLOOR_SECONDS = 1.5 * SLOW_MS / 1000
AT_ONCE = 4
"""Calls to NetSuite at once: the emulated account allows 5, Twinbook leaves one to others."""
RESTLET_RECORDS = 50
PER_ACCOUNT = 5
QUIET_SECONDS = 3.0
LOOK_SECONDS = 0.5
MOST_LISTED = 10_000
DEFAULT_POLLS = {"SALESFORCE": "30", "NETSUITE": "10"}
"""What an installation polls by default; the settings file for the sandbox is quicker."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to do the work: Twinbook over a transport, or the peer. `batch`: records in one call of writing. The slower
    ones get only a share of the contacts of a first sync, so that it takes no hours: their cost of each is the same."""

    name: str
    batch: int
    at_once: int
    share: float
    slow_share: float
    transport: str | None

    def possible(self, latency_ms: int) -> float:
        """Contacts that it could write in a second within its calls at once."""
        return self.at_once * self.batch / (latency_ms / 1000)

    async def sync(self, ready: Stage) -> Usage:
        if self.transport is None:
            return await ready.ended([*_peer(ready), "--once"])
        return await ready.twinbook("backfill", "--json", settings=self._settings())

    def running(self, ready: Stage) -> AbstractContextManager[Popen[bytes]]:
        if self.transport is None:
            return ready.serving(_peer(ready), "the peer works")
        return ready.running(self._settings())

    def _settings(self) -> dict[str, str]:
        prefix = "TWINBOOK_CONNECTIONS__DEFAULT"
        polls = {f"{prefix}__{side}__POLL_SECONDS": seconds for side, seconds in DEFAULT_POLLS.items()}
        return {**polls, f"{prefix}__NETSUITE__TRANSPORT": str(self.transport)}


RESTLET = Contender("Twinbook, RESTlet", RESTLET_RECORDS, AT_ONCE, 1.0, 1.0, "restlet")
REST = Contender("Twinbook, REST", 1, AT_ONCE, 1.0, 0.25, "rest")
PEER = Contender("naive peer", 1, 1, 0.1, 0.05, None)
CONTENDERS = (RESTLET, REST, PEER)


@dataclass(frozen=True, slots=True)
class Synced:
    """A first sync: what the process used, and the calls of each side by kind."""

    contender: str
    contacts: int
    latency_ms: int
    floor_seconds: float
    usage: Usage
    salesforce: Mapping[str, int]
    netsuite: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Edited:
    """Edits at a rate: seconds of each until NetSuite had it, without those that never arrived, and their cost."""

    contender: str
    rate: int
    edits: int
    of_possible: float
    seconds: Sequence[float]
    cpu_ms: float
    peak_mb: float | None
    salesforce: Mapping[str, int]
    netsuite: Mapping[str, int]

    def quantile(self, share: float) -> float | None:
        """Seconds within which this share of the edits had arrived; None where so many never did."""
        at = math.ceil(share * self.edits) - 1
        ordered = sorted(self.seconds)
        return ordered[at] if at < len(ordered) else None


@dataclass(slots=True)
class Found:
    synced: list[Synced] = field(default_factory=list)
    edited: list[Edited] = field(default_factory=list)


async def main() -> None:
    sizes, found = _sizes(), Found()
    most_edits = max(number for _, number in sizes.edits)
    for contender in CONTENDERS:
        print(f"{contender.name} …", file=sys.stderr)
        async with stage() as ready:
            contacts = max(most_edits, round(sizes.contacts * contender.share))
            people = await _prepare(ready, contender, contacts)
            found.synced.append(await _sync(ready, contender, contacts, 0))
            found.edited += await _edits(ready, contender, people, sizes)
        async with stage() as ready:
            contacts = max(20, round(sizes.slow_contacts * contender.slow_share))
            await _prepare(ready, contender, contacts)
            found.synced.append(await _sync(ready, contender, contacts, SLOW_MS))
    tables = [_edit_table(found.edited), _sync_table(found.synced), _call_table(found)]
    publish("compare", tables, asdict(found))


def _sizes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Twinbook, the naive peer and the floor side by side.")
    parser.add_argument("--quick", action="store_true", help="about two minutes")
    parser.add_argument("--contacts", type=int, help="of the first sync without latency")
    parser.add_argument("--slow-contacts", type=int, help="of the first sync with latency")
    parser.add_argument("--edits", nargs="+", metavar="RATE:NUMBER", help="edits a second, and how many")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for the last edit")
    parser.add_argument(RECORD, action="store_true", help="renew the figures in RESULTS.md and results.json")
    sizes = parser.parse_args()
    quick = sizes.quick
    sizes.contacts = sizes.contacts or (150 if quick else 10_000)
    sizes.slow_contacts = sizes.slow_contacts or (100 if quick else 2_000)
    edits = sizes.edits or (["1:5", "20:60"] if quick else ["1:20", "20:300", "100:1000"])
    sizes.edits = [tuple(int(part) for part in text.split(":")) for text in edits]
    return sizes


async def _prepare(ready: Stage, contender: Contender, contacts: int) -> list[str]:
    if contender is RESTLET:
        await ready.netsuite.act("deploy_project", path=str(folder("netsuite")))
    return await ready.people(contacts, accounts=max(1, contacts // PER_ACCOUNT))


async def _sync(ready: Stage, contender: Contender, contacts: int, latency_ms: int) -> Synced:
    await ready.set_latency(latency_ms)
    await ready.reset_counters()
    usage = await contender.sync(ready)
    assert await ready.netsuite.count("contact") == contacts
    floor = contacts * latency_ms / 1000 / AT_ONCE / contender.batch
    print(f"  {contacts:,} contacts, {latency_ms} ms: {usage.seconds:.1f} s", file=sys.stderr)
    return Synced(contender.name, contacts, latency_ms, floor, usage, *await _calls(ready))


async def _edits(
    ready: Stage, contender: Contender, people: Sequence[str], sizes: argparse.Namespace
) -> list[Edited]:
    listed = await ready.salesforce.records("Contact", limit=MOST_LISTED)
    there = {record["Id"]: record["NetSuite_Id__c"] for record in listed}
    found = []
    with contender.running(ready) as process:
        await ready.set_latency(SLOW_MS)
        for rate, number in sizes.edits:
            await asyncio.sleep(QUIET_SECONDS)
            await ready.reset_counters()
            before, cpu = time.time(), cpu_seconds(process)
            chosen = people[:number]
            committed = await _commit(ready, chosen, rate)
            saved = await _saved(ready, {there[id_] for id_ in chosen}, before, sizes.patience)
            seconds = [saved[there[id_]] - at for id_, at in committed.items() if there[id_] in saved]
            await asyncio.sleep(QUIET_SECONDS)
            used = (cpu_seconds(process) - cpu) * 1000 / number
            share = rate / contender.possible(SLOW_MS)
            calls = await _calls(ready)
            found.append(Edited(contender.name, rate, number, share, seconds, used, peak_mb(process), *calls))
            print(f"  {rate} edits/s: {len(seconds)} of {number} arrived", file=sys.stderr)
    return found


async def _commit(ready: Stage, people: Sequence[str], rate: int) -> dict[str, float]:
    """Somebody edits these contacts, one after the other at the rate; when Salesforce had committed each."""
    began, committed = time.perf_counter(), {}

    async def edit(number: int, id_: str) -> None:
        await asyncio.sleep(began + number / rate - time.perf_counter())
        await ready.salesforce.update("Contact", id_, {"Title": f"Analyst {rate} {number}"})
        committed[id_] = time.time()

    async with asyncio.TaskGroup() as edits:
        for number, id_ in enumerate(people):
            edits.create_task(edit(number, id_))
    return committed


async def _saved(ready: Stage, wanted: set[str], since: float, patience: float) -> dict[str, float]:
    """When NetSuite first saved each of these contacts, for those that arrive before the patience ends."""
    deadline, found = time.time() + patience, {}
    while wanted - found.keys() and time.time() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        for save in await ready.netsuite.act("saves", since=since):
            if save["record"] == "contact" and save["id"] in wanted:
                found.setdefault(save["id"], save["at"])
    return found


async def _calls(ready: Stage) -> tuple[dict[str, int], dict[str, int]]:
    """Calls of each side by kind, but for logins."""
    salesforce, netsuite = [
        {kind: count["calls"] for kind, count in (await side.counters())["kinds"].items() if kind != "token"}
        for side in (ready.salesforce, ready.netsuite)
    ]
    return salesforce, netsuite


def _peer(ready: Stage) -> list[str]:
    return [sys.executable, "-m", "bench.peer", str(ready.salesforce_api.base_url)]


# --- tables


def _edit_table(edited: Sequence[Edited]) -> Table:
    rows = []
    for one in sorted(edited, key=lambda each: each.rate):
        peer = next(each for each in edited if (each.contender, each.rate) == (PEER.name, one.rate))
        quick, slow = one.quantile(0.5), one.quantile(0.99)
        rows.append(
            (
                f"{one.rate}",
                one.contender,
                f"{one.of_possible * 100:,.0f}",
                _seconds(quick),
                _seconds(slow),
                *("-" if each is None else f"{(each - FLOOR_SECONDS) * 1000:,.0f}" for each in (quick, slow)),
                _times(peer.quantile(0.5), quick),
                f"{len(one.seconds) / one.edits * 100:.0f}",
                f"{one.cpu_ms:.1f}",
                f"{one.peak_mb or 0:.0f}",
            )
        )
    columns = (
        "edits/s",
        "by",
        "% of its limit",
        "p50, s",
        "p99, s",
        "p50 above the floor, ms",
        "p99 above, ms",
        "p50, times quicker than the peer",
        "arrived, %",
        "CPU ms an edit",
        "peak MB",
    )
    title = f"From the Salesforce commit to NetSuite's save, {SLOW_MS} ms a call (floor: {FLOOR_SECONDS} s)"
    return Table(title, columns, tuple(rows))


def _sync_table(synced: Sequence[Synced]) -> Table:
    rows = []
    for one in sorted(synced, key=lambda each: each.latency_ms):
        peer = next(
            each for each in synced if (each.contender, each.latency_ms) == (PEER.name, one.latency_ms)
        )
        each_second = one.contacts / one.usage.seconds
        rows.append(
            (
                f"{one.contacts:,}",
                f"{one.latency_ms}",
                one.contender,
                f"{one.usage.seconds:,.1f}",
                f"{one.floor_seconds:,.1f}" if one.latency_ms else "-",
                f"{one.floor_seconds / one.usage.seconds * 100:.0f}" if one.latency_ms else "-",
                f"{each_second:.1f}",
                f"{each_second / (peer.contacts / peer.usage.seconds):.1f}",
                f"{one.usage.cpu_seconds * 1000 / one.contacts:.2f}",
            )
        )
    columns = (
        "contacts",
        "ms a call",
        "by",
        "s",
        "floor, s",
        "of the possible, %",
        "contacts/s",
        "times the peer",
        "CPU ms a contact, start included",
    )
    return Table("First sync", columns, tuple(rows))


def _call_table(found: Found) -> Table:
    rows = []
    for one in found.synced:
        if not one.latency_ms:
            rows += _call_rows(f"first sync of {one.contacts:,}", one, one.contacts)
    for each in found.edited:
        rows += _call_rows(f"{each.edits:,} edits, {each.rate} a second", each, each.edits)
    columns = ("work", "by", "side", "calls", "per contact", "by kind")
    return Table("Calls per contact", columns, tuple(rows))


def _call_rows(work: str, one: Synced | Edited, contacts: int) -> Iterator[tuple[str, ...]]:
    for side, calls in (("Salesforce", one.salesforce), ("NetSuite", one.netsuite)):
        total = sum(calls.values())
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(calls.items()))
        yield work, one.contender, side, f"{total:,}", f"{total / contacts:.3f}", kinds


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:,.2f}"


def _times(peer: float | None, value: float | None) -> str:
    return "-" if peer is None or value is None else f"{peer / value:,.1f}"


if __name__ == "__main__":
    asyncio.run(main())
