"""`doctor` against real protocols: what is taken away is named, each right, field and channel, with where to click."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from tests.scenario.deployment import assign, deploy, permission_set
from tests.scenario.product import Product

from twinbook.doctor import Check, Verdict, examine
from twinbook.packaged import folder
from twinbook.settings import load

ONE_WAY = "Twinbook_Integration"
BOTH_WAYS = "Twinbook_Integration_Both_Ways"


async def examined(p: Product) -> dict[str, Check]:
    """What is not well, by code; the database engine of this machine is left out."""
    settings = load(p.config, p.environment()).connections["default"]
    checks = [check async for check in examine(settings, now=datetime.now(UTC))]
    codes = [check.code for check in checks]
    assert len(codes) == len(set(codes)), "two checks have one code"
    return {
        check.code: check
        for check in checks
        if check.verdict is not Verdict.OK and check.code != "machine.store"
    }


def without(text: str, block: str, **content: str) -> str:
    """A permission set without the blocks of a kind that have this content."""
    [(tag, value)] = content.items()
    return re.sub(
        rf"    <{block}>(?:(?!</{block}>).)*<{tag}>{value}</{tag}>.*?</{block}>\n", "", text, flags=re.DOTALL
    )


def changed(text: str, sobject: str, flag: str, to: str = "false") -> str:
    """A permission set with one right on an object taken away, or given."""
    parts = re.split(r"(?=    <objectPermissions>)", text)
    return "".join(
        re.sub(rf"<{flag}>\w+<", f"<{flag}>{to}<", part) if f"<object>{sobject}<" in part else part
        for part in parts
    )


async def test_a_deployed_package_is_all_that_is_needed(p: Product) -> None:
    await deploy(p.salesforce, ONE_WAY)
    assert await examined(p) == {}
    p.configure("contacts", direction="both")
    found = await examined(p)
    assert set(found) == {
        "salesforce.create.Contact",
        "salesforce.written-fields.Contact",
        "salesforce.written-fields.Account",
    }
    assert "Twinbook Integration: both ways" in found["salesforce.create.Contact"].remedy
    await deploy(p.salesforce, ONE_WAY, BOTH_WAYS)
    assert await examined(p) == {}


async def test_deleting_needs_a_right_that_no_set_of_the_package_gives(p: Product) -> None:
    p.configure("contacts", direction="both", deleted_in_netsuite="delete")
    await deploy(p.salesforce, ONE_WAY, BOTH_WAYS)
    assert set(await examined(p)) == {"salesforce.delete.Contact"}
    allowed = changed(permission_set(BOTH_WAYS), "Contact", "allowDelete", to="true")
    await assign(p.salesforce, permission_set(ONE_WAY), allowed)
    assert await examined(p) == {}


@pytest.mark.parametrize(
    ("field", "code", "verdict"),
    [
        ("Contact.NetSuite_Id__c", "salesforce.id-field.Contact", Verdict.BROKEN),
        ("Account.NetSuite_Id__c", "salesforce.id-field.Account", Verdict.BROKEN),
        ("Contact.AccountId", "salesforce.account-field.Contact", Verdict.BROKEN),
        ("Account.ParentId", "salesforce.account-field.Account", Verdict.BROKEN),
        ("Contact.Push_to_NetSuite__c", "salesforce.push-checkbox.Contact", Verdict.ADVICE),
        ("Account.NetSuite_Sync_Message__c", "salesforce.status-fields.Account", Verdict.ADVICE),
        ("Contact.MailingAddress", "salesforce.mapped-fields.Contact", Verdict.ADVICE),
        ("Account.Website", "salesforce.mapped-fields.Account", Verdict.ADVICE),
        ("Opportunity.AccountId", "salesforce.read.Opportunity", Verdict.BROKEN),
    ],
)
async def test_a_field_without_permission_is_named(
    p: Product, field: str, code: str, verdict: Verdict
) -> None:
    await deploy(p.salesforce, ONE_WAY)
    await assign(p.salesforce, without(permission_set(ONE_WAY), "fieldPermissions", field=field))
    found = await examined(p)
    assert set(found) == {code}
    assert found[code].verdict is verdict
    assert "Permission Sets" in found[code].remedy
    if not code.endswith("Opportunity"):
        assert field.split(".")[1].removesuffix("Address") in found[code].detail


@pytest.mark.parametrize(
    ("sobject", "flag", "code"),
    [
        ("Contact", "allowEdit", "salesforce.edit.Contact"),
        ("Account", "allowEdit", "salesforce.edit.Account"),
        ("Account", "allowRead", "salesforce.read.Account"),
        ("Contact", "viewAllRecords", "salesforce.events.Contact"),
        ("Account", "viewAllRecords", "salesforce.events.Account"),
        ("Opportunity", "viewAllRecords", "salesforce.events.Opportunity"),
    ],
)
async def test_a_right_on_an_object_is_named_with_the_place_to_grant_it(
    p: Product, sobject: str, flag: str, code: str
) -> None:
    await deploy(p.salesforce, ONE_WAY)
    await assign(p.salesforce, changed(permission_set(ONE_WAY), sobject, flag))
    found = await examined(p)
    assert code in found
    assert "Object Settings" in found[code].remedy


async def test_a_field_that_may_only_be_read_is_named(p: Product) -> None:
    await deploy(p.salesforce, ONE_WAY)
    text = permission_set(ONE_WAY).replace(
        "<editable>true</editable>\n        <field>Contact.NetSuite_Id__c",
        "<editable>false</editable>\n        <field>Contact.NetSuite_Id__c",
    )
    await assign(p.salesforce, text)
    [check] = (await examined(p)).values()
    assert (check.code, check.verdict) == ("salesforce.id-field.Contact", Verdict.BROKEN)
    assert check.detail == "may not be edited: NetSuite_Id__c"


async def test_a_channel_member_that_is_not_deployed_is_named(p: Product) -> None:
    await deploy(p.salesforce, ONE_WAY)
    await p.salesforce.act("disable_entity", entity="Opportunity")
    [check] = (await examined(p)).values()
    assert (check.code, check.verdict) == ("salesforce.events.Opportunity", Verdict.ADVICE)
    assert "Change Data Capture: select Opportunity" in check.remedy


async def test_what_no_page_layout_shows_is_named_with_the_place_to_add_it(p: Product) -> None:
    await deploy(p.salesforce, ONE_WAY)
    lacking = ["Contact.NetSuite_Sync_Status__c", "Account.Push_to_NetSuite"]
    await p.salesforce.set_switches(layout_without=lacking)
    found = await examined(p)
    assert {code: check.detail for code, check in found.items()} == {
        "salesforce.layout.Contact": "not on it: NetSuite_Sync_Status__c",
        "salesforce.layout.Account": "not on it: Account.Push_to_NetSuite",
    }
    assert all(check.verdict is Verdict.ADVICE for check in found.values())
    assert "Object Manager > Contact > Page Layouts" in found["salesforce.layout.Contact"].remedy


async def test_an_older_script_in_netsuite_is_named(p: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    p.configure("netsuite", transport="restlet")
    await deploy(p.salesforce, ONE_WAY)
    await p.netsuite.act("deploy_project", path=str(folder("netsuite")))
    assert await examined(p) == {}
    monkeypatch.setattr("twinbook.doctor.netsuite.RELEASE", "1.10.0")
    [check] = (await examined(p)).values()
    assert (check.code, check.verdict) == ("netsuite.restlet", Verdict.ADVICE)
    assert "carries release 1.10.0" in check.detail
    assert "suitecloud project:deploy" in check.remedy


async def test_what_the_settings_do_not_use_is_not_asked_for(p: Product) -> None:
    await deploy(p.salesforce, ONE_WAY)
    await p.salesforce.act("disable_entity", entity="Opportunity")
    p.configure("accounts", triggers=["quote"])
    assert set(await examined(p)) == {"salesforce.read.Quote"}
    await deploy(p.salesforce, ONE_WAY, "Twinbook_Integration_Quotes", options=("quotes",))
    assert await examined(p) == {}


async def test_role_objects_are_asked_for_where_roles_count(p: Product) -> None:
    p.configure("contacts", role_filter=["Decision Maker"])
    await deploy(p.salesforce, ONE_WAY)
    assert set(await examined(p)) == {
        "salesforce.events.AccountContactRelation",
        "salesforce.events.OpportunityContactRole",
    }
    options = ("account-relations", "opportunity-roles")
    await deploy(p.salesforce, ONE_WAY, "Twinbook_Integration_Relations", options=options)
    assert await examined(p) == {}


async def test_a_user_without_the_api_is_named(p: Product) -> None:
    await deploy(p.salesforce, ONE_WAY)
    await assign(p.salesforce, without(permission_set(ONE_WAY), "userPermissions", name="ApiEnabled"))
    found = await examined(p)
    assert next(iter(found.values())).verdict is Verdict.BROKEN
    assert any("API_CURRENTLY_DISABLED" in check.detail for check in found.values())


async def test_a_refused_login_is_one_finding_and_the_other_system_is_examined_all_the_same(
    p: Product,
) -> None:
    p.configure("salesforce", username="nobody@acme.example")
    [check] = (await examined(p)).values()
    assert (check.code, check.verdict) == ("salesforce.login", Verdict.BROKEN)
    assert "Pre-authorise" in check.remedy
