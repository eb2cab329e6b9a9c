"""Contacts and accounts as undoing needs them: read and written by pairs, with the names of what is no mapped field."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.ports import ContactQuery, NetSuiteWrite, WriteResult
from twinbook.domain.records import (
    Entity,
    Fields,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
)
from twinbook.engine.care.undoing import Undoing
from twinbook.engine.connection import Connection, StatusFields

Here = SalesforceContact | SalesforceAccount
There = NetSuiteContact | NetSuiteCustomer


class Pairs(Protocol):
    """Pairs of one entity. Every method raises what the ports raise."""

    entity: Entity

    def undoing(self) -> Undoing: ...

    async def read(
        self, ids: Sequence[str], netsuite_ids: Sequence[str]
    ) -> tuple[Mapping[str, Here], Mapping[str, There]]:
        """Both sides by id; ≤ 200 of each."""
        ...

    async def write_netsuite(self, writes: Mapping[str, NetSuiteWrite]) -> Mapping[str, WriteResult]: ...

    async def write_salesforce(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]: ...


class ContactPairs:
    """Contacts of both systems."""

    entity = Entity.CONTACT

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def undoing(self) -> Undoing:
        options = self._connection.options
        return _undoing(self._connection.contacts, options.status_fields, options.push_field)

    async def read(
        self, ids: Sequence[str], netsuite_ids: Sequence[str]
    ) -> tuple[Mapping[str, SalesforceContact], Mapping[str, NetSuiteContact]]:
        salesforce, netsuite = await asyncio.gather(
            self._connection.salesforce.read_contacts(ids),
            self._connection.netsuite.find_contacts(ContactQuery(ids=frozenset(netsuite_ids))),
        )
        return salesforce, {contact.id: contact for contact in netsuite}

    async def write_netsuite(self, writes: Mapping[str, NetSuiteWrite]) -> Mapping[str, WriteResult]:
        return await self._connection.netsuite.write_contacts(writes)

    async def write_salesforce(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self._connection.salesforce.update_contacts(changes)


class AccountPairs:
    """Accounts and their customers."""

    entity = Entity.ACCOUNT

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def undoing(self) -> Undoing:
        options = self._connection.options
        rules = _undoing(self._connection.accounts, options.account_status_fields, options.push_field)
        return replace(rules, opens_gate=True)

    async def read(
        self, ids: Sequence[str], netsuite_ids: Sequence[str]
    ) -> tuple[Mapping[str, SalesforceAccount], Mapping[str, NetSuiteCustomer]]:
        salesforce, netsuite = await asyncio.gather(
            self._connection.salesforce.read_accounts(ids),
            self._connection.netsuite.find_customers(ids=netsuite_ids),
        )
        return salesforce, {customer.id: customer for customer in netsuite}

    async def write_netsuite(self, writes: Mapping[str, NetSuiteWrite]) -> Mapping[str, WriteResult]:
        return await self._connection.netsuite.write_customers(writes)

    async def write_salesforce(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self._connection.salesforce.update_accounts(changes)


def _undoing(policy: ContactPolicy | AccountPolicy, status: StatusFields, push: str | None) -> Undoing:
    return Undoing(
        policy.mapping,
        policy.salesforce_id_field,
        policy.netsuite_id_field,
        policy.netsuite_link.field if policy.netsuite_link else None,
        status.names | ({push} if push else set()),
    )
