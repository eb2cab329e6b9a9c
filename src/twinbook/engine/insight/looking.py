"""One live look at one pair: both records as they are now, what the planner decides, and what a person could choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twinbook.domain.mapping import FieldMap
from twinbook.domain.plan import AccountPlan, AccountView, ContactPlan, ContactView
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
    Side,
    display_name,
)
from twinbook.engine.accounts.gather import AccountGatherer
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import Gatherer
from twinbook.engine.contacts.netsuite_gather import NetSuiteGatherer

_Record = SalesforceContact | SalesforceAccount | NetSuiteContact | NetSuiteCustomer


@dataclass(frozen=True, slots=True)
class Option:
    """A record that the planner considered as the counterpart. `belongs_to` is whose it is already, None if free."""

    side: Side
    id: str
    name: str
    email: str | None = None
    company_id: str | None = None
    inactive: bool = False
    belongs_to: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw. `fields` holds a side's vendor fields, and no entry for a side where there is no record.
    `account_id` is the Salesforce account."""

    key: Key
    name: str
    email: str | None
    plan: ContactPlan | AccountPlan
    mapping: FieldMap
    fields: Mapping[Side, Fields]
    ids: Mapping[Side, str]
    options: tuple[Option, ...] = ()
    account_id: str | None = None
    account_name: str | None = None


class Looker:
    """Looks at records of one connection. It writes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def look(self, key: Key) -> Look | None:
        """None where neither system knows the record. Raises what the ports raise."""
        if key.entity is Entity.ACCOUNT:
            account = (await AccountGatherer(self._connection).consider([key.id])).get(key.id)
            return self._account(key, account.view, account.plan) if account else None
        if key.side is Side.SALESFORCE:
            contact = (await Gatherer(self._connection).consider([key.id])).get(key.id)
            return self._contact(key, contact.view, contact.plan) if contact else None
        alone = (await NetSuiteGatherer(self._connection).consider([key.id])).get(key.id)
        return self._contact(key, alone.view, alone.plan) if alone else None

    def _contact(self, key: Key, view: ContactView, plan: ContactPlan) -> Look | None:
        here, there = view.salesforce, view.netsuite
        # A purged contact is seen as one that is deleted and has no fields.
        live = here if here is not None and not (here.deleted and not here.fields) else None
        if live is None and there is None and view.link is None:
            return None
        name = display_name(live) if live else there.name if there else ""
        email = live.fields.get("Email") if live else there.email if there else None
        return Look(
            key,
            name,
            str(email) if email else None,
            plan,
            self._connection.contacts.mapping,
            _present({Side.SALESFORCE: live, Side.NETSUITE: there}),
            _ids({Side.SALESFORCE: live, Side.NETSUITE: there}),
            (
                *(_netsuite_option(item.record, item.linked_to) for item in view.candidates),
                *(_salesforce_option(item.record, item.linked_to) for item in view.salesforce_candidates),
            ),
            view.gate.account_id,
            view.gate.account_name,
        )

    def _account(self, key: Key, view: AccountView, plan: AccountPlan) -> Look:
        account = view.account
        customer = next((item for item in view.candidates if item.id == account.netsuite_id), None)
        return Look(
            key,
            account.name,
            None,
            plan,
            self._connection.accounts.mapping,
            _present({Side.SALESFORCE: account, Side.NETSUITE: customer}),
            _ids({Side.SALESFORCE: account, Side.NETSUITE: customer}),
            tuple(_customer_options(view.candidates, view.linked_customers)),
        )


def _present(records: Mapping[Side, _Record | None]) -> dict[Side, Fields]:
    return {side: record.fields for side, record in records.items() if record is not None}


def _ids(records: Mapping[Side, _Record | None]) -> dict[Side, str]:
    return {side: record.id for side, record in records.items() if record is not None}


def _netsuite_option(record: NetSuiteContact, linked_to: str | None) -> Option:
    return Option(
        Side.NETSUITE, record.id, record.name, record.email, record.company_id, record.inactive, linked_to
    )


def _salesforce_option(record: SalesforceContact, linked_to: str | None) -> Option:
    email = record.fields.get("Email")
    return Option(
        Side.SALESFORCE,
        record.id,
        display_name(record),
        str(email) if email else None,
        record.account_id,
        belongs_to=linked_to,
    )


def _customer_options(customers: Iterable[NetSuiteCustomer], linked: frozenset[str]) -> Iterable[Option]:
    for customer in customers:
        owner = customer.salesforce_id or ("another account" if customer.id in linked else None)
        yield Option(Side.NETSUITE, customer.id, customer.name, inactive=customer.inactive, belongs_to=owner)
