"""The NetSuite account behind the domain's port: what the engine calls.

Calls that read raise `TemporaryError` or `PermanentError`. Calls that write return them inside `Failed`, for they
are about one record each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import (
    Changes,
    ContactQuery,
    Create,
    Delete,
    Failed,
    Guard,
    Listing,
    NetSuiteWrite,
    Schema,
    Stamps,
    Update,
    WriteResult,
    Written,
    unguarded,
)
from twinbook.domain.records import Entity, Fields, Key, NetSuiteContact, NetSuiteCustomer, Side, Value
from twinbook.http import Http
from twinbook.netsuite.addresses import address_book, default_line, has_address
from twinbook.netsuite.auth import Authorizer
from twinbook.netsuite.changes import ChangeFeed
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.discovery import AccountFacts, Discovery
from twinbook.netsuite.errors import concerns_login
from twinbook.netsuite.fields import ADDRESS_FIELDS, BOOLEAN, REFERENCE, TEXT
from twinbook.netsuite.metadata import RECORD_TYPES, Catalogue, Metadata
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.reading import ContactReader, CustomerReader
from twinbook.netsuite.records import RecordService
from twinbook.netsuite.suiteql import SuiteQL, id_literal


class NetSuiteSide:
    """`NetSuitePort` over REST. `monotonic` is in seconds."""

    def __init__(
        self, client: NetSuiteClient, config: NetSuiteConfig, *, monotonic: Callable[[], float]
    ) -> None:
        self._config = config
        self._client = client
        self._records = RecordService(client)
        self._suiteql = SuiteQL(client)
        own = {config.id_field: TEXT} | ({config.locked_field: BOOLEAN} if config.locked_field else {})
        self._catalogue = Catalogue(Metadata(client), own, oneworld=config.oneworld)
        self._contacts = ContactReader(self._suiteql, self._catalogue, config)
        self._customers = CustomerReader(self._suiteql, self._catalogue, config)
        self._changes = ChangeFeed(
            self._suiteql,
            overlap=timedelta(seconds=config.overlap_s),
            monotonic=monotonic,
            read_deleted=config.read_deleted,
            page=config.page_size,
        )

    @classmethod
    def over(
        cls, http: Http, authorizer: Authorizer, config: NetSuiteConfig, *, monotonic: Callable[[], float]
    ) -> Self:
        """A side with a client and permits of its own."""
        client = NetSuiteClient(http, authorizer, Permits(config.concurrency), config.url)
        return cls(client, config, monotonic=monotonic)

    @property
    def permits(self) -> Permits:
        """The account's budget of calls in flight."""
        return self._client.permits

    async def concurrency_limit(self) -> int | None:
        """Calls at once that the account allows this integration; None where it does not tell."""
        return await self._discovery().concurrency_limit()

    def _discovery(self) -> Discovery:
        return Discovery(self._client, self._suiteql, self._catalogue, self._config)

    async def find_contacts(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        return await self._contacts.find(query)

    async def find_customers(
        self, *, ids: Sequence[str] = (), salesforce_ids: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Sequence[NetSuiteCustomer]:
        return await self._customers.find(ids, salesforce_ids, names)

    async def write_contacts(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        return await self._write(Entity.CONTACT, writes, guard)

    async def attach(self, customer_id: str, contact_id: str, role_id: str | None) -> WriteResult:
        return await _result(self._attach(customer_id, contact_id, role_id))

    async def detach(self, customer_id: str, contact_id: str) -> WriteResult:
        return await _result(self._detach(customer_id, contact_id))

    async def write_customers(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        return await self._write(Entity.ACCOUNT, writes, guard)

    async def changes_since(self, entity: Entity, cursor: str | None) -> Changes:
        return await self._changes.since(entity, cursor)

    async def list_keys(self, entity: Entity, after: str | None) -> Listing:
        """All records in the order of their ids, inactive ones included."""
        table, page = RECORD_TYPES[entity].value, self._config.page_size
        beyond = f" WHERE t.id > {id_literal(after)}" if after is not None else ""
        rows = await self._suiteql.first(f"SELECT t.id FROM {table} t{beyond} ORDER BY t.id", page)  # noqa: S608
        keys = tuple(Key(entity, Side.NETSUITE, row["id"]) for row in rows)
        return Listing(keys, keys[-1].id if len(keys) == page else None)

    async def count(self, entity: Entity) -> int:
        """The number of records, inactive ones included."""
        table = RECORD_TYPES[entity].value
        rows = await self._suiteql.first(f"SELECT COUNT(*) AS total FROM {table}", 1)  # noqa: S608
        return int(rows[0]["total"])

    async def list_stamps(self, after: str | None) -> Stamps:
        return await self._contacts.stamps(after, self._config.page_size)

    async def describe(self, entity: Entity) -> Schema:
        return await self._catalogue.refresh(entity)

    async def discover(self) -> AccountFacts:
        """What the account offers this login. Raises nothing: failures are among the facts."""
        return await self._discovery().facts()

    async def _write(
        self, entity: Entity, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        """One call for each record, side by side as far as permits allow."""
        service = RecordService(self._client.guarded(guard))
        sent = (_result(self._send(service, entity, write)) for write in writes.values())
        results = await asyncio.gather(*sent, return_exceptions=True)
        done: dict[str, WriteResult] = {}
        for key, result in zip(writes, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            done[key] = result
        return done

    async def _send(self, service: RecordService, entity: Entity, write: NetSuiteWrite) -> str:
        kind = RECORD_TYPES[entity]
        match write:
            case Create(external_id, fields):
                body = await self._body(entity, fields)
                if has_address(fields) and (book := address_book(fields, None)) is not None:
                    body["addressBook"] = book
                return await service.upsert(kind, external_id, body)
            case Update(id_, fields):
                await self._update(service, entity, id_, fields)
                return id_
            case Delete(id_):
                await service.delete(kind, id_)
                return id_

    async def _update(self, service: RecordService, entity: Entity, id_: str, fields: Fields) -> None:
        body = await self._body(entity, fields)
        if has_address(fields):
            record = await service.with_sublists(RECORD_TYPES[entity], id_)
            if (book := address_book(fields, default_line(record))) is not None:
                body["addressBook"] = book
        if body:
            await service.update(RECORD_TYPES[entity], id_, body)

    async def _attach(self, customer_id: str, contact_id: str, role_id: str | None) -> str:
        await self._records.attach(customer_id, contact_id, role_id)
        return contact_id

    async def _detach(self, customer_id: str, contact_id: str) -> str:
        await self._records.detach(customer_id, contact_id)
        return contact_id

    async def _body(self, entity: Entity, fields: Fields) -> dict[str, Any]:
        """The JSON of these fields, without the address. Names that nobody knows are sent: NetSuite refuses them."""
        names = [name for name in fields if name not in ADDRESS_FIELDS]
        types = await self._catalogue.types(entity, names)
        return {name: _json(types, name, fields[name]) for name in names}


def _json(types: Mapping[str, str], name: str, value: Value) -> object:
    if value is not None and types.get(name) == REFERENCE:
        return {"id": str(value)}
    return value


async def _result(writing: Awaitable[str]) -> WriteResult:
    try:
        return Written(await writing)
    except (TemporaryError, PermanentError) as error:
        return Failed(error, of_call=concerns_login(error))
