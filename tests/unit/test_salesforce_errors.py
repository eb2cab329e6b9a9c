"""Every refusal of salesforce.md 4.7 becomes the right kind, with its field and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from tests.memory.http import reply

from twinbook.domain.errors import PermanentError, SideError, TemporaryError
from twinbook.salesforce.errors import (
    DAILY_LIMIT_PAUSE,
    REMEDIES,
    TEMPORARY,
    duplicate_holder,
    from_record,
    from_response,
)


def refused(status: int, code: str, message: str = "m", *, method: str = "GET", **extra: Any) -> SideError:
    return from_response(method, reply(status, [{"errorCode": code, "message": message, **extra}]))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "UNABLE_TO_LOCK_ROW"), (400, "QUERY_TIMEOUT"), (400, "REQUEST_RUNNING_TOO_LONG"),
        (400, "TXN_SECURITY_METERING_ERROR"), (400, "INVALID_QUERY_LOCATOR"), (401, "INVALID_SESSION_ID"),
        (403, "REQUEST_LIMIT_EXCEEDED"), (412, "PRECONDITION_FAILED"), (429, "WHATEVER"),
        (500, "UNKNOWN_EXCEPTION"), (500, "NEVER_SEEN"), (503, "SERVER_UNAVAILABLE"),
    ],
)  # fmt: skip
def test_what_passes(status: int, code: str) -> None:
    error = refused(status, code)
    assert isinstance(error, TemporaryError)
    assert error.code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_FIELD"), (400, "INVALID_FIELD_FOR_INSERT_UPDATE"), (400, "INVALID_TYPE"),
        (400, "MALFORMED_QUERY"), (400, "JSON_PARSER_ERROR"), (400, "MALFORMED_ID"),
        (400, "REQUIRED_FIELD_MISSING"), (400, "STRING_TOO_LONG"), (400, "INVALID_EMAIL_ADDRESS"),
        (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), (400, "FIELD_INTEGRITY_EXCEPTION"),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"), (400, "DUPLICATE_VALUE"), (400, "DUPLICATES_DETECTED"),
        (400, "INVALID_CROSS_REFERENCE_KEY"), (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
        (400, "INSUFFICIENT_ACCESS_OR_READONLY"), (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
        (400, "CANNOT_EXECUTE_FLOW_TRIGGER"), (400, "TRANSFER_REQUIRES_READ"), (400, "ENTITY_IS_LOCKED"),
        (403, "API_DISABLED_FOR_ORG"), (403, "API_CURRENTLY_DISABLED"), (403, "INSUFFICIENT_ACCESS"),
        (403, "FUNCTIONALITY_NOT_ENABLED"), (404, "ENTITY_IS_DELETED"), (404, "NOT_FOUND"),
        (400, "QUERY_TOO_COMPLICATED"), (400, "EXCEEDED_ID_LIMIT"),
    ],
)  # fmt: skip
def test_what_lasts_has_a_remedy_of_its_own(status: int, code: str) -> None:
    error = refused(status, code)
    assert isinstance(error, PermanentError)
    assert (error.code, error.remedy) == (code, REMEDIES[code])


def test_no_code_is_of_both_kinds() -> None:
    assert not TEMPORARY & REMEDIES.keys()


def test_the_code_decides_inside_a_collection() -> None:
    locked = from_record([{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "…", "fields": []}])
    deleted = from_record([{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}])
    assert isinstance(locked, TemporaryError)
    assert isinstance(deleted, PermanentError)


def test_an_unknown_refusal_keeps_its_code_and_text() -> None:
    error = refused(400, "ODD_ONE", "Something odd.")
    assert isinstance(error, PermanentError)
    assert (error.code, error.message) == ("ODD_ONE", "Something odd.")
    assert error.remedy


@pytest.mark.parametrize(
    ("code", "message", "fields", "field"),
    [
        ("STRING_TOO_LONG", "First Name: data value too large: x (max length=40)", ["FirstName"], "FirstName"),
        ("DUPLICATE_VALUE", "duplicate value found: NetSuite_Id__c duplicates value on record", [], "NetSuite_Id__c"),
        ("INVALID_FIELD", "No such column 'foo__c' on entity 'Contact'.", [], "foo__c"),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", [], "LastName"),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: Fax, Phone. Please check", [], "Fax"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Mind the gap", [], None),
    ],
)  # fmt: skip
def test_the_field_is_found(code: str, message: str, fields: list[str], field: str | None) -> None:
    error = from_record([{"statusCode": code, "message": message, "fields": fields}])
    assert isinstance(error, PermanentError)
    assert error.field == field


def test_the_holder_of_a_taken_value_is_found() -> None:
    text = "duplicate value found: NetSuite_Id__c duplicates value on record with id: 0035g00000QwErT"
    error = from_record([{"statusCode": "DUPLICATE_VALUE", "message": text, "fields": []}])
    assert isinstance(error, PermanentError)
    assert duplicate_holder(error) == "0035g00000QwErT"
    assert duplicate_holder(PermanentError("X", "nothing here")) is None


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_a_duplicate_rule_names_itself_and_its_matches(key: str) -> None:
    result = {
        "duplicateRule": "Standard_Contact_Duplicate_Rule",
        "matchResults": [{"matchRecords": [{"record": {"Id": "0035g00000QwErTAAV"}}]}],
    }
    body = [{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", key: result}]
    error = from_response("PATCH", reply(400, body))
    assert "Standard_Contact_Duplicate_Rule, matches 0035g00000QwErTAAV" in error.message


def test_limits_say_how_long_to_wait() -> None:
    daily = refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    short = refused(
        403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    )
    named = from_response("GET", reply(503, text="<html>", headers={"Retry-After": "30"}))
    waits = [e.retry_after for e in (daily, short, named) if isinstance(e, TemporaryError)]
    assert waits == [DAILY_LIMIT_PAUSE, None, 30.0]


@pytest.mark.parametrize(
    ("method", "status", "unknown"),
    [
        ("PATCH", 500, True),
        ("PATCH", 502, True),
        ("PATCH", 504, True),
        ("PATCH", 503, False),
        ("GET", 502, False),
    ],
)
def test_only_a_write_that_crashed_has_an_open_outcome(method: str, status: int, unknown: bool) -> None:
    error = from_response(method, reply(status, text="<html>Oops</html>"))
    assert isinstance(error, TemporaryError)
    assert (error.code, error.outcome_unknown) == (f"HTTP_{status}", unknown)


@pytest.mark.parametrize("status", [410, 414, 431])
def test_refusals_without_json_are_known_by_status(status: int) -> None:
    error = from_response("GET", reply(status, text="<html>"))
    assert isinstance(error, PermanentError)
    assert error.remedy == REMEDIES[f"HTTP_{status}"]


@pytest.mark.parametrize("body", [[], {}, "text", [1], None])
def test_strange_bodies_do_no_harm(body: object) -> None:
    assert from_response("GET", reply(400, body)).code == "HTTP_400"
    assert from_record([]).code == "UNKNOWN_ERROR"
