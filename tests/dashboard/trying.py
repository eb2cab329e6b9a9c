"""Both systems in memory behind the dashboard, so that settings can be tried out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

from tests.memory.world import World, world

from twinbook.domain.records import Entity
from twinbook.engine.connection import Connection
from twinbook.settings import ConnectionSettings, account_policy, contact_policy
from twinbook.web.settings.impacts import OpenConnection


@contextmanager
def systems() -> Iterator[World]:
    """Two contacts of one linked account in Salesforce, and nobody in NetSuite yet. Made in a thread of its own: a test
    of a browser has an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        runner, made = asyncio.Runner(), world()
        entered = thread.submit(runner.run, made.__aenter__()).result()
        account, _ = entered.linked_account()
        for name, title in (("Lovelace", None), ("Hopper", "Admiral")):
            email = f"{name.lower()}@acme.example"
            entered.salesforce.user_creates_contact(
                AccountId=account, LastName=name, Email=email, Title=title
            )
        yield entered
        thread.submit(runner.run, made.__aexit__(None, None, None)).result()
        thread.submit(runner.close).result()


def over(made: World) -> OpenConnection:
    """Logs in to the two systems of this world, with the policies of the settings."""

    @asynccontextmanager
    async def opened(_name: str, settings: ConnectionSettings) -> AsyncIterator[Connection]:
        contacts = contact_policy(
            settings,
            salesforce_schema=await made.salesforce.describe(Entity.CONTACT),
            netsuite_schema=await made.netsuite.describe(Entity.CONTACT),
        )
        yield replace(made.connection, contacts=contacts, accounts=account_policy(settings))

    return opened
