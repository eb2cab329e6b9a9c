"""One edit on an idle system: how long until it is in NetSuite, and until its outcome is known.

`twinbook run` works against the sandbox, each in a process of its own. Somebody edits, creates, or creates a contact
that NetSuite knows already (adopt). The time starts when Salesforce has committed; it ends when NetSuite has answered
the write, and when the outcome stands in Twinbook's store. The floor is the time of the calls that must follow one
another, from the sandbox's own log of calls; what is above it is Twinbook, the event stream and this machine. NetSuite
has committed half a call before it answers. Polls are put off: only the calls of the edit itself are counted.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from figures import Table, publish, spread
from stage import NO_POLLING, Record, Stage, stage

LATENCIES_MS = (0, 300)
SAMPLES = 20
WRITES = ("contact.put", "contact.patch")
QUIET_SECONDS = 0.4
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call to either system, with the seconds since the commit at which it arrived and was answered."""

    kind: str
    arrived: float
    answered: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One edit. Times are in seconds since the commit; `steps` are the calls, side by side within a step."""

    write: float
    outcome: float
    first_call: float
    steps: tuple[tuple[str, ...], ...]
    steps_to_write: int

    def over_floor(self, latency_ms: float) -> tuple[float, float]:
        """Milliseconds above the calls that must follow one another, for the write and for the outcome."""
        floor = latency_ms / 1000
        return (
            (self.write - floor * self.steps_to_write) * 1000,
            (self.outcome - floor * len(self.steps)) * 1000,
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody at work: gives the Salesforce contact that is to reach NetSuite, and the moment of the commit."""

    name: str
    act: Callable[[], Awaitable[tuple[str, float]]]


async def main() -> None:
    found: dict[str, dict[int, list[Sample]]] = {}
    async with stage() as ready:
        people = await ready.people(SAMPLES, accounts=1)
        await ready.twinbook("backfill", "--json")
        with ready.running(NO_POLLING), closing(sqlite3.connect(ready.store)) as store:
            for scene in await _scenes(ready, people):
                found[scene.name] = {}
                for latency in LATENCIES_MS:
                    print(f"{scene.name}, {latency} ms a call …", file=sys.stderr)
                    samples = [await _sample(ready, store, scene, latency) for _ in range(SAMPLES + 1)]
                    found[scene.name][latency] = samples[1:]
    publish("latency", [_times(found), _calls(found)], _plain(found))


async def _scenes(ready: Stage, people: Sequence[str]) -> list[Scene]:
    turn = count()
    [account] = await ready.salesforce.records("Account", limit=1)
    [customer] = await ready.netsuite.records("customer", limit=1)

    def person(number: int) -> Record:
        return {
            "AccountId": account["Id"],
            "FirstName": f"Grace{number}",
            "LastName": f"Hopper{number}",
            "Email": f"grace{number}@company.example",
            "Phone": "+1 555 0199",
        }

    async def edit() -> tuple[str, float]:
        number = next(turn)
        id_ = people[number % len(people)]
        await ready.salesforce.update("Contact", id_, {"Title": f"Analyst {number}"})
        return id_, time.time()

    async def create() -> tuple[str, float]:
        id_ = await ready.salesforce.insert("Contact", person(next(turn)))
        return id_, time.time()

    async def adopt() -> tuple[str, float]:
        fields = person(next(turn))
        names = {"firstName": fields["FirstName"], "lastName": fields["LastName"], "email": fields["Email"]}
        await ready.netsuite.insert("contact", {**names, "company": {"id": str(customer["id"])}})
        return await ready.salesforce.insert("Contact", fields), time.time()

    return [Scene("update", edit), Scene("create", create), Scene("adopt", adopt)]


async def _sample(ready: Stage, store: sqlite3.Connection, scene: Scene, latency_ms: float) -> Sample:
    await _quiet(ready, store)
    await ready.set_latency(latency_ms)
    await ready.reset_counters()
    id_, committed = await scene.act()
    outcome = await _outcome(store, id_, committed) - committed
    calls = [call for call in await _log(ready, committed) if call.answered <= outcome + 0.001]
    writes = [call for call in calls if call.kind in WRITES]
    assert len(writes) == 1, (scene.name, calls)
    steps = _steps(calls)
    to_write = next(number for number, step in enumerate(steps, 1) if writes[0] in step)
    names = tuple(tuple(sorted(call.kind for call in step)) for step in steps)
    return Sample(writes[0].answered, outcome, calls[0].arrived, names, to_write)


