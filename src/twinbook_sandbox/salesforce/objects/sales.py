"""Opportunity and Quote: what tells that an account is about to become, or became, a customer."""

from __future__ import annotations

from twinbook_sandbox.salesforce.objects.common import (
    HIDDEN,
    READ_ONLY,
    audit,
    checkbox,
    currency,
    date,
    email,
    identity,
    make,
    owner,
    phone,
    picklist,
    reference,
    text,
    textarea,
)
from twinbook_sandbox.salesforce.objects.contact import LEAD_SOURCES
from twinbook_sandbox.salesforce.schema import FieldType, ObjectSchema, OnParentDelete

WON = "Closed Won"
LOST = "Closed Lost"
STAGE_PROBABILITY = {
    "Prospecting": 10,
    "Qualification": 10,
    "Needs Analysis": 20,
    "Value Proposition": 50,
    "Id. Decision Makers": 60,
    "Perception Analysis": 70,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    WON: 100,
    LOST: 0,
}
"""The stages of a new org with their win probability in percent."""

OPPORTUNITY = ObjectSchema(
    name="Opportunity",
    label="Opportunity",
    label_plural="Opportunities",
    key_prefix="006",
    fields=(
        *identity(),
        reference("AccountId", "Account", "Opportunities", on_parent_delete=OnParentDelete.CASCADE),
        checkbox("IsPrivate"),
        text("Name", label="Name", length=120, required=True),
        textarea("Description", length=32000),
        picklist("StageName", label="Stage", values=tuple(STAGE_PROBABILITY), required=True),
        currency("Amount"),
        make(FieldType.PERCENT, "Probability", label="Probability (%)", precision=3),
        date("CloseDate", label="Close Date", required=True),
        picklist("Type", label="Opportunity Type", values=("Existing Business", "New Business")),
        text("NextStep", length=255),
        picklist("LeadSource", values=LEAD_SOURCES),
        checkbox("IsClosed", label="Closed", **READ_ONLY),
        checkbox("IsWon", label="Won", **READ_ONLY),
        picklist("ForecastCategory", length=40, **READ_ONLY),
        owner(),
        *audit(),
        reference("ContactId", "Contact", updateable=False),
        date("LastActivityDate", **HIDDEN),
    ),
)

QUOTE = ObjectSchema(
    name="Quote",
    label="Quote",
    label_plural="Quotes",
    key_prefix="0Q0",
    fields=(
        *identity(),
        owner(),
        *audit(),
        text("Name", label="Quote Name", length=255, required=True),
        reference(
            "OpportunityId",
            "Opportunity",
            "Quotes",
            required=True,
            updateable=False,
            on_parent_delete=OnParentDelete.CASCADE,
        ),
        reference("AccountId", "Account", "Quotes", **READ_ONLY),
        reference("ContactId", "Contact", "Quotes"),
        text("QuoteNumber", length=30, **READ_ONLY),
        checkbox("IsSyncing", label="Syncing", **READ_ONLY),
        picklist(
            "Status",
            values=("Draft", "Needs Review", "In Review", "Approved", "Presented", "Accepted", "Denied"),
        ),
        date("ExpirationDate"),
        textarea("Description", length=32000),
        phone("Phone"),
        email("Email"),
    ),
)
