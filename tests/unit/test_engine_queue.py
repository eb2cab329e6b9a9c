"""The queue and its lanes: what is urgent goes first, and no mark, bell or pause is ever missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest_asyncio
from tests.memory.salesforce import MemorySalesforce
from tests.memory.world import World, world

from twinbook.domain.errors import TemporaryError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.ports import SalesforcePort
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care import controls
from twinbook.engine.running.lanes import Lane
from twinbook.engine.wake import Wake
from twinbook.store import dirty_keys
from twinbook.store.dirty_keys import Claimed, Priority


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


def contact_key(id_: str) -> Key:
    return Key(Entity.CONTACT, Side.SALESFORCE, id_)


def once(kind: str, act: Callable[[], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
    """A hook that does something during the first call of a kind."""
    done = False

    async def hook(called: str) -> None:
        nonlocal done
        if called == kind and not done:
            done = True
            await act()

    return hook


@dataclass
class AfterReading:
    """Salesforce, where something happens after contacts were read and before the reader can do anything."""

    salesforce: MemorySalesforce
    act: Callable[[], Awaitable[None]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.salesforce, name)

    async def read_with_losers(self, ids: Sequence[str]) -> object:
        found = await self.salesforce.read_with_losers(ids)
        await self.act()
        return found


async def claim(w: World, *, limit: int = 10) -> list[Claimed]:
    now = w.clock.now()
    return await w.store.run(
        lambda tx: dirty_keys.claim(tx, token="t", limit=limit, now=now, lease_until=now + 60)
    )


async def test_a_live_edit_never_shares_its_batch_with_back_fill(w: World) -> None:
    now = w.clock.now()
    swept = [contact_key(f"003{number:015d}") for number in range(5)]
    await w.store.run(
        lambda tx: dirty_keys.mark(tx, swept, cause="backfill", now=now - 9, priority=Priority.SWEEP)
    )
    await w.mark(contact_key("003edited"))
    assert [item.key.id for item in await claim(w)] == ["003edited"]
    assert len(await claim(w)) == 5


async def test_what_a_person_asked_for_by_hand_stays_asked_for_whoever_marks_the_account_too(
    w: World,
) -> None:
    account = w.salesforce.user_creates_account("Prospect")
    await w.notice()
    key = Key(Entity.ACCOUNT, Side.SALESFORCE, account)
    await w.store.run(lambda tx: controls.push(tx, key, now=w.clock.now()))
    w.salesforce.user_edits(account, {"Name": "Prospect Ltd"})
    await w.notice()
    await w.settle()
    assert [item.name for item in w.netsuite.customers] == ["Prospect Ltd"]


async def test_a_bell_that_rings_while_a_lane_works_wakes_it_whoever_else_has_heard_it() -> None:
    wake = Wake()
    busy_since = wake.rings
    idle = asyncio.create_task(wake.wait(60, since=wake.rings))
    await asyncio.sleep(0)
    wake.ring()
    await idle
    await asyncio.wait_for(wake.wait(60, since=busy_since), 1)


async def test_a_contact_that_is_looked_at_while_the_flow_is_resumed_does_not_wait_for_ever(w: World) -> None:
    account, _ = w.linked_account()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.store.run(lambda tx: controls.pause(tx, by="ada", now=w.clock.now()))

    async def resume() -> None:
        await w.store.run(lambda tx: controls.resume(tx, by="ada", now=w.clock.now()))

    w.salesforce.before_call = once("read_contacts", resume)
    await w.mark(contact_key(contact))
    await w.settle()
    assert (await w.outcome(contact)).reason is not Reason.PAUSED
    assert len(w.netsuite.contacts) == 1


async def test_a_contact_that_saw_its_account_unlinked_for_a_moment_is_released(w: World) -> None:
    account, customer = w.linked_account()
    await w.settle()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    w.salesforce.user_edits(account, {"NetSuite_Id__c": None})
    await w.mark(contact_key(contact))
    await w.drain()
    w.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
    await w.settle()
    assert (await w.outcome(contact)).kind in (OutcomeKind.CREATED, OutcomeKind.UNCHANGED)


async def test_a_contact_that_saw_its_account_unlinked_is_released_even_if_its_account_was_looked_at_first(
    w: World,
) -> None:
    account, customer = w.linked_account()
    await w.settle()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    w.salesforce.user_edits(account, {"NetSuite_Id__c": None})

    async def link_account() -> None:
        w.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
        await w.notice()
        await w.drain()

    await w.mark(contact_key(contact))
    slow = AfterReading(w.salesforce, link_account)
    await Lane(replace(w.connection, salesforce=cast(SalesforcePort, slow))).drain()
    await w.settle()
    assert len(w.netsuite.contacts) == 1


async def test_a_contact_in_backoff_is_tried_at_once_when_somebody_edits_it(w: World) -> None:
    account, _ = w.linked_account()
    await w.settle()
    contact = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    w.netsuite.fail("create_contact", TemporaryError("BUSY", "later", retry_after=500.0))
    await w.notice()
    await w.drain()
    assert w.netsuite.contacts == []
    w.salesforce.user_edits(contact, {"Title": "Countess"})
    await w.notice()
    await w.drain()
    assert len(w.netsuite.contacts) == 1


async def test_a_contact_that_waits_for_its_mailbox_does_not_ask_all_the_time(w: World) -> None:
    """The one that holds the mailbox is in backoff for minutes; the other one steps aside, ever longer."""
    account, _ = w.linked_account()
    await w.settle()
    for name in ("Ada", "Grace"):
        w.salesforce.user_creates_contact(LastName=name, Email="info@acme.example", AccountId=account)
    w.netsuite.fail("create_contact", TemporaryError("BUSY", "later", retry_after=600.0))
    await w.notice()
    started, calls = w.clock.at, w.salesforce.calls["read_contacts"]
    while w.clock.at < started + 590:
        await w.drain()
        due = await w.store.run(dirty_keys.next_due)
        w.clock.at = max(w.clock.at + 0.01, due or 0.0)
    assert w.salesforce.calls["read_contacts"] - calls < 25
    await w.settle()
    assert len(w.netsuite.contacts) == 1


async def test_accounts_that_want_the_same_customer_do_not_ask_all_the_time(w: World) -> None:
    w.netsuite.user_creates_customer("Prospect", subsidiary="1")
    for _ in range(2):
        account = w.salesforce.user_creates_account("Prospect")
        w.salesforce.user_wins(w.salesforce.user_creates_opportunity(account))
    w.netsuite.fail("update_customer", TemporaryError("BUSY", "later", retry_after=600.0))
    await w.notice()
    await asyncio.wait_for(w.drain(), 20)
    assert w.salesforce.calls["read_accounts"] < 10
    await w.settle()
    linked = [w.salesforce.account(record.id).netsuite_id for record in w.salesforce._live(Entity.ACCOUNT)]
    assert len([id_ for id_ in linked if id_]) == 1


async def test_a_contact_that_twinbook_itself_fails_on_keeps_nobody_from_its_mailbox(w: World) -> None:
    account, _ = w.linked_account()
    await w.settle()
    ids = [
        w.salesforce.user_creates_contact(LastName=name, Email="info@acme.example", AccountId=account)
        for name in ("Ada", "Grace")
    ]

    async def fail(kind: str) -> None:
        if kind == "create_contact":
            raise RuntimeError("a defect")

    w.netsuite.before_call = fail
    await w.mark(contact_key(ids[0]))
    await w.drain()
    assert (await w.outcome(ids[0])).reason is Reason.INTERNAL_ERROR
    w.netsuite.before_call = None
    await w.mark(contact_key(ids[1]))
    await w.drain()
    assert [item.salesforce_id for item in w.netsuite.contacts] == [ids[1]]
