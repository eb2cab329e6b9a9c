"""Killed before and after every durable write, the engine ends where the undisturbed run ends, and then rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from tests.memory.world import World, world

from twinbook.store import dirty_keys
from twinbook.store.database import Store, Tx

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone: nobody catches this."""


class MortalStore(Store):
    """A store whose process dies at its n-th transaction: `after` it was committed, or before."""

    def __init__(self, store: Store, *, at: int, after: bool) -> None:
        super().__init__(store.database, store.scope)
        self._left, self._after = at, after
        self.transactions = 0

    async def run(self, work: Callable[[Tx], T]) -> T:
        self.transactions += 1
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        result = await super().run(work)
        if self._left == 0:
            raise Killed
        return result


def _prepare(w: World) -> None:
    """A create, an adoption, a name clash, a shared mailbox, an account that is won, a contact without email."""
    account, customer = w.linked_account()
    make = w.salesforce.user_creates_contact
    w.netsuite.user_creates_contact(
        firstName="Grace", lastName="Old", email="grace@acme.example", company=customer, subsidiary="1"
    )
    w.netsuite.user_creates_contact(
        firstName="Ada", lastName="Lovelace", email="other@acme.example", company=customer, subsidiary="1"
    )
    make(FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    make(FirstName="Grace", LastName="Hopper", Email="grace@acme.example", AccountId=account)
    make(LastName="Shared", Email="info@acme.example", AccountId=account)
    make(LastName="Mailbox", Email="info@acme.example", AccountId=account)
    make(LastName="Nomail", AccountId=account)
    prospect = w.salesforce.user_creates_account("Prospect")
    make(LastName="Waits", Email="w@p.example", AccountId=prospect)
    w.salesforce.user_wins(w.salesforce.user_creates_opportunity(prospect))


def _state(w: World) -> object:
    """Everything that a user could tell apart, without the ids that differ from run to run."""
    linked = {item.netsuite_id for item in w.salesforce.contacts}
    return (
        sorted(
            (item.name, item.email or "", item.id in linked, item.salesforce_id or "")
            for item in w.netsuite.contacts
        ),
        sorted((item.name, item.external_id or "") for item in w.netsuite.customers),
        sorted((item.id, item.netsuite_id is not None) for item in w.salesforce.contacts),
    )


async def _undisturbed() -> tuple[object, int]:
    async with world() as w:
        _prepare(w)
        counting = MortalStore(w.store, at=-1, after=True)
        w.connection = replace(w.connection, store=counting)
        await w.settle()
        return _state(w), counting.transactions


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_kill_at_any_commit_changes_nothing_in_the_end(after: bool) -> None:
    expected, transactions = await _undisturbed()
    assert transactions > 10
    for at in range(1, transactions + 1):
        async with world() as w:
            _prepare(w)
            living = w.connection
            w.connection = replace(living, store=MortalStore(living.store, at=at, after=after))
            try:
                await w.settle()
            except Killed:
                w.connection = living
                await w.store.run(dirty_keys.release_claims)
                await w.settle()
            assert _state(w) == expected, f"killed at transaction {at}"
            writes = w.netsuite.writes, w.salesforce.writes
            for contact in w.salesforce.contacts:
                await w.mark((await w.outcome(contact.id)).key)
            await w.settle()
            assert (w.netsuite.writes, w.salesforce.writes) == writes, (
                f"killed at transaction {at}: not at rest"
            )
