"""Contacts and customers by whatever identifies them: one SuiteQL query for a whole batch where possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from twinbook.domain.ids import ACCOUNT_PREFIX, CONTACT_PREFIX, named_by
from twinbook.domain.ports import ContactQuery, Stamp, Stamps
from twinbook.domain.records import Entity, Fields, NetSuiteContact, NetSuiteCustomer
from twinbook.netsuite.addresses import flatten
from twinbook.netsuite.columns import Column, identifier, select_list
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.fields import ADDRESS_FIELDS, BOOLEAN, DEFAULT_CONTACT_FIELDS, TEXT
from twinbook.netsuite.metadata import Catalogue
from twinbook.netsuite.suiteql import (
    TIME_FORMAT,
    Row,
    SuiteQL,
    any_of,
    id_literal,
    is_id,
    is_literal,
    literal,
)

VERSION: Final = f"TO_CHAR(c.lastmodifieddate, '{TIME_FORMAT}') AS version"

ADDRESS_SET: Final = frozenset(ADDRESS_FIELDS)

_CUSTOMER_JOIN = " LEFT JOIN customer k ON k.id = c.company"
_ADDRESS_COLUMNS = (
    "b.defaultbilling",
    "a.addr1",
    "a.addr2",
    "a.addr3",
    "a.city",
    "a.state",
    "a.zip",
    "a.country",
)
_SUBSIDIARY_JOIN = " LEFT JOIN customersubsidiaryrelationship s ON s.entity = c.id AND s.isprimarysub = 'T'"


def _address_join(table: str) -> str:
    """The default lines of a contact or customer; the names of the tables are unverified."""
    return (
        f" LEFT JOIN {table}addressbook b ON b.entity = c.id"
        " AND (b.defaultbilling = 'T' OR b.defaultshipping = 'T')"
        f" LEFT JOIN {table}addressbookentityaddress a ON a.nkey = b.addressbookaddress"
    )


class ContactReader:
    """Reads contacts with their company's kind and their default address."""

    def __init__(self, suiteql: SuiteQL, catalogue: Catalogue, config: NetSuiteConfig) -> None:
        self._suiteql = suiteql
        self._catalogue = catalogue
        self._config = config
        self._id = Column(config.id_field, TEXT)
        self._locked = Column(config.locked_field, BOOLEAN) if config.locked_field else None

    async def find(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        """See `NetSuitePort.find_contacts`. Texts that no NetSuite record can hold match nothing."""
        terms = {
            "c.id": _ids(query.ids),
            "c.externalid": _external_ids(CONTACT_PREFIX, query.salesforce_ids),
            f"c.{identifier(self._config.id_field)}": _texts(query.salesforce_ids),
            "LOWER(c.email)": _folded(query.emails),
            "LOWER(c.entityid)": _folded(query.names),
        }
        if not any(terms.values()):
            return ()
        columns = await self._columns()
        sql = self._select(columns)
        found: dict[str, NetSuiteContact] = {}
        for where in any_of(terms):
            for id_, row in _one_row_each(await self._suiteql.query(f"{sql} WHERE {where} ORDER BY c.id")):
                found[id_] = self._contact(row, columns)
        return tuple(found.values())

    async def stamps(self, after: str | None, number: int) -> Stamps:
        """See `NetSuitePort.list_stamps`: by keyset, since no query gives more than 100,000 rows (netsuite.md 4.2)."""
        own = select_list(("c.id", "c.externalid", self._id.sql("c"), VERSION))
        beyond = f" WHERE c.id > {id_literal(after)}" if after is not None else ""
        rows = await self._suiteql.first(f"SELECT {own} FROM contact c{beyond} ORDER BY c.id", number)  # noqa: S608
        key = self._id.key
        stamps = tuple(
            Stamp(row["id"], row.get("version", ""), named_by(row.get(key), row.get("externalid")))
            for row in rows
        )
        return Stamps(stamps, stamps[-1].id if len(stamps) == number else None)

    async def _columns(self) -> Sequence[Column]:
        names = dict.fromkeys((*DEFAULT_CONTACT_FIELDS, *self._config.contact_fields))
        if await self._catalogue.oneworld():
            names["subsidiary"] = None
        if self._config.link_field:
            names[self._config.link_field] = None
        types = await self._catalogue.types(Entity.CONTACT, names)
        columns = [Column(name, type_) for name, type_ in types.items() if "." not in name]
        return [*columns, self._id, *([self._locked] if self._locked else ())]

    def _select(self, columns: Sequence[Column]) -> str:
        own = ("c.id", "c.externalid", *(column.sql("c") for column in columns), VERSION)
        joined = ("k.id AS customerid", *(_ADDRESS_COLUMNS if self._config.read_addresses else ()))
        joins = _CUSTOMER_JOIN + (_address_join("contact") if self._config.read_addresses else "")
        return f"SELECT {select_list((*own, *joined))} FROM contact c{joins}"  # noqa: S608  (names are checked)

    def _contact(self, row: Row, columns: Sequence[Column]) -> NetSuiteContact:
        address = flatten(row) if self._config.read_addresses else {}
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
            locked=self._locked is not None and self._locked.value(row) is True,
        )


