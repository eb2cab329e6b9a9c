"""Ids: Salesforce's 15 and 18 character forms, and the names that Twinbook derives from them.

A Salesforce id of 15 characters is case-sensitive. Three more characters encode the case of the first fifteen, five at
a time, so that the 18 character form survives systems that ignore case (salesforce.md 4.8, vectors in section 10).
"""

from __future__ import annotations

import re

_CHECK_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FIFTEEN = re.compile(r"[A-Za-z0-9]{15}")
_EIGHTEEN = re.compile(r"[A-Za-z0-9]{15}[A-Z0-5]{3}")

CONTACT_PREFIX = "SFC_"
ACCOUNT_PREFIX = "SFA_"

NETSUITE_CONTACT_PREFIX = "NSC_"

ENTITY_ID_LENGTH = 83
"""The longest contact name that NetSuite takes (netsuite.md 2.2)."""


def to_18(salesforce_id: str) -> str:
    """The 18 character form. Raises ValueError when it is no Salesforce id or its check characters are wrong."""
    text = salesforce_id.strip()
    if _FIFTEEN.fullmatch(text):
        return text + _check(text)
    if len(text) == 18 and _FIFTEEN.fullmatch(text[:15]) and text[15:].upper() == _check(text[:15]):
        return text[:15] + text[15:].upper()
    raise ValueError(
        f"{salesforce_id!r} is no Salesforce id: 15 characters, or 18 with the right check characters"
    )


def is_salesforce_id(text: str) -> bool:
    """Whether it is an 18 character id with the right check characters."""
    return bool(_EIGHTEEN.fullmatch(text)) and text[15:] == _check(text[:15])


def contact_key(salesforce_id: str) -> str:
    """The external id of a contact in NetSuite: all entities share one namespace (netsuite.md 2.3)."""
    return CONTACT_PREFIX + salesforce_id


def account_key(salesforce_id: str) -> str:
    """The external id of an account in NetSuite."""
    return ACCOUNT_PREFIX + salesforce_id


def netsuite_contact_key(netsuite_id: str) -> str:
    """The intent to find or create the Salesforce contact of a NetSuite contact. It is stored in neither system."""
    return NETSUITE_CONTACT_PREFIX + netsuite_id


def salesforce_id_of(external_id: str | None) -> str | None:
    """The Salesforce id that an external id of ours names, None for anybody else's external id."""
    for prefix in (CONTACT_PREFIX, ACCOUNT_PREFIX):
        if external_id and external_id.startswith(prefix) and is_salesforce_id(external_id[len(prefix) :]):
            return external_id[len(prefix) :]
    return None


def named_by(field: str | None, external_id: str | None) -> str | None:
    """The Salesforce contact that a NetSuite contact names: by its custom field, else by an external id of ours."""
    return field if field is not None and is_salesforce_id(field) else salesforce_id_of(external_id)


def distinct_name(name: str, salesforce_id: str, *, spelled_out: bool = False) -> str:
    """A contact name that nobody else has: "Ada Lovelace (003…AbCd)", at most 83 characters.

    The mark is the end of the case-sensitive id, so it is the same each time. Should two marks be the same without
    regard to case, `spelled_out` gives the whole id.
    """
    mark = f" ({salesforce_id if spelled_out else f'{salesforce_id[:3]}…{salesforce_id[11:15]}'})"
    return name[: ENTITY_ID_LENGTH - len(mark)].rstrip() + mark


def unmarked(name: str, salesforce_id: str) -> tuple[str, bool | None]:
    """The name without the mark of `distinct_name`, and which mark it bore: short (False), whole id (True), or none."""
    plain = name.rpartition(" (")[0]
    for spelled_out in (False, True):
        if plain and name == distinct_name(plain, salesforce_id, spelled_out=spelled_out):
            return plain, spelled_out
    return name, None


def renamed(name: str, current: str, salesforce_id: str) -> str:
    """The new contact name of a record now called `current`: a mark that made it distinct stays, so that the clash
    does not come back."""
    mark = unmarked(current, salesforce_id)[1]
    if mark is None:
        return name[:ENTITY_ID_LENGTH].rstrip()
    return distinct_name(name, salesforce_id, spelled_out=mark)


def _check(fifteen: str) -> str:
    return "".join(_check_character(fifteen[start : start + 5]) for start in (0, 5, 10))


def _check_character(five: str) -> str:
    return _CHECK_ALPHABET[sum(1 << place for place, char in enumerate(five) if "A" <= char <= "Z")]
