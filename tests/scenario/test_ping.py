"""A signed ping over HTTP leads to the sync at once; without one, the same change waits for the next poll."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from tests.scenario.product import Product, until

from twinbook.engine.connection import Connection
from twinbook.settings import load
from twinbook.settings.in_force import InForce
from twinbook.signature import HEADER, sign
from twinbook.web.serving import serve

SECRET = "a secret that nobody guesses, of 43 letters"
NEVER = 3600


async def test_a_ping_is_quicker_than_the_poll(p: Product) -> None:
    p.configure("contacts", direction="both")
    p.configure("netsuite", poll_seconds=NEVER)
    p.configure("ping", secret=SECRET)
    _, customer = await p.linked_account()
    async with p.running() as connection, served(p, connection) as url:
        made = await p.netsuite.insert("contact", person(customer))
        assert await post(url, made) == 202

        async def arrived() -> bool:
            return bool(await p.salesforce.records("Contact", {"NetSuite_Id__c": made}))

        await until(arrived)
        await p.netsuite.update("contact", made, {"title": "Mathematician"})
        assert await post(url, made, secret="another secret that nobody guesses either") == 401
        assert await post(url, made) == 202

        async def edited() -> bool:
            [contact] = await p.salesforce.records("Contact", {"NetSuite_Id__c": made})
            return bool(contact["Title"] == "Mathematician")

        await until(edited)


async def test_a_change_without_a_ping_waits_for_the_poll(p: Product) -> None:
    p.configure("contacts", direction="both")
    p.configure("netsuite", poll_seconds=2)
    p.configure("ping", secret=SECRET)
    _, customer = await p.linked_account()
    async with p.running() as connection, served(p, connection):
        made = await p.netsuite.insert("contact", person(customer))

        async def arrived() -> bool:
            return bool(await p.salesforce.records("Contact", {"NetSuite_Id__c": made}))

        await until(arrived)


def person(customer: str) -> dict[str, Any]:
    return {
        "firstName": "Mary",
        "lastName": "Somerville",
        "email": "mary@acme.example",
        "company": {"id": customer},
        "subsidiary": {"id": "1"},
    }


async def post(url: str, contact: str, *, secret: str = SECRET) -> int:
    body = orjson.dumps({"v": 1, "connection": "default", "records": [{"type": "contact", "id": contact}]})
    header = sign(secret, body, at=int(time.time()), nonce=secrets.token_hex(16))
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers={HEADER: header}) as answer,
    ):
        return answer.status


@asynccontextmanager
async def served(p: Product, connection: Connection) -> AsyncIterator[str]:
    """The endpoint, as the dashboard serves it."""
    settings = load(p.config, p.environment())
    anywhere = settings.model_copy(update={"web": settings.web.model_copy(update={"port": 0})})
    async with serve(connection.store.database, InForce(anywhere)) as dashboard:
        yield f"{dashboard.url}/ping/default"
