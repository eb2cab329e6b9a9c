"""The way to one system: takes time, loses requests and answers, and outlives the process that sent them."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from tests.simulation.ledger import AUTHOR, Batch, Ledger, Place
from tests.simulation.process import Killed, Life
from tests.simulation.trace import Trace

from twinbook.domain.errors import PermanentError, SideError, TemporaryError
from twinbook.domain.ports import (
    EventBatch,
    EventPort,
    Failed,
    Guard,
    NetSuiteWrite,
    Update,
    WriteResult,
    unguarded,
)
from twinbook.domain.records import Entity, Side
from twinbook.netsuite.permits import Permits, calling_at

SECRET = "planted-secret-9fK2"
"""Stands in every failure of a system: nothing that a system says may reach a log line."""

SALESFORCE_WRITES = frozenset({"update_contacts", "update_accounts", "upsert_contacts", "delete_contacts"})
NETSUITE_WRITES = frozenset({"write_contacts", "write_customers"})
ATTACHING = frozenset({"attach", "detach"})

BATCH: ContextVar[Batch | None] = ContextVar("simulated_batch", default=None)
"""The batch that the running task works for."""


@dataclass(slots=True)
class Weather:
    """How likely each call meets a misfortune, how long calls take, and how long a transaction may."""

    refused: float = 0.0
    lost: float = 0.0
    locked: float = 0.0
    login: float = 0.0
    slowest: float = 0.3
    store: float = 0.0


@dataclass(slots=True)
class Traffic:
    """Calls of one process that are under way to NetSuite."""

    now: int = 0
    most: int = 0


class Batches:
    """Stands in for the engine's urgency: whatever is called inside a block belongs to one batch."""

    def __init__(self, life: Life, numbers: Iterator[int]) -> None:
        self._life = life
        self._numbers = numbers

    @contextmanager
    def __call__(self, priority: int) -> Iterator[None]:
        token = BATCH.set(Batch(next(self._numbers), self._life.name))
        try:
            with calling_at(priority):
                yield
        finally:
            BATCH.reset(token)


@dataclass(slots=True)
class Line:
    """What all wires of one simulation share.

    `batched`: NetSuite takes many records in one call. `read` says how far the world was when a batch last read a
    record.
    """

    dice: random.Random
    trace: Trace
    ledger: Ledger
    batched: bool = False
    weather: Weather = field(default_factory=Weather)
    traffic: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    read: dict[Place, int] = field(default_factory=dict)

    async def travel(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.01, self.weather.slowest))


