"""A Salesforce org as the engine sees it: `SalesforcePort` over the REST API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from twinbook.domain.ids import to_18
from twinbook.domain.ports import Allowance, Changes, Listing, Schema, Stamp, Stamps, WriteResult
from twinbook.domain.records import Entity, Fields, Key, SalesforceAccount, SalesforceContact, Side
from twinbook.http import Http
from twinbook.salesforce import soql
from twinbook.salesforce.auth import TokenProvider
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.long_lists import LongLists
from twinbook.salesforce.polling import BEGINNING, PollCursor, Position, decode, parse
from twinbook.salesforce.rest import API_REQUESTS, COLLECTION_LIMIT, Row, SalesforceRest
from twinbook.salesforce.rows import VERSION, AccountRows, ContactRows
from twinbook.salesforce.schema import SOBJECTS, OrgFacts, discover, schema_of

_LEADS_TO: Final = {
    Entity.OPPORTUNITY: ("AccountId", Entity.ACCOUNT),
    Entity.QUOTE: ("AccountId", Entity.ACCOUNT),
    Entity.ACCOUNT_CONTACT_RELATION: ("ContactId", Entity.CONTACT),
    Entity.ACCOUNT_CONTACT_ROLE: ("ContactId", Entity.CONTACT),
    Entity.OPPORTUNITY_CONTACT_ROLE: ("ContactId", Entity.CONTACT),
}

ALLOWANCES: Final = (API_REQUESTS, "DailyDeliveredPlatformEvents", "DailyBulkV2QueryJobs")
"""Of the org's limits (salesforce.md 4.6), those that Twinbook uses up."""


class _Readers:
    """The facts of the org, and the queries built from them."""

    def __init__(self, facts: OrgFacts, config: SalesforceConfig) -> None:
        self.facts = facts
        self.contacts = ContactRows(facts, config)
        self.accounts = AccountRows(facts, config)