class CustomerReader:
    """Reads customers with their primary subsidiary and, where the fields asked for include it, their default
    address."""

    def __init__(self, suiteql: SuiteQL, catalogue: Catalogue, config: NetSuiteConfig) -> None:
        self._suiteql = suiteql
        self._catalogue = catalogue
        self._config = config
        self._id = Column(config.id_field, TEXT)
        wanted = not ADDRESS_SET.isdisjoint(config.customer_fields)
        self._reads_addresses = config.read_addresses and wanted

    async def find(
        self, ids: Sequence[str], salesforce_ids: Sequence[str], names: Sequence[str]
    ) -> Sequence[NetSuiteCustomer]:
        """See `NetSuitePort.find_customers`."""
        terms = {
            "c.id": _ids(ids),
            "c.externalid": _external_ids(ACCOUNT_PREFIX, salesforce_ids),
            f"c.{identifier(self._config.id_field)}": _texts(salesforce_ids),
            "LOWER(TRIM(c.companyname))": _folded(names),
        }
        if not any(terms.values()):
            return ()
        oneworld = await self._catalogue.oneworld()
        types = await self._catalogue.types(Entity.ACCOUNT, self._config.customer_fields)
        columns = [Column(name, type_) for name, type_ in types.items() if _is_customer_column(name)]
        sql = self._select([*columns, self._id], oneworld=oneworld)
        found: dict[str, NetSuiteCustomer] = {}
        for where in any_of(terms):
            for id_, row in _one_row_each(await self._suiteql.query(f"{sql} WHERE {where} ORDER BY c.id")):
                found[id_] = self._customer(row, [*columns, self._id])
        return tuple(found.values())

    def _select(self, columns: Sequence[Column], *, oneworld: bool) -> str:
        own = ("c.id", "c.externalid", "c.entityid", "c.companyname", "c.isinactive", "c.parent")
        subsidiary = ("s.subsidiary",) if oneworld else ()
        address = _ADDRESS_COLUMNS if self._reads_addresses else ()
        listed = select_list((*own, *(column.sql("c") for column in columns), *subsidiary, *address))
        joins = _SUBSIDIARY_JOIN if oneworld else ""
        joins += _address_join("customer") if self._reads_addresses else ""
        return f"SELECT {listed} FROM customer c{joins}"  # noqa: S608  (names are checked)

    def _customer(self, row: Row, columns: Sequence[Column]) -> NetSuiteCustomer:
        return NetSuiteCustomer(
            id=row["id"],
            name=row.get("companyname") or row.get("entityid", ""),
            external_id=row.get("externalid"),
            salesforce_id=row.get(self._id.key),
            subsidiary_id=row.get("subsidiary"),
            parent_id=row.get("parent"),
            inactive=row.get("isinactive") == "T",
            fields={**_fields(row, columns), **(flatten(row) if self._reads_addresses else {})},
        )


def _is_customer_column(name: str) -> bool:
    """The subsidiary of a customer stands in a relation (netsuite.md 4.4), its address in another."""
    return "." not in name and name != "subsidiary"


def _fields(row: Row, columns: Iterable[Column]) -> Fields:
    return {column.name: column.value(row) for column in columns}


def _one_row_each(rows: Iterable[Row]) -> Iterable[tuple[str, Row]]:
    """One row for each id: two defaults on two address lines give two rows; the billing default counts."""
    best: dict[str, Row] = {}
    for row in rows:
        if row["id"] not in best or row.get("defaultbilling") == "T":
            best[row["id"]] = row
    return best.items()


def _ids(values: Iterable[str]) -> Sequence[str]:
    return [id_literal(value) for value in sorted(values) if is_id(value)]


def _texts(values: Iterable[str]) -> Sequence[str]:
    return [literal(value) for value in sorted(values) if value and is_literal(value)]


def _folded(values: Iterable[str]) -> Sequence[str]:
    return _texts({value.strip().lower() for value in values})


def _external_ids(prefix: str, salesforce_ids: Iterable[str]) -> Sequence[str]:
    """Our own external ids, and bare Salesforce ids as other products store them."""
    return _texts([form for id_ in salesforce_ids for form in (prefix + id_, id_)])
