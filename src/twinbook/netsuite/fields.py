"""What is documented of the fields of NetSuite contacts and customers: their REST names, types and lengths.

One table per record type (netsuite.md 2.2 and 2.11). The account's own metadata adds custom fields;
lengths are not part of that metadata, so `twinbook.netsuite.metadata` merges the documented ones in. Lengths
that the fact sheet marks unverified (entityId, middleName, salutation, title) are used all the same: a value
that is too long is then named before NetSuite refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from twinbook.domain.ports import FieldMeta
from twinbook.domain.records import Entity

TEXT: Final = "string"
BOOLEAN: Final = "boolean"
INTEGER: Final = "integer"
NUMBER: Final = "number"
DATE: Final = "date"
DATETIME: Final = "datetime"
REFERENCE: Final = "reference"
COLLECTION: Final = "collection"

PHONE_LENGTH: Final = 32
"""REST refuses more than 32 characters although the column holds 100 (netsuite.md 2.2)."""

ADDRESS_LINE_LENGTH: Final = 150
ADDRESS_LINES: Final = 3

STREET: Final = "address.street"
CITY: Final = "address.city"
STATE: Final = "address.state"
ZIP: Final = "address.zip"
COUNTRY: Final = "address.country"
ADDRESS_FIELDS: Final = (STREET, CITY, STATE, ZIP, COUNTRY)
"""Virtual fields: the default address line of the record, flattened (`twinbook.netsuite.addresses`)."""


def _text(length: int, *names: str, required: bool = False) -> Iterable[FieldMeta]:
    return (FieldMeta(name, TEXT, length=length, required=required) for name in names)


def _of(type_: str, *names: str, writable: bool = True) -> Iterable[FieldMeta]:
    return (FieldMeta(name, type_, writable=writable) for name in names)


def _table(*groups: Iterable[FieldMeta]) -> Mapping[str, FieldMeta]:
    return {meta.name: meta for group in groups for meta in group}


_PHONES = ("phone", "mobilePhone", "homePhone", "officePhone", "fax", "assistantPhone", "supervisorPhone")
_READ_ONLY = ("dateCreated", "lastModifiedDate")
_ADDRESS = (
    *_text(ADDRESS_LINES * ADDRESS_LINE_LENGTH + ADDRESS_LINES - 1, STREET),
    *_text(50, CITY),
    *_of(TEXT, STATE, ZIP, COUNTRY),
)

_CONTACT = _table(
    _of(TEXT, "id", writable=False),
    _text(255, "externalId"),
    _text(83, "entityId"),
    _text(32, "firstName", "lastName", "middleName"),
    _text(30, "salutation"),
    _text(99, "title"),
    _text(254, "email", "altEmail"),
    _text(PHONE_LENGTH, *_PHONES),
    _of(REFERENCE, "company", "subsidiary", "supervisor", "assistant", "contactSource", "customForm"),
    _of(REFERENCE, "globalSubscriptionStatus", "emailPreference"),
    _of(BOOLEAN, "isInactive", "isPrivate", "unsubscribe"),
    _text(999, "comments"),
    _of(INTEGER, "owner"),
    _of(COLLECTION, "category"),
    _of(DATETIME, *_READ_ONLY, writable=False),
    _ADDRESS,
)

_CUSTOMER = _table(
    _of(TEXT, "id", writable=False),
    _text(255, "externalId"),
    _text(83, "entityId", "companyName"),
    _text(32, "firstName", "lastName"),
    _text(254, "email"),
    _text(PHONE_LENGTH, "phone", "fax"),
    _of(TEXT, "url", "comments"),
    _of(REFERENCE, "subsidiary", "parent", "entityStatus", "salesRep", "category", "customForm"),
    _of(BOOLEAN, "isInactive", "isPerson"),
    _of(DATETIME, *_READ_ONLY, writable=False),
    _ADDRESS,
)

DOCUMENTED: Final[Mapping[Entity, Mapping[str, FieldMeta]]] = {
    Entity.CONTACT: _CONTACT,
    Entity.ACCOUNT: _CUSTOMER,
}
"""Documented fields by entity: CONTACT is NetSuite's `contact`, ACCOUNT its `customer`."""

DEFAULT_CONTACT_FIELDS: Final = (
    "entityId",
    "salutation",
    "firstName",
    "middleName",
    "lastName",
    "title",
    "email",
    "altEmail",
    "phone",
    "mobilePhone",
    "homePhone",
    "officePhone",
    "fax",
    "comments",
    "company",
    "isInactive",
)
"""What is read of every contact, whatever the mapping asks for: the fields of the default map."""
