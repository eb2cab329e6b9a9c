"""From the JSON of a request body to stored values: types, lengths, references (netsuite.md 2.3, 3.2).

A parser knows the account's schema and switches. It answers with values by column, or raises
:class:`NetSuiteError` naming the property; business rules come later (``rules``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from twinbook_sandbox.netsuite.errors import (
    NetSuiteError,
    invalid_body,
    invalid_value,
    unknown_property,
    user_error,
)
from twinbook_sandbox.netsuite.schema import ENUMS, TEXT_KINDS, FieldSpec, Kind, RecordType
from twinbook_sandbox.netsuite.storage import Storage, Value
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.netsuite.times import utc_text

Strictness = Literal["error", "warning", "ignore"]

_EMAIL = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\"]+\.[^\s@,;<>()\".]+")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]+")
MAX_INTEGER = 2**63 - 1
_READ_ONLY_MEMBERS = frozenset({"links", "refName"})
_SUBLISTS = frozenset({"contactList", "contactRoles"})


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What the headers and query of a write ask for (netsuite.md 2.1)."""

    names: Strictness = "warning"
    """X-NetSuite-PropertyNameValidation"""
    values: Strictness = "error"
    """X-NetSuite-PropertyValueValidation"""
    replace: frozenset[str] = frozenset()
    """Sublists and fields to be replaced whole."""


class ShapeError(NetSuiteError):
    """A value of the wrong JSON type: the one kind of error that value validation can be told to pass over."""


@dataclass(slots=True)
class Parsed:
    """A request body, understood. ``address_book`` is left as JSON for the address book to merge."""

    values: dict[str, Value] = field(default_factory=dict)
    address_book: Any = None
    has_address_book: bool = False
    warnings: list[str] = field(default_factory=list)


def _shape(path: str, value: Any) -> ShapeError:
    told = invalid_value(path, value)
    return ShapeError(told.status, told.code, told.detail, told.where)


