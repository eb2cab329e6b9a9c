"""Every refusal of the Salesforce REST API as one of the two kinds that the engine knows (salesforce.md 4.7).

The vendor's code decides, not the HTTP status: the same code comes with different statuses and, inside
collections, with none. A code that is not listed is temporary with a status of 500 and above, else permanent
with the vendor's own code and text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import READ_METHODS, HttpResponse

DAILY_LIMIT_PAUSE: Final = 900.0
"""Seconds between looks whether the rolling window of 24 hours has room again; the org names no time."""

TEMPORARY: Final = frozenset(
    {
        "API_CURRENTLY_BUSY",
        "INVALID_QUERY_LOCATOR",
        "INVALID_SESSION_ID",
        "PRECONDITION_FAILED",
        "QUERY_TIMEOUT",
        "REQUEST_LIMIT_EXCEEDED",
        "REQUEST_RUNNING_TOO_LONG",
        "ROW_LOCK",
        "SERVER_UNAVAILABLE",
        "TXN_SECURITY_METERING_ERROR",
        "UNABLE_TO_LOCK_ROW",
        "UNKNOWN_EXCEPTION",
    }
)

_CHECK_FIELD = (
    "Grant the integration user access to the field (permission set), or take it out of the mapping."
)
_AUTOMATION = "An automation of the org refused the change; its text says why. Ask the org's administrator."
_ORG_ACCESS = "Ask the org's administrator to enable API access for the integration user."
_BUG = "This is a defect: please report it with the code and the text."

REMEDIES: Final[Mapping[str, str]] = {
    "API_CURRENTLY_DISABLED": _ORG_ACCESS,
    "API_DISABLED_FOR_ORG": _ORG_ACCESS,
    "APEX_ERROR": _AUTOMATION,
    "CANNOT_EXECUTE_FLOW_TRIGGER": _AUTOMATION,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _AUTOMATION,
    "CANNOT_UPDATE_CONVERTED_LEAD": _AUTOMATION,
    "DUPLICATES_DETECTED": "A duplicate rule of the org refused the record. Merge the duplicates, relax the rule for "
    "the integration user, or allow saving past duplicate alerts in the settings.",
    "DUPLICATE_VALUE": "Another record already carries this value. Clear it there, or merge the two records.",
    "ENTITY_IS_DELETED": "The record was deleted in Salesforce. Undelete it to go on with it.",
    "ENTITY_IS_LOCKED": "The record is locked by an approval process: finish or recall the approval.",
    "EXCEEDED_ID_LIMIT": "Ask for a shorter time span.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of the org refused the record: correct the value, or "
    "exempt the integration user from the rule.",
    "FIELD_INTEGRITY_EXCEPTION": "The value does not fit the org's set-up (often state and country picklists): "
    "correct the value.",
    "FUNCTIONALITY_NOT_ENABLED": "Enable the feature in the org, or turn off the setting that needs it.",
    "INSUFFICIENT_ACCESS": "Give the integration user access to the object (permission set).",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Give the integration user access to the record that is "
    "referred to.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Give the integration user edit access to the record.",
    "INVALID_CROSS_REFERENCE_KEY": "The record that is referred to is gone or not visible to the integration user.",
    "INVALID_EMAIL_ADDRESS": "Correct the email address.",
    "INVALID_FIELD": _CHECK_FIELD,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _CHECK_FIELD,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Add the value to the picklist, or map it to one that exists.",
    "INVALID_TYPE": "Give the integration user access to the object, or enable the feature that brings it.",
    "JSON_PARSER_ERROR": _BUG,
    "MALFORMED_ID": _BUG,
    "MALFORMED_QUERY": _BUG,
    "NOT_FOUND": "The record or field is gone or not visible to the integration user.",
    "QUERY_TOO_COMPLICATED": "Map fewer fields, above all formula fields.",
    "REQUIRED_FIELD_MISSING": "Fill in the required field, or map a default for it.",
    "STRING_TOO_LONG": 'Shorten the value, or set on_overflow = "truncate" for the field.',
    "TRANSFER_REQUIRES_READ": "Give the record's owner read access to the object.",
    "HTTP_410": "This API version is retired: raise api_version in the settings.",
    "HTTP_414": "Map fewer fields.",
    "HTTP_431": "Map fewer fields.",
}

_NAMED_FIELD: Final = (
    re.compile(r"duplicate value found: (\w+) duplicates"),
    re.compile(r"No such column '([\w.]+)'"),
    re.compile(r"Required fields are missing: \[(\w+)"),
    re.compile(r"Unable to create/update fields?: (\w+)"),
    re.compile(r"Field name provided, (\w+)"),
)
_HOLDER: Final = re.compile(r"record with id: ([A-Za-z0-9]{15,18})")


def from_response(method: str, response: HttpResponse) -> TemporaryError | PermanentError:
    """The error of a call that failed as a whole. `outcome_unknown` is set for writes that ended in a crash."""
    status = response.status
    vendor = _first_error(response)
    if vendor is None:
        code, text = f"HTTP_{status}", f"Salesforce answered with status {status} and no reason"
        vendor = {"errorCode": code, "message": text}
    code, text = str(vendor.get("errorCode") or f"HTTP_{status}"), str(vendor.get("message", ""))
    if code in TEMPORARY or status == 429 or (status >= 500 and code not in REMEDIES):
        return TemporaryError(
            code,
            text,
            retry_after=response.retry_after or _daily_limit_pause(code, text),
            outcome_unknown=status in (500, 502, 504) and method not in READ_METHODS,
        )
    return _permanent(code, text, vendor)


def from_record(errors: Sequence[Mapping[str, Any]]) -> TemporaryError | PermanentError:
    """The error of one record inside a collections call that worked; the first of `errors` speaks for all."""
    vendor = errors[0] if errors else {}
    code = str(vendor.get("statusCode") or vendor.get("errorCode") or "UNKNOWN_ERROR")
    text = str(vendor.get("message", "Salesforce refused the record without a reason"))
    if code in TEMPORARY:
        return TemporaryError(code, text)
    return _permanent(code, text, vendor)


def duplicate_holder(error: PermanentError) -> str | None:
    """The id of the record that already carries the value of a DUPLICATE_VALUE error, as the org wrote it."""
    found = _HOLDER.search(error.message)
    return found.group(1) if found else None


def _first_error(response: HttpResponse) -> Mapping[str, Any] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    first = answer[0] if isinstance(answer, list) and answer else answer
    return first if isinstance(first, dict) else None


def _permanent(code: str, text: str, vendor: Mapping[str, Any]) -> PermanentError:
    rule = vendor.get("duplicateResut") or vendor.get("duplicateResult")
    if isinstance(rule, dict):
        text = f"{text} (duplicate rule {rule.get('duplicateRule')}{_matches(rule)})"
    fields = vendor.get("fields") or ()
    remedy = REMEDIES.get(code, "Salesforce's own text says what is wrong; correct the record or the set-up.")
    return PermanentError(code, text, field=str(fields[0]) if fields else _named_field(text), remedy=remedy)


def _matches(rule: Mapping[str, Any]) -> str:
    ids = [
        str(match["record"]["Id"])
        for result in rule.get("matchResults", ())
        for match in result.get("matchRecords", ())
        if isinstance(match.get("record"), dict) and "Id" in match["record"]
    ]
    return f", matches {', '.join(ids)}" if ids else ""


def _named_field(text: str) -> str | None:
    for pattern in _NAMED_FIELD:
        found = pattern.search(text)
        if found:
            return found.group(1)
    return None


def _daily_limit_pause(code: str, text: str) -> float | None:
    return DAILY_LIMIT_PAUSE if code == "REQUEST_LIMIT_EXCEEDED" and "TotalRequests" in text else None
