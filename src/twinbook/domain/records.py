"""The records that both systems hold, as the rest of Twinbook sees them.

A record keeps the vendor's own field names in `fields`, with scalar values: text, booleans, numbers, or None for
an empty field. Ids of other records are text. What the engine must always know of a record (its account, its
stored counterpart …) stands in attributes of its own, whatever the mapping asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = str | bool | int | float | None
Fields = Mapping[str, Value]


class Side(StrEnum):
    """One of the two systems."""

    SALESFORCE = "salesforce"
    NETSUITE = "netsuite"

    @property
    def other(self) -> Side:
        return Side.NETSUITE if self is Side.SALESFORCE else Side.SALESFORCE

    @property
    def system(self) -> str:
        """Its name as people write it."""
        return "Salesforce" if self is Side.SALESFORCE else "NetSuite"


class Entity(StrEnum):
    """What a dirty key may point at.

    Contacts and accounts are synced. The others only lead to them: an opportunity or a quote to its account, a role
    to its contact.
    """

    CONTACT = "contact"
    ACCOUNT = "account"
    OPPORTUNITY = "opportunity"
    QUOTE = "quote"
    ACCOUNT_CONTACT_RELATION = "account_contact_relation"
    ACCOUNT_CONTACT_ROLE = "account_contact_role"
    OPPORTUNITY_CONTACT_ROLE = "opportunity_contact_role"

    @property
    def leads_elsewhere(self) -> bool:
        return self not in (Entity.CONTACT, Entity.ACCOUNT)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A record to look at again. Never a payload. `id` is its id on `side` (18 characters for Salesforce)."""

    entity: Entity
    side: Side
    id: str


@dataclass(frozen=True, slots=True)
class Relation:
    """What ties a Salesforce contact to an account: an account-contact relation, an account contact role, or a role
    in one of the account's opportunities (salesforce.md 6.4). `customer_id` is the account's stored NetSuite id."""

    account_id: str
    customer_id: str | None = None
    roles: frozenset[str] = frozenset()
    active: bool = True
    primary: bool = False
    of_opportunity: bool = False


@dataclass(frozen=True, slots=True)
class SalesforceContact:
    """A Salesforce contact with what its account and its roles say about it.

    `version` is opaque (LastModifiedDate); it is compared for equality only. `netsuite_id` is the hidden id field.
    `status`, `status_message` and `netsuite_link` are None where the package's fields are not installed or empty.
    `relations` are read only where contacts are attached to several customers. `saved_by` is the name of the user who
    saved it last. `losers` were merged straight into it; None where nobody asked.
    """

    id: str
    fields: Fields
    version: str
    account_id: str | None = None
    account_name: str | None = None
    account_customer_id: str | None = None
    netsuite_id: str | None = None
    roles: frozenset[str] = frozenset()
    is_person_account: bool = False
    push_requested: bool = False
    status: str | None = None
    status_message: str | None = None
    netsuite_link: str | None = None
    deleted: bool = False
    merged_into: str | None = None
    relations: tuple[Relation, ...] = ()
    saved_by: str | None = None
    losers: tuple[str, ...] | None = None


def display_name(contact: SalesforceContact) -> str:
    """First and last name, as people call the contact."""
    parts = (contact.fields.get(part) for part in ("FirstName", "LastName"))
    return " ".join(str(part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class NetSuiteContact:
    """A NetSuite contact. `name` is its entityId, unique within its company; `locked` is the opt-out checkbox.

    `binds`: a write may be bound to `version`. One that was read another way than writes go is never compared there.
    """

    id: str
    fields: Fields
    version: str
    name: str = ""
    email: str | None = None
    company_id: str | None = None
    company_is_customer: bool = True
    external_id: str | None = None
    salesforce_id: str | None = None
    inactive: bool = False
    locked: bool = False
    binds: bool = True


@dataclass(frozen=True, slots=True)
class SalesforceAccount:
    """A Salesforce account with the facts that its gate triggers look at. Its status is that of a contact."""

    id: str
    name: str
    fields: Fields
    version: str
    netsuite_id: str | None = None
    parent_id: str | None = None
    parent_customer_id: str | None = None
    has_won_opportunity: bool = False
    has_quote: bool = False
    push_requested: bool = False
    is_person_account: bool = False
    status: str | None = None
    status_message: str | None = None
    netsuite_link: str | None = None
    deleted: bool = False
    merged_into: str | None = None
    saved_by: str | None = None


@dataclass(frozen=True, slots=True)
class NetSuiteCustomer:
    """A NetSuite customer as a possible counterpart of an account."""

    id: str
    name: str
    external_id: str | None = None
    salesforce_id: str | None = None
    subsidiary_id: str | None = None
    parent_id: str | None = None
    inactive: bool = False
    fields: Fields = field(default_factory=dict)


class LinkState(StrEnum):
    """`creating`: the intent is stored, the target's id not yet. `closed`: a tombstone, the memory of a pair."""

    CREATING = "creating"
    LINKED = "linked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Sent:
    """A mapped field that was about to be written: `before` and `after` are the target's values, `salesforce` and
    `netsuite` the canonical values that both sides were to agree on, `by` the claim under which it was sent,
    `counterpart` the NetSuite record, where there was one."""

    row: str
    side: Side
    before: Value
    after: Value
    salesforce: Value
    netsuite: Value
    by: str = ""
    counterpart: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of records, and what both sides last agreed on.

    `agreed` is keyed by mapping-row key and holds canonical values; a row that is missing from it was never agreed.
    `sent` is what was about to be written when Twinbook was cut off.
    """

    salesforce_id: str
    netsuite_id: str | None
    state: LinkState
    correlation_id: str
    agreed: Fields = field(default_factory=dict)
    salesforce_version: str = ""
    netsuite_version: str = ""
    sent: tuple[Sent, ...] = ()
