"""Accounts for the contract suite: the port under test, and what a person does in the account behind it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from starlette.applications import Starlette
from tests.memory.netsuite import MemoryNetSuite

from twinbook.domain.ports import NetSuitePort
from twinbook.domain.records import Entity
from twinbook.http import HttpSettings, HttpTransport
from twinbook.netsuite.auth import (
    Authorizer,
    ClientCredentials,
    OAuth2Login,
    TokenBasedLogin,
    TokenCredentials,
)
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.restlet import Restlet, RestletScript
from twinbook.netsuite.side import NetSuiteSide
from twinbook.packaged import folder
from twinbook_sandbox.client import SandboxClient
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import control_routes
from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.netsuite.account import NetSuiteAccount

PAGE = 3
ID_FIELD = "custentity_twinbook_sf_id"
LOCKED_FIELD = "custentity_twinbook_locked"
SUBSIDIARY = "1"
_TYPES = {Entity.CONTACT: "contact", Entity.ACCOUNT: "customer"}


class Account(Protocol):
    """An account with a port to it. The methods act as a user."""

    @property
    def side(self) -> NetSuitePort: ...

    async def customer(self, name: str, **fields: Any) -> str: ...

    async def contact(self, **fields: Any) -> str: ...

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None: ...

    async def delete(self, entity: Entity, record_id: str) -> None: ...

    async def merge(self, winner_id: str, loser_id: str) -> None: ...

    async def attached(self, contact_id: str) -> dict[str, str | None]:
        """The roles of a contact by the customer that it is attached to."""
        ...

    def losing_answers(self, method: str) -> AbstractAsyncContextManager[None]:
        """Inside, contact writes by this HTTP method are carried out, but their answers never come."""
        ...

    async def throttle_next(self) -> None:
        """The next call is refused for the account's concurrency limit."""
        ...


@dataclass
class AccountInMemory:
    """The account that tests of the engine use."""

    side: MemoryNetSuite

    async def customer(self, name: str, **fields: Any) -> str:
        external_id = fields.pop("externalId", None)
        return self.side.user_creates_customer(name, external_id=external_id, subsidiary=SUBSIDIARY, **fields)

    async def contact(self, **fields: Any) -> str:
        external_id = fields.pop("externalId", None)
        return self.side.user_creates_contact(external_id=external_id, subsidiary=SUBSIDIARY, **fields)

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None:
        self.side.user_edits(record_id, fields)

    async def delete(self, entity: Entity, record_id: str) -> None:
        self.side.user_deletes(record_id)

    async def merge(self, winner_id: str, loser_id: str) -> None:
        self.side.user_merges(winner_id, loser_id)

    async def attached(self, contact_id: str) -> dict[str, str | None]:
        pairs = self.side.attached.items()
        return {customer: role for (customer, contact), role in pairs if contact == contact_id}

    @asynccontextmanager
    async def losing_answers(self, method: str) -> AsyncIterator[None]:
        self.side.lose_answer({"PUT": "create_contact", "PATCH": "update_contact"}[method])
        yield

    async def throttle_next(self) -> None:
        self.side.throttle()


@dataclass
class AccountInSandbox:
    """The emulated account over HTTP; the person uses its control plane."""

    side: NetSuiteSide
    control: SandboxClient
    transport: str = "rest"

    async def customer(self, name: str, **fields: Any) -> str:
        return await self.control.insert(
            "customer", {"companyName": name, "subsidiary": SUBSIDIARY, **fields}
        )

    async def contact(self, **fields: Any) -> str:
        return await self.control.insert("contact", {"subsidiary": SUBSIDIARY, **fields})

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None:
        await self.control.update(_TYPES[entity], record_id, fields)

    async def delete(self, entity: Entity, record_id: str) -> None:
        await self.control.delete(_TYPES[entity], record_id)

    async def merge(self, winner_id: str, loser_id: str) -> None:
        await self.control.act("merge", master=winner_id, loser=loser_id)

    async def attached(self, contact_id: str) -> dict[str, str | None]:
        pairs = await self.control.records("companyContactRelationship")
        mine = (pair for pair in pairs if str(pair["contact"]) == contact_id)
        return {str(pair["company"]): pair["role"] and str(pair["role"]) for pair in mine}

    @asynccontextmanager
    async def losing_answers(self, method: str) -> AsyncIterator[None]:
        for matching in ({"method": method, "path": "/contact/"}, {"kind": "restlet", "method": "POST"}):
            await self.control.add_fault("drop_after_commit", times=None, **matching)
        yield
        await self.control.clear_faults()

    async def throttle_next(self) -> None:
        text = "Concurrent request limit exceeded. Request blocked."
        refusals = {
            "rest": {"path": "/services/rest/", "status": 429, "code": "CONCURRENCY_LIMIT_EXCEEDED"},
            "restlet": {"kind": "restlet", "status": 400, "code": "SSS_REQUEST_LIMIT_EXCEEDED"},
        }
        await self.control.add_fault("reject", message=text, **refusals[self.transport])


