"""An emulated Pub/Sub API to subscribe to, and a hand on what happens in its org."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from twinbook.domain.ports import EventBatch
from twinbook.domain.records import Entity, Key, Side
from twinbook.salesforce.auth import Token
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.tls import TlsFiles
from twinbook_sandbox.pubsub.bus import EventBus
from twinbook_sandbox.pubsub.server import PubSubServer
from twinbook_sandbox.salesforce.changes import Change, ChangeLog
from twinbook_sandbox.salesforce.objects import schemas_with
from twinbook_sandbox.salesforce.sessions import SessionInfo

ORG = "00D5g00000AbCdEEAV"
ANSWER_SECONDS = 5.0


def contact(record_id: str) -> Key:
    return Key(Entity.CONTACT, Side.SALESFORCE, record_id)


class Tokens:
    """Logs in as often as it is asked to, and remembers which tokens were dropped."""

    def __init__(self) -> None:
        self.current = Token("token-1", "https://acme.my.salesforce.com", ORG, "0055g00000XyZabAAF")
        self.dropped: list[str] = []

    async def token(self) -> Token:
        return self.current

    def invalidate(self, token: Token) -> None:
        self.dropped.append(token.value)
        self.current = replace(token, value=f"token-{len(self.dropped) + 1}")


class Org:
    """A served event bus, and a hand on what happens in the org."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.changes = ChangeLog()
        self.bus = EventBus(
            self.clock,
            self.changes,
            schemas_with(frozenset(), "Salutation FirstName LastName").__getitem__,
            7,
        )
        self.bus.switches.first_keepalive_seconds = self.bus.switches.keepalive_seconds
        self.valid_tokens = {"token-1", "token-2"}
        self.server = PubSubServer(self.bus, self._session)
        self.port = 0

    async def start(self, tls: TlsFiles | None = None) -> None:
        self.port = await self.server.start("127.0.0.1", self.port, tls)

    def act(self, action: str, **arguments: Any) -> None:
        self.bus.actions()[action](arguments)

    def commit(self, *ids: str, entity: str = "Contact", change_type: str = "UPDATE", **fields: Any) -> None:
        at = self.clock.now().replace(microsecond=0)
        user = "0055g00000XyZabAAF"
        key = self.bus.new_uuid()
        self.changes.append([Change(entity, change_type, ids, fields, user, "", key, 1, 1, at)])

    def now(self) -> float:
        return self.clock.now().timestamp()

    def _session(self, token: str) -> SessionInfo | None:
        known = token in self.valid_tokens
        return SessionInfo(token, "0055g00000XyZabAAF", ORG, "app", datetime.now(UTC)) if known else None


class Subscription:
    """Reads batches within a time limit."""

    def __init__(self, batches: AsyncIterator[EventBatch]) -> None:
        self._batches = batches
        self.position = b""

    async def next(self) -> EventBatch:
        async with asyncio.timeout(ANSWER_SECONDS):
            batch = await anext(self._batches)
        self.position = batch.position
        return batch

    async def until(self, wanted: Callable[[EventBatch], bool]) -> EventBatch:
        while not wanted(batch := await self.next()):
            pass
        return batch
