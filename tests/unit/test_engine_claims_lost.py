"""A lane that lost its claim stores nothing, and has whatever it may have written looked at again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.lease import Lease, LeaseLostError
from twinbook.engine.running.lanes import Lane
from twinbook.store import dirty_keys
from twinbook.store.dirty_keys import CLAIM_LOST, Claimed


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


KEY = Key(Entity.CONTACT, Side.SALESFORCE, "003edited")


async def claim(w: World, token: str) -> list[Claimed]:
    now = w.clock.now()
    return await w.store.run(
        lambda tx: dirty_keys.claim(tx, token=token, limit=10, now=now, lease_until=now + 60)
    )


async def expire(w: World) -> None:
    w.clock.at += 61
    now = w.clock.now()
    assert await w.store.run(lambda tx: dirty_keys.release_claims(tx, expired_at=now)) == 1


@pytest.mark.parametrize("finished", [True, False], ids=["settled by the next one", "held by the next one"])
@pytest.mark.parametrize("how", ["settle", "put back"])
async def test_keys_that_are_no_longer_a_lanes_own_are_marked_again(
    w: World, how: str, finished: bool
) -> None:
    await w.mark(KEY)
    [mine] = await claim(w, "late")
    await expire(w)
    [theirs] = await claim(w, "next")
    now = w.clock.now()
    if finished:
        await w.store.run(lambda tx: dirty_keys.settle(tx, [theirs], token="next", now=now))
    if how == "settle":
        await w.store.run(lambda tx: dirty_keys.settle(tx, [mine], token="late", now=now))
    else:
        await w.store.run(
            lambda tx: dirty_keys.put_back(tx, mine, token="late", due_at=now, failed=False, now=now)
        )
    if not finished:
        await w.store.run(lambda tx: dirty_keys.settle(tx, [theirs], token="next", now=now))
    queued = await w.store.run(lambda tx: dirty_keys.queued(tx, KEY))
    assert queued is not None
    assert not queued.claimed
    if finished:
        assert queued.cause == CLAIM_LOST


async def test_nothing_is_remembered_under_a_claim_that_is_gone(w: World) -> None:
    await w.mark(KEY)
    await claim(w, "late")
    lease = Lease(w.clock, "late", 60, w.clock.monotonic())
    await w.store.run(lease.check_in)
    await expire(w)
    with pytest.raises(LeaseLostError):
        await w.store.run(lease.check_in)


async def test_a_lane_that_wakes_up_late_does_not_overwrite_what_the_next_one_agreed_on(w: World) -> None:
    """Frozen between its write to NetSuite and its own memory of it, while another lane does newer work."""
    account, _ = w.linked_account()
    await w.settle()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.notice()
    await w.settle()
    w.salesforce.user_edits(contact, {"Title": "Countess"})
    await w.notice()

    frozen, lane = False, Lane(w.connection)

    async def freeze(kind: str) -> None:
        nonlocal frozen
        if kind != "find_contacts" or frozen or w.netsuite.contacts[0].fields.get("title") != "Countess":
            return
        frozen = True
        await expire(w)
        w.salesforce.user_edits(contact, {"Title": "Mathematician"})
        await w.notice()
        await w.drain()
        lane.stop()

    w.netsuite.before_call = freeze
    await lane.drain()
    assert frozen
    link = await w.link(contact)
    assert link is not None
    assert link.agreed["Title/title"] == "Mathematician"
    await w.settle()
    assert w.netsuite.contacts[0].fields["title"] == "Mathematician"


async def test_what_is_broken_off_goes_back_to_the_queue_at_once(w: World) -> None:
    account, _ = w.linked_account()
    await w.settle()
    for name in ("Ada", "Grace", "Jean"):
        w.salesforce.user_creates_contact(LastName=name, Email=f"{name}@acme.example", AccountId=account)
    await w.notice()
    lane = Lane(w.connection)

    async def end(kind: str) -> None:
        if kind == "read_contacts":
            lane.stop()
            lane.break_off()

    w.salesforce.before_call = end
    await lane.drain()
    assert w.netsuite.contacts == []
    depth = await w.store.run(lambda tx: dirty_keys.depth(tx, now=w.clock.now()))
    assert (depth.due, depth.claimed) == (3, 0)
    w.salesforce.before_call = None
    await w.settle()
    assert len(w.netsuite.contacts) == 3