def account_in_memory() -> AccountInMemory:
    return AccountInMemory(
        MemoryNetSuite(id_field=ID_FIELD, locked_field=LOCKED_FIELD, page_size=PAGE, step_s=0.0)
    )


def new_account_file(path: Path) -> Path:
    """An empty account with its logins. Making their keys takes long: copy it for each test."""
    NetSuiteAccount(Clock(), path=str(path)).close()
    return path


@asynccontextmanager
async def running_account(path: Path) -> AsyncIterator[NetSuiteAccount]:
    """The account of a file, served over HTTP on a port of its own."""
    clock, listener = Clock(), bind("127.0.0.1", 0)
    account = NetSuiteAccount(clock, path=str(path), base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    traffic = account.traffic()
    routes = [*account.routes(), *control_routes(account, traffic, clock)]
    server = HttpServer(listener, traffic.wrap(Starlette(routes=routes)))
    await server.start()
    try:
        yield account
    finally:
        traffic.clear_faults()
        await server.stop()
        await account.scripts.stop()
        account.close()


@asynccontextmanager
async def account_in_sandbox(
    account: NetSuiteAccount,
    login: str = "ec",
    *,
    transport: Literal["rest", "restlet", "auto"] = "rest",
    deployed: bool = True,
    wall: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[AccountInSandbox]:
    """A side that logs in with the EC key, the RSA key or the TBA token (`ec`, `rsa`, `tba`)."""
    base_url, credentials = account.base_url, account.credentials()
    if transport != "rest" and deployed:
        account.scripts.deploy(folder("netsuite"))
    config = NetSuiteConfig(
        credentials["account_id"],
        base_url=base_url,
        id_field=ID_FIELD,
        locked_field=LOCKED_FIELD,
        page_size=PAGE,
        transport=transport,
    )
    async with HttpTransport(HttpSettings(), time.time) as http, SandboxClient(base_url) as control:
        authorizer, permits = _authorizer(http, base_url, credentials, login, wall), Permits(4)
        for_restlets = _authorizer(http, base_url, credentials, login, wall, ("restlets",))
        restlet = Restlet(NetSuiteClient(http, for_restlets, permits, base_url), RestletScript())
        client = NetSuiteClient(http, authorizer, permits, base_url)
        side = NetSuiteSide(client, config, monotonic=monotonic, restlet=restlet)
        await side.choose_transport()
        yield AccountInSandbox(side, control, transport)


def _authorizer(
    http: HttpTransport,
    base_url: str,
    credentials: dict[str, Any],
    login: str,
    wall: Callable[[], float],
    scopes: tuple[str, ...] = ("rest_webservices",),
) -> Authorizer:
    if login == "tba":
        tba = credentials["tba"]
        return TokenBasedLogin(
            TokenCredentials(
                credentials["account_id"],
                tba["consumer_key"],
                tba["consumer_secret"],
                tba["token_id"],
                tba["token_secret"],
            )
        )
    kept = credentials if login == "ec" else credentials["rsa"]
    mapping = ClientCredentials(kept["client_id"], kept["certificate_id"], kept["private_key"], scopes)
    return OAuth2Login(http, base_url, lambda: mapping, wall=wall, monotonic=time.monotonic)
