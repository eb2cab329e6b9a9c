"""Looking at single records of an installation on which nothing else runs, for scenario tests that share a sandbox."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tests.scenario.product import Product, until

from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.connection import Connection
from twinbook.engine.running.supervisor import Supervisor
from twinbook.store import dirty_keys, outcomes
from twinbook.store.outcomes import Outcome

_numbers = itertools.count(1)


class Acme:
    """A linked account of its own for one test, and people with names of their own."""

    def __init__(self, p: Product, account: str, customer: str, number: int) -> None:
        self.p, self.account, self.customer = p, account, customer
        self.email = f"ada{number}@acme.example"
        self.last_name = f"Lovelace {number}"

    @classmethod
    async def founded(cls, p: Product) -> Acme:
        number = next(_numbers)
        return cls(p, *await p.linked_account(f"Acme {number}"), number)

    async def here(self, **fields: Any) -> str:
        """Ada in Salesforce."""
        given = {
            "LastName": self.last_name,
            "FirstName": "Ada",
            "Email": self.email,
            "AccountId": self.account,
        }
        return await self.p.contact(**{**given, **fields})

    async def there(self, **fields: Any) -> str:
        """Ada in NetSuite."""
        given = {
            "lastName": self.last_name,
            "firstName": "Ada",
            "email": self.email,
            "company": {"id": self.customer},
            "subsidiary": {"id": "1"},
        }
        kept = {name: value for name, value in {**given, **fields}.items() if value is not None}
        return await self.p.netsuite.insert("contact", kept)

    async def pair(self, **fields: Any) -> tuple[str, str]:
        """Ada on both sides, linked: both ids."""
        here = await self.here(**fields)
        await look(self.p, here)
        there = await self.p.in_netsuite(here)
        assert there is not None
        return here, str(there["id"])

    async def count(self) -> int:
        """How many NetSuite contacts the customer has."""
        return len(await self.p.netsuite.records("contact", {"company": self.customer}))


async def look(
    p: Product, id_: str, side: Side = Side.SALESFORCE, entity: Entity = Entity.CONTACT
) -> Outcome:
    """Look at one record, and at what that leads to, until nothing is due; what came of it."""
    key = Key(entity, side, id_)
    found = await work_off(p, key)
    assert found is not None, f"{id_} has no outcome"
    return found


async def work_off(p: Product, key: Key) -> Outcome | None:
    """The same for a record that may be shown under another key afterwards."""
    async with p.connected() as connection:
        await connection.store.run(lambda tx: dirty_keys.mark(tx, [key], cause="test", now=time.time()))
        await Supervisor(connection).run(until(lambda: _idle(connection)), watch=())
        return await connection.store.run(lambda tx: outcomes.find(tx, key))


async def _idle(connection: Connection) -> bool:
    depth = await connection.store.run(lambda tx: dirty_keys.depth(tx, now=time.time()))
    return not (depth.due or depth.claimed)
