"""User and Organization: as much of them as an integration reads."""

from __future__ import annotations

from twinbook_sandbox.salesforce.objects.common import (
    HIDDEN,
    audit,
    checkbox,
    email,
    identity,
    picklist,
    text,
)
from twinbook_sandbox.salesforce.schema import ObjectSchema

USER = ObjectSchema(
    name="User",
    label="User",
    label_plural="Users",
    key_prefix="005",
    deletable=False,
    fields=(
        *(each for each in identity() if each.name == "Id"),
        text("Username", length=80, required=True, unique=True),
        text("LastName", length=80, required=True),
        text("FirstName", length=40),
        text("Name", label="Full Name", length=121, **HIDDEN),
        email("Email", required=True),
        text("Alias", length=8),
        checkbox("IsActive", label="Active", default=True),
        picklist("UserType", length=40, default="Standard", **HIDDEN),
        text("TimeZoneSidKey", length=40, default="Europe/London"),
        *audit(),
    ),
)

ORGANIZATION = ObjectSchema(
    name="Organization",
    label="Organization",
    label_plural="Organizations",
    key_prefix="00D",
    createable=False,
    updateable=False,
    deletable=False,
    fields=(
        *(each for each in identity() if each.name == "Id"),
        text("Name", length=80, required=True),
        text("InstanceName", length=5, **HIDDEN),
        text("OrganizationType", length=40, **HIDDEN),
        checkbox("IsSandbox", **HIDDEN),
        text("TimeZoneSidKey", length=40, default="Europe/London"),
        *audit(),
    ),
)
