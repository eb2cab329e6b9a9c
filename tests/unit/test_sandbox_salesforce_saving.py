"""The emulated org keeps values as an org does, and refuses what an org refuses (salesforce.md 4.7, 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.sandbox_salesforce_rig import OrgRig, V, org_rig

from twinbook_sandbox.core.control import SiteError
from twinbook_sandbox.salesforce.ids import make_id, normalise, to_18


@pytest.fixture
def rig() -> Iterator[OrgRig]:
    with org_rig() as rig:
        yield rig


@pytest.mark.parametrize(
    ("short", "suffix"),
    [
        ("001Dp00000JJkkH", "IAT"),
        ("0015500001QdQWa", "AAN"),
        ("0035500001H9cak", "AAB"),
        ("003ZL000001EDrP", "YAW"),
        ("0012300000bVTq1", "AAG"),
        ("005ZL000000M0x1", "YAC"),
        ("000000000000000", "AAA"),
    ],
)
def test_check_suffix_of_ids(short: str, suffix: str) -> None:
    assert to_18(short) == short + suffix
    assert normalise(short + "xyz") == short + suffix
    assert normalise(short[1:]) is None


def test_ids_sort_in_the_order_they_were_given() -> None:
    ids = [make_id("003", serial) for serial in range(0, 300_000, 997)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"LastName": "  Okafor "}, {"LastName": "Okafor", "Name": "Okafor"}),
        ({"Email": ""}, {"Email": None}),
        ({"Title": "   "}, {"Title": None}),
        ({"FirstName": "Nia", "MiddleName": "B", "Suffix": "PhD"}, {"Name": "Nia B Okafor PhD"}),
        ({"Birthdate": "1984-02-29"}, {"Birthdate": "1984-02-29"}),
        (
            {"NetSuite_Last_Sync__c": "2026-09-21T14:15:23.987+02:00"},
            {"NetSuite_Last_Sync__c": "2026-09-21T12:15:23.000+0000"},
        ),
        ({"DoNotCall": True}, {"DoNotCall": True, "HasOptedOutOfEmail": False}),
        ({"MailingLatitude": 53.8}, {"MailingLatitude": 53.8}),
    ],
)
def test_values_are_kept_as_an_org_keeps_them(rig: OrgRig, given: Any, kept: Any) -> None:
    response = rig.http.post(f"{V}/sobjects/Contact", json={"LastName": "Okafor"} | given)
    assert response.status_code == 201, response.text
    record = rig.http.get(f"{V}/sobjects/Contact/{response.json()['id']}").json()
    assert {name: record[name] for name in kept} == kept


def test_short_ids_are_completed(rig: OrgRig) -> None:
    account = rig.account()
    contact = rig.contact(AccountId=account[:15])
    assert rig.org.read("Contact", contact[:15])["AccountId"] == account  # type: ignore[index]


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"),
        (
            {"LastName": "x", "FirstName": "y" * 41},
            "STRING_TOO_LONG",
            f"First Name: data value too large: {'y' * 41} (max length=40)",
        ),
        (
            {"LastName": "x", "Email": "123"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: 123",
        ),
        ({"LastName": "x", "Foo": 1}, "INVALID_FIELD", "No such column 'Foo' on sobject of type Contact"),
        (
            {"LastName": "x", "AccountId": "0035g00000QwErTAAV"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: 0035g00000QwErTAAV",
        ),
        (
            {"LastName": "x", "AccountId": "0015g00000QwErTAAV"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        ),
    ],
)
def test_refusals_of_values(rig: OrgRig, fields: Any, code: str, message: str) -> None:
    assert rig.refusal("POST", "/sobjects/Contact", fields) == (400, code, message)
    assert rig.org.count("Contact") == 0
    assert rig.changes == []


def test_read_only_fields_are_named(rig: OrgRig) -> None:
    status, code, message = rig.refusal(
        "POST", "/sobjects/Contact", {"LastName": "x", "CreatedDate": "2020-01-01T00:00:00Z"}
    )
    assert (status, code) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert message.startswith("Unable to create/update fields: CreatedDate.")


def test_wrong_json_type_refuses_the_whole_call(rig: OrgRig) -> None:
    status, code, message = rig.refusal("POST", "/sobjects/Contact", {"LastName": 5})
    assert (status, code) == (400, "JSON_PARSER_ERROR")
    assert "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5" in message


def test_unique_external_id_names_the_other_record(rig: OrgRig) -> None:
    first = rig.contact(NetSuite_Id__c="4711")
    status, code, message = rig.refusal(
        "POST", "/sobjects/Contact", {"LastName": "x", "NetSuite_Id__c": "4711"}
    )
    assert (status, code) == (400, "DUPLICATE_VALUE")
    assert (
        message == f"duplicate value found: NetSuite_Id__c duplicates value on record with id: {first[:15]}"
    )
    rig.org.delete("Contact", first)
    assert rig.contact(NetSuite_Id__c="4711")  # the recycle bin holds no claim


def test_restricted_picklists_by_switch(rig: OrgRig) -> None:
    assert rig.contact(LeadSource="Anything")
    rig.org.switches.restricted_picklists = ["Contact.LeadSource"]
    refused = rig.refusal("POST", "/sobjects/Contact", {"LastName": "x", "LeadSource": "Anything"})
    assert refused[1] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert rig.contact(LeadSource="Web")


def test_validation_rule_speaks_in_its_own_words(rig: OrgRig) -> None:
    rule = {"type": "Contact", "field": "Department", "forbidden": "None", "message": "Choose a real one"}
    rig.org.actions()["set_validation_rule"](rule)
    refused = rig.refusal("POST", "/sobjects/Contact", {"LastName": "x", "Department": "None"})
    assert refused == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Choose a real one")


def test_duplicate_rule_with_and_without_allow_save(rig: OrgRig) -> None:
    first = rig.contact(Email="nia@example.com")
    rig.org.switches.duplicate_rule = "alert"
    twin = {"LastName": "Okafor", "Email": "NIA@example.com"}
    response = rig.http.post(f"{V}/sobjects/Contact", json=twin)
    (error,) = response.json()
    assert error["errorCode"] == "DUPLICATES_DETECTED"
    match = error["duplicateResut"]["matchResults"][0]["matchRecords"][0]
    assert match["record"]["Id"] == first
    allowed = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert rig.http.post(f"{V}/sobjects/Contact", json=twin, headers=allowed).status_code == 201
    rig.org.switches.duplicate_rule = "block"
    assert rig.http.post(f"{V}/sobjects/Contact", json=twin, headers=allowed).status_code == 400


def test_locked_record_is_free_again_after_its_lock(rig: OrgRig) -> None:
    contact = rig.contact()
    rig.org.actions()["lock_record"]({"id": contact, "times": 1})
    path = f"/sobjects/Contact/{contact}"
    assert rig.refusal("PATCH", path, {"Phone": "1"})[:2] == (400, "UNABLE_TO_LOCK_ROW")
    assert rig.http.patch(f"{V}{path}", json={"Phone": "1"}).status_code == 204


def test_state_and_country_picklists(rig: OrgRig) -> None:
    assert rig.contact(MailingCountry="Nowhere")
    assert "MailingCountryCode" not in rig.http.get(f"{V}/sobjects/Contact/{rig.contact()}").json()
    rig.org.switches.state_country_picklists = True
    contact = rig.contact(MailingCountryCode="US", MailingState="California")
    record = rig.org.read("Contact", contact)
    assert record is not None
    assert (record["MailingCountry"], record["MailingStateCode"]) == ("United States", "CA")
    for wrong in (
        {"MailingCountry": "Nowhere"},
        {"MailingCountryCode": "DE", "MailingState": "California"},
        {"MailingCountryCode": "DE", "MailingCountry": "France"},
    ):
        refused = rig.refusal("POST", "/sobjects/Contact", {"LastName": "x"} | wrong)
        assert refused[1] == "FIELD_INTEGRITY_EXCEPTION", wrong


def test_parent_by_external_id(rig: OrgRig) -> None:
    account = rig.account(NetSuite_Id__c="77")
    body = {"LastName": "x", "Account": {"NetSuite_Id__c": "77"}}
    created = rig.http.post(f"{V}/sobjects/Contact", json=body).json()["id"]
    assert rig.org.read("Contact", created)["AccountId"] == account  # type: ignore[index]
    body["Account"] = {"NetSuite_Id__c": "78"}
    assert rig.refusal("POST", "/sobjects/Contact", body)[1] == "INVALID_FIELD"


def test_stage_decides_won_and_closed(rig: OrgRig) -> None:
    account = rig.account()
    fields = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-01", "AccountId": account}
    deal = rig.org.insert("Opportunity", fields)
    rig.org.update("Opportunity", deal, {"StageName": "Closed Won"})
    record = rig.org.read("Opportunity", deal)
    assert record is not None
    assert (record["IsWon"], record["IsClosed"], record["Probability"]) == (True, True, 100)
    quote = rig.org.insert("Quote", {"Name": "Offer", "OpportunityId": deal})
    assert rig.org.read("Quote", quote)["AccountId"] == account  # type: ignore[index]


def test_direct_relation_follows_the_account(rig: OrgRig) -> None:
    first, second = rig.account("First"), rig.account("Second")
    contact = rig.contact(AccountId=first)
    rig.org.update("Contact", contact, {"AccountId": second})
    relations = rig.org.list("AccountContactRelation", {"ContactId": contact}, 10, 0)
    assert [(each["AccountId"], each["IsDirect"]) for each in relations] == [(second, True)]
    rig.org.switches.keep_previous_account_relation = True
    rig.org.update("Contact", contact, {"AccountId": first})
    relations = rig.org.list("AccountContactRelation", {"ContactId": contact}, 10, 0)
    assert {each["AccountId"]: each["IsDirect"] for each in relations} == {second: False, first: True}


def test_person_account_is_one_account_and_one_contact(rig: OrgRig) -> None:
    account = rig.org.insert("Account", {"LastName": "Iyer", "PersonEmail": "a@example.com"})
    record = rig.org.read("Account", account)
    assert record is not None
    contact = record["PersonContactId"]
    assert [change.entity for change in rig.changes] == ["Account", "Contact"]
    assert rig.refusal("PATCH", f"/sobjects/Contact/{contact}", {"Phone": "1"})[1] == (
        "INVALID_PERSON_ACCOUNT_OPERATION"
    )
    rig.changes.clear()
    rig.org.update("Account", account, {"PersonMobilePhone": "1", "FirstName": "Asha"})
    paired = rig.org.read("Contact", contact)
    assert paired is not None
    assert (paired["IsPersonAccount"], paired["MobilePhone"], paired["Name"]) == (True, "1", "Asha Iyer")
    assert [change.entity for change in rig.changes] == ["Account", "Contact"]


def test_hidden_fields_are_nowhere(rig: OrgRig) -> None:
    contact = rig.contact(Birthdate="1984-02-29")
    rig.org.switches.hidden_fields = ["Contact.Birthdate"]
    described = rig.http.get(f"{V}/sobjects/Contact/describe").json()["fields"]
    assert "Birthdate" not in {each["name"] for each in described}
    assert "Birthdate" not in rig.http.get(f"{V}/sobjects/Contact/{contact}").json()
    assert rig.query_error("SELECT Birthdate FROM Contact")["errorCode"] == "INVALID_FIELD"
    refused = rig.refusal("PATCH", f"/sobjects/Contact/{contact}", {"Birthdate": "1984-02-28"})
    assert refused[1] == "INVALID_FIELD"
    assert rig.org.read("Contact", contact)["Birthdate"] == "1984-02-29"  # type: ignore[index]


def test_data_file_keeps_records_and_credentials(tmp_path: Any) -> None:
    from twinbook_sandbox.core.clock import Clock
    from twinbook_sandbox.salesforce.org import SalesforceOrg

    path = str(tmp_path / "org.db")
    first = SalesforceOrg(Clock(), path=path)
    contact = first.insert("Contact", {"LastName": "Okafor"})
    login = first.credentials()
    first.close()
    second = SalesforceOrg(Clock(), path=path)
    assert second.credentials() == login
    assert second.read("Contact", contact)["LastName"] == "Okafor"  # type: ignore[index]
    assert second.insert("Contact", {"LastName": "Next"}) > contact
    second.close()


def test_users_of_the_site_get_site_errors(rig: OrgRig) -> None:
    with pytest.raises(SiteError) as refused:
        rig.contact(Email="nonsense")
    assert (refused.value.code, refused.value.field) == ("INVALID_EMAIL_ADDRESS", "Email")
    with pytest.raises(SiteError, match="no object Lead"):
        rig.org.insert("Lead", {})
    with pytest.raises(SiteError, match="no user nobody"):
        rig.org.insert("Contact", {"LastName": "x"}, user="nobody")
