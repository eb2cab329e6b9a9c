"""Runs seeds: `python -m tests.simulation.simulate --seeds 2000`, or one with its trace: `--seed 1234`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import structlog
from tests.simulation import circumstances as drawing
from tests.simulation.circumstances import CALM, STORMS, Circumstances
from tests.simulation.invariants import Scene, problems, unseen_in_netsuite, was_in_step
from tests.simulation.people import People
from tests.simulation.plant import SCOPE, Plant
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import run_in_virtual_time

from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care import controls
from twinbook.engine.running.ingest import SUBSCRIBED
from twinbook.logs import fault_without_values
from twinbook.store import outcomes
from twinbook.store.database import Database, Tx
from twinbook.store.runs import RunKind
from twinbook.store.schema import metadata

DAY = 86_400.0
SEEDS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed. `trace` is kept where something is wrong, or on request."""

    seed: int
    problems: list[str]
    digest: str
    faults: Counter[str]
    counts: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


def simulate(seed: int, *, keep_trace: bool = False) -> Result:
    """One seed from beginning to end. Never raises for what the engine does: that is a problem in the result."""
    lines: list[str] = []
    play = Play(seed, drawing.drawn(seed), lines)
    keep_log_lines(lines, play.plant.trace)
    try:
        found = run_in_virtual_time(play.run())
    except Exception as fault:
        frames = "".join(traceback.format_tb(fault.__traceback__)[-4:])
        found = [f"0 fell over: {type(fault).__name__}: {fault}\n{frames}"]
    trace = play.plant.trace
    counts = Counter({"lives": play.plant.lives, "unseen edits": play.plant.line.ledger.unseen})
    kept = trace.lines if keep_trace or found else []
    return Result(seed, found, trace.digest(), trace.faults, counts, kept)


