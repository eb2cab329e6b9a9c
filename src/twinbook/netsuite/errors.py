"""NetSuite's refusals as the two kinds of error that the engine knows. This is the only place that judges them.

REST wraps nearly every business rule in `USER_ERROR` or `INVALID_CONTENT`, so a refusal is recognised by status,
code and text together (netsuite.md 3.2); the texts themselves are kept. Texts that the fact sheet gives as
unverified have a row too: an account that words them otherwise gets the vendor's own code instead.

    TemporaryError   CONCURRENCY_LIMIT_EXCEEDED  RECORD_CHANGED  SCRIPT_CUT_SHORT  NETSUITE_UNAVAILABLE
    PermanentError   one of `RULES`, else NetSuite's own code, else HTTP_<status>
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.records import Entity
from twinbook.http import HttpResponse
from twinbook.netsuite.fields import DOCUMENTED

LOGIN_CODES: Final = frozenset(
    {"INVALID_LOGIN", "LOGIN_REFUSED", "INVALID_CLIENT", "INVALID_GRANT", "INVALID_REQUEST", "INVALID_SCOPE"}
    | {"UNSUPPORTED_GRANT_TYPE", "BAD_PRIVATE_KEY"}
)
"""Codes that speak of the connection, not of the record that happened to be written."""

MESSAGE_LIMIT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """What NetSuite said: HTTP status, its error code ("" if none), all its texts, and the path it named."""

    status: int
    vendor_code: str
    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How to recognise one kind of permanent refusal, and what to do about it.

    `pattern` is searched in "<vendor code> <text>"; its group `field` names the field, unless `field` does.
    """

    code: str
    pattern: re.Pattern[str]
    remedy: str
    field: str | None = None


def _rule(code: str, pattern: str, remedy: str, field: str | None = None) -> Rule:
    return Rule(code, re.compile(pattern, re.IGNORECASE), remedy, field)


_CHANGED = re.compile(
    r"RCRD_HAS_BEEN_CHANGED|RCRD_EDITED_SINCE_RETRIEVED|Record has been changed", re.IGNORECASE
)
CONCURRENCY_LIMIT = "CONCURRENCY_LIMIT_EXCEEDED"
_CUT_SHORT = re.compile(r"SSS_USAGE_LIMIT_EXCEEDED|SSS_TIME_LIMIT_EXCEEDED")
_UNEXPECTED = re.compile(r"UNEXPECTED_ERROR")
_THROTTLED = re.compile(r"CONCURRENCY_LIMIT_EXCEEDED|SSS_REQUEST_LIMIT_EXCEEDED|ExceededConcurrentRequest")

