"""Canonical values: what is left of a field when the ways in which two systems spell the same thing are taken away.

Canonical values are compared and stored as agreed; they are never written. Empty is None, whatever a system calls it.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from twinbook.domain.places import COUNTRY_NAMES, country_code, state_code
from twinbook.domain.records import Value


class Kind(StrEnum):
    """How two values of a field are compared."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    BOOLEAN = "boolean"
    NUMBER = "number"
    COUNTRY = "country"
    STATE = "state"
    STREET = "street"
    URL = "url"


STREET_LINES = 3
STREET_LINE_LENGTH = 150
"""addr1 to addr3 of a NetSuite address, in characters each (netsuite.md 2.6)."""

_TRUE_TEXTS = frozenset({"t", "true", "yes", "1"})


def canonical(kind: Kind, value: Value) -> Value:
    """The value of a field in the form in which both sides are compared."""
    if kind is Kind.BOOLEAN:
        return _boolean(value)
    if kind is Kind.NUMBER:
        return _number(value)
    text = plain_text(value)
    return None if text is None else _canonical_text(kind, text)


def plain_text(value: Value) -> str | None:
    """Text without outer blanks, with one kind of line end and composed accents; None when nothing is left."""
    if value is None:
        return None
    text = str(value)
    if text.isascii() and text.isprintable():
        return text.strip() or None
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.rstrip() for line in text.split("\n")]
    return "\n".join(lines).strip() or None


def email_key(value: Value) -> str | None:
    """The form in which emails are matched (behaviour.md 2, row 15)."""
    text = plain_text(value)
    return None if text is None else text.casefold()


def name_key(value: Value) -> str:
    """The form in which names are matched: without regard to case and to repeated blanks."""
    return " ".join((plain_text(value) or "").casefold().split())


def spelled_for_netsuite(kind: Kind, value: Value) -> Value:
    """A value as NetSuite wants it: country and state as codes, a street in at most three lines, a web address with
    its scheme.

    Further lines are joined to the third, which loses nothing but the line ends.
    """
    text = plain_text(value)
    if kind is Kind.COUNTRY and text:
        return country_code(text) or text
    if kind is Kind.STATE and text:
        return state_code(text) or text
    if kind is Kind.STREET and text:
        lines = street_lines(text)
        return "\n".join([*lines[: STREET_LINES - 1], ", ".join(lines[STREET_LINES - 1 :])]).strip()
    if kind is Kind.URL and text:
        return text if "://" in text else f"http://{text}"
    return _canonical_scalar(kind, value)


def spelled_for_salesforce(kind: Kind, value: Value) -> Value:
    """A value as Salesforce wants it: a country by its name, which text fields and picklists both take."""
    text = plain_text(value)
    if kind is Kind.COUNTRY and text:
        return COUNTRY_NAMES.get(country_code(text) or "", text)
    return _canonical_scalar(kind, value)


def street_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def is_kept_form(written: Value, shown: Value) -> bool:
    """Whether `shown` is what a system may have made of `written`: trimmed, cut off or reformatted.

    Anything else that stands where a value was written is somebody's edit.
    """
    if written == shown:
        return True
    if written is None or shown is None or isinstance(written, bool) or isinstance(shown, bool):
        return False
    sent, kept = _bare(str(written)), _bare(str(shown))
    return bool(kept) and (sent == kept or sent.startswith(kept))


def _canonical_scalar(kind: Kind, value: Value) -> Value:
    """What is written keeps its spelling, but blanks count as empty and types are those of the field."""
    if kind in (Kind.BOOLEAN, Kind.NUMBER):
        return canonical(kind, value)
    return plain_text(value) if isinstance(value, str) else value


def _canonical_text(kind: Kind, text: str) -> str:
    match kind:
        case Kind.EMAIL:
            return text.casefold()
        case Kind.PHONE:
            return _phone(text)
        case Kind.COUNTRY:
            return country_code(text) or text.casefold()
        case Kind.STATE:
            return state_code(text) or text.casefold()
        case Kind.STREET:
            return ", ".join(street_lines(text))
        case Kind.URL:
            return _web_address(text)
        case _:
            return text


def _phone(text: str) -> str:
    """Digits with a leading plus; formats are rewritten by both systems (netsuite.md 8.13)."""
    digits = "".join(filter(str.isdigit, text))
    if not digits:
        return text.casefold()
    return f"+{digits}" if "+" in text.partition(digits[0])[0] else digits


def _web_address(text: str) -> str:
    """Without its scheme, which Salesforce leaves out and NetSuite insists on; only the host ignores case."""
    host, slash, path = text.partition("://")[2].partition("/") if "://" in text else text.partition("/")
    return f"{host.casefold()}{slash}{path}".rstrip("/")


def _boolean(value: Value) -> bool:
    """A checkbox is never empty: one that is left out is not ticked."""
    if isinstance(value, str):
        return value.strip().casefold() in _TRUE_TEXTS
    return bool(value)


def _number(value: Value) -> Value:
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            return text
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _bare(text: str) -> str:
    """Letters and digits only: what formatting does not touch."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
