"""Record types of the emulated account and their fields (netsuite.md 2.2, 2.11), with custom entity fields.

One table of facts for all of: parsing of REST bodies, the JSON of records, the columns of the storage, the
metadata catalogue and the SuiteQL tables.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from mimesis.datasets import COUNTRY_CODES

from twinbook_sandbox.netsuite.switches import NetSuiteSwitches


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    BOOL = "checkbox"
    INTEGER = "integer"
    NUMBER = "float"
    DATE = "date"
    DATETIME = "datetime"
    REF = "select"
    ENUM = "enum"
    MULTI = "multiselect"


TEXT_KINDS = frozenset({Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL})

ENUMS: Mapping[str, Mapping[str, str]] = {
    "emailPreference": {"DEFAULT": "Default", "HTML": "HTML", "PDF": "PDF"},
    "globalSubscriptionStatus": {
        "1": "Soft Opt-In",
        "2": "Soft Opt-Out",
        "3": "Confirmed Opt-In",
        "4": "Confirmed Opt-Out",
    },
    "country": {code: code for code in COUNTRY_CODES["a2"]},
}
"""Values by id with their names. Names of countries are left to their ISO 3166 codes."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. ``target`` is the record type a reference points to, or the list an enumeration has."""

    name: str
    kind: Kind = Kind.TEXT
    max_length: int | None = None
    label: str = ""
    target: str | None = None
    read_only: bool = False
    computed: bool = False
    length_switch: str = ""
    """Name of the switch that holds the maximum length."""

    @property
    def column(self) -> str:
        """Its name in the storage and in SuiteQL."""
        return self.name.lower()

    @property
    def custom(self) -> bool:
        """Whether it is a custom entity field."""
        return self.name.startswith("custentity")

    def limit(self, switches: NetSuiteSwitches) -> int | None:
        """Most characters it takes."""
        return getattr(switches, self.length_switch) if self.length_switch else self.max_length


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type of the REST service. ``table`` is where its rows are stored."""

    name: str
    label: str
    table: str
    permission: str
    """Key of the permission that guards it (netsuite.md 1.4)."""
    permission_label: str
    fields: Mapping[str, FieldSpec]
    has_addresses: bool = False

    def with_fields(self, more: Iterable[FieldSpec], without: Iterable[str] = ()) -> "RecordType":
        """The type with further fields, and without some."""
        gone = set(without)
        kept = {name: spec for name, spec in self.fields.items() if name not in gone}
        return replace(self, fields={**kept, **{spec.name: spec for spec in more}})


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom entity field as deployed by a customization project (netsuite.md 6)."""

    script_id: str
    label: str
    kind: Kind = Kind.TEXT
    max_length: int | None = None
    applies_to: tuple[str, ...] = ("contact",)

    def spec(self) -> FieldSpec:
        """The field it adds to a record type."""
        return FieldSpec(self.script_id, self.kind, self.max_length, self.label)


DEFAULT_CUSTOM_FIELDS = (
    CustomField("custentity_twinbook_sf_id", "Salesforce ID", Kind.TEXT, 18, ("contact", "customer")),
    CustomField("custentity_twinbook_link", "Salesforce Record", Kind.URL, 999, ("contact", "customer")),
    CustomField("custentity_twinbook_locked", "Locked for Sync", Kind.BOOL, None, ("contact",)),
)


def _table(*specs: FieldSpec) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in specs}


def _phone(name: str, label: str) -> FieldSpec:
    return FieldSpec(name, Kind.PHONE, label=label, length_switch="phone_max")