RULES: Final = (
    _rule(
        "NO_RESTLET",
        r"SSS_INVALID_SCRIPTLET_ID",
        'Deploy packages/netsuite, check the script and deployment ids, or set transport = "rest".',
    ),
    _rule(
        "INVALID_LOGIN",
        r"INVALID_LOGIN",
        "Check the integration's user, role and certificate in NetSuite; the Login Audit Trail names the cause.",
    ),
    _rule(
        "CONTACT_NAME_TAKEN",
        r"CONTACT_ALREADY_EXISTS|contact record with this name already exists|contact with the name .* already",
        "Another contact of this company has the name. Link the two, or give one of them another name.",
        "entityId",
    ),
    _rule(
        "EXTERNAL_ID_TAKEN",
        r"This entity already exists|DUP_ENTITY",
        "Another record (contact, customer, vendor, employee …) has this external id. Clear or change it there.",
        "externalId",
    ),
    _rule(
        "CUSTOMER_NAME_TAKEN",
        r"UNIQUE_CUST_ID_REQD|customer record with this (ID|name) already exists|unique customer ID",
        "Another customer has this name. Link the account with it, or rename one of them.",
        "entityId",
    ),
    _rule(
        "REQUIRED_FIELD_MISSING",
        r"Please enter value\(s\) for: (?P<field>[^,.]+)",
        "Fill the field in Salesforce, map it with a default, or make it optional on NetSuite's form.",
    ),
    _rule(
        "FIELD_TOO_LONG",
        r"field (?P<field>[\w.\[\]]+) contained more than the maximum number \(\s*\d+\s*\) of characters",
        'Shorten the value, or set on_overflow = "truncate" for this field in the mapping.',
    ),
    _rule(
        "INVALID_REFERENCE",
        r"Invalid Field Value .* for the following field: (?P<field>[\w.\[\]]+)|INVALID_KEY_OR_REF",
        "The record or list value that is referred to does not exist, is inactive, or is hidden from the role.",
    ),
    _rule(
        "UNKNOWN_FIELD",
        r"Unknown reference or field '?(?P<field>[\w.]+)'?",
        "Deploy the field to this record type in NetSuite, or take it out of the mapping.",
    ),
    _rule(
        "UNKNOWN_COLUMN",
        r"Unknown identifier '(?P<field>\w+)'|Field '(?P<key>\w+)' for record",
        "The field does not exist in this account or is hidden from the role. Run `twinbook doctor`.",
    ),
    _rule(
        "INSUFFICIENT_PERMISSION",
        r"INSUFFICIENT_PERMISSION|PERMISSION_VIOLATION|Permission Violation|Record '\w+' was not found"
        r"|Invalid search type",
        "Give the integration's role the permission that the message names, then run `twinbook doctor`.",
    ),
    _rule(
        "UNKNOWN_RECORD_TYPE",
        r"Record type '[^']*' does not exist",
        "The account does not offer this record type over REST. Check its features and the base URL.",
    ),
    _rule(
        "NOT_FOUND",
        r"NONEXISTENT_ID|RCRD_DSNT_EXIST|RCRD_PREVSLY_DELETED|record instance .*does not exist"
        r"|That record does not exist",
        "The record was deleted or merged away in NetSuite.",
    ),
    _rule(
        "ALREADY_ATTACHED",
        r"contact is already attached",
        "Nothing is left to do.",
    ),
    _rule(
        "HAS_DEPENDENTS",
        r"CANNOT_BE_DELETED_BECAUSE_IT_HAS_DEPENDENT|cannot be deleted because it has dependent",
        "Other records refer to it. Inactivate it instead.",
    ),
    _rule(
        "SUBSIDIARY_MISMATCH",
        r"RCRD_SUB_MISMATCH",
        "Contact and company must belong to suitable subsidiaries. Correct the subsidiary in NetSuite.",
        "subsidiary",
    ),
    _rule(
        "COUNTRY_STATE_MISMATCH",
        r"COUNTRY_STATE_MISMATCH",
        "The state does not belong to the country. Correct the address in Salesforce.",
        "address.state",
    ),
    _rule(
        "LOCKED_BY_WORKFLOW",
        r"RCRD_LOCKED_BY_WF|locked by a workflow",
        "A workflow locks the record. Finish it, or exempt the integration's role from the lock.",
    ),
    _rule(
        "PRIVATE_RECORD",
        r"PRIVATE_RCRD_ACCESS_DISALLWD|OWNER_REQD|CANT_CHANGE_CONTACT_RESTRICTN",
        "The contact is private to its owner. Clear its Private box in NetSuite.",
    ),
    _rule(
        "DUPLICATE_VALUE",
        r"CANT_CREATE_NON_UNIQUE_RCRD|DATA_MUST_BE_UNIQUE|DUP_RCRD",
        "Another record already has a value that must be unique. Change it there, or merge the two records.",
    ),
    _rule(
        "REQUIRED_FIELD_MISSING",
        r"DATA_REQD",
        "Fill the field in Salesforce, map it with a default, or make it optional on NetSuite's form.",
    ),
    _rule(
        "INVALID_VALUE",
        r"INVALID_FLD_VALUE",
        "The value does not fit its field in NetSuite. Correct it in Salesforce, or map it with a lookup.",
    ),
    _rule(
        "MALFORMED_REQUEST",
        r"^INVALID_REQUEST\b|^INVALID_URL|^INVALID_PARAMETER|^INVALID_HEADER|^METHOD_NOT_ALLOWED"
        r"|^IDEMPOTENCY_ERROR|Invalid content in the request body",
        "This is a defect of Twinbook, or of a proxy in between: please report it with the text.",
    ),
)
"""In the order in which they are tried; the first that matches names the error."""

_FALLBACK_REMEDY = "Correct what NetSuite names, or the script or form that asks for it, then retry."


