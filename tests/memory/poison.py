"""A contact that Twinbook itself fails on, whichever way its writes take: for tests that the others do not suffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from twinbook.domain.ports import (
    ContactQuery,
    Create,
    Guard,
    NetSuitePort,
    NetSuiteWrite,
    Update,
    WriteResult,
    unguarded,
)
from twinbook.domain.records import NetSuiteContact
from twinbook.engine.connection import Connection

POISON = "Mithridates"
"""The last name of the contact."""


class DefectError(Exception):
    """Stands for whatever nobody has thought of."""


@dataclass(slots=True)
class Defective:
    """NetSuite behind a client with a defect: with `POISON` among the records, a write is carried out and then fails,
    and so does a read while `reads_fail`."""

    netsuite: NetSuitePort
    cured: bool = False
    reads_fail: bool = False
    failures: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.netsuite, name)

    async def write_contacts(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        harmless = {key: write for key, write in writes.items() if self.cured or not _names(write)}
        written = await self.netsuite.write_contacts(harmless, guard)
        if len(harmless) < len(writes):
            self._fail()
        return written

    async def find_contacts(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        found = await self.netsuite.find_contacts(query)
        if self.reads_fail and any(each.fields.get("lastName") == POISON for each in found):
            self._fail()
        return found

    def _fail(self) -> None:
        self.failures += 1
        raise DefectError(POISON)


def defective(connection: Connection) -> tuple[Connection, Defective]:
    client = Defective(connection.netsuite)
    return replace(connection, netsuite=cast("NetSuitePort", client)), client


def _names(write: NetSuiteWrite) -> bool:
    return isinstance(write, Create | Update) and write.fields.get("lastName") == POISON
