"""The account map: the few fields that an account and its customer share.

Accounts are merged by the same rules as contacts. What ties a customer to its surroundings is not mapped: `parent` and
`subsidiary` are set by the planner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import FieldMap, MappingRow, RowDirection

SET_BY_ACCOUNT_PLANNER = frozenset(
    {"Id", "ParentId", "id", "parent", "subsidiary", "externalId", "isPerson", "entityStatus"}
)

CUSTOMER_NAME = "companyName"
"""The NetSuite field that a new customer never goes without (netsuite.md 2.11)."""

PARENT_ROW = MappingRow("ParentId", "parent", direction=RowDirection.TO_NETSUITE)
"""Parents of account and customer, compared as customer ids. Salesforce's hierarchy is the one that counts."""


@dataclass(frozen=True, slots=True)
class AccountMapping(FieldMap):
    """The rows for accounts. Expressions see `account` and `netsuite`."""

    RESERVED: ClassVar[frozenset[str]] = SET_BY_ACCOUNT_PLANNER

    @property
    def salesforce_fields(self) -> frozenset[str]:
        """The Salesforce fields to read, as the account itself names them."""
        mapped = {row.salesforce for row in self.rows if row.salesforce}
        named = {name for row in self.rows for item in row.expressions for name in item.salesforce_fields}
        return frozenset(mapped | {name.removeprefix("Account.") for name in named})

    @property
    def netsuite_fields(self) -> frozenset[str]:
        """The NetSuite fields to read."""
        mapped = {row.netsuite for row in self.rows if row.netsuite}
        named = (item.netsuite_fields for row in self.rows for item in row.expressions)
        return frozenset(mapped | {PARENT_ROW.netsuite}).union(*named)


def default_account_mapping() -> AccountMapping:
    """Name, numbers, website and the billing address, which is the customer's default address line."""
    return AccountMapping(
        (
            MappingRow("Name", CUSTOMER_NAME),
            MappingRow("Phone", "phone", Kind.PHONE),
            MappingRow("Fax", "fax", Kind.PHONE),
            MappingRow("Website", "url", Kind.URL),
            MappingRow("BillingStreet", "address.street", Kind.STREET),
            MappingRow("BillingCity", "address.city"),
            MappingRow("BillingState", "address.state", Kind.STATE),
            MappingRow("BillingPostalCode", "address.zip"),
            MappingRow("BillingCountry", "address.country", Kind.COUNTRY),
        )
    )
