"""Orgs for the contract suite: the port under test, and what a person does in the org behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from starlette.applications import Starlette
from tests.memory.salesforce import MemorySalesforce

from twinbook.domain.ports import SalesforcePort
from twinbook.domain.records import Entity
from twinbook.http import HttpSettings, HttpTransport
from twinbook.salesforce.auth import JwtBearer, TokenProvider, read_private_key
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.schema import SOBJECTS
from twinbook.salesforce.side import SalesforceSide
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.core.tls import TlsFiles
from twinbook_sandbox.core.traffic import Traffic
from twinbook_sandbox.salesforce.http import refusal
from twinbook_sandbox.salesforce.org import SalesforceOrg

PAGE = 3
SETTINGS = HttpSettings(read_timeout=5)
CONFIG = SalesforceConfig(
    contact_fields=("Email", "FirstName", "LastName", "Phone", "Description", "AccountId", "Account.Type"),
    account_fields=("Name", "Type"),
    page_size=PAGE,
    poll_overlap=0.0,
)


class Org(Protocol):
    """An org with a port to it. The methods act as a user; each gives the record's id where it makes one."""

    @property
    def side(self) -> SalesforcePort: ...

    async def account(self, name: str, **fields: Any) -> str: ...

    async def contact(self, **fields: Any) -> str: ...

    async def person_account(self, last_name: str) -> str:
        """The id of the person's contact."""
        ...

    async def opportunity(self, account_id: str, *, won: bool) -> str: ...

    async def role(self, entity: Entity, contact_id: str, role: str, **parent: str) -> str: ...

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None: ...

    async def delete(self, entity: Entity, record_id: str) -> None: ...

    async def undelete(self, entity: Entity, record_id: str) -> None: ...

    async def purge(self, entity: Entity, record_id: str) -> None: ...

    async def merge(self, entity: Entity, winner_id: str, loser_id: str) -> None: ...

    async def pass_time(self) -> None:
        """Let a second go by, so that what follows has a later timestamp."""
        ...


@dataclass
class OrgInMemory:
    """The org that tests of the engine use."""

    side: MemorySalesforce

    async def account(self, name: str, **fields: Any) -> str:
        return self.side.user_creates_account(name, **fields)

    async def contact(self, **fields: Any) -> str:
        return self.side.user_creates_contact(**fields)

    async def person_account(self, last_name: str) -> str:
        return self.side.user_creates_contact(LastName=last_name, IsPersonAccount=True)

    async def opportunity(self, account_id: str, *, won: bool) -> str:
        return self.side.user_creates_opportunity(account_id, won=won)

    async def role(self, entity: Entity, contact_id: str, role: str, **parent: str) -> str:
        return self.side.user_gives_role(entity, contact_id, role, **parent)

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None:
        self.side.user_edits(record_id, fields)

    async def delete(self, entity: Entity, record_id: str) -> None:
        self.side.user_deletes(record_id)

    async def undelete(self, entity: Entity, record_id: str) -> None:
        self.side.user_undeletes(record_id)

    async def purge(self, entity: Entity, record_id: str) -> None:
        self.side.user_purges(record_id)

    async def merge(self, entity: Entity, winner_id: str, loser_id: str) -> None:
        self.side.user_merges(winner_id, loser_id)

    async def pass_time(self) -> None:
        """Each write moves the clock by itself."""


class OrgInSandbox:
    """The sandbox's org over HTTP, with a login by certificate. Users act inside the process."""

    def __init__(self, org: SalesforceOrg, traffic: Traffic, clock: Clock, side: SalesforceSide) -> None:
        self.side = side
        self.org = org
        self.traffic = traffic
        self._clock = clock

    @classmethod
    @asynccontextmanager
    async def serve(
        cls,
        org: SalesforceOrg,
        clock: Clock,
        config: SalesforceConfig = CONFIG,
        *,
        tls: TlsFiles | None = None,
        settings: HttpSettings = SETTINGS,
    ) -> AsyncIterator[OrgInSandbox]:
        """An empty org on a port of its own. Data and sessions of an earlier use are gone."""
        org.reset()
        org.revoke_tokens()
        listener = bind("127.0.0.1", 0)
        url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        org.set_base_url(url)
        traffic = Traffic(clock, org.classify, refusal=refusal)
        server = HttpServer(listener, traffic.wrap(Starlette(routes=org.routes())), tls)
        await server.start()

        def now() -> float:
            return clock.now().timestamp()

        trusting = replace(settings, ca_file=tls.certificate if tls else None)
        try:
            async with HttpTransport(trusting, now) as http:
                tokens = TokenProvider(http, url, _grant(org.credentials()), now)
                yield cls(org, traffic, clock, SalesforceSide(http, tokens, config, now))
        finally:
            traffic.clear_faults()
            await server.stop()

    async def account(self, name: str, **fields: Any) -> str:
        return self.org.insert("Account", {"Name": name, **fields})

    async def contact(self, **fields: Any) -> str:
        return self.org.insert("Contact", fields)

    async def person_account(self, last_name: str) -> str:
        account = self.org.read("Account", self.org.insert("Account", {"LastName": last_name}))
        assert account is not None
        return str(account["PersonContactId"])

    async def opportunity(self, account_id: str, *, won: bool) -> str:
        stage = "Closed Won" if won else "Prospecting"
        fields = {"AccountId": account_id, "Name": "Deal", "StageName": stage, "CloseDate": "2026-12-01"}
        return self.org.insert("Opportunity", fields)

    async def role(self, entity: Entity, contact_id: str, role: str, **parent: str) -> str:
        field = "Roles" if entity is Entity.ACCOUNT_CONTACT_RELATION else "Role"
        return self.org.insert(SOBJECTS[entity], {"ContactId": contact_id, field: role, **parent})

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None:
        self.org.update(SOBJECTS[entity], record_id, fields)

    async def delete(self, entity: Entity, record_id: str) -> None:
        self.org.delete(SOBJECTS[entity], record_id)

    async def undelete(self, entity: Entity, record_id: str) -> None:
        self.org.actions()["undelete"]({"type": SOBJECTS[entity], "id": record_id})

    async def purge(self, entity: Entity, record_id: str) -> None:
        self.org.actions()["purge"]({"type": SOBJECTS[entity], "id": record_id})

    async def merge(self, entity: Entity, winner_id: str, loser_id: str) -> None:
        self.org.actions()["merge"](
            {"type": SOBJECTS[entity], "master": winner_id, "losers": [loser_id], "fields": {}}
        )

    async def pass_time(self) -> None:
        self._clock.advance(1.0)


def _grant(credentials: dict[str, Any]) -> JwtBearer:
    return JwtBearer(
        credentials["consumer_key"],
        credentials["username"],
        read_private_key(str(credentials["private_key"])),
        audience=credentials["audiences"][0],
    )
