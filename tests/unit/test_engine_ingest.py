"""Taking in changes: events, gaps, lost positions, polling, and the runs that make good what events could not say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.records import Entity
from twinbook.engine.connection import Source
from twinbook.engine.ingest import Ingest
from twinbook.store import cursors, runs
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
        (kind.value, number) for kind, _, number in await w.store.run(lambda tx: runs.counts(tx, run_id))
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
        counted = await w.store.run(lambda tx, run_id=run_id: runs.counts(tx, run_id))
        assert [(kind.value, number) for kind, _, number in counted] == [(expected, 25)]
    assert w.netsuite.writes + w.salesforce.writes == before
