"""What Twinbook asks of the two systems. `twinbook.salesforce` and `twinbook.netsuite` answer it for real orgs,
`tests` for memory; one contract test-suite runs over all of them.

Every method is batched. A call that fails as a whole raises `TemporaryError` or `PermanentError`; a record that is
refused inside a call that worked comes back as `Failed`. Results are keyed by what was asked; a record that does not
exist is absent. No method retries beyond one new token after a 401: retrying belongs to the engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from twinbook.domain.errors import SideError
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
)


@dataclass(frozen=True, slots=True)
class Written:
    """The write is done; `id` is the record's id on the target. `kept` is the record as it is now, where the answer
    tells: then nobody has to read it again."""

    id: str
    kept: NetSuiteContact | NetSuiteCustomer | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The write of one record was refused, or its outcome is not known (`TemporaryError` or `PermanentError`).

    `of_call`: no record is to blame; the login was refused, say, and every record would have met the same.
    """

    error: SideError
    of_call: bool = False


WriteResult = Written | Failed


@dataclass(frozen=True, slots=True)
class Create:
    """Upsert by external id: carrying it out again never makes a second record."""

    external_id: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Update:
    """Changed fields only, vendor names; None clears. With a `version`, a record that was saved since then is refused
    with `TemporaryError` RECORD_CHANGED, where the transport can tell: REST cannot."""

    id: str
    fields: Fields
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    id: str


NetSuiteWrite = Create | Update | Delete

Guard = Callable[[], None]
"""Called right before a write goes out. What it raises ends the call, and what was not sent stays unsent."""


def unguarded() -> None:
    """The guard of those who hold no lease."""


@dataclass(frozen=True, slots=True)
class FieldMeta:
    """What the target's metadata says of one field. `length` in characters; `values` of a restricted picklist."""

    name: str
    type: str
    length: int | None = None
    required: bool = False
    writable: bool = True
    values: frozenset[str] | None = None


