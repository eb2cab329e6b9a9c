"""The emulated org's REST resources, call by call (salesforce.md 4)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest
from tests.unit.sandbox_salesforce_rig import NOON, OrgRig, V, org_rig


@pytest.fixture
def rig() -> Iterator[OrgRig]:
    with org_rig() as rig:
        yield rig


# versions, sessions, usage, sizes


def test_versions_need_no_session(rig: OrgRig) -> None:
    del rig.http.headers["Authorization"]
    for path in ("/services/data", "/services/data/"):
        versions = rig.http.get(path).json()
        assert versions[-1] == {"label": "Summer '26", "url": V, "version": "67.0"}
    assert [each["label"] for each in versions[-3:-1]] == ["Winter '26", "Spring '26"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/services/data/v30.0/limits", 410, "UNSUPPORTED_API_VERSION"),
        ("/services/data/v68.0/limits", 404, "NOT_FOUND"),
        ("/services/data/v67.0/nothing", 404, "NOT_FOUND"),
        ("/services/data/v67.0/sobjects/Foo/describe", 404, "NOT_FOUND"),
    ],
)
def test_unknown_places(rig: OrgRig, path: str, status: int, code: str) -> None:
    response = rig.http.get(path)
    assert (response.status_code, response.json()[0]["errorCode"]) == (status, code)


def test_method_not_allowed_names_those_that_are(rig: OrgRig) -> None:
    status, code, message = rig.refusal("PUT", "/limits")
    assert (status, code) == (405, "METHOD_NOT_ALLOWED")
    assert message == "HTTP Method 'PUT' not allowed. Allowed are GET"


def test_session_ends_after_time_without_use(rig: OrgRig) -> None:
    for _ in range(3):
        rig.clock.advance(7000)
        assert rig.http.get(f"{V}/limits").status_code == 200
    rig.clock.advance(7201)
    assert rig.refusal("GET", "/limits") == (401, "INVALID_SESSION_ID", "Session expired or invalid")


def test_daily_limit(rig: OrgRig) -> None:
    rig.org.switches.daily_api_limit = 2
    assert rig.http.get(f"{V}/limits").headers["Sforce-Limit-Info"] == "api-usage=1/2"
    assert rig.http.get(f"{V}/limits").json()["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
    assert rig.refusal("GET", "/limits") == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    rig.clock.advance(86_401)
    rig.log_in()
    assert rig.http.get(f"{V}/limits").status_code == 200


def test_too_long_addresses(rig: OrgRig) -> None:
    assert rig.http.get(f"{V}/query", params={"q": "x" * 17_000}).status_code == 414
    assert rig.http.get(f"{V}/limits", headers={"X-Long": "x" * 17_000}).status_code == 431


def test_gzip_both_ways(rig: OrgRig) -> None:
    content = gzip.compress(json.dumps({"LastName": "Okafor"}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert rig.http.post(f"{V}/sobjects/Contact", content=content, headers=headers).status_code == 201
    assert rig.http.get(f"{V}/sobjects/Contact/describe").headers["Content-Encoding"] == "gzip"


def test_kinds_of_calls(rig: OrgRig) -> None:
    kinds = {
        ("GET", f"{V}/query", "q=SELECT"): "query",
        ("GET", f"{V}/query/01g-2000", ""): "query.more",
        ("PATCH", f"{V}/sobjects/Contact/003", ""): "contact.patch",
        ("POST", f"{V}/sobjects/Contact/003", "_HttpMethod=PATCH"): "contact.patch",
        ("PATCH", f"{V}/sobjects/Account/NetSuite_Id__c/1", ""): "account.upsert",
        ("PATCH", f"{V}/composite/sobjects", ""): "collections.update",
        ("POST", f"{V}/composite", ""): "composite",
        ("GET", f"{V}/jobs/query/750/results", ""): "bulk.query.results",
        ("POST", "/services/oauth2/token", ""): "token",
        ("GET", "/favicon.ico", ""): "other",
    }
    assert {call: rig.org.classify(*call) for call in kinds} == kinds


# single records


def test_read_chosen_fields(rig: OrgRig) -> None:
    contact = rig.contact(Email="n@example.com")
    record = rig.http.get(f"{V}/sobjects/Contact/{contact[:15]}", params={"fields": "Email,LastName"}).json()
    assert {name for name in record if name != "attributes"} == {"Id", "Email", "LastName"}
    assert rig.refusal("GET", f"/sobjects/Contact/{contact}?fields=Nope")[1] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("method", "id_", "status", "code"),
    [
        ("GET", "0035g00000QwErTAAV", 404, "NOT_FOUND"),
        ("PATCH", "0035g00000QwErTAAV", 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("DELETE", "0035g00000QwErTAAV", 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("GET", "0015g00000QwErTAAV", 400, "MALFORMED_ID"),
        ("GET", "nonsense", 404, "NOT_FOUND"),
    ],
)
def test_ids_that_lead_nowhere(rig: OrgRig, method: str, id_: str, status: int, code: str) -> None:
    assert rig.refusal(method, f"/sobjects/Contact/{id_}", {})[:2] == (status, code)


def test_status_of_unknown_id_by_switch(rig: OrgRig) -> None:
    rig.org.switches.unknown_id_status = 400
    assert rig.refusal("PATCH", "/sobjects/Contact/0035g00000QwErTAAV", {})[0] == 400


def test_patch_by_post(rig: OrgRig) -> None:
    contact = rig.contact()
    path = f"{V}/sobjects/Contact/{contact}?_HttpMethod=PATCH"
    assert rig.http.post(path, json={"Phone": "1"}).status_code == 204
    assert rig.org.read("Contact", contact)["Phone"] == "1"  # type: ignore[index]


def test_conditions_on_time(rig: OrgRig) -> None:
    path = f"{V}/sobjects/Contact/{rig.contact()}"
    at, before = format_datetime(NOON, usegmt=True), format_datetime(NOON - timedelta(seconds=1), usegmt=True)
    assert rig.http.get(path, headers={"If-Modified-Since": at}).status_code == 304
    assert rig.http.get(path, headers={"If-Modified-Since": before}).status_code == 200
    assert (
        rig.http.patch(path, json={"Phone": "1"}, headers={"If-Unmodified-Since": before}).status_code == 412
    )
    assert rig.http.patch(path, json={"Phone": "1"}, headers={"If-Unmodified-Since": at}).status_code == 204
    assert (
        rig.http.get(f"{V}/sobjects/Contact/describe", headers={"If-Modified-Since": at}).status_code == 304
    )


def test_upsert_in_url(rig: OrgRig) -> None:
    path = f"{V}/sobjects/Contact/NetSuite_Id__c"
    created = rig.http.patch(f"{path}/a%2Fb", json={"LastName": "Okafor"})
    assert (created.status_code, created.json()["created"]) == (201, True)
    updated = rig.http.patch(f"{path}/a%2Fb", json={"Phone": "1"})
    assert (updated.status_code, updated.json()["created"]) == (200, False)
    assert updated.json()["id"] == created.json()["id"]
    old = rig.http.patch("/services/data/v45.0/sobjects/Contact/NetSuite_Id__c/a%2Fb", json={"Phone": "2"})
    assert old.status_code == 204
    assert rig.refusal("PATCH", "/sobjects/Contact/Foo__c/1", {})[2] == (
        "Provided external ID field does not exist or is not accessible: Foo__c"
    )
    assert rig.refusal("PATCH", "/sobjects/Contact/NetSuite_Id__c/1", {"NetSuite_Id__c": "1"})[0] == 400


def test_upsert_that_fits_several(rig: OrgRig) -> None:
    rig.org.switches.dotted_external_id_404 = False
    ids = [rig.contact(str(n), Email="same@example.com") for n in range(2)]
    response = rig.http.patch(f"{V}/sobjects/Contact/Email/same@example.com", json={"Phone": "1"})
    assert response.status_code == 300
    assert response.json() == [f"{V}/sobjects/Contact/{id_}" for id_ in ids]


def test_values_that_end_like_files_are_not_found_in_urls(rig: OrgRig) -> None:
    assert rig.refusal("PATCH", "/sobjects/Contact/NetSuite_Id__c/a.com", {"LastName": "x"})[0] == 404


# collections


def test_collections_keep_order_and_report_each(rig: OrgRig) -> None:
    contact = rig.contact()
    results = rig.write(
        "PATCH",
        [{"id": contact, "Email": "bad"}, {"id": contact[:15], "Phone": "1"}, {"Id": "0035g00000QwErTAAV"}],
    )
    assert results[0] == {
        "id": contact,
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_EMAIL_ADDRESS",
                "message": "Email: invalid email address: bad",
                "fields": ["Email"],
            }
        ],
    }
    assert results[1] == {"id": contact, "success": True, "errors": []}
    assert results[2]["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    (failed,) = rig.write("POST", [{"FirstName": "No last name"}])
    assert "id" not in failed


def test_all_or_none_rolls_back(rig: OrgRig) -> None:
    results = rig.write("POST", [{"LastName": "Good"}, {"LastName": "Bad", "Email": "bad"}], allOrNone=True)
    codes = [each["errors"][0]["statusCode"] for each in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_EMAIL_ADDRESS"]
    assert rig.org.count("Contact") == 0


def test_limits_of_collections(rig: OrgRig) -> None:
    one = {"attributes": {"type": "Contact"}, "LastName": "x"}
    refused = rig.refusal("POST", "/composite/sobjects", {"records": [one] * 201})
    assert refused == (
        400,
        "EXCEEDED_ID_LIMIT",
        "record limit reached. cannot submit more than 200 records into this call",
    )
    mixed = [one, {"attributes": {"type": "Account"}, "Name": "y"}] * 6
    assert rig.refusal("POST", "/composite/sobjects", {"records": mixed})[0] == 400
    assert rig.org.count("Contact") == 0


def test_collections_upsert(rig: OrgRig) -> None:
    path = f"{V}/composite/sobjects/Contact/NetSuite_Id__c"
    one = {"attributes": {"type": "Contact"}, "NetSuite_Id__c": "1", "LastName": "One"}
    two = one | {"NetSuite_Id__c": "two.com", "LastName": "Two"}
    results = rig.http.patch(path, json={"records": [one, two, one]}).json()
    assert [each.get("created") for each in results[:2]] == [True, True]
    assert results[2]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    again = rig.http.patch(path, json={"records": [one]}).json()
    assert (again[0]["created"], again[0]["id"]) == (False, results[0]["id"])
    by_id = {"attributes": {"type": "Contact"}, "Id": None, "LastName": "Three"}
    created = rig.http.patch(f"{V}/composite/sobjects/Contact/Id", json={"records": [by_id]}).json()
    assert created[0]["created"] is True


def test_collections_delete(rig: OrgRig) -> None:
    first, second = rig.contact("A"), rig.contact("B")
    rig.org.delete("Contact", second)
    results = rig.http.delete(f"{V}/composite/sobjects", params={"ids": f"{first},{second}"}).json()
    assert [each["success"] for each in results] == [True, False]
    assert results[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_retrieve_leaves_holes(rig: OrgRig) -> None:
    account = rig.account()
    first, gone = rig.contact("A", AccountId=account), rig.contact("B")
    rig.org.delete("Contact", gone)
    body = {"ids": [gone, first[:15], "0035g00000QwErTAAV", first], "fields": ["LastName", "Account.Name"]}
    found = rig.http.post(f"{V}/composite/sobjects/Contact", json=body).json()
    assert [each and each["LastName"] for each in found] == [None, "A", None, "A"]
    assert found[1]["Account"]["Name"] == "Acme"
    rig.org.switches.relationship_paths_in_retrieve = False
    assert rig.refusal("POST", "/composite/sobjects/Contact", body)[1] == "INVALID_FIELD"
    body["fields"] = ["Nope"]
    assert rig.refusal("POST", "/composite/sobjects/Contact", body)[:2] == (400, "INVALID_FIELD")
    too_many = {"ids": [first] * 2001, "fields": ["Id"]}
    assert rig.refusal("POST", "/composite/sobjects/Contact", too_many)[1] == "EXCEEDED_ID_LIMIT"


# composite


def test_composite_passes_results_on(rig: OrgRig) -> None:
    requests = [
        {"method": "POST", "url": f"{V}/sobjects/Account", "referenceId": "a", "body": {"Name": "Acme"}},
        {
            "method": "POST",
            "url": f"{V}/sobjects/Contact",
            "referenceId": "c",
            "body": {"LastName": "Okafor", "AccountId": "@{a.id}"},
        },
        {"method": "GET", "url": f"{V}/sobjects/Foo", "referenceId": "f"},
        {"method": "GET", "url": f"{V}/sobjects/Contact/@{{c.id}}?fields=AccountId", "referenceId": "g"},
    ]
    response = rig.http.post(f"{V}/composite", json={"compositeRequest": requests}).json()
    answers = {each["referenceId"]: each for each in response["compositeResponse"]}
    assert [answers[name]["httpStatusCode"] for name in "acfg"] == [201, 201, 404, 200]
    assert answers["g"]["body"]["AccountId"] == answers["a"]["body"]["id"]
    assert answers["f"]["body"] == [
        {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}
    ]


def test_composite_all_or_none(rig: OrgRig) -> None:
    requests = [
        {"method": "POST", "url": f"{V}/sobjects/Account", "referenceId": "a", "body": {"Name": "Acme"}},
        {"method": "POST", "url": f"{V}/sobjects/Contact", "referenceId": "c", "body": {}},
    ]
    body = {"allOrNone": True, "compositeRequest": requests}
    answers = rig.http.post(f"{V}/composite", json=body).json()["compositeResponse"]
    assert [each["body"][0]["errorCode"] for each in answers] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
    ]
    assert rig.org.count("Account") == 0
    assert rig.changes == []
    requests[1]["body"] = {"LastName": "Okafor", "AccountId": "@{a.id}"}
    assert rig.http.post(f"{V}/composite", json=body).json()["compositeResponse"][1]["httpStatusCode"] == 201
    assert len({change.transaction_key for change in rig.changes}) == 1


# metadata and lists


def test_record_count_and_limits(rig: OrgRig) -> None:
    rig.contact()
    counted = rig.http.get(f"{V}/limits/recordCount", params={"sObjects": "Contact,Nope"}).json()
    assert counted == {"sObjects": [{"count": 1, "name": "Contact"}]}
    assert {"DailyBulkV2QueryJobs", "DailyDeliveredPlatformEvents"} <= rig.http.get(
        f"{V}/limits"
    ).json().keys()


def test_describe_of_fields(rig: OrgRig) -> None:
    fields = {each["name"]: each for each in rig.http.get(f"{V}/sobjects/Contact/describe").json()["fields"]}
    last_name = fields["LastName"]
    assert (last_name["length"], last_name["nillable"], last_name["compoundFieldName"]) == (80, False, "Name")
    assert (fields["Name"]["updateable"], fields["MailingAddress"]["type"]) == (False, "address")
    assert (fields["AccountId"]["relationshipName"], fields["Email"]["idLookup"]) == ("Account", True)
    assert fields["LeadSource"]["picklistValues"][0]["value"] == "Web"
    assert fields["MailingStreet"]["length"] == 255
    rig.org.switches.middle_name = False
    again = rig.http.get(f"{V}/sobjects/Contact/describe").json()["fields"]
    assert "MiddleName" not in {each["name"] for each in again}


def test_pages_keep_their_order_while_records_change(rig: OrgRig) -> None:
    ids = [rig.contact(f"{n:03d}") for n in range(401)]
    headers = {"Sforce-Query-Options": "batchSize=200"}
    page = rig.query("SELECT Id, LastName FROM Contact ORDER BY LastName", **headers)
    rig.org.delete("Contact", ids[250])
    rig.org.update("Contact", ids[399], {"LastName": "AAA"})
    rig.contact("new")
    seen = [each["Id"] for each in page["records"]]
    while not page["done"]:
        page = rig.http.get(page["nextRecordsUrl"], headers=headers).json()
        assert page["totalSize"] == 401
        seen += [each["Id"] for each in page["records"]]
    assert seen == ids


def test_locators_that_are_no_longer_good(rig: OrgRig) -> None:
    for n in range(201):
        rig.contact(str(n))
    headers = {"Sforce-Query-Options": "batchSize=200"}
    url = rig.query("SELECT Id FROM Contact", **headers)["nextRecordsUrl"].removeprefix(V)
    rig.log_in()
    assert rig.refusal("GET", url) == (400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    assert rig.refusal("GET", "/query/01g000000000000AAA-200")[1] == "INVALID_QUERY_LOCATOR"


def test_pages_may_be_shorter_than_asked(rig: OrgRig) -> None:
    for n in range(120):
        rig.contact(str(n))
    rig.org.switches.largest_page = 50
    page = rig.query("SELECT Id FROM Contact")
    assert (len(page["records"]), page["totalSize"], page["done"]) == (50, 120, False)
