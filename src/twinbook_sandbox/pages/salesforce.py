"""The record site of the emulated Salesforce org. Acts as the org's administrator, through its user API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from twinbook_sandbox.pages.layout import (
    FieldView,
    Layout,
    Record,
    Related,
    Section,
    Widget,
    area,
    checkbox,
    choice,
    email,
    moment,
    phone,
    reference,
    shown,
    text,
    url,
)
from twinbook_sandbox.pages.records import RecordPages
from twinbook_sandbox.salesforce.org import SalesforceOrg

ROLES = (
    "Business User",
    "Decision Maker",
    "Economic Buyer",
    "Evaluator",
    "Executive Sponsor",
    "Technical Buyer",
    "Other",
)
STAGES = (
    "Prospecting",
    "Qualification",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
TYPES = ("Prospect", "Customer - Direct", "Customer - Channel", "Other")


def _address(prefix: str) -> tuple[FieldView, ...]:
    return (
        area(f"{prefix}Street", "Street"),
        text(f"{prefix}City", "City"),
        text(f"{prefix}State", "State/Province"),
        text(f"{prefix}PostalCode", "Zip/Postal Code"),
        text(f"{prefix}Country", "Country"),
    )


INTEGRATION = Section(
    "Integration",
    (
        text("NetSuite_Id__c", "NetSuite Id"),
        shown("NetSuite_Sync_Status__c", "Sync Status"),
        shown("NetSuite_Sync_Message__c", "Sync Message"),
        moment("NetSuite_Last_Sync__c", "Last Sync"),
        checkbox("Push_to_NetSuite__c", "Push to NetSuite"),
    ),
)
SYSTEM = Section(
    "System Information",
    (moment("CreatedDate", "Created"), moment("LastModifiedDate", "Last Modified"), shown("Id", "Record ID")),
)
_ACCOUNT = reference("AccountId", "Account Name", "Account")
_CONTACT = reference("ContactId", "Contact", "Contact", required=True)
_ROLE = choice("Role", "Role", ROLES)
_PRIMARY = checkbox("IsPrimary", "Primary")
_STAGE = choice("StageName", "Stage", STAGES, required=True)
_CLOSE = FieldView("CloseDate", "Close Date", Widget.DATE, required=True)
_AMOUNT = FieldView("Amount", "Amount", Widget.NUMBER)
_TITLE = text("Title", "Title")
_EMAIL = email("Email")
_PHONE = phone("Phone", "Phone")

CONTACT = Layout(
    type="Contact",
    label="Contact",
    plural="Contacts",
    title="Name",
    columns=(
        text("Name", "Name"),
        _ACCOUNT,
        _TITLE,
        _EMAIL,
        _PHONE,
        moment("LastModifiedDate", "Last Modified"),
    ),
    search=("Name", "Email"),
    highlights=(_TITLE, _ACCOUNT, _PHONE, _EMAIL),
    sections=(
        Section(
            "Contact Information",
            (
                choice("Salutation", "Salutation", ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")),
                text("FirstName", "First Name"),
                text("MiddleName", "Middle Name"),
                text("LastName", "Last Name", required=True),
                _ACCOUNT,
                _TITLE,
                text("Department", "Department"),
                _EMAIL,
                _PHONE,
                phone("MobilePhone", "Mobile"),
                phone("HomePhone", "Home Phone"),
                phone("OtherPhone", "Other Phone"),
                phone("Fax", "Fax"),
            ),
        ),
        Section("Mailing Address", _address("Mailing")),
        Section("Description Information", (area("Description", "Description"),)),
        SYSTEM,
    ),
    tabs=(INTEGRATION,),
    related=(
        Related(
            "Account Contact Roles",
            "AccountContactRole",
            "ContactId",
            (_ROLE, reference("AccountId", "Account", "Account")),
        ),
        Related(
            "Opportunity Roles",
            "OpportunityContactRole",
            "ContactId",
            (_ROLE, reference("OpportunityId", "Opportunity", "Opportunity")),
        ),
        Related(
            "Related Accounts",
            "AccountContactRelation",
            "ContactId",
            (
                reference("AccountId", "Account", "Account"),
                checkbox("IsDirect", "Direct"),
                text("Roles", "Roles"),
            ),
        ),
    ),
)

ACCOUNT = Layout(
    type="Account",
    label="Account",
    plural="Accounts",
    title="Name",
    columns=(
        text("Name", "Account Name"),
        text("Type", "Type"),
        text("BillingCity", "Billing City"),
        _PHONE,
        moment("LastModifiedDate", "Last Modified"),
    ),
    search=("Name",),
    highlights=(text("Type", "Type"), _PHONE, url("Website", "Website"), text("Industry", "Industry")),
    sections=(
        Section(
            "Account Information",
            (
                text("Name", "Account Name", required=True),
                reference("ParentId", "Parent Account", "Account"),
                choice("Type", "Type", TYPES),
                text("Industry", "Industry"),
                _PHONE,
                url("Website", "Website"),
            ),
        ),
        Section("Billing Address", _address("Billing")),
        Section("Description Information", (area("Description", "Description"),)),
        SYSTEM,
    ),
    tabs=(INTEGRATION,),
    related=(
        Related("Contacts", "Contact", "AccountId", (text("Name", "Contact Name"), _TITLE, _EMAIL)),
        Related("Opportunities", "Opportunity", "AccountId", (text("Name", "Name"), _STAGE, _AMOUNT)),
        Related(
            "Contact Roles",
            "AccountContactRole",
            "AccountId",
            (_ROLE, reference("ContactId", "Contact", "Contact")),
        ),
    ),
)

OPPORTUNITY = Layout(
    type="Opportunity",
    label="Opportunity",
    plural="Opportunities",
    title="Name",
    columns=(text("Name", "Opportunity Name"), _ACCOUNT, _STAGE, _CLOSE, _AMOUNT),
    search=("Name",),
    highlights=(_ACCOUNT, _CLOSE, _AMOUNT, _STAGE),
    sections=(
        Section(
            "Opportunity Information",
            (text("Name", "Opportunity Name", required=True), _ACCOUNT, _STAGE, _CLOSE, _AMOUNT),
        ),
        SYSTEM,
    ),
    related=(
        Related("Contact Roles", "OpportunityContactRole", "OpportunityId", (_CONTACT, _ROLE, _PRIMARY)),
        Related("Quotes", "Quote", "OpportunityId", (text("Name", "Quote Name"), text("Status", "Status"))),
    ),
)


def _join(type_: str, label: str, *fields: FieldView) -> Layout:
    """A record that ties two others together: no menu entry, and named by one of them."""
    sections = (Section(label, fields), SYSTEM)
    return Layout(type_, label, f"{label}s", fields[0].name, fields, (), sections, in_menu=False)


ACCOUNT_ROLE = _join(
    "AccountContactRole",
    "Account Contact Role",
    _CONTACT,
    reference("AccountId", "Account", "Account", required=True),
    _ROLE,
    _PRIMARY,
)
OPPORTUNITY_ROLE = _join(
    "OpportunityContactRole",
    "Opportunity Contact Role",
    _CONTACT,
    reference("OpportunityId", "Opportunity", "Opportunity", required=True),
    _ROLE,
    _PRIMARY,
)
RELATION = _join(
    "AccountContactRelation",
    "Account Contact Relationship",
    _CONTACT,
    reference("AccountId", "Account", "Account", required=True),
    text("Roles", "Roles"),
    checkbox("IsActive", "Active"),
)
QUOTE = _join(
    "Quote",
    "Quote",
    text("Name", "Quote Name", required=True),
    reference("OpportunityId", "Opportunity", "Opportunity", required=True),
    choice("Status", "Status", ("Draft", "In Review", "Approved", "Presented", "Accepted", "Denied")),
)


class SalesforceDesk:
    """Acts of the org's administrator, for the pages."""

    name = "salesforce"
    heading = "Salesforce"
    undeletes = True
    layouts: Mapping[str, Layout] = {
        layout.type: layout
        for layout in (CONTACT, ACCOUNT, OPPORTUNITY, ACCOUNT_ROLE, OPPORTUNITY_ROLE, RELATION, QUOTE)
    }

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    def find(self, layout: Layout, text: str, limit: int, offset: int) -> tuple[list[Record], int]:
        """Live records with this text in a searched field, last changed first, and how many there are."""
        found, total = self._org.search(layout.type, text, layout.search, limit, offset)
        return [self._record(layout.type, values) for values in found], total

    def read(self, type_: str, id_: str) -> Record | None:
        """One record, deleted ones too."""
        values = self._org.read(type_, id_)
        return self._record(type_, values) if values else None

    def related(self, related: Related, id_: str, limit: int) -> list[Record]:
        """Records that refer to this one."""
        found = self._org.list(related.type, {related.through: id_}, limit, 0)
        return [self._record(related.type, values) for values in found]

    def insert(self, type_: str, values: dict[str, Any]) -> str:
        """Create; returns the id."""
        return self._org.insert(type_, values)

    def update(self, record: Record, layout: Layout, values: dict[str, Any]) -> None:
        """Change the values given."""
        self._org.update(layout.type, record.id, values)

    def delete(self, type_: str, id_: str) -> None:
        """Into the recycle bin."""
        self._org.delete(type_, id_)

    def undelete(self, type_: str, id_: str) -> None:
        """Out of the recycle bin."""
        self._org.actions()["undelete"]({"type": type_, "id": id_})

    def _record(self, type_: str, values: dict[str, Any]) -> Record:
        names = {}
        for field in self._org.schema_of(type_).references():
            id_, target = values.get(field.name), field.reference_to
            if id_ and target:
                other = self._org.read(target, id_)
                names[field.name] = str(other.get("Name") or id_) if other else id_
        return Record(values["Id"], values, bool(values.get("IsDeleted")), names)


def salesforce_pages(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of the site; a record's id alone leads to its page, as in a real org."""
    return [*RecordPages(SalesforceDesk(org)).routes(), *(_leading_to(*item) for item in PREFIXES.items())]


PREFIXES = {"001": "Account", "003": "Contact"}
"""How the ids of the types with pages begin."""


def _leading_to(prefix: str, type_: str) -> BaseRoute:
    async def lead(request: Request) -> Response:
        return RedirectResponse(f"/ui/{type_}/{prefix}{quote(request.path_params['rest'], safe='')}")

    return Route(f"/{prefix}{{rest}}", lead)
