"""The batch RESTlet of `packages/netsuite`: one call reads or writes many records (docs/restlet.md has the contract).

Reading and writing go through the same script for a reason: a write names the version that was read, and only the
script that wrote a version's text can compare it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twinbook.domain.errors import PermanentError, SideError, TemporaryError
from twinbook.domain.ports import Create, Delete, Failed, Guard, NetSuiteWrite, Update, WriteResult, Written
from twinbook.domain.records import Fields, NetSuiteContact, NetSuiteCustomer
from twinbook.domain.versions import moment_of
from twinbook.http import HttpResponse
from twinbook.netsuite.addresses import subrecord
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.columns import identifier
from twinbook.netsuite.errors import Refusal, judged
from twinbook.netsuite.fields import ADDRESS_FIELDS, DATE, DATETIME
from twinbook.netsuite.reading import ContactReader, CustomerReader
from twinbook.netsuite.records import RecordType, checked_external_id, checked_id
from twinbook.netsuite.rows import Keys, Shape, as_read, usable
from twinbook.netsuite.suiteql import Row, is_id

PATH: Final = "/app/site/hosting/restlet.nl"
VERSION: Final = 1
RELEASE: Final = "1.0.0"
"""Of the script that this release of Twinbook carries: `SCRIPT` in packages/netsuite."""
MAX_KEYS: Final = 1_000
"""Keys asked for in one call. The script takes more in all, but no more for one column."""
SHARE_OF_TIMEOUT: Final = 0.6
"""The script is to end well before the call is given up; what it did not get to, it defers. It may outlast the lease of
the lane that called it. That does no harm: its creates find by external id, its updates are refused when stale."""
MAX_SECONDS: Final = 240.0
"""The longest that the contract lets a script take: NetSuite ends it after 300."""
_FORMS: Final = {DATE: "date", DATETIME: "datetime"}


@dataclass(frozen=True, slots=True)
class RestletScript:
    """Where the RESTlet stands. `batch` is how many records one call writes, `timeout_s` after how many seconds a
    call is given up."""

    script: str = "customscript_twinbook_batch"
    deployment: str = "customdeploy_twinbook_batch"
    batch: int = 50
    timeout_s: float = 60.0


class Restlet:
    """Calls of the script. Every method raises `TemporaryError` or `PermanentError`."""

    binds: Final = True

    def __init__(self, client: NetSuiteClient, script: RestletScript) -> None:
        self._client = client
        self.script = script

    async def release(self) -> str:
        """Which release of the script is deployed. `PermanentError` NO_RESTLET: none that speaks our contract."""
        told = _object(await self._client.call("GET", PATH, params=self._address, writing=False))
        if told.get("version") != VERSION:
            remedy = "Deploy packages/netsuite of this release of Twinbook."
            raise PermanentError("NO_RESTLET", "The RESTlet speaks another contract.", remedy=remedy)
        return str(told.get("script", ""))

    async def rows(self, shape: Shape, keys: Keys) -> Sequence[Row]:
        """`RowSource`, by the script."""
        found: list[Row] = []
        for by in _portions({column: usable(column, values) for column, values in keys.items()}):
            asked = {"action": "find", "record": shape.record.value, "by": by, **_asked(shape)}
            answer = await self._post(self._client, asked, writing=False)
            found += [as_read(_row(item), answer) for item in _list(_object(answer), "rows")]
        return found

    async def write(
        self, record: RecordType, writes: Sequence[Mapping[str, Any]], shape: Shape, guard: Guard
    ) -> Mapping[str, Mapping[str, Any]]:
        """Results by key, as the script gives them; `row` is what NetSuite kept, where it tells."""
        asked = {
            "action": "write",
            "record": record.value,
            "writes": writes,
            "return": _asked(shape),
            "seconds": min(self.script.timeout_s * SHARE_OF_TIMEOUT, MAX_SECONDS),
        }
        answer = await self._post(self._client.guarded(guard), asked, writing=True)
        results = _list(_object(answer), "results")
        return {str(result.get("key")): _with_row(result, answer) for result in results}

    @property
    def _address(self) -> dict[str, str]:
        return {"script": self.script.script, "deploy": self.script.deployment}

    async def _post(self, client: NetSuiteClient, asked: Mapping[str, Any], *, writing: bool) -> HttpResponse:
        body = {"version": VERSION, **asked}
        return await client.call("POST", PATH, params=self._address, json=body, writing=writing)


class RestletWriter:
    """Writes batches through the script, each with what NetSuite kept."""

    def __init__(self, restlet: Restlet, contacts: ContactReader, customers: CustomerReader) -> None:
        self._restlet = restlet
        self._readers: Mapping[RecordType, ContactReader | CustomerReader] = {
            RecordType.CONTACT: contacts,
            RecordType.CUSTOMER: customers,
        }

    async def write(
        self, record: RecordType, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        """See `NetSuitePort.write_contacts`: several calls side by side, as far as permits allow."""
        items, size = list(writes.items()), self._restlet.script.batch
        portions = [dict(items[start : start + size]) for start in range(0, len(items), size)]
        answers = await asyncio.gather(
            *(self._portion(record, portion, guard) for portion in portions), return_exceptions=True
        )
        done: dict[str, WriteResult] = {}
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            done |= answer
        return done

    async def _portion(
        self, record: RecordType, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        """One call, and a further one for what was deferred, as long as each gets somewhere."""
        done: dict[str, WriteResult] = {}
        pending = dict(writes)
        while pending:
            try:
                found = await self._sent(record, pending, guard)
            except SideError as error:
                return done | {key: Failed(error, of_call=True) for key in pending}
            done |= found
            left = {key: write for key, write in pending.items() if key not in found}
            if len(left) == len(pending):
                why = TemporaryError(
                    "SCRIPT_TOO_SLOW", "NetSuite got to none of the records in the time it had."
                )
                return done | {key: Failed(why, of_call=True) for key in left}
            pending = left
        return done

    async def _sent(
        self, record: RecordType, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> dict[str, WriteResult]:
        """Results without those that were deferred."""
        reader = self._readers[record]
        shape = await reader.shape()
        asked: dict[str, Mapping[str, Any]] = {}
        results: dict[str, WriteResult] = {}
        for key, write in writes.items():
            try:
                asked[key] = _asked_write(key, write)
            except PermanentError as error:
                results[key] = Failed(error)
        answers = await self._restlet.write(record, list(asked.values()), shape, guard) if asked else {}
        for key in asked:
            answer = answers.get(key)
            if answer is None:
                results[key] = Failed(_unreadable(), of_call=True)
            elif answer.get("status") != "DEFERRED":
                kept = _kept(reader, answer["row"], shape) if answer.get("row") else None
                results[key] = _result(answer, kept)
        return results


def _with_row(result: Mapping[str, Any], answer: HttpResponse) -> Mapping[str, Any]:
    row = result.get("row")
    return {**result, "row": as_read(_row(row), answer)} if row else result


def _kept(
    reader: ContactReader | CustomerReader, row: Row, shape: Shape
) -> NetSuiteContact | NetSuiteCustomer:
    return reader.contact(row, shape) if isinstance(reader, ContactReader) else reader.customer(row, shape)


def _result(answer: Mapping[str, Any], kept: NetSuiteContact | NetSuiteCustomer | None) -> WriteResult:
    match answer.get("status"):
        case "CREATED" | "UPDATED" | "DELETED" if is_id(str(answer.get("id"))):
            return Written(str(answer["id"]), kept)
        case "STALE":
            return Failed(TemporaryError("RECORD_CHANGED", str(answer.get("message", ""))))
        case "REFUSED":
            field = answer.get("field")
            refusal = Refusal(
                400,
                str(answer.get("code", "")),
                str(answer.get("message", "")),
                str(field) if field else None,
            )
            return Failed(judged(refusal, writing=True))
        case _:
            return Failed(_unreadable(), of_call=True)


def _asked(shape: Shape) -> dict[str, Any]:
    columns = {
        identifier(column.name): {"name": identifier(column.name), "as": _FORMS.get(column.type, "text")}
        for column in shape.columns
    }
    return {"columns": list(columns.values()), "addresses": shape.addresses, "subsidiary": shape.subsidiary}


def _asked_write(key: str, write: NetSuiteWrite) -> dict[str, Any]:
    """Raises `PermanentError` for ids that are none: they would have the whole call refused."""
    match write:
        case Create(external_id, fields):
            named = {"key": key, "op": "create", "externalId": checked_external_id(external_id)}
            return {**named, **_asked_fields(fields)}
        case Update(id_, fields, version):
            condition = {} if version is None else {"ifVersion": moment_of(version)}
            named = {"key": key, "op": "update", "id": checked_id(id_)}
            return {**named, **condition, **_asked_fields(fields)}
        case Delete(id_):
            return {"key": key, "op": "delete", "id": checked_id(id_)}


def _asked_fields(fields: Fields) -> dict[str, Any]:
    """Field ids are the REST names in lower case; the address stands apart."""
    plain = {identifier(name): value for name, value in fields.items() if name not in ADDRESS_FIELDS}
    address = subrecord(fields)
    if isinstance(address.get("country"), dict):
        address["country"] = address["country"]["id"]
    return {"fields": plain, **({"address": address} if address else {})}


def _portions(keys: Keys) -> Iterator[Keys]:
    """The keys in portions that one call takes; one is the rule."""
    portion: dict[str, list[str]] = {}
    size = 0
    for column, values in keys.items():
        for value in values:
            if size == MAX_KEYS:
                yield portion
                portion, size = {}, 0
            portion.setdefault(column, []).append(value)
            size += 1
    if portion:
        yield portion


def _object(response: HttpResponse) -> Mapping[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _unreadable()
    return answer


def _list(answer: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    items = answer.get(member)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _unreadable()
    return items


def _row(item: Mapping[str, Any]) -> Row:
    if "id" not in item:
        raise _unreadable()
    return {name: str(value) for name, value in item.items() if value is not None}


def _unreadable() -> TemporaryError:
    return TemporaryError(
        "UNREADABLE_ANSWER", "The RESTlet's answer was not what its contract says.", outcome_unknown=True
    )
