"""The REST record service: upsert by external id, update, get and delete (netsuite.md 2.1 to 2.3).

Unknown property names are refused rather than dropped: every write asks for strict validation. Ids are checked
before they become part of a path; nothing else ever does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import HttpResponse
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.suiteql import is_id

PATH: Final = "/services/rest/record/v1"
STRICT: Final = {"X-NetSuite-PropertyNameValidation": "Error"}

_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_LOCATION_ID = re.compile(r"/([0-9]+)/?(?:\?.*)?$")

Body = Mapping[str, Any]


class RecordType(StrEnum):
    """Record types that Twinbook writes, as they stand in paths."""

    CONTACT = "contact"
    CUSTOMER = "customer"


class RecordService:
    """Calls of one account. Every method raises `TemporaryError` or `PermanentError`."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    async def upsert(self, kind: RecordType, external_id: str, body: Body) -> str:
        """Create the record with this external id, or update the one that has it; gives the internal id.

        The address book is replaced as a whole: a repeated call must not append its line again.
        """
        path = _path(kind, f"eid:{checked_external_id(external_id)}")
        params = {"replace": "addressBook"} if "addressBook" in body else None
        response = await self._client.call(
            "PUT", path, params=params, headers=STRICT, json=body, writing=True
        )
        return _id_in_location(response) or await self.id_of(kind, external_id)

    async def update(self, kind: RecordType, id_: str, body: Body) -> None:
        """Change the properties in `body`; None clears."""
        await self._client.call(
            "PATCH", _path(kind, checked_id(id_)), headers=STRICT, json=body, writing=True
        )

    async def delete(self, kind: RecordType, id_: str) -> None:
        await self._client.call("DELETE", _path(kind, checked_id(id_)), writing=True)

    async def attach(self, customer_id: str, contact_id: str, role_id: str | None) -> None:
        """Attach a contact to a customer with this role, or without one (netsuite.md 2.10). The answer of an account
        that refuses to attach what is attached is no refusal of ours."""
        body = {} if role_id is None else {"role": {"id": checked_id(role_id)}}
        try:
            await self._client.call(
                "POST", _relation("attach", customer_id, contact_id), json=body, writing=True
            )
        except PermanentError as error:
            if error.code != "ALREADY_ATTACHED":
                raise

    async def detach(self, customer_id: str, contact_id: str) -> None:
        """Take a contact off a customer; there is nothing to take off a record that is gone."""
        try:
            await self._client.call(
                "POST", _relation("detach", customer_id, contact_id), json={}, writing=True
            )
        except PermanentError as error:
            if error.code != "NOT_FOUND":
                raise

    async def with_sublists(self, kind: RecordType, id_: str) -> Body:
        """The whole record with its sublists inline."""
        params = {"expandSubResources": "true"}
        return _object(
            await self._client.call("GET", _path(kind, checked_id(id_)), params=params, writing=False)
        )

    async def id_of(self, kind: RecordType, external_id: str) -> str:
        """The internal id of the record with this external id."""
        path = _path(kind, f"eid:{checked_external_id(external_id)}")
        record = _object(await self._client.call("GET", path, params={"fields": "id"}, writing=False))
        id_ = str(record.get("id", ""))
        if not is_id(id_):
            raise TemporaryError("UNREADABLE_ANSWER", "NetSuite named no id of the record that it wrote.")
        return id_


def _path(kind: RecordType, key: str) -> str:
    return f"{PATH}/{kind.value}/{key}"


def _relation(verb: str, customer_id: str, contact_id: str) -> str:
    contact = f"{RecordType.CONTACT.value}/{checked_id(contact_id)}"
    return f"{_path(RecordType.CUSTOMER, checked_id(customer_id))}/!{verb}/{contact}"


def checked_external_id(external_id: str) -> str:
    """The external id, if it can be one. Raises `PermanentError` INVALID_EXTERNAL_ID."""
    if _EXTERNAL_ID.fullmatch(external_id) is None:
        raise PermanentError(
            "INVALID_EXTERNAL_ID",
            f"{external_id!r} cannot be a NetSuite external id.",
            field="externalId",
            remedy="Use at most 255 letters, digits, underscores and hyphens.",
        )
    return external_id


def checked_id(id_: str) -> str:
    """The internal id, if it can be one. Raises `PermanentError` INVALID_ID."""
    if not is_id(id_):
        raise PermanentError(
            "INVALID_ID",
            f"{id_!r} is no NetSuite internal id.",
            field="id",
            remedy="An internal id is a whole number; correct it where it is stored.",
        )
    return id_


def _id_in_location(response: HttpResponse) -> str | None:
    match = _LOCATION_ID.search(response.headers.get("Location", ""))
    return match.group(1) if match else None


def _object(response: HttpResponse) -> Body:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise TemporaryError("UNREADABLE_ANSWER", "NetSuite's answer was no record.")
    return body