class BodyParser:
    """Understands request bodies by the account's schema."""

    def __init__(self, storage: Storage, switches: NetSuiteSwitches) -> None:
        self._storage = storage
        self._switches = switches

    def record(self, kind: RecordType, body: Mapping[str, Any], options: WriteOptions) -> Parsed:
        """The body of a POST, PATCH or PUT of one record."""
        parsed = Parsed()
        for name, raw in body.items():
            if name == "addressBook" and kind.has_addresses:
                parsed.address_book, parsed.has_address_book = raw, True
            elif spec := kind.fields.get(name):
                if not spec.read_only and not _is_mere_link(spec, raw):
                    self._take(parsed, spec, raw, name, options)
            elif name not in _READ_ONLY_MEMBERS and not (kind.name == "customer" and name in _SUBLISTS):
                self.refuse_name(name, options, parsed.warnings)
        return parsed

    def fields(
        self, specs: Mapping[str, FieldSpec], body: Mapping[str, Any], path: str, options: WriteOptions
    ) -> Parsed:
        """The members of a line or subrecord; ``path`` is where it stands, with a dot at its end."""
        parsed = Parsed()
        for name, raw in body.items():
            if spec := specs.get(name):
                self._take(parsed, spec, raw, path + name, options)
        return parsed

    def refuse_name(self, path: str, options: WriteOptions, warnings: list[str]) -> None:
        """Meet an unknown property as the client's name validation demands."""
        if options.names == "error":
            raise unknown_property(path)
        if options.names == "warning":
            warnings.append(path)

    def _take(self, parsed: Parsed, spec: FieldSpec, raw: Any, path: str, options: WriteOptions) -> None:
        try:
            parsed.values[spec.column] = self.value(spec, raw, path)
        except ShapeError:
            if options.values == "error":
                raise
            if options.values == "warning":
                parsed.warnings.append(path)

    def value(self, spec: FieldSpec, raw: Any, path: str) -> Value:
        """One value as it is stored; ``None`` clears."""
        if raw is None:
            return "F" if spec.kind is Kind.BOOL else None
        if spec.kind in TEXT_KINDS:
            return self._text(spec, raw, path)
        if spec.kind is Kind.REF:
            return self._reference(spec, raw, path)
        if spec.kind is Kind.MULTI:
            return self._several(spec, raw, path)
        if spec.kind is Kind.ENUM:
            return self._choice(spec, raw, path)
        return _plain(spec.kind, raw, path)

    def _text(self, spec: FieldSpec, raw: Any, path: str) -> str | None:
        if isinstance(raw, bool | dict | list):
            raise _shape(path, raw)
        text = str(raw).strip() if self._switches.trims_text else str(raw)
        if not text:
            return None
        limit = spec.limit(self._switches)
        if limit is not None and len(text) > limit:
            raise self._too_long(path, limit)
        if not self._well_formed(spec, text):
            raise invalid_value(path, text)
        return text

    def _too_long(self, path: str, limit: int) -> NetSuiteError:
        if self._switches.length_error_form == "plain":
            return user_error(f"field {path} contained more than the maximum number ({limit}) of characters")
        return user_error(
            f"The field {path} contained more than the maximum number ( {limit} ) of characters allowed."
        )

    def _well_formed(self, spec: FieldSpec, text: str) -> bool:
        if spec.kind is Kind.EMAIL:
            return _EMAIL.fullmatch(text) is not None
        if spec.kind is Kind.PHONE:
            return sum(letter.isalnum() for letter in text) >= self._switches.phone_min_digits
        if spec.name == "externalId":
            return _EXTERNAL_ID.fullmatch(text) is not None
        return True

    def _reference(self, spec: FieldSpec, raw: Any, path: str) -> int | None:
        target = spec.target or ""
        if isinstance(raw, bool | list):
            raise _shape(path, raw)
        if isinstance(raw, dict):
            if raw.get("id") is not None:
                return self._by_id(target, raw["id"], path)
            if raw.get("externalId") is not None:
                return self._by_external_id(target, raw["externalId"], path)
            raise _shape(path, raw)
        if isinstance(raw, str) and raw.startswith("eid:"):
            return self._by_external_id(target, raw.removeprefix("eid:"), path)
        return None if raw == "" else self._by_id(target, raw, path)

    def _by_id(self, target: str, raw: Any, path: str) -> int:
        try:
            id_ = int(raw)
        except (TypeError, ValueError):
            raise invalid_value(path, raw) from None
        if abs(id_) > MAX_INTEGER or not self.exists(target, id_):
            raise invalid_value(path, raw)
        return id_

    def _by_external_id(self, target: str, raw: Any, path: str) -> int:
        table = "entity" if target in ("contact", "customer") else "listitem"
        sql = f"SELECT id FROM {table} WHERE externalid = ? AND type = ?"  # noqa: S608 - one of two names
        found = self._storage.value(sql, (str(raw), target))
        if found is None:
            raise invalid_value(path, raw)
        return int(found)

    def exists(self, target: str, id_: int) -> bool:
        """Whether a reference to this type has something to point to."""
        table = "entity" if target in ("contact", "customer") else "listitem"
        sql = f"SELECT 1 FROM {table} WHERE id = ? AND type = ?"  # noqa: S608 - one of two names
        return self._storage.value(sql, (id_, target)) is not None

    def _several(self, spec: FieldSpec, raw: Any, path: str) -> str | None:
        items = raw.get("items") if isinstance(raw, dict) else raw
        if items is None:
            return None
        if not isinstance(items, list):
            raise _shape(path, raw)
        ids = [self._reference(spec, item, f"{path}.items[{index}]") for index, item in enumerate(items)]
        return ", ".join(str(id_) for id_ in ids if id_ is not None) or None

    def _choice(self, spec: FieldSpec, raw: Any, path: str) -> str | None:
        chosen = raw.get("id") if isinstance(raw, dict) else raw
        if isinstance(chosen, bool | dict | list):
            raise _shape(path, raw)
        if chosen is None or chosen == "":
            return None
        if str(chosen) not in ENUMS[spec.target or ""]:
            raise invalid_value(path, chosen)
        return str(chosen)


def _is_mere_link(spec: FieldSpec, raw: Any) -> bool:
    """A multiselect as GET answers it, without its items, changes nothing when it is sent back."""
    return spec.kind is Kind.MULTI and isinstance(raw, dict) and "items" not in raw


def _plain(kind: Kind, raw: Any, path: str) -> Value:
    if kind is Kind.BOOL:
        if not isinstance(raw, bool):
            raise _shape(path, raw)
        return "T" if raw else "F"
    if isinstance(raw, bool | dict | list):
        raise _shape(path, raw)
    try:
        if kind is Kind.INTEGER:
            return _whole(raw)
        if kind is Kind.NUMBER:
            return float(raw)
        if kind is Kind.DATE:
            return date.fromisoformat(str(raw)).isoformat()
        moment = datetime.fromisoformat(str(raw))
    except ValueError:
        raise _shape(path, raw) from None
    if moment.tzinfo is None:
        raise _shape(path, raw)
    return utc_text(moment)


def _whole(raw: Any) -> int:
    number = int(raw)
    if abs(number) > MAX_INTEGER:
        raise ValueError("the number is too large")
    return number


def strictness(header: str, given: str | None, default: Strictness) -> Strictness:
    """The value of a validation header; :class:`NetSuiteError` if it is none of the three."""
    match (given or default).lower():
        case "error":
            return "error"
        case "warning":
            return "warning"
        case "ignore":
            return "ignore"
    raise NetSuiteError(
        400,
        "INVALID_HEADER",
        f"Invalid value '{given}'. Use Error, Warning or Ignore.",
        {"o:errorHeader": header},
    )


def body_object(body: Any) -> dict[str, Any]:
    """The body as a JSON object."""
    if not isinstance(body, dict):
        raise invalid_body("A JSON object is expected.")
    return body
