"""Each refusal of netsuite.md 3.2 and what the engine is told of it."""

from __future__ import annotations

import pytest
from tests.data.vendor_codes import NETSUITE, NETSUITE_CORE
from tests.memory.netsuite_http import answer, refusal

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.netsuite.errors import RULES, concerns_login, error_from, field_name

WRAP = "Error while accessing a resource. "
NAME_TAKEN = "A contact record with this name already exists. Every contact record must have a unique name."

PERMANENT = [
    (
        401,
        "INVALID_LOGIN",
        "Invalid login attempt. For more details, see the Login Audit Trail.",
        "INVALID_LOGIN",
        None,
    ),
    (400, "USER_ERROR", WRAP + NAME_TAKEN, "CONTACT_NAME_TAKEN", "entityId"),
    (400, "USER_ERROR", "A contact with the name [Ada] already exists", "CONTACT_NAME_TAKEN", "entityId"),
    (400, "CONTACT_ALREADY_EXISTS", "Taken.", "CONTACT_NAME_TAKEN", "entityId"),
    (400, "USER_ERROR", WRAP + "This entity already exists.", "EXTERNAL_ID_TAKEN", "externalId"),
    (400, "UNIQUE_CUST_ID_REQD", "Taken.", "CUSTOMER_NAME_TAKEN", "entityId"),
    (
        400,
        "USER_ERROR",
        WRAP + "Please enter value(s) for: Subsidiary.",
        "REQUIRED_FIELD_MISSING",
        "subsidiary",
    ),
    (
        400,
        "USER_ERROR",
        WRAP + "Please enter value(s) for: Last Name, Region",
        "REQUIRED_FIELD_MISSING",
        "lastName",
    ),
    (400, "USER_ERROR", WRAP + "Please enter value(s) for: Region", "REQUIRED_FIELD_MISSING", "Region"),
    (
        400,
        "USER_ERROR",
        WRAP + "field phone contained more than the maximum number (32) of characters",
        "FIELD_TOO_LONG",
        "phone",
    ),
    (
        400,
        "USER_ERROR",
        "The field addr1 contained more than the maximum number ( 150 ) of characters allowed.",
        "FIELD_TOO_LONG",
        "address.street",
    ),
    (
        400,
        "INVALID_CONTENT",
        WRAP + "You have entered an Invalid Field Value 9999 for the following field: company",
        "INVALID_REFERENCE",
        "company",
    ),
    (400, "INVALID_KEY_OR_REF", "Invalid company reference key 9.", "INVALID_REFERENCE", None),
    (400, "INVALID_CONTENT", "Unknown reference or field 'fooBar'.", "UNKNOWN_FIELD", "fooBar"),
    (400, "INVALID_PARAMETER", "Search error occurred: Unknown identifier 'foo'.", "UNKNOWN_COLUMN", "foo"),
    (400, "INVALID_PARAMETER", "Field 'foo' for record 'contact' was not found.", "UNKNOWN_COLUMN", "foo"),
    (400, "INVALID_PARAMETER", "Record 'contact' was not found.", "INSUFFICIENT_PERMISSION", None),
    (
        403,
        "INSUFFICIENT_PERMISSION",
        "Permission Violation: You need a higher level of the 'Lists -> Contacts' permission.",
        "INSUFFICIENT_PERMISSION",
        None,
    ),
    (404, "NONEXISTENT_ID", "Record type 'bad-path' does not exist.", "UNKNOWN_RECORD_TYPE", None),
    (404, "NONEXISTENT_ID", "The record instance does not exist.", "NOT_FOUND", None),
    (
        404,
        "SSS_INVALID_SCRIPTLET_ID",
        "That RESTlet is invalid, disabled, or no longer exists.",
        "NO_RESTLET",
        None,
    ),
    (400, "USER_ERROR", WRAP + "That record does not exist.", "NOT_FOUND", None),
    (
        400,
        "USER_ERROR",
        "Error while accessing a resource. This contact is already attached.",
        "ALREADY_ATTACHED",
        None,
    ),
    (
        400,
        "THIS_RECORD_CANNOT_BE_DELETED_BECAUSE_IT_HAS_DEPENDENT_RECORDS",
        "No.",
        "HAS_DEPENDENTS",
        None,
    ),
    (400, "RCRD_SUB_MISMATCH_WITH_CLASS", "No.", "SUBSIDIARY_MISMATCH", "subsidiary"),
    (400, "COUNTRY_STATE_MISMATCH", "No.", "COUNTRY_STATE_MISMATCH", "address.state"),
    (400, "RCRD_LOCKED_BY_WF", "No.", "LOCKED_BY_WORKFLOW", None),
    (400, "PRIVATE_RCRD_ACCESS_DISALLWD", "No.", "PRIVATE_RECORD", None),
]


@pytest.mark.parametrize(("status", "vendor_code", "text", "code", "field"), PERMANENT)
def test_permanent_refusals(status: int, vendor_code: str, text: str, code: str, field: str | None) -> None:
    error = error_from(refusal(status, vendor_code, text), writing=True)
    assert isinstance(error, PermanentError)
    assert (error.code, error.field) == (code, field)
    assert error.message == text, "NetSuite's own text is kept"
    assert error.remedy


