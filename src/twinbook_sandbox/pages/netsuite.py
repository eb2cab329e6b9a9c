"""The record site of the emulated NetSuite account. Acts as a person on a page would, through its user API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from twinbook_sandbox.netsuite.account import NetSuiteAccount
from twinbook_sandbox.pages.layout import (
    FieldView,
    Layout,
    Record,
    Related,
    Section,
    area,
    checkbox,
    email,
    moment,
    phone,
    reference,
    shown,
    text,
    url,
)
from twinbook_sandbox.pages.records import RecordPages

ADDRESS_PREFIX = "address."
"""Fields with this prefix are those of the first address line."""

_EMAIL = email("email")
_PHONE = phone("phone", "Phone")
_CHANGED = moment("lastModifiedDate", "Last Modified")
_SUBSIDIARY = reference("subsidiary", "Subsidiary", "subsidiary")
_INACTIVE = checkbox("isInactive", "Inactive")

ADDRESS = Section(
    "Address",
    (
        text("address.addr1", "Address 1"),
        text("address.addr2", "Address 2"),
        text("address.addr3", "Address 3"),
        text("address.city", "City"),
        text("address.state", "State"),
        text("address.zip", "Zip"),
        text("address.country", "Country (ISO code)"),
    ),
)
SYSTEM = Section(
    "System Information",
    (
        shown("id", "Internal ID"),
        text("externalId", "External ID"),
        moment("dateCreated", "Date Created"),
        _CHANGED,
    ),
)


def _custom(*more: FieldView) -> Section:
    return Section(
        "Custom",
        (
            text("custentity_twinbook_sf_id", "Salesforce ID"),
            url("custentity_twinbook_link", "Salesforce Record"),
            *more,
        ),
    )


CONTACT = Layout(
    type="contact",
    label="Contact",
    plural="Contacts",
    title="entityId",
    columns=(
        text("entityId", "Name"),
        reference("company", "Company", "customer"),
        text("title", "Job Title"),
        _EMAIL,
        _PHONE,
        _INACTIVE,
        _CHANGED,
    ),
    search=("entityid", "email"),
    sections=(
        Section(
            "Primary Information",
            (
                text("entityId", "Contact"),
                reference("company", "Company", "customer"),
                text("salutation", "Mr./Ms..."),
                text("firstName", "First Name"),
                text("middleName", "Middle Name"),
                text("lastName", "Last Name"),
                text("title", "Job Title"),
                _SUBSIDIARY,
                _INACTIVE,
                area("comments", "Comments"),
            ),
        ),
        Section(
            "Email | Phone",
            (
                _EMAIL,
                _PHONE,
                phone("mobilePhone", "Mobile Phone"),
                phone("homePhone", "Home Phone"),
                phone("officePhone", "Office Phone"),
                phone("fax", "Fax"),
            ),
        ),
    ),
    tabs=(_custom(checkbox("custentity_twinbook_locked", "Locked for Sync")), ADDRESS, SYSTEM),
)

CUSTOMER = Layout(
    type="customer",
    label="Customer",
    plural="Customers",
    title="entityId",
    columns=(text("entityId", "Name"), _EMAIL, _PHONE, _SUBSIDIARY, _INACTIVE, _CHANGED),
    search=("entityid", "companyname", "email"),
    sections=(
        Section(
            "Primary Information",
            (
                text("entityId", "Customer ID"),
                text("companyName", "Company Name", required=True),
                reference("parent", "Parent Company", "customer"),
                _SUBSIDIARY,
                reference("entityStatus", "Status", "customerStatus"),
                _INACTIVE,
                url("url", "Web Address"),
                area("comments", "Comments"),
            ),
        ),
        Section("Email | Phone", (_EMAIL, _PHONE, phone("fax", "Fax"))),
    ),
    tabs=(_custom(), ADDRESS, SYSTEM),
    related=(
        Related(
            "Contacts",
            "contact",
            "company",
            (text("entityId", "Contact"), text("title", "Job Title"), _EMAIL, _PHONE),
        ),
    ),
)

NAMED_BY: Mapping[str, str] = {"customer": "entityId", "contact": "entityId", "subsidiary": "name"}
"""The field that names a record of a type."""


class NetSuiteDesk:
    """Acts of a person with the account's pages open."""

    name = "netsuite"
    heading = "NetSuite"
    undeletes = False
    layouts: Mapping[str, Layout] = {layout.type: layout for layout in (CONTACT, CUSTOMER)}

    def __init__(self, account: NetSuiteAccount) -> None:
        self._account = account

    def find(self, layout: Layout, text: str, limit: int, offset: int) -> tuple[list[Record], int]:
        """Records with this text in a searched field, last changed first, and how many there are."""
        where, values = "type = ?", [layout.type]
        if text:
            where += f" AND ({' OR '.join(f'instr(LOWER({name}), ?)' for name in layout.search)})"
            values += [text.lower()] * len(layout.search)
        storage = self._account.storage
        total = storage.value(f"SELECT count(*) FROM entity WHERE {where}", values)  # noqa: S608 -- own names
        order = "ORDER BY lastmodifieddate DESC, id DESC LIMIT ? OFFSET ?"
        page = f"SELECT id FROM entity WHERE {where} {order}"  # noqa: S608 -- own names
        rows = storage.rows(page, [*values, limit, offset])
        found = [self.read(layout.type, str(row["id"])) for row in rows]
        return [record for record in found if record], int(total)

    def read(self, type_: str, id_: str) -> Record | None:
        """One record, deleted ones too."""
        values = self._account.read(type_, id_)
        return self._record(type_, values) if values else None

    def related(self, related: Related, id_: str, limit: int) -> list[Record]:
        """Records that refer to this one."""
        found = self._account.list(related.type, {related.through: id_}, limit, 0)
        return [self._record(related.type, values) for values in found]

    def insert(self, type_: str, values: dict[str, Any]) -> str:
        """Create; returns the id."""
        return self._account.insert(type_, _body(values, None))

    def update(self, record: Record, layout: Layout, values: dict[str, Any]) -> None:
        """Change the values given."""
        self._account.update(layout.type, record.id, _body(values, record.values.get("address.internalId")))

    def delete(self, type_: str, id_: str) -> None:
        """Delete for good."""
        self._account.delete(type_, id_)

    def undelete(self, type_: str, id_: str) -> None:
        """NetSuite has no recycle bin: there is no way back, and the pages offer none."""

    def _record(self, type_: str, values: dict[str, Any]) -> Record:
        lines = values.get("addressBook") or []
        first = {"internalId": lines[0]["internalId"], **lines[0]["addressBookAddress"]} if lines else {}
        flat = values | {ADDRESS_PREFIX + name: value for name, value in first.items()}
        names = {}
        for view in self.layouts[type_].fields():
            id_ = values.get(view.name)
            if view.target and id_:
                names[view.name] = self._name(view.target, id_)
        return Record(str(values["id"]), flat, bool(values.get("isDeleted")), names)

    def _name(self, type_: str, id_: str) -> str:
        name = self._account.display_name(type_, id_)
        return str(name) if name else id_


