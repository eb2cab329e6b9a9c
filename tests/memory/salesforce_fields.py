"""The fields of contacts and accounts in an org in memory, with the lengths of salesforce.md 6.1 and 6.2."""

from __future__ import annotations

from functools import cache

from twinbook.domain.ports import FieldMeta, Schema
from twinbook.domain.records import Entity
from twinbook.salesforce.config import SalesforceConfig

REQUIRED = {Entity.CONTACT: "LastName", Entity.ACCOUNT: "Name"}
LONG_TEXT = 32000

_CONTACT_LENGTHS = {
    "LastName": 80, "FirstName": 40, "MiddleName": 40, "Suffix": 40, "Salutation": 40, "Title": 128,
    "Department": 80, "Email": 80, "Phone": 40, "MobilePhone": 40, "HomePhone": 40, "OtherPhone": 40, "Fax": 40,
    "Description": 32000, "MailingStreet": 255, "MailingCity": 40, "MailingState": 80,
    "MailingPostalCode": 20, "MailingCountry": 80, "MailingStateCode": 10, "MailingCountryCode": 10,
    "LeadSource": 255, "AccountId": 18, "OwnerId": 18,
}  # fmt: skip
_ACCOUNT_LENGTHS = {
    "Name": 255, "AccountNumber": 40, "Type": 255, "Industry": 255, "Phone": 40, "Fax": 40, "Website": 255,
    "Description": 32000, "BillingStreet": 255, "BillingCity": 40, "BillingState": 80, "BillingPostalCode": 20,
    "BillingCountry": 80, "BillingStateCode": 10, "BillingCountryCode": 10, "ParentId": 18, "OwnerId": 18,
}  # fmt: skip


@cache
def schema_of(entity: Entity, config: SalesforceConfig) -> Schema:
    """Standard fields and those of Twinbook's package; empty for entities that are not synced."""
    if entity.leads_elsewhere:
        return {}
    lengths = _CONTACT_LENGTHS if entity is Entity.CONTACT else _ACCOUNT_LENGTHS
    fields = {
        name: FieldMeta(name, "string", length, required=name == REQUIRED[entity])
        for name, length in {**lengths, config.id_field: 40}.items()
    }
    for name in (config.push_field, "IsPersonAccount"):
        fields[name] = FieldMeta(name, "boolean")
    for name in config.status_fields:
        fields[name] = FieldMeta(name, "string", LONG_TEXT)
    return fields
