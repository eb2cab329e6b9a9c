"""One Salesforce org paired with one NetSuite account, with all that the engine needs to keep them in step."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from twinbook.domain.errors import SideError, TemporaryError
from twinbook.domain.policy import AccountPolicy, ContactPolicy, Direction
from twinbook.domain.ports import EventPort, NetSuitePort, SalesforcePort
from twinbook.domain.records import Entity, Side
from twinbook.engine.budget import Level, level
from twinbook.engine.clock import Clock
from twinbook.engine.wake import Wake
from twinbook.store.database import Store
from twinbook.store.dirty_keys import AT_ONCE, Debounce
from twinbook.store.retention import Retention

# How long a record first steps aside for another one that is being linked right now.
STEP_ASIDE_SECONDS = 0.5


class Urgency(Protocol):
    """Lets the calls made inside the block go ahead of less urgent ones when a side's call budget is short."""

    def __call__(self, priority: int) -> AbstractContextManager[None]: ...


class Calls(Protocol):
    """How many calls to NetSuite are in flight, for people who look."""

    @property
    def limit(self) -> int:
        """How many there may be at the moment."""

    def take_peak(self) -> int:
        """The most at the same time since this was asked last."""


@dataclass(frozen=True, slots=True)
class StatusFields:
    """The package's fields on the Salesforce record. None where a field is not installed or not wanted.

    `address` is that of the record's page in NetSuite, with `{id}` in the place of its internal id.
    """

    status: str | None = None
    message: str | None = None
    last_sync: str | None = None
    link: str | None = None
    address: str = "{id}"

    @property
    def names(self) -> frozenset[str]:
        """Those that are installed."""
        return frozenset(filter(None, (self.status, self.message, self.last_sync, self.link)))


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where changes come from: one kind of record in one system."""

    entity: Entity
    side: Side = Side.SALESFORCE

    def __str__(self) -> str:
        return self.entity if self.side is Side.SALESFORCE else f"{self.side}:{self.entity}"


ACCOUNTS = Source(Entity.ACCOUNT)
CONTACTS = Source(Entity.CONTACT)
NETSUITE_CONTACTS = Source(Entity.CONTACT, Side.NETSUITE)
NETSUITE_CUSTOMERS = Source(Entity.ACCOUNT, Side.NETSUITE)


def looked_through(direction: Direction) -> tuple[Source, ...]:
    """The lists that a back-fill or a preview looks through, in their order. Accounts go first: what a won opportunity
    links releases its contacts before they are listed."""
    first = (ACCOUNTS, CONTACTS)
    return (*first, NETSUITE_CONTACTS) if direction.reaches(Side.SALESFORCE) else first


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """When both systems are compared: at which local hour (None: only when asked), whether what differs is put right,
    and after how many days values are compared whatever the versions say."""

    hour: int | None = 2
    repairs: bool = True
    thorough_days: int = 7


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine works, with the reason for each default.

    `lanes`          batches worked on at the same time; as many as NetSuite calls are allowed at once
    `batch`          keys a lane takes at most; the number of records in one Salesforce write
    `lease_seconds`  how long a lane may keep a batch without a sign of life
    `retry_base`, `retry_cap`  seconds: first and longest wait of the backoff
    `poll_seconds`, `netsuite_poll_seconds`  between two looks at what has no change events
    `idle_seconds`   between two looks at the queue for keys that another process marked
    `stop_deletes_percent`, `stop_deletes_above`  of the links: more deletes than both within an hour stop the flow
    `stop_changes_percent`, `stop_changes_above`  of the links: more changes than both in one sweep stop the flow
    `reserve_percent`  of Salesforce's daily API requests, kept for people and other integrations
    `debounce`       how long a burst of edits of one record is waited out
    `watch`          whose changes are taken in; role objects only where the settings look at roles
    """

    lanes: int = 4
    batch: int = 200
    lease_seconds: float = 60.0
    retry_base: float = 1.0
    retry_cap: float = 900.0
    poll_seconds: float = 10.0
    netsuite_poll_seconds: float = 10.0
    idle_seconds: float = 0.5
    stop_deletes_percent: float = 5.0
    stop_deletes_above: int = 20
    stop_changes_percent: float = 50.0
    stop_changes_above: int = 20
    reserve_percent: float = 20.0
    sweep: SweepOptions = field(default_factory=SweepOptions)
    debounce: Debounce = AT_ONCE
    retention: Retention = field(default_factory=Retention)
    push_field: str | None = "Push_to_NetSuite__c"
    status_fields: StatusFields = field(default_factory=StatusFields)
    account_status_fields: StatusFields = field(default_factory=StatusFields)
    watch: tuple[Source, ...] = (*map(Source, Entity), NETSUITE_CONTACTS, NETSUITE_CUSTOMERS)


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything about one connection. `events` is None where the org is polled only, `calls` where nobody counts."""

    salesforce: SalesforcePort
    netsuite: NetSuitePort
    store: Store
    contacts: ContactPolicy
    accounts: AccountPolicy
    clock: Clock
    urgency: Urgency
    events: EventPort | None = None
    calls: Calls | None = None
    options: Options = field(default_factory=Options)
    random: random.Random = field(default_factory=random.Random)
    wake: Wake = field(default_factory=Wake)

    @property
    def name(self) -> str:
        return self.store.scope

    @property
    def level(self) -> Level:
        """What the org's daily requests leave to do."""
        return level(self.salesforce.usage, self.options.reserve_percent)

    def new_token(self) -> str:
        """Names one claim. Random, so that a process never takes another one's claim for its own."""
        return f"{self.random.getrandbits(64):016x}"

    def step_aside(self, attempts: int) -> float:
        """Seconds after which a record looks again whether the one that stands in its way is done. Mostly that takes a
        moment; but the other one may be in backoff itself, for as long as it takes."""
        longest = min(self.options.retry_cap, STEP_ASIDE_SECONDS * 2 ** min(attempts, 30))
        return self.random.uniform(STEP_ASIDE_SECONDS / 2, max(STEP_ASIDE_SECONDS, longest))

    def backoff(self, error: SideError, attempts: int, *, cap: float | None = None) -> float:
        """Seconds to wait after the given number of failed tries (0: the first just failed).

        Exponential with jitter, so that many records that failed together do not come back together; never earlier
        than the system asked for.
        """
        longest = min(cap or self.options.retry_cap, self.options.retry_base * 2 ** min(attempts, 30))
        wait = self.random.uniform(self.options.retry_base / 2, max(self.options.retry_base, longest))
        asked = error.retry_after if isinstance(error, TemporaryError) else None
        return max(wait, asked or 0.0)
