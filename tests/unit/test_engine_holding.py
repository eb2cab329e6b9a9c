"""Holding a pair for a person's write: no lane works on its account meanwhile, and afterwards it is looked at."""

from __future__ import annotations

import pytest
from tests.memory.world import world

from twinbook.domain.errors import TemporaryError
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care.holding import held
from twinbook.store import dirty_keys


async def test_what_is_held_waits_with_its_account_and_is_looked_at_afterwards() -> None:
    async with world() as w:
        account, _ = w.linked_account()
        given = {"LastName": "L", "AccountId": account}
        one, two = (
            w.salesforce.user_creates_contact(FirstName=name, Email=f"{name}@acme.example", **given)
            for name in ("ada", "bob")
        )
        await w.settle()
        key = Key(Entity.CONTACT, Side.SALESFORCE, one)
        before = w.netsuite.contacts
        async with held(w.connection, key, cause="a test"):
            w.salesforce.user_edits(one, {"Title": "Countess"})
            w.salesforce.user_edits(two, {"Title": "Engineer"})
            await w.notice()
            await w.drain()
            assert [item.fields.get("title") for item in w.netsuite.contacts] == [
                item.fields.get("title") for item in before
            ]
            with pytest.raises(TemporaryError, match="working on this account"):
                async with held(w.connection, Key(Entity.CONTACT, Side.SALESFORCE, two), cause="another"):
                    raise AssertionError("two held one account")
        await w.settle()
        assert {item.fields["title"] for item in w.netsuite.contacts} == {"Countess", "Engineer"}


async def test_a_block_that_fails_lets_go_too() -> None:
    async with world() as w:
        key = Key(Entity.CONTACT, Side.SALESFORCE, "003000000000001AAA")
        with pytest.raises(ZeroDivisionError):
            async with held(w.connection, key, cause="a test"):
                raise ZeroDivisionError
        queued = await w.store.read(lambda tx: dirty_keys.queued(tx, key))
        assert queued is not None
        assert not queued.claimed
