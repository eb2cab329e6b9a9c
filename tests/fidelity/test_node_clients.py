"""Clients written by others, in Node: jsforce, netsuite-rest and salesforce-pubsub-api-client judge the sandbox.

Each script runs once; what it found is then held against the fact sheets.
"""

from __future__ import annotations

from typing import Any

from tests.fidelity.node import judged, needs_node

from twinbook_sandbox.launch import Sandbox

pytestmark = needs_node
CONTACTS = "/data/ContactChangeEvent"


async def test_jsforce(sandbox: Sandbox) -> None:
    found = await judged("jsforce.mjs", sandbox.describe())
    credentials = sandbox.salesforce.credentials()
    assert (found["login"]["id"], found["login"]["organizationId"]) == (
        credentials["user_id"],
        credentials["org_id"],
    )
    assert found["wrong_secret"]["message"] == "invalid client credentials"
    _record(found["record"])
    assert [found["upsert"][time]["created"] for time in ("first", "again")] == [True, False]
    assert found["refused_value"]["code"] == "INVALID_EMAIL_ADDRESS"
    assert found["refused_value"]["data"]["fields"] == ["Email"]
    _collections(found["collections"])
    assert (found["pages"]["total"], found["pages"]["complete"]) == (450, True)
    assert [locator.rpartition("-")[2] for locator in found["pages"]["locators"]] == ["200", "400"]
    assert (found["quoting"]["same"], found["quoting"]["found"]) == (True, [found["quoting"]["id"]])
    assert found["bad_query"]["code"] == "INVALID_TYPE"
    assert "ERROR at Row:1:Column:16" in found["bad_query"]["message"]
    assert (found["describe"]["email"]["type"], found["describe"]["email"]["length"]) == ("email", 80)
    assert {"Account", "Contact", "Opportunity"} <= set(found["describe"]["objects"])
    used = found["limits"]["header"]
    assert used["limit"] == found["limits"]["limits"]["Max"]
    assert used["limit"] - used["used"] == found["limits"]["limits"]["Remaining"]
    _composite(found["composite"]["compositeResponse"])
    _bulk_ingest(found["bulk_ingest"])
    assert found["bulk_query"] == {"rows": 450, "complete": True}
    lists = found["deleted_and_updated"]
    assert found["record"]["made"]["id"] in {each["id"] for each in lists["deleted"]["deletedRecords"]}
    assert found["upsert"]["first"]["id"] in lists["updated"]["ids"]


def _record(found: dict[str, Any]) -> None:
    read = found["read"]
    assert (read["LastName"], read["Phone"], read["Email"]) == ("Ókafor", "1", None)
    assert read["Birthdate"] == "1984-02-29"
    assert found["deleted"]["success"]
    assert found["gone"]["code"] == "ENTITY_IS_DELETED"


def _collections(found: dict[str, Any]) -> None:
    assert found["made"] == 450, "three calls of at most 200"
    good, bad = found["mixed"]
    assert good["success"]
    assert bad == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }
        ],
    }
    assert found["good"]["LastName"] == "Good"


def _composite(parts: list[dict[str, Any]]) -> None:
    assert [part["httpStatusCode"] for part in parts] == [404, 201, 200]
    assert parts[0]["body"][0]["errorCode"] == "NOT_FOUND"
    assert parts[2]["body"]["Name"] == "Acme"


def _bulk_ingest(found: dict[str, Any]) -> None:
    assert (found["info"]["state"], found["info"]["numberRecordsFailed"]) == ("JobComplete", 1)
    assert [row["NetSuite_Id__c"] for row in found["results"]["successfulResults"]] == ["901"]
    [failed] = found["results"]["failedResults"]
    assert failed["sf__Error"] == "INVALID_EMAIL_ADDRESS:Email: invalid email address: two:Email --"
    assert found["results"]["unprocessedRecords"] == []