class SalesforceSide:
    """Implements `SalesforcePort`. `rest` serves what only people need: usage, limits.

    The org is asked what it has on first use and by `discover`; ids that are none are absent from results.
    """

    def __init__(
        self,
        http: Http,
        tokens: TokenProvider,
        config: SalesforceConfig,
        clock: Callable[[], float],
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self.rest = SalesforceRest(http, tokens, config)
        self._config = config
        self._clock = clock
        self._lists = LongLists(
            self.rest,
            page_size=config.page_size,
            bulk_size=config.bulk_size,
            bulk_from=config.bulk_from,
            sleep=sleep,
        )
        self._readers: _Readers | None = None
        self._discovering = asyncio.Lock()

    @property
    def usage(self) -> Allowance | None:
        return self.rest.usage

    async def allowances(self) -> Sequence[Allowance]:
        limits = await self.rest.limits()
        return [
            Allowance(name, limits[name]["Max"] - limits[name]["Remaining"], limits[name]["Max"])
            for name in ALLOWANCES
            if name in limits
        ]

    async def discover(self) -> OrgFacts:
        """Ask the org anew what it has; raises the errors of `twinbook.salesforce.schema.discover`."""
        return (await self._discover()).facts

    async def read_contacts(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        return await self._contacts("Id IN ({0})", ids)

    async def read_with_losers(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        read = await self._contacts("Id IN ({0}) OR MasterRecordId IN ({0})", ids)
        losers: dict[str, tuple[str, ...]] = {}
        for id_, contact in sorted(read.items()):
            if contact.merged_into:
                losers[contact.merged_into] = (*losers.get(contact.merged_into, ()), id_)
        asked = [id_ for id_ in ids if id_ in read]
        return {id_: replace(read[id_], losers=losers.get(read[id_].id, ())) for id_ in asked}

    async def read_accounts(self, ids: Sequence[str]) -> Mapping[str, SalesforceAccount]:
        readers = await self._known()
        asked = _ids(ids)
        _check_batch(asked)
        rows = await self._query_all(lambda among: readers.accounts.statement(f"Id IN ({among})"), asked)
        return {asked[row["Id"]]: readers.accounts.record(row) for row in rows}

    async def lead(self, keys: Sequence[Key]) -> Mapping[Key, tuple[Key, ...]]:
        led: dict[Key, tuple[Key, ...]] = {}
        for entity, (field, target) in _LEADS_TO.items():
            of_entity = {key.id: key for key in keys if key.entity is entity}
            for id_, led_to in (await self._values(entity, field, of_entity)).items():
                led[of_entity[id_]] = (_key(target, led_to),)
        return led

    async def losers_of(self, entity: Entity, winner_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        asked = _ids(winner_ids)
        rows = await self._query_all(
            lambda among: soql.select(
                ("Id", "MasterRecordId"), SOBJECTS[entity], f"MasterRecordId IN ({among})"
            ),
            asked,
        )
        losers: dict[str, tuple[str, ...]] = {}
        for row in sorted(rows, key=lambda row: str(row["Id"])):
            winner = asked[row["MasterRecordId"]]
            losers[winner] = (*losers.get(winner, ()), row["Id"])
        return losers

    async def contacts_of_accounts(self, account_ids: Sequence[str], after: str | None) -> Listing:
        related = (await self._known()).contacts.by_relation
        return await self._below(Entity.CONTACT, related or "AccountId IN ({})", account_ids, after)

    async def children_of_accounts(self, account_ids: Sequence[str], after: str | None) -> Listing:
        return await self._below(Entity.ACCOUNT, "ParentId IN ({})", account_ids, after)

    async def list_keys(self, entity: Entity, after: str | None) -> Listing:
        found = await self._lists.part(SOBJECTS[entity], ("Id",), after)
        return Listing(tuple(_key(entity, str(id_)) for (id_,) in found.rows), found.next)

    async def list_stamps(self, after: str | None) -> Stamps:
        id_field = self._config.id_field
        columns = ("Id", VERSION, id_field, f"Account.{id_field}")
        found = await self._lists.part(SOBJECTS[Entity.CONTACT], columns, after)
        return Stamps(tuple(_stamp(*row) for row in found.rows), found.next)

    async def count(self, entity: Entity) -> int:
        return await self.rest.count(SOBJECTS[entity])

    async def changes_since(self, entity: Entity, cursor: str | None) -> Changes:
        overlap = self._config.poll_overlap
        if cursor is None:
            return Changes((), (await self._newest(entity)).encode(), more=False)
        known = decode(cursor)
        now = self._clock()
        rows = await self.rest.query_all(
            soql.select(
                ("Id", "SystemModstamp"),
                SOBJECTS[entity],
                known.start(overlap).condition(),
                f"ORDER BY SystemModstamp, Id LIMIT {self._config.page_size}",
            )
        )
        more = len(rows) == self._config.page_size
        keys = tuple(_key(entity, id_) for id_ in known.fresh(rows))
        return Changes(keys, known.advance(rows, now, overlap, more=more).encode(), more)

    async def update_contacts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self.rest.update("Contact", changes)

    async def update_accounts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self.rest.update("Account", changes)

    async def delete_contacts(self, ids: Sequence[str]) -> Mapping[str, WriteResult]:
        return await self.rest.delete(ids)

    async def upsert_contacts(self, records: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self.rest.upsert("Contact", self._config.id_field, records)

    async def find_contacts(
        self, *, emails: Sequence[str] = (), netsuite_ids: Sequence[str] = ()
    ) -> Sequence[SalesforceContact]:
        readers = await self._known()
        rows: dict[str, Row] = {}
        for field, texts in (("Email", emails), (self._config.id_field, netsuite_ids)):

            def statement(among: str, field: str = field) -> str:
                return readers.contacts.statement(f"{field} IN ({among})")

            rows |= {row["Id"]: row for row in await self._by_text(statement, texts, version=VERSION)}
        return [readers.contacts.record(row) for row in rows.values()]

    async def find_accounts(self, customer_ids: Sequence[str]) -> Sequence[SalesforceAccount]:
        readers = await self._known()

        def statement(among: str) -> str:
            return readers.accounts.statement(f"{self._config.id_field} IN ({among})")

        return [readers.accounts.record(row) for row in await self._by_text(statement, customer_ids)]

    async def search_contacts(self, emails: Sequence[str]) -> Sequence[str]:
        def statement(among: str) -> str:
            return soql.select(("Id",), "Contact", f"Email IN ({among})")

        return [row["Id"] for row in await self._by_text(statement, emails)]

    async def describe(self, entity: Entity) -> Schema:
        return schema_of(await self.rest.describe(SOBJECTS[entity]))

    async def _contacts(self, condition: str, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        """Contacts of the condition, which has a place for these ids, by id as it was asked for."""
        readers = await self._known()
        asked = _ids(ids)
        _check_batch(asked)
        rows = await self._query_all(
            lambda among: readers.contacts.statement(condition.format(among)), asked, version=VERSION
        )
        records = map(readers.contacts.record, rows)
        return {asked.get(record.id, record.id): record for record in records}

    @property
    def _first_page(self) -> str:
        return f"ORDER BY Id LIMIT {self._config.page_size}"

    async def _known(self) -> _Readers:
        if self._readers is not None:
            return self._readers
        async with self._discovering:
            return self._readers or await self._discover()

    async def _discover(self) -> _Readers:
        self._readers = _Readers(await discover(self.rest, self._config), self._config)
        return self._readers

    async def _newest(self, entity: Entity) -> PollCursor:
        """A cursor that starts now, which is when the newest record changed: the org's clock, not ours."""
        rows = await self.rest.query_all(
            soql.select(
                ("Id", "SystemModstamp"),
                SOBJECTS[entity],
                tail="ORDER BY SystemModstamp DESC, Id DESC LIMIT 1",
            )
        )
        newest = Position(parse(rows[0]["SystemModstamp"]), rows[0]["Id"]) if rows else Position(BEGINNING)
        back = timedelta(seconds=self._config.poll_overlap) if rows else timedelta()
        return PollCursor(newest, self._clock(), settled=Position(newest.moment - back))

    async def _below(
        self, entity: Entity, reference: str, account_ids: Sequence[str], after: str | None
    ) -> Listing:
        """Records that refer to these accounts, in the order of their ids. `reference` is a condition with a place
        for the ids."""
        condition = _after(after)

        def statement(among: str) -> str:
            where = f"{reference.format(among)}{condition}"
            return soql.select(("Id",), SOBJECTS[entity], where, self._first_page)

        found: set[str] = set()
        for query in soql.statements(statement, [soql.text(id_) for id_ in _ids(account_ids)]):
            found |= {row["Id"] for row in await self.rest.query(query)}
        # Salesforce orders ids as ASCII does, so pages of several statements can be merged here.
        return self._listing(entity, sorted(found))

    async def _values(self, entity: Entity, field: str, ids: Iterable[str]) -> dict[str, str]:
        """The value of a reference field by id, for those that have one."""
        asked = _ids(ids)
        rows = await self._query_all(
            lambda among: soql.select(("Id", field), SOBJECTS[entity], f"Id IN ({among})"), asked
        )
        return {asked[row["Id"]]: row[field] for row in rows if row[field]}

    async def _query_all(
        self, statement: Callable[[str], str], ids: Iterable[str], *, version: str | None = None
    ) -> list[Row]:
        rows: list[Row] = []
        for query in soql.statements(statement, [soql.text(id_) for id_ in ids]):
            rows += await self.rest.query_all(query, version=version)
        return rows

    async def _by_text(
        self, statement: Callable[[str], str], texts: Sequence[str], *, version: str | None = None
    ) -> list[Row]:
        """SOQL compares texts without regard to case."""
        literals = [soql.text(text) for text in dict.fromkeys(text.strip() for text in texts) if text]
        rows: list[Row] = []
        for query in soql.statements(statement, literals):
            rows += await self.rest.query(query, version=version)
        return list({row["Id"]: row for row in rows}.values())

    def _listing(self, entity: Entity, ids: Sequence[str]) -> Listing:
        page = ids[: self._config.page_size]
        full = len(page) == self._config.page_size
        return Listing(tuple(_key(entity, id_) for id_ in page), page[-1] if full else None)


def _key(entity: Entity, id_: str) -> Key:
    return Key(entity, Side.SALESFORCE, id_)


def _stamp(id_: Any, version: Any, bears: Any, customer_id: Any) -> Stamp:
    """Bulk results and REST spell the zone of a moment differently (salesforce.md 5.1)."""
    return Stamp(id_, f"{version[:-1]}+0000" if version[-1] == "Z" else version, bears, customer_id)


def _after(id_: str | None) -> str:
    return "" if id_ is None else f" AND Id > {soql.record_id(id_)}"


def _ids(texts: Iterable[str]) -> dict[str, str]:
    """Ids with 18 characters → as they were asked for. What is no id is left out: it came from a field that
    people can edit, and names no record."""
    ids: dict[str, str] = {}
    for text in texts:
        try:
            ids[to_18(text)] = text
        except ValueError:
            continue
    return ids


def _check_batch(ids: Mapping[str, str]) -> None:
    if len(ids) > COLLECTION_LIMIT:
        raise ValueError(f"{len(ids)} ids in one call; at most {COLLECTION_LIMIT} are allowed")