_SHARED = (
    FieldSpec("id", Kind.INTEGER, label="Internal ID", read_only=True),
    FieldSpec("externalId", max_length=255, label="External ID"),
    FieldSpec("entityId", label="Name", length_switch="entityid_max"),
    FieldSpec("firstName", max_length=32, label="First Name"),
    FieldSpec("middleName", label="Middle Name", length_switch="middlename_max"),
    FieldSpec("lastName", max_length=32, label="Last Name"),
    FieldSpec("salutation", label="Mr./Ms...", length_switch="salutation_max"),
    FieldSpec("title", label="Job Title", length_switch="title_max"),
    FieldSpec("email", Kind.EMAIL, 254, "Email"),
    FieldSpec("altEmail", Kind.EMAIL, 254, "Alt. Email"),
    _phone("phone", "Phone"),
    _phone("mobilePhone", "Mobile Phone"),
    _phone("homePhone", "Home Phone"),
    _phone("fax", "Fax"),
    FieldSpec("subsidiary", Kind.REF, label="Subsidiary", target="subsidiary"),
    FieldSpec("isInactive", Kind.BOOL, label="Inactive"),
    FieldSpec("unsubscribe", Kind.BOOL, label="Unsubscribe from Campaigns"),
    FieldSpec("comments", max_length=999, label="Comments"),
    FieldSpec("customForm", Kind.REF, label="Custom Form", target="customForm"),
    FieldSpec("defaultAddress", label="Default Address", read_only=True, computed=True),
    FieldSpec("emailPreference", Kind.ENUM, label="Email Preference", target="emailPreference"),
    FieldSpec(
        "globalSubscriptionStatus",
        Kind.ENUM,
        label="Global Subscription Status",
        target="globalSubscriptionStatus",
    ),
    FieldSpec("image", Kind.INTEGER, label="Image"),
    FieldSpec("phoneticName", max_length=99, label="Furigana"),
    FieldSpec("dateCreated", Kind.DATETIME, label="Date Created", read_only=True),
    FieldSpec("lastModifiedDate", Kind.DATETIME, label="Last Modified Date", read_only=True),
)

CONTACT = RecordType(
    "contact",
    "Contact",
    "entity",
    "LIST_CONTACT",
    "Lists -> Contacts",
    _table(
        *_SHARED,
        _phone("officePhone", "Office Phone"),
        _phone("assistantPhone", "Assistant Phone"),
        _phone("supervisorPhone", "Supervisor Phone"),
        FieldSpec("company", Kind.REF, label="Company", target="customer"),
        FieldSpec("isPrivate", Kind.BOOL, label="Private"),
        FieldSpec("category", Kind.MULTI, label="Category", target="contactCategory"),
        FieldSpec("supervisor", Kind.REF, label="Supervisor", target="contact"),
        FieldSpec("assistant", Kind.REF, label="Assistant", target="contact"),
        FieldSpec("contactSource", Kind.REF, label="Contact Source", target="campaign"),
        FieldSpec("owner", Kind.INTEGER, label="Owner"),
    ),
    has_addresses=True,
)

CUSTOMER = RecordType(
    "customer",
    "Customer",
    "entity",
    "LIST_CUSTJOB",
    "Lists -> Customers",
    _table(
        *_SHARED,
        FieldSpec("companyName", max_length=83, label="Company Name"),
        FieldSpec("isPerson", Kind.BOOL, label="Individual"),
        FieldSpec("url", Kind.URL, 100, "Web Address"),
        FieldSpec("entityStatus", Kind.REF, label="Status", target="customerStatus"),
        FieldSpec("parent", Kind.REF, label="Parent", target="customer"),
        FieldSpec("salesRep", Kind.REF, label="Sales Rep", target="employee"),
        FieldSpec("category", Kind.MULTI, label="Category", target="customerCategory"),
        FieldSpec(
            "contact", Kind.REF, label="Primary Contact", target="contact", read_only=True, computed=True
        ),
    ),
    has_addresses=True,
)

_LIST_FIELDS = (
    FieldSpec("id", Kind.INTEGER, label="Internal ID", read_only=True),
    FieldSpec("externalId", max_length=255, label="External ID"),
    FieldSpec("name", max_length=83, label="Name"),
    FieldSpec("isInactive", Kind.BOOL, label="Inactive"),
)

CONTACT_ROLE = RecordType(
    "contactRole",
    "Contact Role",
    "listitem",
    "LIST_CONTACTROLE",
    "Lists -> Contact Roles",
    _table(*_LIST_FIELDS),
)
SUBSIDIARY = RecordType(
    "subsidiary",
    "Subsidiary",
    "listitem",
    "LIST_SUBSIDIARY",
    "Lists -> Subsidiaries",
    _table(
        *_LIST_FIELDS,
        FieldSpec("parent", Kind.REF, label="Subsidiary of", target="subsidiary"),
        FieldSpec("fullName", label="Full Name", read_only=True, computed=True),
    ),
)

