"""Short forms for writing field tables: one function for each kind of field, with the usual settings."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from twinbook_sandbox.salesforce.schema import Feature, Field, FieldType, OnParentDelete

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def label_of(name: str) -> str:
    """The label an org gives by default: `AccountId` is `Account ID`, `NetSuite_Id__c` is `NetSuite Id`."""
    if name.endswith(("__c", "__pc")):
        return name.rpartition("__")[0].replace("_", " ")
    words = _WORD_START.sub(" ", name)
    return f"{words[:-2]}ID" if words.endswith("Id") else words


def make(type_: FieldType, name: str, **settings: Any) -> Field:
    """A field whose label follows from its name unless one is given."""
    return Field(name=name, type=type_, label=settings.pop("label", None) or label_of(name), **settings)


text = partial(make, FieldType.STRING)
textarea = partial(make, FieldType.TEXTAREA)
phone = partial(make, FieldType.PHONE, length=40)
email = partial(make, FieldType.EMAIL, length=80)
url = partial(make, FieldType.URL, length=255)
picklist = partial(make, FieldType.PICKLIST, length=255)
checkbox = partial(make, FieldType.BOOLEAN, default=False)
integer = partial(make, FieldType.INT, precision=8)
date = partial(make, FieldType.DATE)
datetime_ = partial(make, FieldType.DATETIME)
currency = partial(make, FieldType.CURRENCY, precision=18, scale=2)

READ_ONLY: dict[str, Any] = {"createable": False, "updateable": False}
HIDDEN: dict[str, Any] = {"in_events": False, **READ_ONLY}


def reference(name: str, to: str, plural: str | None = None, **settings: Any) -> Field:
    """A reference field; its relationship is called as the field without `Id`."""
    settings.setdefault("on_parent_delete", OnParentDelete.CLEAR)
    return make(
        FieldType.REFERENCE,
        name,
        length=18,
        reference_to=to,
        relationship=name.removesuffix("Id"),
        plural=plural,
        **settings,
    )


def identity() -> tuple[Field, ...]:
    """Id and the recycle bin mark: on every object, in no event body."""
    return (make(FieldType.ID, "Id", label="Record ID", length=18, **HIDDEN), checkbox("IsDeleted", **HIDDEN))


def master_record(object_name: str) -> Field:
    """Where a record that lost a merge went."""
    return reference("MasterRecordId", object_name, on_parent_delete=OnParentDelete.KEEP, **HIDDEN)


def owner() -> Field:
    return reference("OwnerId", "User")


def audit() -> tuple[Field, ...]:
    """Who created and changed the record, and when."""
    return (
        datetime_("CreatedDate", event_doc="CreatedDate:DateTime", **READ_ONLY),
        reference("CreatedById", "User", **READ_ONLY),
        datetime_("LastModifiedDate", **READ_ONLY),
        reference("LastModifiedById", "User", **READ_ONLY),
        datetime_("SystemModstamp", **HIDDEN),
    )


def address(compound: str, label: str | None = None) -> tuple[Field, ...]:
    """A compound address and its parts, in the order of the Address record (salesforce.md 3.3)."""
    prefix = compound.removesuffix("Address")
    codes: dict[str, Any] = {
        "length": 10,
        "restricted": True,
        "needs": frozenset({Feature.STATE_COUNTRY_PICKLISTS}),
    }

    def part(type_: FieldType, name: str, **settings: Any) -> Field:
        return make(type_, prefix + name, compound=compound, part=name, **settings)

    degrees: dict[str, Any] = {"precision": 18, "scale": 15}
    return (
        make(FieldType.ADDRESS, compound, label=label, **READ_ONLY),
        part(FieldType.TEXTAREA, "Street", length=255),
        part(FieldType.STRING, "City", length=40),
        part(FieldType.STRING, "State", length=80, label=f"{label_of(prefix)} State/Province"),
        part(FieldType.STRING, "PostalCode", length=20, label=f"{label_of(prefix)} Zip/Postal Code"),
        part(FieldType.STRING, "Country", length=80),
        part(FieldType.PICKLIST, "StateCode", **codes),
        part(FieldType.PICKLIST, "CountryCode", **codes),
        part(FieldType.DOUBLE, "Latitude", **degrees),
        part(FieldType.DOUBLE, "Longitude", **degrees),
        part(FieldType.PICKLIST, "GeocodeAccuracy", length=40),
    )


SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")


def person_name(*, last_name_required: bool) -> tuple[Field, ...]:
    """The parts of a person's name. Suffix comes with MiddleName: both are one choice in Setup here."""

    def part(name: str, length: int, **more: Any) -> Field:
        return text(name, length=length, compound="Name", part=name, **more)

    extra = {"needs": frozenset({Feature.MIDDLE_NAME})}
    return (
        picklist("Salutation", length=40, compound="Name", part="Salutation", values=SALUTATIONS),
        part("FirstName", 40),
        part("LastName", 80, required=last_name_required),
        part("MiddleName", 40, **extra),
        part("Suffix", 40, **extra),
    )


SYNC_STATUSES = ("Synced", "Waiting", "Review", "Skipped", "Error")


def sync_fields(first_id: int) -> tuple[Field, ...]:
    """The custom fields that a NetSuite integration adds to Contact and Account."""

    def field_id(offset: int) -> str:
        return f"00N5g00000Tw{first_id + offset:03d}"

    return (
        text(
            "NetSuite_Id__c",
            length=40,
            unique=True,
            external_id=True,
            id_lookup=True,
            case_sensitive=True,
            field_id=field_id(0),
        ),
        picklist("NetSuite_Sync_Status__c", values=SYNC_STATUSES, field_id=field_id(1)),
        textarea("NetSuite_Sync_Message__c", length=1000, field_id=field_id(2)),
        datetime_("NetSuite_Last_Sync__c", field_id=field_id(3)),
        checkbox("Push_to_NetSuite__c", field_id=field_id(4)),
        url("NetSuite_Link__c", field_id=field_id(5)),
        text(
            "celigo_sfnsio__NetSuite_Id__c",
            length=255,
            external_id=True,
            field_id=field_id(6),
            needs=frozenset({Feature.CELIGO_PACKAGE}),
        ),
    )
