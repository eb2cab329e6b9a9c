"""Account (salesforce.md 6.2, 6.3), its fields in the order of AccountChangeEvent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twinbook_sandbox.salesforce.objects.common import (
    HIDDEN,
    READ_ONLY,
    address,
    audit,
    checkbox,
    currency,
    date,
    email,
    identity,
    integer,
    master_record,
    owner,
    person_name,
    phone,
    picklist,
    reference,
    sync_fields,
    text,
    textarea,
    url,
)
from twinbook_sandbox.salesforce.objects.contact import LEAD_SOURCES
from twinbook_sandbox.salesforce.schema import Feature, Field, ObjectSchema, OnParentDelete

_PERSON: dict[str, Any] = {"needs": frozenset({Feature.PERSON_ACCOUNTS})}


def _for_persons(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    return tuple(replace(each, needs=each.needs | {Feature.PERSON_ACCOUNTS}) for each in fields)


_TYPES = ("Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller", "Other")
_INDUSTRIES = (
    "Agriculture",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
)

ACCOUNT = ObjectSchema(
    name="Account",
    label="Account",
    label_plural="Accounts",
    key_prefix="001",
    fields=(
        *identity(),
        master_record("Account"),
        text("Name", label="Account Name", length=255, required=True, event_doc="Data:Switchable_PersonName"),
        *_for_persons(person_name(last_name_required=False)),
        picklist("Type", label="Account Type", values=_TYPES),
        reference("ParentId", "Account", "ChildAccounts", label="Parent Account ID"),
        *address("BillingAddress"),
        *address("ShippingAddress"),
        phone("Phone", label="Account Phone"),
        phone("Fax", label="Account Fax"),
        text("AccountNumber", length=40),
        url("Website"),
        text("Sic", label="SIC Code", length=20),
        picklist("Industry", values=_INDUSTRIES),
        currency("AnnualRevenue", scale=0),
        integer("NumberOfEmployees", label="Employees"),
        picklist("Ownership", values=("Public", "Private", "Subsidiary", "Other")),
        text("TickerSymbol", length=20),
        textarea("Description", label="Account Description", length=32000),
        picklist("Rating", label="Account Rating", values=("Hot", "Warm", "Cold")),
        text("Site", label="Account Site", length=80),
        owner(),
        *audit(),
        reference("PersonContactId", "Contact", on_parent_delete=OnParentDelete.KEEP, **_PERSON, **READ_ONLY),
        *_for_persons(address("PersonMailingAddress")),
        *_for_persons(address("PersonOtherAddress")),
        phone("PersonMobilePhone", label="Mobile", **_PERSON),
        phone("PersonHomePhone", label="Home Phone", **_PERSON),
        phone("PersonOtherPhone", label="Other Phone", **_PERSON),
        phone("PersonAssistantPhone", label="Asst. Phone", **_PERSON),
        email("PersonEmail", label="Email", **_PERSON),
        text("PersonTitle", label="Title", length=80, **_PERSON),
        text("PersonDepartment", label="Department", length=80, **_PERSON),
        text("PersonAssistantName", label="Assistant", length=40, **_PERSON),
        picklist("PersonLeadSource", label="Lead Source", values=LEAD_SOURCES, **_PERSON),
        date("PersonBirthdate", label="Birthdate", **_PERSON),
        checkbox("PersonHasOptedOutOfEmail", label="Email Opt Out", **_PERSON),
        checkbox("PersonHasOptedOutOfFax", label="Fax Opt Out", **_PERSON),
        checkbox("PersonDoNotCall", label="Do Not Call", **_PERSON),
        text("Jigsaw", label="Data.com Key", length=20),
        text("JigsawCompanyId", length=20, event_doc="ExternalForeignKey:ExternalId", **READ_ONLY),
        picklist("CleanStatus", length=40, event_doc="Data:StaticEnum"),
        picklist("AccountSource", values=LEAD_SOURCES),
        text("DunsNumber", label="D-U-N-S Number", length=9),
        text("Tradestyle", length=255),
        text("NaicsCode", label="NAICS Code", length=8),
        text("NaicsDesc", label="NAICS Description", length=120),
        text("YearStarted", length=4),
        text("SicDesc", label="SIC Description", length=80),
        *sync_fields(200),
        checkbox("IsPersonAccount", **_PERSON, **HIDDEN),
        date("LastActivityDate", **HIDDEN),
        url("PhotoUrl", **HIDDEN),
    ),
)