RECORD_TYPES = {kind.name: kind for kind in (CONTACT, CUSTOMER, CONTACT_ROLE, SUBSIDIARY)}

ADDRESS_LINE = _table(
    FieldSpec("label", max_length=150, label="Label"),
    FieldSpec("defaultBilling", Kind.BOOL, label="Default Billing"),
    FieldSpec("defaultShipping", Kind.BOOL, label="Default Shipping"),
    FieldSpec("isResidential", Kind.BOOL, label="Residential Address"),
)
ADDRESS = _table(
    FieldSpec("addressee", max_length=150, label="Addressee"),
    FieldSpec("attention", max_length=150, label="Attention"),
    FieldSpec("addr1", max_length=150, label="Address 1"),
    FieldSpec("addr2", max_length=150, label="Address 2"),
    FieldSpec("addr3", max_length=150, label="Address 3"),
    FieldSpec("city", max_length=50, label="City"),
    FieldSpec("state", max_length=50, label="State"),
    FieldSpec("zip", max_length=36, label="Zip"),
    FieldSpec("country", Kind.ENUM, label="Country", target="country"),
    _phone("addrPhone", "Phone"),
    FieldSpec("override", Kind.BOOL, label="Override"),
    FieldSpec("externalId", max_length=255, label="External ID"),
)
"""The address subrecord (netsuite.md 2.6): lines 150, city 50 characters."""

LIST_ITEMS: Mapping[str, Mapping[int, str]] = {
    "contactRole": {
        -10: "Primary Contact",
        1: "Alternate Contact",
        2: "Decision Maker",
        3: "Accounts Payable",
    },
    "subsidiary": {1: "Parent Company"},
    "contactCategory": {1: "Partner", 2: "Press", 3: "Supplier"},
    "customerCategory": {1: "Corporate", 2: "Individual"},
    "customForm": {-40: "Standard Contact Form", -2: "Standard Customer Form"},
    "employee": {-5: "A. Administrator", 17: "Twinbook Integration"},
    "campaign": {},
}
"""Rows a new account has. Only the role id -10 is confirmed (netsuite.md 2.10); the others are illustrative."""

CUSTOMER_STATUSES = (
    (6, "Unqualified", "LEAD"),
    (7, "Qualified", "LEAD"),
    (8, "In Discussion", "PROSPECT"),
    (9, "Identified Decision Makers", "PROSPECT"),
    (10, "Proposal", "PROSPECT"),
    (13, "Closed Won", "CUSTOMER"),
    (15, "Renewal", "CUSTOMER"),
    (16, "Lost Customer", "CUSTOMER"),
)
"""(id, name, stage); ids are account-specific (netsuite.md 2.11)."""
PRIMARY_CONTACT = -10
DEFAULT_STATUS = 13


class Schema:
    """The record types as they are now: with the custom fields, and without subsidiaries outside OneWorld."""

    def __init__(self, switches: NetSuiteSwitches, custom_fields: Iterable[CustomField]) -> None:
        hidden = () if switches.oneworld else ("subsidiary",)
        custom = list(custom_fields)
        self.custom_fields = custom
        self.types: dict[str, RecordType] = {}
        for kind in RECORD_TYPES.values():
            more = [one.spec() for one in custom if kind.name in one.applies_to]
            if kind.name not in hidden:
                self.types[kind.name] = kind.with_fields(more, hidden)

    def get(self, name: str) -> RecordType | None:
        """A record type by its REST name."""
        return self.types.get(name)


def stored_columns() -> dict[str, str]:
    """Columns of the entity table with their SQL types, without id and type."""
    specs = {spec.column: spec for kind in (CONTACT, CUSTOMER) for spec in kind.fields.values()}
    return {name: sql_type(spec) for name, spec in specs.items() if name != "id" and not spec.computed}


def sql_type(spec: FieldSpec) -> str:
    """The SQLite type of a field's column."""
    if spec.kind in (Kind.REF, Kind.INTEGER):
        return "INTEGER"
    return "REAL" if spec.kind is Kind.NUMBER else "TEXT"
