"""The three objects that tie contacts to accounts and opportunities (salesforce.md 6.4)."""

from __future__ import annotations

from typing import Any

from twinbook_sandbox.salesforce.objects.common import (
    READ_ONLY,
    audit,
    checkbox,
    date,
    identity,
    make,
    picklist,
    reference,
)
from twinbook_sandbox.salesforce.schema import FieldType, ObjectSchema, OnParentDelete

_RELATION_ROLES = (
    "Business User",
    "Decision Maker",
    "Economic Buyer",
    "Economic Decision Maker",
    "Evaluator",
    "Executive Sponsor",
    "Influencer",
    "Technical Buyer",
    "Other",
)
_CLASSIC_ROLES = (
    "Business User",
    "Decision Maker",
    "Economic Buyer",
    "Economic Decision Maker",
    "Evaluator",
    "Executive Sponsor",
    "Influencer",
    "Technical Buyer",
    "Gatekeeper",
    "Other",
)

_FIXED: dict[str, Any] = {
    "required": True,
    "updateable": False,
    "on_parent_delete": OnParentDelete.CASCADE,
}
"""A reference that is set when the record is created and never moves."""

ACCOUNT_CONTACT_RELATION = ObjectSchema(
    name="AccountContactRelation",
    label="Account Contact Relationship",
    label_plural="Account Contact Relationships",
    key_prefix="07k",
    fields=(
        *identity(),
        reference("AccountId", "Account", "AccountContactRelations", **_FIXED),
        reference("ContactId", "Contact", "AccountContactRelations", **_FIXED),
        make(FieldType.MULTIPICKLIST, "Roles", values=_RELATION_ROLES, length=4099),
        checkbox("IsDirect", label="Direct", **READ_ONLY),
        checkbox("IsActive", label="Active", default=True),
        date("StartDate"),
        date("EndDate"),
        *audit(),
    ),
)

ACCOUNT_CONTACT_ROLE = ObjectSchema(
    name="AccountContactRole",
    label="Account Contact Role",
    label_plural="Account Contact Roles",
    key_prefix="02Z",
    fields=(
        *identity(),
        reference("AccountId", "Account", "AccountContactRoles", **{**_FIXED, "updateable": True}),
        reference("ContactId", "Contact", "AccountContactRoles", **{**_FIXED, "updateable": True}),
        picklist("Role", length=40, values=_CLASSIC_ROLES),
        checkbox("IsPrimary", label="Primary"),
        *audit(),
    ),
)

OPPORTUNITY_CONTACT_ROLE = ObjectSchema(
    name="OpportunityContactRole",
    label="Opportunity Contact Role",
    label_plural="Opportunity Contact Roles",
    key_prefix="00K",
    fields=(
        *identity(),
        reference("OpportunityId", "Opportunity", "OpportunityContactRoles", **_FIXED),
        reference("ContactId", "Contact", "OpportunityContactRoles", **{**_FIXED, "updateable": True}),
        picklist("Role", length=40, values=_CLASSIC_ROLES),
        checkbox("IsPrimary", label="Primary"),
        *audit(),
    ),
)