def test_every_rule_is_tested() -> None:
    told = {code for _, _, _, code, _ in PERMANENT} | {
        made for *_, made in (*NETSUITE, *NETSUITE_CORE) if made
    }
    assert {rule.code for rule in RULES} == told


@pytest.mark.parametrize(
    ("status", "vendor_code", "text", "code"),
    [
        (
            429,
            "CONCURRENCY_LIMIT_EXCEEDED",
            "Concurrent request limit exceeded.",
            "CONCURRENCY_LIMIT_EXCEEDED",
        ),
        (400, "SSS_REQUEST_LIMIT_EXCEEDED", "The maximum number was exceeded.", "CONCURRENCY_LIMIT_EXCEEDED"),
        (400, "USER_ERROR", WRAP + "Record has been changed", "RECORD_CHANGED"),
        (400, "RCRD_HAS_BEEN_CHANGED", "…", "RECORD_CHANGED"),
        (500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: lq7k", "NETSUITE_UNAVAILABLE"),
    ],
)
def test_temporary_refusals(status: int, vendor_code: str, text: str, code: str) -> None:
    error = error_from(refusal(status, vendor_code, text), writing=False)
    assert isinstance(error, TemporaryError)
    assert (error.code, error.message) == (code, text)
    assert not error.outcome_unknown


def test_retry_after_is_taken_over() -> None:
    error = error_from(answer(429, b"", Retry_After="7"), writing=True)
    assert isinstance(error, TemporaryError)
    assert error.retry_after == 7
    assert not error.outcome_unknown, "a call that was refused for the limit did not run"


@pytest.mark.parametrize("status", [200, 302, 500, 503])
def test_pages_of_html_are_temporary(status: int) -> None:
    error = error_from(answer(status, b"\n<!DOCTYPE html><html>Scheduled maintenance"), writing=True)
    assert isinstance(error, TemporaryError)
    assert error.code == "NETSUITE_UNAVAILABLE"
    assert "maintenance" not in error.message


def test_a_write_that_met_a_server_error_may_have_happened() -> None:
    for status in (500, 502, 503, 504):
        error = error_from(answer(status, b""), writing=True)
        assert isinstance(error, TemporaryError)
        assert error.outcome_unknown


def test_unknown_refusals_keep_netsuites_code_and_text() -> None:
    error = error_from(
        refusal(400, "USER_ERROR", "Region must be EMEA", errorPath="custentity_x"), writing=True
    )
    assert isinstance(error, PermanentError)
    assert (error.code, error.message, error.field) == ("USER_ERROR", "Region must be EMEA", "custentity_x")
    bare = error_from(answer(418, b"teapot"), writing=True)
    assert isinstance(bare, PermanentError)
    assert bare.code == "HTTP_418"


def test_the_restlet_form_is_read_too() -> None:
    error = error_from(
        answer(400, {"error": {"code": "CONTACT_ALREADY_EXISTS", "message": NAME_TAKEN}}), writing=True
    )
    assert isinstance(error, PermanentError)
    assert (error.code, error.message) == ("CONTACT_NAME_TAKEN", NAME_TAKEN)


def test_several_details_are_read_together() -> None:
    details = [{"detail": "First."}, {"detail": NAME_TAKEN, "o:errorCode": "USER_ERROR"}]
    error = error_from(answer(400, {"o:errorDetails": details}), writing=True)
    assert error.code == "CONTACT_NAME_TAKEN"
    assert error.message == f"First. {NAME_TAKEN}"


def test_long_texts_are_cut() -> None:
    assert len(error_from(refusal(400, "USER_ERROR", "x" * 9_000), writing=True).message) == 2_000


def test_only_a_refused_login_concerns_the_login() -> None:
    assert concerns_login(error_from(refusal(401, "INVALID_LOGIN", "Invalid login attempt."), writing=True))
    assert not concerns_login(error_from(refusal(400, "USER_ERROR", NAME_TAKEN), writing=True))
    assert not concerns_login(error_from(answer(429, b""), writing=True))


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("Company", "company"),
        ("Last Name", "lastName"),
        ("addressBook.items[0].addressBookAddress.country", "address.country"),
        ("addr2", "address.street"),
        ("custentity_region", "custentity_region"),
        ("Sales Region", "Sales Region"),
        (None, None),
    ],
)
def test_fields_are_named_as_in_the_mapping(named: str | None, name: str | None) -> None:
    assert field_name(named) == name


def test_a_refusal_of_a_part_of_an_address_names_that_part() -> None:
    place = "addressBook.items[0].addressBookAddress.country"
    text = f"You have entered an Invalid Field Value Atlantis for the following field: {place}"
    found = error_from(refusal(400, "INVALID_CONTENT", text), writing=True)
    assert isinstance(found, PermanentError)
    assert found.field == "address.country"
