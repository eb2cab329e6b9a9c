"""Taking in changes: events, gaps, lost positions, polling, and the runs that make good what events could not say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest_asyncio
from tests.memory.salesforce import MemorySalesforce
from tests.memory.world import World, world

from twinbook.domain.errors import TemporaryError
from twinbook.domain.ports import EventBatch
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity
from twinbook.engine.connection import Source
from twinbook.engine.running.ingest import Ingest
from twinbook.engine.running.listing import Lister
from twinbook.store import cursors, dirty_keys, runs
from twinbook.store.runs import RunKind
from twinbook.store.schema import dirty


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


async def _until(reached: Callable[[], bool]) -> None:
    """Give the watchers the loop until something is true; fails when it never becomes so."""
    for _ in range(2000):
        if reached():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happened")


class Watching:
    """A watcher of one source that runs beside the test."""

    def __init__(self, w: World, source: Source) -> None:
        self.states: list[str] = []
        self._task = asyncio.create_task(
            Ingest(w.connection, source, on_state=lambda _, state: self.states.append(state)).run()
        )

    async def __aenter__(self) -> Watching:
        await _until(lambda: bool(self.states))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert not self._task.done(), "the watcher ended by itself"
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _dirty(w: World) -> set[str]:
    return set(await w.store.run(lambda tx: [row.record_id for row in tx.execute(dirty.select())]))


async def _marked(w: World, ids: set[str]) -> None:
    for _ in range(2000):
        if ids <= await _dirty(w):
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"{ids - await _dirty(w)} never became dirty")


async def test_an_event_marks_its_keys_and_moves_the_cursor(w: World) -> None:
    async with Watching(w, Source(Entity.CONTACT)) as watching:
        contact = w.salesforce.user_creates_contact(LastName="Lovelace")
        await _marked(w, {contact})
    assert watching.states[-1] == "events"
    assert await w.store.run(lambda tx: cursors.position(tx, "events:contact")) is not None


async def test_what_happened_while_nobody_watched_is_delivered_later(w: World) -> None:
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {w.salesforce.user_creates_contact(LastName="First")})
    missed = w.salesforce.user_creates_contact(LastName="Second")
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {missed})


async def test_a_cut_stream_is_taken_up_again_without_loss(w: World) -> None:
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {w.salesforce.user_creates_contact(LastName="First")})
        w.salesforce.events.cut()
        await _marked(w, {w.salesforce.user_creates_contact(LastName="Second")})


async def test_an_overflow_leads_to_a_list_of_the_entity(w: World) -> None:
    async with Watching(w, Source(Entity.CONTACT)):
        w.salesforce.events.gap(Entity.CONTACT)
        for _ in range(2000):
            started = await w.store.run(runs.unfinished)
            if started:
                break
            await asyncio.sleep(0.001)
    assert [(run.kind, run.entity) for run in started] == [(RunKind.RELIST, Entity.CONTACT)]


async def test_a_lost_position_leads_to_a_list_and_a_new_subscription(w: World) -> None:
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {w.salesforce.user_creates_contact(LastName="First")})
    w.salesforce.events.expire_positions()
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {w.salesforce.user_creates_contact(LastName="Second")})
    assert [run.entity for run in await w.store.run(runs.unfinished)] == [Entity.CONTACT]


async def test_a_gap_in_the_events_of_roles_lists_accounts_and_contacts(w: World) -> None:
    async with Watching(w, Source(Entity.OPPORTUNITY)):
        w.salesforce.events.gap(Entity.OPPORTUNITY)
        for _ in range(2000):
            started = await w.store.run(runs.unfinished)
            if started:
                break
            await asyncio.sleep(0.001)
    assert {run.entity for run in started} == {Entity.ACCOUNT, Entity.CONTACT}


async def test_without_change_events_the_entity_is_polled(w: World) -> None:
    w.salesforce.events.unavailable.add(Entity.CONTACT)
    async with Watching(w, Source(Entity.CONTACT)) as watching:
        assert watching.states[-1] == "polling"
        while await w.store.run(lambda tx: cursors.position(tx, "poll:contact")) is None:
            await asyncio.sleep(0.001)
    contact = w.salesforce.user_creates_contact(LastName="Lovelace")
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {contact})


async def test_a_run_lists_all_pages_marks_them_and_ends_when_all_are_done(w: World) -> None:
    account, _ = w.linked_account()
    w.salesforce.page_size = 7
    for number in range(40):
        w.salesforce.user_creates_contact(
            LastName=f"Number{number}", Email=f"n{number}@acme.example", AccountId=account
        )
    now = w.clock.now()
    run_id = await w.store.run(
        lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now)
    )
    await w.list_runs()
    done = await w.store.run(lambda tx: runs.by_id(tx, run_id))
    assert (done.state, done.listed, done.total) == (runs.RunState.DONE, 40, 40)
    assert len(w.netsuite.contacts) == 40
    assert [
        (kind.value, number) for kind, _, number in await w.store.run(lambda tx: runs.counts(tx, [run_id]))
    ] == [("created", 40)]


async def test_a_second_back_fill_writes_nothing(w: World) -> None:
    account, _ = w.linked_account()
    for number in range(25):
        w.salesforce.user_creates_contact(
            LastName=f"Number{number}", Email=f"n{number}@acme.example", AccountId=account
        )
    for expected in ("created", "unchanged"):
        before = w.netsuite.writes + w.salesforce.writes
        now = w.clock.now()
        run_id = await w.store.run(
            lambda tx, now=now: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now)
        )
        await w.list_runs()
        counted = await w.store.run(lambda tx, run_id=run_id: runs.counts(tx, [run_id]))
        assert [(kind.value, number) for kind, _, number in counted] == [(expected, 25)]
    assert w.netsuite.writes + w.salesforce.writes == before


@dataclass
class Unreachable:
    """Events of an org that refuses new subscriptions for a while, although it knows that the position is lost."""

    salesforce: MemorySalesforce
    reachable: bool = False

    async def subscribe(self, entity: Entity, position: bytes | None) -> AsyncIterator[EventBatch]:
        if position is None and not self.reachable:
            raise TemporaryError("UNAVAILABLE", "try later")
        async for batch in self.salesforce.subscribe(entity, position):
            yield batch


class Hasty(random.Random):
    """Backs off for no time at all."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


