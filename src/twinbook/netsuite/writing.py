"""Writing over REST: one call for each record, side by side as far as permits allow. REST knows no preconditions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import Create, Delete, Failed, Guard, NetSuiteWrite, Update, WriteResult, Written
from twinbook.domain.records import Entity, Fields, Value
from twinbook.netsuite.addresses import address_book, default_line, has_address
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.errors import concerns_login
from twinbook.netsuite.fields import ADDRESS_FIELDS, REFERENCE
from twinbook.netsuite.metadata import RECORD_TYPES, Catalogue
from twinbook.netsuite.records import RecordService, RecordType


class Writer(Protocol):
    """How writes reach the account."""

    async def write(
        self, record: RecordType, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        """See `NetSuitePort.write_contacts`."""
        ...


class RestWriter:
    """`Writer` over the record service."""

    def __init__(self, client: NetSuiteClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    async def write(
        self, record: RecordType, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        service = RecordService(self._client.guarded(guard))
        sent = (result_of(self._send(service, record, write)) for write in writes.values())
        results = await asyncio.gather(*sent, return_exceptions=True)
        done: dict[str, WriteResult] = {}
        for key, result in zip(writes, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            done[key] = result
        return done

    async def _send(self, service: RecordService, record: RecordType, write: NetSuiteWrite) -> str:
        match write:
            case Create(external_id, fields):
                body = await self._body(record, fields)
                if has_address(fields) and (book := address_book(fields, None)) is not None:
                    body["addressBook"] = book
                return await service.upsert(record, external_id, body)
            case Update(id_, fields):
                await self._update(service, record, id_, fields)
                return id_
            case Delete(id_):
                await service.delete(record, id_)
                return id_

    async def _update(self, service: RecordService, record: RecordType, id_: str, fields: Fields) -> None:
        body = await self._body(record, fields)
        if has_address(fields):
            whole = await service.with_sublists(record, id_)
            if (book := address_book(fields, default_line(whole))) is not None:
                body["addressBook"] = book
        if body:
            await service.update(record, id_, body)

    async def _body(self, record: RecordType, fields: Fields) -> dict[str, Any]:
        """The JSON of these fields, without the address. Names that nobody knows are sent: NetSuite refuses them."""
        names = [name for name in fields if name not in ADDRESS_FIELDS]
        types = await self._catalogue.types(_ENTITIES[record], names)
        return {name: _json(types, name, fields[name]) for name in names}


_ENTITIES: Mapping[RecordType, Entity] = {record: entity for entity, record in RECORD_TYPES.items()}


def _json(types: Mapping[str, str], name: str, value: Value) -> object:
    if value is not None and types.get(name) == REFERENCE:
        return {"id": str(value)}
    return value


async def result_of(writing: Awaitable[str]) -> WriteResult:
    """The result of writing one record; a refused login is not the record's fault."""
    try:
        return Written(await writing)
    except (TemporaryError, PermanentError) as error:
        return Failed(error, of_call=concerns_login(error))