class Play:
    """One simulation: a world, its people, the mishaps, and the checks."""

    def __init__(self, seed: int, chosen: Circumstances, lines: list[str]) -> None:
        self.chosen = chosen
        self.lines = lines
        self.dice = random.Random(f"mishaps of {seed}")
        self.plant = Plant(
            random.Random(f"wires of {seed}"),
            chosen.contacts,
            chosen.accounts,
            chosen.options,
            drawing.salesforce_of(chosen),
            drawing.netsuite_of(chosen),
            _fresh_database(),
        )
        self.plant.line.batched = chosen.batched
        self.people = People(
            random.Random(f"people of {seed}"), self.plant.salesforce, self.plant.netsuite, self.plant.trace
        )

    async def run(self) -> list[str]:
        """Play, come to rest, check; then look at everything anew, and check that nothing is written."""
        plant = self.plant
        self.people.settle_in(*self.chosen.size)
        running = asyncio.create_task(plant.keep_running())
        try:
            await self._beside(running, plant.watched())
            await self._beside(running, plant.list_all())
            await self._beside(running, self._eventful())
            await self._beside(running, self._calm_down())
            scene = Scene.of(plant, self.lines)
            return problems(scene) or await self._beside(running, self._sweep(scene))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _beside(self, running: asyncio.Task[None], work: Any) -> Any:
        """Do it while the process runs; a process that falls over ends the simulation."""
        doing = asyncio.ensure_future(work)
        await asyncio.wait([doing, running], return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            doing.cancel()
            running.result()
        return doing.result()

    async def _eventful(self) -> None:
        chosen = self.chosen
        await asyncio.gather(
            self._scattered(chosen.moves, self.people.act),
            self._scattered(chosen.mishaps, self._mishap),
            self._weather(),
        )

    async def _scattered(self, times: int, act: Any) -> None:
        moments = sorted(self.dice.uniform(0, self.chosen.span) for _ in range(times))
        at = 0.0
        for moment in moments:
            await asyncio.sleep(moment - at)
            at = moment
            doing = act()
            if asyncio.iscoroutine(doing):
                await doing

    async def _weather(self) -> None:
        left = self.chosen.span
        while left > 0:
            spell = min(left, self.dice.uniform(1, 60))
            self.plant.weather = CALM if self.dice.random() < self.chosen.calm else self.dice.choice(STORMS)
            await asyncio.sleep(spell)
            left -= spell
        self.plant.weather = CALM

    async def _mishap(self) -> None:
        mishaps = (
            (self._kill, 3),
            (self._kill_at_commit, 6),
            (self._stop, 1),
            (self._freeze, 1),
            (self._take_over, 1),
            (self._set_clock, 2),
            (self._cut_streams, 2),
            (self._lose_events, 2),
            (self._repeat_events, 1),
            (self._reorder_events, 2),
            (self._expire_positions, 1),
            (self._no_events_for_a_while, 1),
            (self._pause, 2),
            (self._choose, 4),
            (self._confirm, 1),
            (self._push, 1),
        )
        moves, weights = zip(*mishaps, strict=True)
        move = self.dice.choices(moves, weights)[0]
        self.plant.trace.fault(move.__name__.lstrip("_").replace("_", " "))
        await move()

    async def _kill(self) -> None:
        self.plant.kill()

    async def _kill_at_commit(self) -> None:
        self.plant.kill_at_commit(self.dice.randint(0, 12), after=self.dice.random() < 0.5)

    async def _stop(self) -> None:
        self.plant.stop()

    async def _freeze(self) -> None:
        await self.plant.freeze(self.dice.choice((5.0, 50.0, 300.0)))

    async def _take_over(self) -> None:
        await self.plant.take_over(self.dice.choice((0.5, 5.0, 50.0)))

    async def _set_clock(self) -> None:
        self.plant.clock.wall_skew += self.dice.choice((-DAY, -60.0, -1.5, 1.5, 60.0, DAY))

    async def _cut_streams(self) -> None:
        self.plant.salesforce.events.cut()

    async def _lose_events(self) -> None:
        """Some events are never told, but that some are missing is."""
        events = self.plant.salesforce.events
        events.lose(self.dice.randint(1, 5))
        await asyncio.sleep(self.dice.uniform(0, 20))
        events.lose_no_more()
        for entity in SUBSCRIBED:
            events.gap(entity)

    async def _repeat_events(self) -> None:
        self.plant.salesforce.events.repeat(self.dice.choice(SUBSCRIBED), self.dice.randint(1, 10))

    async def _reorder_events(self) -> None:
        events = self.plant.salesforce.events
        events.hold()
        await asyncio.sleep(self.dice.uniform(0, 20))
        events.release(self.dice)

    async def _expire_positions(self) -> None:
        self.plant.salesforce.events.expire_positions()
        self.plant.salesforce.events.cut()

    async def _no_events_for_a_while(self) -> None:
        events = self.plant.salesforce.events
        events.unavailable.add(Entity.CONTACT)
        events.cut()
        await asyncio.sleep(self.dice.uniform(1, 60))
        events.unavailable.clear()
        if self.dice.random() < 0.5:
            self.plant.stop()

    async def _pause(self) -> None:
        now = self.plant.clock.now
        self.plant.store(lambda tx: controls.pause(tx, by="Pat", now=now()))
        await asyncio.sleep(self.dice.uniform(1, 60))
        self.plant.store(lambda tx: controls.resume(tx, by="Pat", now=now()))

    async def _choose(self) -> None:
        """A person takes one of the choices that are listed."""

        def choose(tx: Tx) -> None:
            waiting = [found for found in _all_outcomes(tx) if found.choices]
            if waiting:
                found = self.dice.choice(waiting)
                choice = self.dice.choice(found.choices)
                self.plant.trace.note("user", "chooses", found.key.id, choice)
                controls.choose(tx, found.key, choice, by="Pat", now=self.plant.clock.now())

        self.plant.store(choose)

    async def _confirm(self) -> None:
        self.plant.store(lambda tx: controls.confirm(tx, by="Pat", now=self.plant.clock.now()))

    async def _push(self) -> None:
        accounts = self.plant.salesforce._live(Entity.ACCOUNT)
        if accounts:
            key = Key(Entity.ACCOUNT, Side.SALESFORCE, self.dice.choice(accounts).id)
            self.plant.store(lambda tx: controls.push(tx, key, now=self.plant.clock.now()))

    async def _calm_down(self) -> None:
        self.plant.weather = CALM
        self.plant.life.thaw()
        self.plant.life.commits_left = None
        await self.plant.rest()

    async def _sweep(self, before: Scene) -> list[str]:
        """A sweep of everything finds nothing to write for what is in step (behaviour.md 9.7).

        A record that is not in step may have been kept out by what others were like: no event tells it that they have
        changed, the sweep does. The sweep after that one writes nothing at all.
        """
        plant, ledger = self.plant, self.plant.line.ledger
        for sweep in ("first", "second") if self.chosen.sweeps_twice else ("first",):
            at = len(ledger.written)
            plant.trace.note("sweep", sweep)
            await plant.list_all(RunKind.RELIST)
            now = Scene.of(plant, self.lines)
            written = dict.fromkeys(ledger.written[at:])
            wrong = [place for place in written if sweep == "second" or was_in_step(before, place)]
            wrong = [place for place in wrong if not unseen_in_netsuite(before, place)]
            if wrong:
                return [f"7 not at rest: the {sweep} sweep wrote {wrong}"]
            if found := problems(now):
                return found
            before = now
        return []


def _all_outcomes(tx: Tx) -> list[outcomes.Outcome]:
    rows = tx.execute(
        outcomes.outcome.select().order_by(outcomes.outcome.c.entity, outcomes.outcome.c.record_id)
    )
    return [outcomes._outcome(row) for row in rows]


@cache
def _database() -> Database:
    """One for the process: statements are compiled once."""
    return Database.open_memory()


def _fresh_database() -> Database:
    def wipe(tx: Tx) -> None:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())

    _database().run_now(SCOPE, wipe)
    return _database()


