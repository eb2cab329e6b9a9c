"""Orgs for the contract suite: the port under test, and what a person does in the org behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from tests.memory.salesforce import MemorySalesforce

from twinbook.domain.ports import SalesforcePort
from twinbook.domain.records import Entity
from twinbook.salesforce.config import SalesforceConfig

PAGE = 3
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
