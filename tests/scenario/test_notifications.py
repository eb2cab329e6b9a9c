"""`twinbook run` tells people by apprise, and programs by webhook, what they asked for, and nothing more."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiohttp import web
from tests.scenario.product import Product, has_reason, until
from tests.scenario.running import run

from twinbook.notify.addresses import Address
from twinbook.notify.due import Event
from twinbook.signature import HEADER, Signature
from twinbook.store import recipients
from twinbook.store.recipients import Kind
from twinbook.web.access.secrets import Sealer

TOO_LONG = "L" * 33


@dataclass(slots=True)
class Receiver:
    """Takes in what is posted to it, by path: headers and body."""

    port: int = 0
    got: dict[str, list[tuple[dict[str, str], bytes]]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        self.got.setdefault(request.path, []).append((dict(request.headers), await request.read()))
        return web.Response()

    async def has(self, path: str) -> bool:
        return bool(self.got.get(path))

    def text(self) -> str:
        return " ".join(body.decode() for taken in self.got.values() for _, body in taken)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made, app = Receiver(), web.Application()
    app.router.add_post("/{path:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()


async def test_people_and_programs_get_what_they_asked_for(p: Product, tmp_path: Path) -> None:
    account, _ = await p.linked_account()
    async with receiver() as listening:
        # One contact has failed, and somebody wants to be told of it, before the process starts.
        async with p.running() as connection:
            failing = await p.contact(
                FirstName=TOO_LONG, LastName="Long", Email="long@acme.example", AccountId=account
            )
            await until(lambda: has_reason(connection, failing, "FIELD_TOO_LONG"))
            rules = {"events": [Event.FAILURES], "failures_above": 0, "digest_minutes": 0, "quiet": None}
            sealed = Sealer.from_file(tmp_path / "twinbook.key").seal(
                Address(f"json://127.0.0.1:{listening.port}/people").packed()
            )
            row = {"name": "On call", "shown": "json", "sealed": sealed, "rules": rules, "now": time.time()}
            await connection.store.run(lambda tx: recipients.add(tx, Kind.PEOPLE, **row))
        async with run(p) as running:
            await until(lambda: listening.has("/people"), timeout=30)
            message = orjson.loads(listening.got["/people"][0][1])
            assert "failed" in message["message"]
            url = f"http://127.0.0.1:{listening.port}/hook"
            secret = (await running.post("notifications/webhooks", name="Warehouse", url=url))["secret"]
            created = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
            await until(lambda: _told(listening, created, "created"), timeout=30)
        for headers, body in listening.got["/hook"]:
            signature = Signature.parse(headers[HEADER])
            assert signature is not None
            assert signature.made_with([secret], body)
        for personal in ("Lovelace", TOO_LONG, "acme.example"):
            assert personal not in listening.text()


async def _told(listening: Receiver, contact: str, outcome: str) -> bool:
    """Whether the webhook was told of this outcome. Messages may arrive out of order."""
    messages = [orjson.loads(body) for _, body in listening.got.get("/hook", ())]
    records = [item for told in messages if told["event"] == "outcome.changed" for item in told["records"]]
    return any((item["id"], item["outcome"]) == (contact, outcome) for item in records)