def error_from(response: HttpResponse, *, writing: bool) -> TemporaryError | PermanentError:
    """Judge an answer that is no success. `writing` is true when the call may have changed something."""
    refusal = parse(response)
    if _is_page(response) and refusal.status != 429:
        refusal = replace(refusal, status=503)
    return judged(refusal, writing=writing, retry_after=response.retry_after)


def judged(
    refusal: Refusal, *, writing: bool, retry_after: float | None = None
) -> TemporaryError | PermanentError:
    """What a refusal means, whether of a call or of one record in it."""
    seen = f"{refusal.vendor_code} {refusal.text}"
    if refusal.status == 429 or _THROTTLED.search(seen):
        return TemporaryError(CONCURRENCY_LIMIT, refusal.text, retry_after=retry_after)
    if _CUT_SHORT.search(seen):
        return TemporaryError("SCRIPT_CUT_SHORT", refusal.text, outcome_unknown=writing)
    if refusal.status >= 500 or _UNEXPECTED.search(seen):
        return TemporaryError(
            "NETSUITE_UNAVAILABLE", refusal.text, retry_after=retry_after, outcome_unknown=writing
        )
    if _CHANGED.search(seen):
        return TemporaryError("RECORD_CHANGED", refusal.text)
    for rule in RULES:
        match = rule.pattern.search(seen)
        if match is not None:
            field = rule.field or field_name(_named(match) or refusal.path)
            return PermanentError(rule.code, refusal.text, field=field, remedy=rule.remedy)
    code = refusal.vendor_code or f"HTTP_{refusal.status}"
    return PermanentError(code, refusal.text, field=field_name(refusal.path), remedy=_FALLBACK_REMEDY)


def concerns_login(error: TemporaryError | PermanentError) -> bool:
    """Whether the login was refused: then no record is to blame, and every further call would fail the same."""
    return isinstance(error, PermanentError) and error.code in LOGIN_CODES


def parse(response: HttpResponse) -> Refusal:
    """Read NetSuite's error body: the REST form (netsuite.md 3.1), the RESTlet form, or a page of HTML."""
    try:
        body = response.json()
    except ValueError:
        body = None
    details = _details(body)
    if not details:
        return Refusal(response.status, "", f"NetSuite answered HTTP {response.status} without saying why.")
    text = " ".join(str(d.get("detail") or d.get("message") or "") for d in details).strip()
    first = details[0]
    path = first.get("o:errorPath")
    return Refusal(
        status=response.status,
        vendor_code=str(first.get("o:errorCode") or first.get("code") or ""),
        text=text[:MESSAGE_LIMIT] or f"NetSuite answered HTTP {response.status} without saying why.",
        path=str(path) if path else None,
    )


def field_name(named: str | None) -> str | None:
    """The REST name of a field that NetSuite named by label, path or script id; its own wording if unknown."""
    if named is None:
        return None
    last = re.split(r"[./]", named.strip())[-1]
    return _BY_PLAIN_NAME.get(_plain(last), named.strip())


def _plain(name: str) -> str:
    return re.sub(r"\W", "", name).lower()


_ADDRESS_PARTS = {"addr1": "address.street", "addr2": "address.street", "addr3": "address.street"}
_BY_PLAIN_NAME: Final = {
    **{_plain(name.split(".")[-1]): name for table in DOCUMENTED.values() for name in table},
    **{_plain(name.split(".")[-1]): name for name in DOCUMENTED[Entity.CONTACT]},
    **_ADDRESS_PARTS,
}


def _named(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    return groups.get("field") or groups.get("key")


def _details(body: Any) -> list[dict[str, Any]]:
    match body:
        case {"o:errorDetails": [*details]} if details:
            return [detail for detail in details if isinstance(detail, dict)]
        case {"error": {"code": _} as detail}:
            return [detail]
        case {"title": str(title)}:
            return [{"detail": title}]
        case _:
            return []


def _is_page(response: HttpResponse) -> bool:
    """A page for people in place of an answer: maintenance, or a proxy in between."""
    looks = response.body.lstrip()[:15].lower()
    return looks.startswith((b"<!doctype", b"<html")) and response.status not in (401, 403, 404)