async def test_netsuite_rest(sandbox: Sandbox) -> None:
    found = await judged("netsuite.mjs", sandbox.describe())
    assert found["options"]["status"] == 204
    assert found["wrong_token"]["status"] == 401
    assert 'error="token_rejected"' in found["wrong_token"]["login"]
    _netsuite_records(found)
    assert found["suiteql_pages"]["total"] == 25
    assert found["suiteql_pages"]["names"] == [f"P{n:02}" for n in range(25)]
    assert found["suiteql_pages"]["first"] == {"links": [], "firstname": "P00", "isinactive": "F"}
    assert found["date_text"]["items"] == [], "a date as text is understood, and nothing is that old"
    assert found["filter"] == {"total": 10, "count": 5, "more": True, "rels": ["next", "last", "self"]}
    refusals = {
        case: _refusal(found[case]) for case in ("unknown_type", "unknown_id", "bad_body", "empty_body")
    }
    assert refusals["unknown_type"] == (404, "Record type 'bad-path' does not exist.")
    assert refusals["unknown_id"][1].startswith(
        "The record instance does not exist. Provide a valid record instance"
    )
    assert refusals["bad_body"][0] == 400
    assert refusals["bad_body"][1].startswith("Invalid content in the request body")
    assert refusals["empty_body"][1].startswith(
        "Error while accessing a resource. Please enter value(s) for: "
    )
    assert "Unknown identifier 'foo'" in _refusal(found["bad_suiteql"])[1]


def _netsuite_records(found: Any) -> None:
    record = found["record"]
    assert record["statuses"] == [204, 200, 204]
    assert (record["read"]["entityId"], record["read"]["email"]) == ("Ada Łovelace", "ada@acme.example")
    assert record["read"]["subsidiary"]["id"] == "1"
    assert "title" not in record["read"]
    assert _refusal(record["gone"])[0] == 404
    assert found["upsert"] == {"statuses": [204, 204], "same": True}
    assert (found["bare_references"]["status"]["id"], found["bare_references"]["subsidiary"]["id"]) == (
        "6",
        "1",
    )
    assert _refusal(found["same_name_twice"])[0] == 400
    assert "with this name already exists" in _refusal(found["same_name_twice"])[1]
    untyped = found["without_media_type"]
    assert untyped["status"] == 204
    assert untyped["id"] in untyped["ids"]
    assert untyped["count"] == len(untyped["ids"])


def _refusal(found: dict[str, Any]) -> tuple[int, str]:
    [detail] = found["body"]["o:errorDetails"]
    assert found["status"] == found["body"]["status"]
    return found["status"], detail["detail"]


async def test_salesforce_pubsub_api_client(sandbox_over_tls: Sandbox) -> None:
    org = sandbox_over_tls.salesforce
    contact = org.insert("Contact", {"LastName": "Okafor", "MailingCity": "Köln", "Phone": "1"})
    org.update("Contact", contact, {"Phone": None, "LastName": "Ω", "MailingStreet": "12 Quay Rd"})
    org.delete("Contact", contact)
    order = sandbox_over_tls.describe() | {"topic": CONTACTS, "count": 3}
    found = await judged("pubsub.mjs", order)
    created, updated, deleted = (event["payload"] for event in found["from_the_start"]["events"])
    assert [each["ChangeEventHeader"]["changeType"] for each in (created, updated, deleted)] == [
        "CREATE",
        "UPDATE",
        "DELETE",
    ]
    assert created["MailingAddress"]["City"] == "Köln"
    assert created["Name"]["LastName"] == "Okafor"
    header = updated["ChangeEventHeader"]
    assert header["recordIds"] == [contact]
    assert header["nulledFields"] == ["Phone"]
    assert set(header["changedFields"]) >= {
        "Phone",
        "Name.LastName",
        "MailingAddress.Street",
        "LastModifiedDate",
    }
    later = [event["id"] for event in found["from_the_start"]["events"][1:]]
    assert [event["id"] for event in found["after_a_position"]["events"]] == later
    errors = {case: found[case]["error"] for case in ("unknown_topic", "unknown_position", "foreign_token")}
    assert {case: error["code"] for case, error in errors.items()} == {
        "unknown_topic": 5,
        "unknown_position": 3,
        "foreign_token": 16,
    }
    assert "topic /data/NowhereChangeEvent not found" in errors["unknown_topic"]["details"]
