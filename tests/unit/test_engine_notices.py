"""What the NetSuite side tells of itself stands in the condition of the connection, as long as it lasts."""

from __future__ import annotations

from tests.memory.world import World, world

from twinbook.engine.running.notices import NETSUITE_REACHED_OTHERWISE, NoticeWatch
from twinbook.store import conditions
from twinbook.store.conditions import Condition, State

NOTICE = "NetSuite's RESTlet cannot be used."


async def told(w: World) -> tuple[State, str | None, str]:
    found = await w.store.read(conditions.of)
    assert found is not None
    return found.state, found.code, found.detail


async def note(w: World, state: State) -> None:
    await w.store.run(lambda tx: conditions.note(tx, Condition(state, w.clock.now())))


async def test_a_notice_stands_in_the_condition_until_it_is_over() -> None:
    async with world() as w:
        watch = NoticeWatch(w.connection)
        await note(w, State.IN_STEP)
        w.netsuite.notice = NOTICE
        await watch.look()
        assert await told(w) == (State.IN_STEP, NETSUITE_REACHED_OTHERWISE, NOTICE)
        await note(w, State.IN_STEP)
        await watch.look()
        assert await told(w) == (State.IN_STEP, NETSUITE_REACHED_OTHERWISE, NOTICE), "it is told again"
        w.netsuite.notice = None
        await watch.look()
        assert await told(w) == (State.IN_STEP, None, "")


async def test_a_connection_that_fails_says_that_and_nothing_else() -> None:
    async with world() as w:
        await note(w, State.RETRYING)
        w.netsuite.notice = NOTICE
        await NoticeWatch(w.connection).look()
        assert await told(w) == (State.RETRYING, None, "")