def keep_log_lines(lines: list[str], trace: Trace) -> None:
    """Log lines as a running Twinbook writes them, kept for the check of secrets."""

    def keep(_logger: Any, _method: str, event: structlog.typing.EventDict) -> str:
        lines.append(repr(sorted(event.items())))
        where = str(event.get("where", [""])[-1]).rpartition("/")[2]
        trace.note("log", str(event["event"]), event.get("code", ""), event.get("fault", ""), where)
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.processors.add_log_level, fault_without_values, keep],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )


def run_seeds(seeds: Iterable[int]) -> list[Result]:
    return [simulate(seed) for seed in seeds]


def _chunks(first: int, number: int) -> Iterator[range]:
    for start in range(first, first + number, SEEDS_AT_ONCE):
        yield range(start, min(start + SEEDS_AT_ONCE, first + number))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one and print its trace")
    parser.add_argument("--seeds", type=int, default=2000, help="run so many")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first failures")
    parser.add_argument("--digests", action="store_true", help="print only the digest of each trace")
    arguments = parser.parse_args()
    if arguments.digests:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            print(seed, simulate(seed).digest)
        return 0
    if arguments.seed is not None:
        return _one(arguments.seed)
    return _many(arguments)


def _one(seed: int) -> int:
    result = simulate(seed, keep_trace=True)
    print("\n".join(result.trace))
    print("\n".join([*result.problems, f"trace {result.digest}"]))
    return bool(result.problems)


def _many(arguments: argparse.Namespace) -> int:
    began, run, failed = time.monotonic(), 0, 0
    faults: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    with ProcessPoolExecutor(arguments.processes) as pool:
        for results in pool.map(run_seeds, _chunks(arguments.first, arguments.seeds)):
            for result in results:
                run += 1
                faults += result.faults
                counts += result.counts
                if result.problems:
                    failed += 1
                    print(f"make simulate SEED={result.seed}", *result.problems, sep="\n  ", flush=True)
            if failed and not arguments.keep_going:
                break
    print(f"{run} seeds in {time.monotonic() - began:.0f} s, {failed} failed")
    for kind, number in [*counts.most_common(), *faults.most_common()]:
        print(f"  {number:8} {kind}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