def _body(values: dict[str, Any], line: Any) -> dict[str, Any]:
    """The body of a write: address fields go into a line of the sublist, the first one or a new one."""
    body = {name: value for name, value in values.items() if not name.startswith(ADDRESS_PREFIX)}
    address = {
        name.removeprefix(ADDRESS_PREFIX): {"id": value} if name.endswith(".country") and value else value
        for name, value in values.items()
        if name.startswith(ADDRESS_PREFIX)
    }
    if address:
        key = {"internalId": line} if line else {"defaultBilling": True, "defaultShipping": True}
        body["addressBook"] = {"items": [{**key, "addressBookAddress": address}]}
    return body


def netsuite_pages(account: NetSuiteAccount) -> list[BaseRoute]:
    """The routes of the site; addresses of NetSuite's own pages lead to it."""
    return [*RecordPages(NetSuiteDesk(account)).routes(), *map(_leading_to, OWN_PAGES, OWN_PAGES.values())]


OWN_PAGES = {"contact": "contact", "custjob": "customer"}
"""Names of NetSuite's own record pages (netsuite.md 1.1), and the types they show."""


def _leading_to(page: str, type_: str) -> BaseRoute:
    async def lead(request: Request) -> Response:
        return RedirectResponse(f"/ui/{type_}/{quote(request.query_params.get('id', ''), safe='')}")

    return Route(f"/app/common/entity/{page}.nl", lead)
