"""Contacts and customers out of rows, wherever the rows come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from twinbook.domain.ids import ACCOUNT_PREFIX, CONTACT_PREFIX
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Fields, NetSuiteContact, NetSuiteCustomer
from twinbook.netsuite.addresses import flatten
from twinbook.netsuite.columns import Column
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.fields import ADDRESS_FIELDS, BOOLEAN, DEFAULT_CONTACT_FIELDS, TEXT
from twinbook.netsuite.metadata import Catalogue
from twinbook.netsuite.records import RecordType
from twinbook.netsuite.rows import RowSource, Shape, one_row_each
from twinbook.netsuite.suiteql import Row

ADDRESS_SET: Final = frozenset(ADDRESS_FIELDS)
_CONTACT_OWN = (Column("externalId", TEXT),)
_CUSTOMER_OWN = tuple(
    Column(name, TEXT) for name in ("externalId", "entityId", "companyName", "isInactive", "parent")
)


class ContactReader:
    """Reads contacts with their company's kind and their default address."""

    def __init__(self, source: RowSource, catalogue: Catalogue, config: NetSuiteConfig) -> None:
        self._source = source
        self._catalogue = catalogue
        self._config = config
        self._id = Column(config.id_field, TEXT)
        self._locked = Column(config.locked_field, BOOLEAN) if config.locked_field else None

    async def find(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        """See `NetSuitePort.find_contacts`. Texts that no NetSuite record can hold match nothing."""
        keys = {
            "id": tuple(query.ids),
            "externalid": _external_ids(CONTACT_PREFIX, query.salesforce_ids),
            self._config.id_field: tuple(query.salesforce_ids),
            "email": tuple(query.emails),
            "entityid": tuple(query.names),
        }
        if not any(keys.values()):
            return ()
        shape = await self.shape()
        rows = one_row_each(await self._source.rows(shape, keys))
        return tuple(self.contact(row, shape) for row in rows)

    async def shape(self) -> Shape:
        """What is read of a contact."""
        names = dict.fromkeys((*DEFAULT_CONTACT_FIELDS, *self._config.contact_fields))
        if await self._catalogue.oneworld():
            names["subsidiary"] = None
        if self._config.link_field:
            names[self._config.link_field] = None
        types = await self._catalogue.types(Entity.CONTACT, names)
        columns = [Column(name, type_) for name, type_ in types.items() if "." not in name]
        columns += [self._id, *([self._locked] if self._locked else ())]
        return Shape(RecordType.CONTACT, (*_CONTACT_OWN, *columns), self._config.read_addresses)

    def contact(self, row: Row, shape: Shape) -> NetSuiteContact:
        """The contact in a row of that shape."""
        address = flatten(row) if shape.addresses else {}
        columns = shape.columns[len(_CONTACT_OWN) :]
        return NetSuiteContact(
            id=row["id"],
            fields={**_fields(row, columns), **address},
            version=row.get("version", ""),
            name=row.get("entityid", ""),
            email=row.get("email"),
            company_id=row.get("company"),
            company_is_customer="customerid" in row,
            external_id=row.get("externalid"),
            salesforce_id=row.get(self._id.key),
            inactive=row.get("isinactive") == "T",
            binds=self._source.binds,
            locked=self._locked is not None and self._locked.value(row) is True,
        )


class CustomerReader:
    """Reads customers with their primary subsidiary and, where the fields asked for include it, their default
    address."""

    def __init__(self, source: RowSource, catalogue: Catalogue, config: NetSuiteConfig) -> None:
        self._source = source
        self._catalogue = catalogue
        self._config = config
        self._id = Column(config.id_field, TEXT)
        wanted = not ADDRESS_SET.isdisjoint(config.customer_fields)
        self._reads_addresses = config.read_addresses and wanted

    async def find(
        self, ids: Sequence[str], salesforce_ids: Sequence[str], names: Sequence[str]
    ) -> Sequence[NetSuiteCustomer]:
        """See `NetSuitePort.find_customers`."""
        keys = {
            "id": ids,
            "externalid": _external_ids(ACCOUNT_PREFIX, salesforce_ids),
            self._config.id_field: salesforce_ids,
            "companyname": names,
        }
        if not any(keys.values()):
            return ()
        shape = await self.shape()
        rows = one_row_each(await self._source.rows(shape, keys))
        return tuple(self.customer(row, shape) for row in rows)

    async def shape(self) -> Shape:
        """What is read of a customer."""
        types = await self._catalogue.types(Entity.ACCOUNT, self._config.customer_fields)
        columns = [Column(name, type_) for name, type_ in types.items() if _is_customer_column(name)]
        oneworld = await self._catalogue.oneworld()
        own = (*_CUSTOMER_OWN, *columns, self._id)
        return Shape(RecordType.CUSTOMER, own, self._reads_addresses, subsidiary=oneworld)

    def customer(self, row: Row, shape: Shape) -> NetSuiteCustomer:
        """The customer in a row of that shape."""
        columns = shape.columns[len(_CUSTOMER_OWN) :]
        return NetSuiteCustomer(
            id=row["id"],
            name=row.get("companyname") or row.get("entityid", ""),
            external_id=row.get("externalid"),
            salesforce_id=row.get(self._id.key),
            subsidiary_id=row.get("subsidiary"),
            parent_id=row.get("parent"),
            inactive=row.get("isinactive") == "T",
            fields={**_fields(row, columns), **(flatten(row) if shape.addresses else {})},
        )


def _is_customer_column(name: str) -> bool:
    """The subsidiary of a customer stands in a relation (netsuite.md 4.4), its address in another."""
    return "." not in name and name != "subsidiary"


def _fields(row: Row, columns: Iterable[Column]) -> Fields:
    return {column.name: column.value(row) for column in columns}


def _external_ids(prefix: str, salesforce_ids: Iterable[str]) -> tuple[str, ...]:
    """Our own external ids, and bare Salesforce ids as other products store them."""
    return tuple(form for id_ in salesforce_ids for form in (prefix + id_, id_))