class Wire:
    """One life's way to one system. `permits` are those of its NetSuite client."""

    def __init__(self, system: object, side: Side, life: Life, line: Line, permits: Permits | None) -> None:
        self._system = system
        self._side = side
        self._life = life
        self._line = line
        self._permits = permits
        self._outside = Batch(0, life.name)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._system, name)
        if not callable(found):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._permitted(name, args, kwargs, unguarded)

        return self._write_each(name) if name in NETSUITE_WRITES else call

    def _write_each(self, name: str) -> Callable[..., Any]:
        """NetSuite's records are written side by side, each with a fate of its own, or all in one call: then NetSuite
        also looks whether somebody saved them since they were read."""

        async def call(
            writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
        ) -> Mapping[str, WriteResult]:
            parts = (
                [writes] if self._line.batched else [{key: _unconditional(w)} for key, w in writes.items()]
            )
            fates = [self._permitted(name, (part,), {}, guard) for part in parts]
            results: dict[str, WriteResult] = {}
            for one in await asyncio.gather(*fates, return_exceptions=True):
                if isinstance(one, BaseException):
                    raise one
                results |= one
            return results

        return call

    async def _permitted(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], guard: Guard) -> Any:
        if self._permits is None:
            return await self._call(name, args, kwargs)
        traffic = self._line.traffic[self._life.name]
        async with self._permits.hold():
            await self._life.goes_on()
            guard()
            traffic.now += 1
            traffic.most = max(traffic.most, traffic.now)
            try:
                return await self._call(name, args, kwargs)
            finally:
                traffic.now -= 1

    async def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        line, batch = self._line, BATCH.get()
        number = batch.number if batch else 0
        line.trace.note(self._life.name, f"-> {self._side} {name} #{number}", args, kwargs)
        await line.travel()
        if not self._life.alive and line.dice.random() < 0.5:
            raise Killed
        failure = self._misfortune()
        if failure is not None:
            line.trace.fault(failure.code, name)
            await self._life.goes_on()
            return self._fail(name, args, failure)
        args, locked = self._locked(name, args)
        result = await self._land(name, args, kwargs, batch)
        lost = line.dice.random() < line.weather.lost
        await line.travel()
        await self._life.goes_on()
        if lost:
            line.trace.fault("answer lost", name)
            return self._fail(name, args, _failure("NO_ANSWER", outcome_unknown=True))
        return {**result, **locked} if locked else result

    async def _land(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], batch: Batch | None
    ) -> Any:
        """The call is carried out, all at once."""
        line, ledger = self._line, self._line.ledger
        token = AUTHOR.set(batch or self._outside)
        try:
            result = await getattr(self._system, name)(*args, **kwargs)
        finally:
            AUTHOR.reset(token)
        if batch is not None:
            ids = _records_in(result)
            ledger.read(batch, self._side, ids)
            line.read.update({(self._side, id_): ledger.version for id_ in ids})
        line.trace.note(self._side, f"<- {name} #{batch.number if batch else 0}", _brief(result))
        return result

    def _misfortune(self) -> SideError | None:
        dice, weather = self._line.dice, self._line.weather
        if dice.random() < weather.login:
            return PermanentError("INVALID_LOGIN", f"The token {SECRET} has expired.", remedy="Renew it.")
        if dice.random() < weather.refused:
            code = dice.choice(("TOO_MANY_REQUESTS", "SERVER_UNAVAILABLE"))
            return _failure(code, retry_after=dice.choice((None, None, 3.0, 30.0)))
        return None

    def _locked(self, name: str, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Failed]]:
        """Take some records out of a Salesforce write: their rows are locked."""
        dice, weather = self._line.dice, self._line.weather
        if weather.locked == 0.0 or name not in SALESFORCE_WRITES or not isinstance(args[0], Mapping):
            return args, {}
        why = _failure("UNABLE_TO_LOCK_ROW")
        locked = {id_: Failed(why) for id_ in args[0] if dice.random() < weather.locked}
        for id_ in locked:
            self._line.trace.fault("UNABLE_TO_LOCK_ROW", id_)
        return ({id_: fields for id_, fields in args[0].items() if id_ not in locked},), locked

    def _fail(self, name: str, args: tuple[Any, ...], error: SideError) -> Any:
        """NetSuite's writes tell of their failure as a value, every other call by raising."""
        if name in NETSUITE_WRITES:
            return {key: Failed(error, of_call=isinstance(error, PermanentError)) for key in args[0]}
        if name in ATTACHING:
            return Failed(error)
        raise error


class EventWire:
    """One life's subscriptions to change events."""

    def __init__(self, events: EventPort, life: Life, line: Line) -> None:
        self._events = events
        self._life = life
        self._line = line

    async def subscribe(self, entity: Entity, position: bytes | None) -> AsyncIterator[EventBatch]:
        await self._life.goes_on()
        await self._line.travel()
        async for batch in self._events.subscribe(entity, position):
            await self._line.travel()
            await self._life.goes_on()
            self._line.trace.note(self._life.name, f"event {entity}", [key.id for key in batch.keys])
            yield batch


def _failure(code: str, *, retry_after: float | None = None, outcome_unknown: bool = False) -> TemporaryError:
    return TemporaryError(
        code, f"Not now ({SECRET}).", retry_after=retry_after, outcome_unknown=outcome_unknown
    )


def _unconditional(write: NetSuiteWrite) -> NetSuiteWrite:
    return replace(write, version=None) if isinstance(write, Update) else write


def _records_in(result: Any) -> list[str]:
    """The ids of the records that an answer holds with their values."""
    items = result.values() if isinstance(result, Mapping) else result if isinstance(result, list) else ()
    return [item.id for item in items if hasattr(item, "fields")]


def _brief(result: Any) -> Any:
    if isinstance(result, Mapping):
        return {id_: _one(item) for id_, item in result.items()}
    return [_one(item) for item in result] if isinstance(result, list) else _one(result)


def _one(item: Any) -> Any:
    """Records are told by id and values, everything else as it is."""
    if hasattr(item, "fields") and hasattr(item, "version"):
        return item.id, {name: value for name, value in item.fields.items() if value}
    return item.id if hasattr(item, "fields") else item
