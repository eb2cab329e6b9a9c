"""Discovery: queries name what the org has, and what is missing is said in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from tests.memory.http import Request, ScriptedHttp, reply

from twinbook.domain.errors import PermanentError
from twinbook.domain.ports import FieldMeta
from twinbook.domain.records import Entity
from twinbook.http import HttpResponse
from twinbook.salesforce.auth import ClientCredentials, TokenProvider
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.side import SalesforceSide

URL = "https://acme.my.salesforce.com"
CONTACT = "0035500001H9cakAAB"
ACCOUNT = "001Dp00000JJkkHIAT"
CONFIG = SalesforceConfig(
    contact_fields=("Email", "MiddleName", "Account.Type", "Account.Nope", "Owner.Name", "MailingAddress"),
    account_fields=("Type", "Region__c"),
)


def field(name: str, kind: str = "string", **facts: Any) -> dict[str, Any]:
    base = {
        "length": 80,
        "nillable": True,
        "defaultedOnCreate": False,
        "createable": True,
        "updateable": True,
    }
    return {"name": name, "type": kind, "restrictedPicklist": False, "picklistValues": [], **base, **facts}


def describe(fields: Iterable[dict[str, Any]], children: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "fields": list(fields),
        "childRelationships": [{"relationshipName": name} for name in (*children, None)],
    }


class Org:
    """Two describes and one row; keeps the statements it was asked."""

    def __init__(self, *, drop: Iterable[str] = (), versions: Iterable[str] = ("66.0", "67.0")) -> None:
        self.versions = tuple(versions)
        gone = frozenset(drop)
        contact = (
            field("LastName", nillable=False),
            field("Email", "email"),
            field("MailingAddress", "address", length=0),
            field("OwnerId", "reference", relationshipName="Owner"),
            field("NetSuite_Id__c", externalId=True, unique=True),
            field("Push_to_NetSuite__c", "boolean", length=0, nillable=False, defaultedOnCreate=True),
            field("NetSuite_Sync_Status__c", "picklist", length=255),
        )
        account = (field("Name", nillable=False), field("Type", "picklist"), field("NetSuite_Id__c"))
        children = {"OpportunityContactRoles", "AccountContactRoles"} - gone
        self.describes = {
            "Contact": describe((f for f in contact if f"Contact.{f['name']}" not in gone), children),
            "Account": describe(
                (f for f in account if f"Account.{f['name']}" not in gone), {"Opportunities"} - gone
            ),
        }
        self.row: dict[str, Any] = {}
        self.http = ScriptedHttp(self._answer)
        tokens = TokenProvider(self.http, URL, ClientCredentials("id", "secret"), lambda: 0.0)
        self.side = SalesforceSide(self.http, tokens, CONFIG, lambda: 0.0)

    def _answer(self, request: Request) -> HttpResponse:
        path = request.path
        if path.startswith("/services/oauth2/"):
            return reply(200, {"access_token": "t", "instance_url": URL, "id": f"{URL}/id/00Dorg/005user"})
        if path == "/services/data/":
            return reply(200, [{"version": version} for version in self.versions])
        if path.endswith("/describe"):
            return reply(200, self.describes[path.split("/")[-2]])
        return reply(200, {"done": True, "records": [self.row] if self.row else []})

    @property
    def statements(self) -> list[str]:
        return [request.params["q"] for request in self.http.requests if "q" in request.params]


async def test_what_the_org_has() -> None:
    facts = await Org().side.discover()
    assert (facts.org_id, facts.user_id, facts.instance_url) == ("00Dorg", "005user", URL)
    assert facts.contact_fields == ("Email", "Account.Type", "Owner.Name")
    assert facts.missing_contact_fields == ("MiddleName", "Account.Nope", "MailingAddress")
    assert (facts.account_fields, facts.missing_account_fields) == (("Type",), ("Region__c",))
    assert facts.status_fields == {"NetSuite_Sync_Status__c"}
    assert [source.entity for source in facts.role_sources] == [
        Entity.ACCOUNT_CONTACT_ROLE,
        Entity.OPPORTUNITY_CONTACT_ROLE,
    ]
    assert (facts.push_on_contact, facts.push_on_account, facts.person_accounts) == (True, False, False)
    assert facts.contact.unique == facts.contact.external_ids == {"NetSuite_Id__c"}


async def test_the_query_names_nothing_else() -> None:
    org = Org()
    await org.side.read_contacts([CONTACT])
    columns, _, condition = org.statements[0].rpartition(" FROM ")
    assert condition == f"Contact WHERE Id IN ('{CONTACT}')"
    assert columns.removeprefix("SELECT ").split(", ") == [
        *("Id", "IsDeleted", "MasterRecordId", "LastModifiedDate", "LastModifiedBy.Name"),
        *("AccountId", "Account.Name"),
        *("Account.NetSuite_Id__c", "NetSuite_Id__c", "Push_to_NetSuite__c", "NetSuite_Sync_Status__c"),
        *("Email", "Account.Type", "Owner.Name"),
        "(SELECT Role FROM AccountContactRoles WHERE IsDeleted = false)",
        "(SELECT Role FROM OpportunityContactRoles WHERE IsDeleted = false)",
    ]


async def test_an_org_without_role_objects_and_opportunities() -> None:
    org = Org(drop={"OpportunityContactRoles", "AccountContactRoles", "Opportunities"})
    await org.side.read_contacts([CONTACT])
    await org.side.read_accounts([ACCOUNT])
    assert not any("(SELECT" in statement for statement in org.statements)


async def test_discovery_is_done_once() -> None:
    org = Org()
    await org.side.read_contacts([CONTACT])
    await org.side.read_accounts([ACCOUNT])
    describes = [request for request in org.http.requests if request.path.endswith("/describe")]
    assert len(describes) == 2


async def test_a_row_becomes_a_contact() -> None:
    org = Org()
    roles = [{"Role": "Buyer"}, {"Role": None}, {"Role": "Evaluator"}]
    org.row = {
        "attributes": {"type": "Contact"},
        "Id": CONTACT,
        "IsDeleted": False,
        "MasterRecordId": None,
        "LastModifiedDate": "2026-09-21T12:15:23.000+0000",
        "AccountId": ACCOUNT,
        "Account": {"Name": "Acme", "NetSuite_Id__c": "", "Type": "Customer"},
        "NetSuite_Id__c": None,
        "Push_to_NetSuite__c": True,
        "NetSuite_Sync_Status__c": "Synced",
        "Email": "n@example.com",
        "Owner": None,
        "AccountContactRoles": {"done": True, "records": roles},
        "OpportunityContactRoles": None,
    }
    contact = (await org.side.read_contacts([CONTACT[:15]]))[CONTACT[:15]]
    assert contact.id == CONTACT
    assert contact.fields == {"Email": "n@example.com", "Account.Type": "Customer", "Owner.Name": None}
    assert (contact.account_name, contact.account_customer_id) == ("Acme", None)
    assert contact.roles == {"Buyer", "Evaluator"}
    assert (contact.push_requested, contact.status, contact.status_message) == (True, "Synced", None)
    assert not contact.is_person_account


@pytest.mark.parametrize("sobject", ["Contact", "Account"])
async def test_a_missing_id_field_says_what_to_install(sobject: str) -> None:
    with pytest.raises(PermanentError, match=f"NetSuite_Id__c is not on {sobject}") as caught:
        await Org(drop={f"{sobject}.NetSuite_Id__c"}).side.discover()
    assert (caught.value.code, caught.value.field) == ("ID_FIELD_MISSING", "NetSuite_Id__c")
    assert "permission set" in caught.value.remedy


async def test_an_id_field_that_may_not_be_written() -> None:
    org = Org()
    org.describes["Contact"]["fields"][4]["updateable"] = False
    with pytest.raises(PermanentError, match="ID_FIELD_READ_ONLY"):
        await org.side.discover()


async def test_a_version_that_the_org_does_not_serve() -> None:
    with pytest.raises(PermanentError, match="API_VERSION") as caught:
        await Org(versions=("9.0", "65.0", "64.0")).side.discover()
    assert caught.value.remedy == "Set api_version to 65.0."


async def test_describe_as_the_planner_needs_it() -> None:
    org = Org()
    org.describes["Contact"]["fields"] += [
        field(
            "LeadSource",
            "picklist",
            restrictedPicklist=True,
            picklistValues=[{"value": "Web", "active": True}, {"value": "Fax", "active": False}],
        ),
        field("Name", createable=False, updateable=False, nillable=False),
    ]
    schema = await org.side.describe(Entity.CONTACT)
    assert schema["LastName"] == FieldMeta("LastName", "string", 80, required=True)
    assert schema["LeadSource"].values == frozenset({"Web"})
    assert schema["Push_to_NetSuite__c"] == FieldMeta("Push_to_NetSuite__c", "boolean", None)
    assert (schema["Name"].required, schema["Name"].writable) == (False, False)
