"""The NetSuite account behind the domain's port: what the engine calls.

Contacts and customers are read and written by the `Transport`: over REST, or through the RESTlet of
`packages/netsuite`. Everything else (polling, listing, attaching, metadata) goes over REST.

Calls that read raise `TemporaryError` or `PermanentError`. Calls that write return them inside `Failed`, for they
are about one record each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Self

from twinbook.domain.errors import PermanentError
from twinbook.domain.ids import named_by
from twinbook.domain.ports import (
    Changes,
    ContactQuery,
    Guard,
    Listing,
    NetSuiteWrite,
    Schema,
    Stamp,
    Stamps,
    WriteResult,
    unguarded,
)
from twinbook.domain.records import Entity, Key, NetSuiteContact, NetSuiteCustomer, Side
from twinbook.http import Http
from twinbook.netsuite.auth import Authorizer
from twinbook.netsuite.changes import ChangeFeed
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.columns import Column, select_list
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.discovery import AccountFacts, Discovery
from twinbook.netsuite.fields import BOOLEAN, TEXT
from twinbook.netsuite.metadata import RECORD_TYPES, Catalogue, Metadata
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.reading import ContactReader, CustomerReader
from twinbook.netsuite.records import RecordService, RecordType
from twinbook.netsuite.restlet import Restlet, RestletWriter
from twinbook.netsuite.rows import VERSION, SuiteQLRows
from twinbook.netsuite.suiteql import SuiteQL, id_literal
from twinbook.netsuite.transport import Route, Transport
from twinbook.netsuite.writing import RestWriter, Writer, result_of


class NetSuiteSide:
    """`NetSuitePort` for an account. `monotonic` is in seconds; without a `restlet` the transport is REST."""

    def __init__(
        self,
        client: NetSuiteClient,
        config: NetSuiteConfig,
        *,
        monotonic: Callable[[], float],
        restlet: Restlet | None = None,
    ) -> None:
        self._config = config
        self._client = client
        self._records = RecordService(client)
        self._suiteql = SuiteQL(client)
        own = {config.id_field: TEXT} | ({config.locked_field: BOOLEAN} if config.locked_field else {})
        self._catalogue = Catalogue(Metadata(client), own, oneworld=config.oneworld)
        self._restlet = restlet if config.transport != "rest" else None
        self._transport = Transport(
            self._route(None),
            self._route(self._restlet) if self._restlet else None,
            self._restlet,
            automatic=config.transport == "auto",
            monotonic=monotonic,
        )
        self._changes = ChangeFeed(
            self._suiteql,
            overlap=timedelta(seconds=config.overlap_s),
            monotonic=monotonic,
            read_deleted=config.read_deleted,
            page=config.page_size,
        )

    def _route(self, restlet: Restlet | None) -> Route:
        """The way through the RESTlet, or without one over REST."""
        source = restlet or SuiteQLRows(self._suiteql)
        contacts = ContactReader(source, self._catalogue, self._config)
        customers = CustomerReader(source, self._catalogue, self._config)
        writer: Writer = (
            RestletWriter(restlet, contacts, customers)
            if restlet
            else RestWriter(self._client, self._catalogue)
        )
        return Route(contacts, customers, writer)

    @property
    def notice(self) -> str | None:
        return self._transport.notice

    async def restlet_release(self) -> str:
        """Which release of the RESTlet is deployed for this login. Raises `TemporaryError` or `PermanentError`."""
        if self._restlet is None:
            raise PermanentError("NO_RESTLET", "The settings want none.", remedy='Set transport = "auto".')
        return await self._restlet.release()

    async def choose_transport(self) -> None:
        """With `auto`: the RESTlet where it is deployed for this login, else REST. Raises `TemporaryError`."""
        await self._transport.choose()

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
        return await self._transport.read(lambda route: route.contacts.find(query))

    async def find_customers(
        self, *, ids: Sequence[str] = (), salesforce_ids: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Sequence[NetSuiteCustomer]:
        return await self._transport.read(lambda route: route.customers.find(ids, salesforce_ids, names))

    async def write_contacts(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        return await self._transport.write(RecordType.CONTACT, writes, guard)

    async def attach(self, customer_id: str, contact_id: str, role_id: str | None) -> WriteResult:
        return await result_of(self._attach(customer_id, contact_id, role_id))

    async def detach(self, customer_id: str, contact_id: str) -> WriteResult:
        return await result_of(self._detach(customer_id, contact_id))

    async def write_customers(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        return await self._transport.write(RecordType.CUSTOMER, writes, guard)

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
        """By keyset, since no query gives more than 100,000 rows (netsuite.md 4.2)."""
        number, own = self._config.page_size, Column(self._config.id_field, TEXT)
        columns = select_list(("c.id", "c.externalid", own.sql("c"), VERSION))
        beyond = f" WHERE c.id > {id_literal(after)}" if after is not None else ""
        rows = await self._suiteql.first(f"SELECT {columns} FROM contact c{beyond} ORDER BY c.id", number)  # noqa: S608
        stamps = tuple(
            Stamp(row["id"], row.get("version", ""), named_by(row.get(own.key), row.get("externalid")))
            for row in rows
        )
        return Stamps(stamps, stamps[-1].id if len(stamps) == number else None)

    async def describe(self, entity: Entity) -> Schema:
        return await self._catalogue.refresh(entity)

    async def discover(self) -> AccountFacts:
        """What the account offers this login. Raises nothing: failures are among the facts."""
        return await self._discovery().facts()

    async def _attach(self, customer_id: str, contact_id: str, role_id: str | None) -> str:
        await self._records.attach(customer_id, contact_id, role_id)
        return contact_id

    async def _detach(self, customer_id: str, contact_id: str) -> str:
        await self._records.detach(customer_id, contact_id)
        return contact_id
