"""What a field accepts, and the form in which the org keeps it (salesforce.md 4.7, 6.1).

Stored forms: text; 0 and 1 for checkboxes; numbers; `YYYY-MM-DD` and the API's datetime form, so that the
database compares and sorts them as the org does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from twinbook_sandbox.salesforce.errors import ApiError, RefusedError, refuse
from twinbook_sandbox.salesforce.ids import normalise
from twinbook_sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, FieldType
from twinbook_sandbox.salesforce.times import datetime_text, parse_date, parse_datetime

Stored = str | int | float | None

_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*)(?:\.[A-Za-z0-9-]+)+")
_JSON_TOKEN: Mapping[type, str] = {
    str: "VALUE_STRING",
    bool: "VALUE_TRUE",
    int: "VALUE_NUMBER_INT",
    float: "VALUE_NUMBER_FLOAT",
    dict: "START_OBJECT",
    list: "START_ARRAY",
}
NULL_IN_CSV = "#N/A"
"""The text that clears a field in a Bulk API CSV (salesforce.md 5.2)."""


class Acceptance:
    """Checks one value at a time against its field."""

    def __init__(self, trim_text: bool, restricted: frozenset[str]) -> None:
        self._trim_text = trim_text
        self._restricted = restricted

    def accept(self, entity: str, field: Field, raw: Any) -> Stored:
        """The stored form of a JSON value.

        Raises RefusedError when the value breaks a rule of the field, and ApiError(JSON_PARSER_ERROR) when
        it has the wrong JSON type, which an org notices before it looks at any record.
        """
        if raw is None:
            return self._null(field)
        if field.type in TEXT_TYPES:
            return self._text(entity, field, raw)
        return _CONVERTERS[field.type](field, raw)

    def _null(self, field: Field) -> Stored:
        if field.type is FieldType.BOOLEAN:
            raise refuse(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                f"{field.label}: value not of required type: null",
                field.name,
            )
        return None

    def _text(self, entity: str, field: Field, raw: Any) -> Stored:
        text: str = _of_type(field, raw, str)
        if self._trim_text:
            text = text.strip() if field.type is not FieldType.TEXTAREA else text.rstrip()
        if not text:
            return None
        if len(text) > field.length:
            shown = text if len(text) <= 255 else f"{text[:255]}..."
            message = f"{field.label}: data value too large: {shown} (max length={field.length})"
            raise refuse("STRING_TOO_LONG", message, field.name)
        if field.type is FieldType.EMAIL and not _EMAIL.fullmatch(text):
            raise refuse("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", field.name)
        if field.values and f"{entity}.{field.name}" in self._restricted:
            _check_choice(field, text)
        return text


def _check_choice(field: Field, text: str) -> None:
    chosen = text.split(";") if field.type is FieldType.MULTIPICKLIST else [text]
    wrong = [each for each in chosen if each not in field.values]
    if wrong:
        raise refuse(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {';'.join(wrong)}",
            field.name,
        )


def _of_type(field: Field, raw: Any, *types: type) -> Any:
    if isinstance(raw, types) and not (isinstance(raw, bool) and bool not in types):
        return raw
    raise _json_error(field, raw)


def _json_error(field: Field, raw: Any) -> ApiError:
    kind = "string" if field.type in TEXT_TYPES else str(field.type)
    token = _JSON_TOKEN.get(type(raw), "VALUE_NULL")
    return ApiError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {token} value {raw} or request may be missing a required "
        f"field at [line:1, column:2]",
    )


def _boolean(field: Field, raw: Any) -> Stored:
    return int(_of_type(field, raw, bool))


def _integer(field: Field, raw: Any) -> Stored:
    return int(_of_type(field, raw, int))


def _decimal(field: Field, raw: Any) -> Stored:
    number = float(_of_type(field, raw, int, float))
    if not math.isfinite(number) or abs(number) >= 10.0 ** (field.precision - field.scale):
        raise refuse(
            "NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: value outside of valid range: {raw}", field.name
        )
    return round(number, field.scale)


def _date(field: Field, raw: Any) -> Stored:
    try:
        return parse_date(_of_type(field, raw, str)).isoformat()
    except ValueError:
        raise _json_error(field, raw) from None


def _datetime(field: Field, raw: Any) -> Stored:
    try:
        return datetime_text(parse_datetime(_of_type(field, raw, str)))
    except ValueError:
        raise _json_error(field, raw) from None


def _reference(field: Field, raw: Any) -> Stored:
    text = _of_type(field, raw, str)
    if not text:
        return None
    id_ = normalise(text)
    if id_ is None:
        raise refuse("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", field.name)
    return id_


_CONVERTERS: Mapping[FieldType, Callable[[Field, Any], Stored]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.INT: _integer,
    FieldType.DOUBLE: _decimal,
    FieldType.CURRENCY: _decimal,
    FieldType.PERCENT: _decimal,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.REFERENCE: _reference,
    FieldType.ID: _reference,
}


def to_api(field: Field, stored: Any) -> Any:
    """The JSON value of a stored one."""
    return bool(stored) if field.type is FieldType.BOOLEAN else stored


def from_csv(field: Field, text: str) -> Any:
    """The JSON value that a cell of a Bulk API CSV stands for; `#N/A` is null. Raises RefusedError."""
    if text == NULL_IN_CSV:
        return None
    try:
        if field.type is FieldType.BOOLEAN:
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        if field.type is FieldType.INT:
            return int(text)
        if field.type in NUMBER_TYPES:
            return float(text)
        if field.type is FieldType.DATE:
            return parse_date(text).isoformat()
        if field.type is FieldType.DATETIME:
            return datetime_text(parse_datetime(text))
    except (KeyError, ValueError):
        raise wrong_type(field, text) from None
    return text


def wrong_type(field: Field, text: str) -> RefusedError:
    return refuse(
        "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: {text}", field.name
    )
