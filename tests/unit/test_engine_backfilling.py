"""Back-fills that people begin, pause, resume and stop."""

from __future__ import annotations

from tests.memory.world import World, world

from twinbook.domain.policy import Direction
from twinbook.engine.care import backfilling
from twinbook.engine.connection import CONTACTS, Source, looked_through
from twinbook.engine.running.listing import Lister
from twinbook.engine.running.schedules import sweep_is_due
from twinbook.store import runs
from twinbook.store.runs import Run, RunState

DAY = 86_400.0


async def _begin(w: World, *parts: Source) -> list[int]:
    now = w.clock.now()
    return await w.store.run(lambda tx: backfilling.begin(tx, parts, by="grace", now=now))


async def _run(w: World, number: int) -> Run:
    return await w.store.read(lambda tx: runs.by_id(tx, number))


def _ten_contacts(w: World) -> None:
    account, _ = w.linked_account()
    for number in range(10):
        w.salesforce.user_creates_contact(
            AccountId=account, LastName=f"Ada {number}", Email=f"ada{number}@acme.example"
        )
    w.salesforce.page_size = 4


async def test_a_paused_one_lists_nothing_and_goes_on_where_it_was() -> None:
    async with world() as w:
        _ten_contacts(w)
        [number] = await _begin(w, CONTACTS)
        lister = Lister(w.connection)
        await lister.step()
        assert await w.store.run(backfilling.pause) == 1
        assert not await lister.step()
        found = await _run(w, number)
        assert (found.state, found.listed) == (RunState.PAUSED, 4)
        await w.drain()
        assert len(w.netsuite.contacts) == 4, "what was in the queue is worked off"
        assert await w.store.run(backfilling.resume) == 1
        await w.list_runs()
        found = await _run(w, number)
        assert (found.state, found.listed) == (RunState.DONE, 10)
        assert len(w.netsuite.contacts) == 10


async def test_a_page_that_is_read_while_somebody_pauses_or_stops_counts_for_nothing() -> None:
    async with world() as w:
        _ten_contacts(w)
        [number] = await _begin(w, CONTACTS)
        before = await _run(w, number)
        for act in (backfilling.pause, lambda tx: backfilling.stop(tx, now=w.clock.now())):
            await w.store.run(act)
            held = await _run(w, number)
            assert not await w.store.run(lambda tx: runs.advance(tx, before, position="x", listed=4))
            assert await _run(w, number) == held


async def test_a_stopped_one_has_ended_for_good_and_is_no_first_back_fill() -> None:
    async with world() as w:
        _ten_contacts(w)
        [number] = await _begin(w, CONTACTS)
        await Lister(w.connection).step()
        now = w.clock.now()
        assert await w.store.run(lambda tx: backfilling.stop(tx, now=now)) == 1
        await w.list_runs()
        found = await _run(w, number)
        assert (found.state, found.listed, found.finished_at) == (RunState.STOPPED, 4, now)
        assert sum(many for _, _, many in await w.store.read(lambda tx: runs.counts(tx, [number]))) == 4
        options = w.connection.options.sweep
        later = now + 2 * DAY
        assert not await w.store.read(lambda tx: sweep_is_due(tx, options, now=later)), (
            "a sweep would carry over what was stopped"
        )
        assert await _begin(w, CONTACTS) != [number]


async def test_beginning_again_resumes_a_paused_one() -> None:
    async with world() as w:
        numbers = await _begin(w, *looked_through(Direction.BOTH))
        assert len(numbers) == 3
        await w.store.run(backfilling.pause)
        assert await _begin(w, CONTACTS) == [numbers[1]]
        assert (await _run(w, numbers[0])).state is RunState.LISTING
