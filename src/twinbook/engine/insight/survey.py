"""Reading both systems from end to end for the ids that their records bear, page by page, in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Protocol

from twinbook.domain.pairing import Bearer, Finding, bearer, judge, name_each_other
from twinbook.domain.ports import ContactQuery, Listing, NetSuitePort, SalesforcePort
from twinbook.domain.records import Entity, Side
from twinbook.engine.connection import Connection
from twinbook.store.sql import chunks


class Register(Protocol):
    """The live records of one entity on one side, as bearers of ids."""

    async def page(self, after: str | None) -> Listing: ...

    async def read(self, ids: Collection[str]) -> list[Bearer]: ...

    async def naming(self, ids: Collection[str]) -> list[Bearer]:
        """The records that bear one of these ids of the other side."""
        ...


class _SalesforceContacts:
    def __init__(self, port: SalesforcePort) -> None:
        self._port = port

    async def page(self, after: str | None) -> Listing:
        return await self._port.list_keys(Entity.CONTACT, after)

    async def read(self, ids: Collection[str]) -> list[Bearer]:
        found = await self._port.read_contacts(list(ids))
        return [bearer(contact) for contact in found.values() if not contact.deleted]

    async def naming(self, ids: Collection[str]) -> list[Bearer]:
        return _bearers(await self._port.find_contacts(netsuite_ids=list(ids)))


class _SalesforceAccounts:
    def __init__(self, port: SalesforcePort) -> None:
        self._port = port

    async def page(self, after: str | None) -> Listing:
        return await self._port.list_keys(Entity.ACCOUNT, after)

    async def read(self, ids: Collection[str]) -> list[Bearer]:
        found = await self._port.read_accounts(list(ids))
        return [bearer(account) for account in found.values() if not account.deleted]

    async def naming(self, ids: Collection[str]) -> list[Bearer]:
        return _bearers(await self._port.find_accounts(list(ids)))


class _NetSuiteContacts:
    def __init__(self, port: NetSuitePort) -> None:
        self._port = port

    async def page(self, after: str | None) -> Listing:
        return await self._port.list_keys(Entity.CONTACT, after)

    async def read(self, ids: Collection[str]) -> list[Bearer]:
        return _bearers(await self._port.find_contacts(ContactQuery(ids=frozenset(ids))))

    async def naming(self, ids: Collection[str]) -> list[Bearer]:
        return _bearers(await self._port.find_contacts(ContactQuery(salesforce_ids=frozenset(ids))))


class _NetSuiteCustomers:
    def __init__(self, port: NetSuitePort) -> None:
        self._port = port

    async def page(self, after: str | None) -> Listing:
        return await self._port.list_keys(Entity.ACCOUNT, after)

    async def read(self, ids: Collection[str]) -> list[Bearer]:
        return _bearers(await self._port.find_customers(ids=list(ids)))

    async def naming(self, ids: Collection[str]) -> list[Bearer]:
        return _bearers(await self._port.find_customers(salesforce_ids=list(ids)))


def registers(connection: Connection, entity: Entity) -> dict[Side, Register]:
    """Both sides of contacts or accounts."""
    if entity is Entity.CONTACT:
        return {
            Side.SALESFORCE: _SalesforceContacts(connection.salesforce),
            Side.NETSUITE: _NetSuiteContacts(connection.netsuite),
        }
    return {
        Side.SALESFORCE: _SalesforceAccounts(connection.salesforce),
        Side.NETSUITE: _NetSuiteCustomers(connection.netsuite),
    }


class Survey:
    """All findings about one entity: first of the Salesforce records that name one of NetSuite, then of those NetSuite
    records that name one of Salesforce which does not name them. So each pair is found once."""

    def __init__(self, connection: Connection, entity: Entity) -> None:
        self._registers = registers(connection, entity)
        self._size = connection.options.batch

    async def batches(self) -> AsyncIterator[list[Finding]]:
        """Findings in batches of at most 200, empty ones left out. Raises what the ports raise."""
        for side in (Side.SALESFORCE, Side.NETSUITE):
            after: str | None = None
            while True:
                page = await self._registers[side].page(after)
                for ids in chunks([key.id for key in page.keys], self._size):
                    if findings := await self._findings(side, ids):
                        yield findings
                if page.next is None:
                    break
                after = page.next

    async def _findings(self, side: Side, ids: Sequence[str]) -> list[Finding]:
        own, other = self._registers[side], self._registers[side.other]
        naming = {item.id: item for item in await own.read(ids) if item.names}
        if not naming:
            return []
        wanted = frozenset[str]().union(*(item.names for item in naming.values()))
        named = {item.id: item for item in await self._read(other, wanted)}
        if side is Side.NETSUITE:
            naming = {id_: item for id_, item in naming.items() if not _found_before(item, named)}
        doubtful = [item for item in naming.values() if not _is_pair(item, named)]
        rivals, suitors = await self._third_parties(doubtful, own, other)
        return [
            judge(
                item,
                _named_by(item, named),
                rivals=[rival for rival in rivals.get(min(item.names), ()) if rival != item.id],
                suitors=[suitor for suitor in suitors.get(item.id, ()) if suitor not in item.names],
            )
            for item in naming.values()
        ]

    async def _third_parties(
        self, doubtful: Sequence[Bearer], own: Register, other: Register
    ) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Who else names what these records name, and who names them."""
        if not doubtful:
            return {}, {}
        rivals = await own.naming({min(item.names) for item in doubtful})
        suitors = await other.naming({item.id for item in doubtful})
        return _by_named(rivals), _by_named(suitors)

    async def _read(self, register: Register, ids: Collection[str]) -> list[Bearer]:
        """A damaged field may name more than one record each, so this may be more than one batch."""
        return [item for part in chunks(sorted(ids), self._size) for item in await register.read(part)]


def _bearers(records: Iterable[object]) -> list[Bearer]:
    return [bearer(record) for record in records]  # type: ignore[arg-type]


def _named_by(item: Bearer, named: dict[str, Bearer]) -> Bearer | None:
    return named.get(min(item.names)) if len(item.names) == 1 else None


def _is_pair(item: Bearer, named: dict[str, Bearer]) -> bool:
    other = _named_by(item, named)
    return other is not None and name_each_other(item, other)


def _found_before(item: Bearer, named: dict[str, Bearer]) -> bool:
    """Whether the first half of the survey has told of this record: one that it names, names it too."""
    return any(item.id in named[id_].names for id_ in item.names if id_ in named)


def _by_named(bearers: Iterable[Bearer]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in bearers:
        for id_ in item.names:
            found.setdefault(id_, []).append(item.id)
    return found