async def _quiet(ready: Stage, store: sqlite3.Connection) -> None:
    """Wait until nothing has been dirty and nothing was called for a while, so that each edit meets an idle system."""
    since = time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        await asyncio.sleep(0.05)
        (dirty,) = store.execute("SELECT count(*) FROM dirty").fetchone()
        in_flight = [(await system.counters())["in_flight"] for system in (ready.salesforce, ready.netsuite)]
        if dirty or any(in_flight):
            since = time.monotonic()


async def _outcome(store: sqlite3.Connection, id_: str, committed: float) -> float:
    """When an outcome of a look that began after the commit first stands in the store."""
    looked_at = "SELECT looked_at FROM outcome WHERE entity = 'contact' AND record_id = ?"
    while time.time() - committed < PATIENCE_SECONDS:
        row = store.execute(looked_at, (id_,)).fetchone()
        if row is not None and row[0] >= committed - 0.1:
            return time.time()
        await asyncio.sleep(0.001)
    raise TimeoutError(f"no outcome of {id_} within {PATIENCE_SECONDS} s")


async def _log(ready: Stage, committed: float) -> list[Call]:
    """The calls on both sides, in the order of their arrival."""
    logged = [*await ready.salesforce.call_log(), *await ready.netsuite.call_log()]
    calls = [Call(call["kind"], call["arrived"] - committed, call["answered"] - committed) for call in logged]
    return sorted(calls, key=lambda call: call.arrived)


def _steps(calls: Sequence[Call]) -> list[list[Call]]:
    """Calls that overlap make one step: they take the time of one."""
    steps: list[list[Call]] = []
    for call in calls:
        if steps and call.arrived < min(other.answered for other in steps[-1]):
            steps[-1].append(call)
        else:
            steps.append([call])
    return steps


def _times(found: dict[str, dict[int, list[Sample]]]) -> Table:
    rows = []
    for name, by_latency in found.items():
        for latency, samples in by_latency.items():
            over = [sample.over_floor(latency) for sample in samples]
            rows.append(
                (
                    f"{name}, {latency} ms a call",
                    *_against([sample.write * 1000 for sample in samples], [write for write, _ in over]),
                    *_against(
                        [sample.outcome * 1000 for sample in samples], [outcome for _, outcome in over]
                    ),
                    spread([sample.first_call * 1000 for sample in samples]),
                )
            )
    columns = (
        "edit",
        "NetSuite has it: p50 / max",
        "floor",
        "above: p50 / max",
        "outcome known: p50 / max",
        "floor",
        "above: p50 / max",
        "first call after",
    )
    return Table(f"From the Salesforce commit, ms ({SAMPLES} samples each)", columns, tuple(rows))


def _against(times: Sequence[float], over: Sequence[float]) -> tuple[str, str, str]:
    middle = statistics.median(times)
    floor = statistics.median(
        [total - above for total, above in zip(times, over, strict=True)],
    )
    return (
        f"{middle:,.0f} / {max(times):,.0f}",
        f"{floor:,.0f}",
        f"{statistics.median(over):,.0f} / {max(over):,.0f}",
    )


def _calls(found: dict[str, dict[int, list[Sample]]]) -> Table:
    """The most frequent sequence of calls. With latency, for only then does overlapping show."""
    rows = []
    for name, by_latency in found.items():
        seen = [sample.steps for sample in by_latency[max(by_latency)]]
        usual = max(set(seen), key=seen.count)
        calls = " → ".join(" + ".join(step) for step in usual)
        rows.append((name, calls, f"{seen.count(usual)} of {len(seen)}"))
    return Table(
        "The calls of one edit, one after the other (+: side by side)", ("edit", "calls", "seen"), tuple(rows)
    )


def _plain(found: dict[str, dict[int, list[Sample]]]) -> dict[str, Any]:
    return {
        f"{name}, {latency} ms": [asdict(sample) for sample in samples]
        for name, by_latency in found.items()
        for latency, samples in by_latency.items()
    }


if __name__ == "__main__":
    asyncio.run(main())