Schema = Mapping[str, FieldMeta]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a listing. `next` is where the following page starts, None at the end."""

    keys: tuple[Key, ...]
    next: str | None


class Stamp(NamedTuple):
    """What a sweep compares of one contact; a tuple, because a sweep makes millions of them.

    `version` is that of `SalesforceContact` or `NetSuiteContact`. `bears` is the id of the other side that it carries,
    as it stands there. `customer_id` is the NetSuite id of a Salesforce contact's account.
    """

    id: str
    version: str
    bears: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stamps:
    """One page of a sweep's listing. `next` is where the following page starts, None at the end; a page may be empty
    and others follow."""

    stamps: tuple[Stamp, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """One look at what changed since a cursor. `cursor` covers all `keys`; `more` asks to be called again at once.

    `gone` are those of the keys whose records were deleted or merged away, where the source tells.
    """

    keys: tuple[Key, ...]
    cursor: str
    more: bool
    gone: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What a subscription delivered: keys, and the position that covers them.

    `relist` is true when the events could not say which records changed (gap without ids, overflow, wildcard): the
    entity must be listed. `committed_at` (epoch seconds, Salesforce's clock) serves metrics only.
    """

    keys: tuple[Key, ...]
    position: bytes
    relist: bool = False
    committed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often something may be done within a time, and how often it was done, by whomever."""

    name: str
    used: int
    limit: int


class PositionLost(Exception):
    """The stored position is no longer valid (older than the retention, another org): list, then start at the end."""


class EventsUnavailable(Exception):
    """The org publishes no change events for this entity, or the user may not see them: poll instead."""


class SalesforcePort(Protocol):
    """A Salesforce org."""

    @property
    def usage(self) -> Allowance | None:
        """The API requests of the whole org in the last 24 hours, as the latest answer told; None before any."""
        ...

    async def allowances(self) -> Sequence[Allowance]:
        """What the org allows in a day, of that which Twinbook uses: requests, delivered events, Bulk jobs."""
        ...

    async def read_contacts(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        """Deleted contacts that are still in the recycle bin come back with `deleted`; ≤ 200 ids."""
        ...

    async def read_with_losers(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        """As `read_contacts`, each with the ids of its `losers`; still one call."""
        ...

    async def read_accounts(self, ids: Sequence[str]) -> Mapping[str, SalesforceAccount]: ...

    async def lead(self, keys: Sequence[Key]) -> Mapping[Key, tuple[Key, ...]]:
        """The contact or account keys that opportunity, quote and role keys lead to, deleted ones included."""
        ...

    async def losers_of(self, entity: Entity, winner_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Ids of the contacts or accounts that were merged straight into each of these; winners of no merge are
        absent. Known until the recycle bin is emptied (salesforce.md 3.6)."""
        ...

    async def contacts_of_accounts(self, account_ids: Sequence[str], after: str | None) -> Listing:
        """Contacts of these accounts in the order of their ids, starting after `after`."""
        ...

    async def children_of_accounts(self, account_ids: Sequence[str], after: str | None) -> Listing:
        """Accounts whose parent is one of these, in the order of their ids, starting after `after`."""
        ...

    async def list_keys(self, entity: Entity, after: str | None) -> Listing:
        """All live records of an entity, starting after `after`. Pages may be empty, and a record may come twice."""
        ...

    async def list_stamps(self, after: str | None) -> Stamps:
        """All live contacts, in an order of the org's own, starting at `after`."""
        ...

    async def count(self, entity: Entity) -> int: ...

    async def changes_since(self, entity: Entity, cursor: str | None) -> Changes:
        """Polling on SystemModstamp, deleted records included; a missing cursor starts now."""
        ...

    async def update_contacts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        """Changed fields by id, vendor names; ≤ 200 records in one call."""
        ...

    async def update_accounts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]: ...

    async def delete_contacts(self, ids: Sequence[str]) -> Mapping[str, WriteResult]:
        """Put contacts into the recycle bin; ≤ 200 in one call."""
        ...

    async def upsert_contacts(self, records: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        """Create or update by the hidden NetSuite-id field; keyed by NetSuite id."""
        ...

    async def find_contacts(
        self, *, emails: Sequence[str] = (), netsuite_ids: Sequence[str] = ()
    ) -> Sequence[SalesforceContact]:
        """Live contacts of any account that have one of these emails (without regard to case) or carry one of these
        NetSuite ids, each once."""
        ...

    async def find_accounts(self, customer_ids: Sequence[str]) -> Sequence[SalesforceAccount]:
        """Live accounts that carry one of these NetSuite customer ids."""
        ...

    async def search_contacts(self, emails: Sequence[str]) -> Sequence[str]:
        """Ids of live contacts by email in any account: for people who look something up."""
        ...

    async def describe(self, entity: Entity) -> Schema: ...


class EventPort(Protocol):
    """A source of Salesforce change events."""

    def subscribe(self, entity: Entity, position: bytes | None) -> AsyncIterator[EventBatch]:
        """Batches after `position` (None: from now on), the first at once, with the position to start from.

        Ends only by an exception: `TemporaryError`, `PositionLost`, `EventsUnavailable`, `PermanentError`.
        """
        ...


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Everything that a first look at unlinked contacts asks NetSuite for, in one call."""

    ids: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    salesforce_ids: frozenset[str] = frozenset()
    names: frozenset[str] = field(default_factory=frozenset)


class NetSuitePort(Protocol):
    """A NetSuite account."""

    @property
    def notice(self) -> str | None:
        """What a person should know of how the account is reached at the moment; None where all is as set up."""
        ...

    async def find_contacts(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        """Contacts that match any part of the query: internal ids, emails and names without regard to case,
        Salesforce ids in the external id or in the custom field. Inactive ones included, each once."""
        ...

    async def write_contacts(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        """Carry out these writes, in no particular order; a result for each of the keys, which are the caller's.

        Raises nothing but what `guard` raises: failures are values, those of the login too (`Failed.of_call`).
        """
        ...

    async def attach(self, customer_id: str, contact_id: str, role_id: str | None) -> WriteResult:
        """Attach a contact to a customer, or change its role there; None: without a role. Repeating it is harmless.
        A new primary contact demotes the old one (netsuite.md 8.2)."""
        ...

    async def detach(self, customer_id: str, contact_id: str) -> WriteResult:
        """Take a contact off a customer; its company stays. One that is not attached counts as done."""
        ...

    async def find_customers(
        self, *, ids: Sequence[str] = (), salesforce_ids: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Sequence[NetSuiteCustomer]:
        """Customers that match any of these: internal ids, Salesforce ids (external id or custom field), names
        (trimmed, without regard to case)."""
        ...

    async def write_customers(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        """As `write_contacts`."""
        ...

    async def changes_since(self, entity: Entity, cursor: str | None) -> Changes:
        """Polling on lastmodifieddate and deletedrecord; a missing cursor starts now."""
        ...

    async def list_keys(self, entity: Entity, after: str | None) -> Listing: ...

    async def count(self, entity: Entity) -> int: ...

    async def list_stamps(self, after: str | None) -> Stamps:
        """All contacts, inactive ones included, in the order of their ids, starting after `after`."""
        ...

    async def describe(self, entity: Entity) -> Schema: ...