async def _start(w: World, kind: RunKind = RunKind.RELIST) -> int:
    now = w.clock.now()
    return await w.store.run(lambda tx: runs.restart(tx, kind, Entity.CONTACT, by="test", now=now))


async def test_a_run_that_starts_over_while_a_page_is_read_lists_everything_again(w: World) -> None:
    account, _ = w.linked_account()
    w.salesforce.page_size = 2
    first, *_ = [w.salesforce.user_creates_contact(LastName=name, AccountId=account) for name in "ABCDE"]
    run_id = await _start(w)
    lister = Lister(w.connection)
    await lister.step()
    await w.drain()

    async def start_over(kind: str) -> None:
        if kind == "list_keys":
            w.salesforce.before_call = None
            await _start(w)

    w.salesforce.before_call = start_over
    await lister.step()
    assert (await w.store.run(lambda tx: runs.by_id(tx, run_id))).position is None
    await lister.step()
    assert first in await _dirty(w)


async def test_a_run_that_starts_over_looks_again_at_all_even_if_the_clock_was_set_back(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(LastName="A", AccountId=account)
    await w.settle()
    w.clock.at -= 3600
    await _start(w)
    await Lister(w.connection).step()
    assert contact in await _dirty(w)


async def test_a_list_finds_what_was_deleted_while_nobody_could_tell(w: World) -> None:
    account, _ = w.linked_account()
    linked = w.salesforce.user_creates_contact(LastName="A", Email="a@acme.example", AccountId=account)
    waiting = w.salesforce.user_creates_contact(
        LastName="B", Email="b@acme.example", AccountId=w.salesforce.user_creates_account("Prospect")
    )
    await w.settle()
    w.salesforce.user_deletes(linked)
    w.salesforce.user_purges(waiting)
    w.clock.at += 1
    await _start(w)
    await w.list_runs()
    for contact in (linked, waiting):
        assert (await w.outcome(contact)).reason is Reason.DELETED_IN_SALESFORCE
    calls = w.salesforce.calls["read_contacts"]
    w.clock.at += 1
    await _start(w)
    await w.list_runs()
    assert w.salesforce.calls["read_contacts"] == calls, "what is known to be deleted is not looked at again"


async def test_a_run_ends_although_one_contact_keeps_failing_and_that_one_is_retried_further(
    w: World,
) -> None:
    account, _ = w.linked_account()
    for number in range(3):
        w.salesforce.user_creates_contact(
            LastName=f"N{number}", Email=f"n{number}@acme.example", AccountId=account
        )
    w.netsuite.throttle("create_contact", times=100)
    run_id = await _start(w, RunKind.BACKFILL)
    for _ in range(100):
        await Lister(w.connection).step()
        await w.drain()
        due = await w.store.run(dirty_keys.next_due)
        if due is not None:
            w.clock.at = max(w.clock.at, due)
    assert (await w.store.run(lambda tx: runs.by_id(tx, run_id))).state is runs.RunState.DONE
    assert await w.store.run(dirty_keys.next_due) is not None, "it is retried for as long as it takes"


async def test_what_changes_before_the_new_subscription_stands_is_listed_after_a_lost_position(
    w: World,
) -> None:
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {w.salesforce.user_creates_contact(LastName="First")})
    w.salesforce.events.expire_positions()
    events = Unreachable(w.salesforce)
    w.connection = replace(w.connection, events=events, random=Hasty())
    async with Watching(w, Source(Entity.CONTACT)) as watching:
        await _until(lambda: len(watching.states) > 2)
        assert await w.store.run(runs.unfinished) == [], "a list now would miss what changes until then"
        events.reachable = True
        await _until(lambda: watching.states[-1] == "events")
        await _until_unfinished(w)


async def test_going_over_from_events_to_polling_and_back_lists_what_fell_between(w: World) -> None:
    async with Watching(w, Source(Entity.CONTACT)):
        await _marked(w, {w.salesforce.user_creates_contact(LastName="First")})
    w.salesforce.events.unavailable.add(Entity.CONTACT)
    async with Watching(w, Source(Entity.CONTACT)) as watching:
        assert watching.states[-1] == "polling"
        [to_polling] = await _until_unfinished(w)
    await w.store.run(lambda tx: runs.finish(tx, to_polling, now=w.clock.now()))
    w.salesforce.events.unavailable.clear()
    async with Watching(w, Source(Entity.CONTACT)):
        [to_events] = await _until_unfinished(w)
    assert (to_polling.entity, to_events.entity) == (Entity.CONTACT, Entity.CONTACT)
    await w.store.run(lambda tx: runs.finish(tx, to_events, now=w.clock.now()))
    async with Watching(w, Source(Entity.CONTACT)):
        assert await w.store.run(runs.unfinished) == []


async def _until_unfinished(w: World) -> list[runs.Run]:
    for _ in range(2000):
        if found := await w.store.run(runs.unfinished):
            return found
        await asyncio.sleep(0.001)
    raise AssertionError("no run was ordered")
