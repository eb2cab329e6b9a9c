"""Everything there is to say about one contact or account: what the rules say now, what was stored, its history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.domain.checks import SYSTEM_NAMES
from twinbook.domain.errors import SideError
from twinbook.domain.ids import named_by, to_18
from twinbook.domain.plan import AccountPlan, ContactPlan
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Key, Side, display_name
from twinbook.engine.accounts.gather import AccountGatherer
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import Gatherer
from twinbook.engine.contacts.netsuite_gather import NetSuiteGatherer
from twinbook.store import dirty_keys, incidents, journal, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Queued
from twinbook.store.incidents import Incident
from twinbook.store.journal import Change, Entry
from twinbook.store.outcomes import Outcome

ACCOUNT_PREFIX = "001"
NETSUITE_ID = re.compile(r"[0-9]{1,18}")

# Contacts that one email may be explained for at once.
MOST_CONTACTS = 20


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store knows of a contact."""

    outcome: Outcome | None
    incident: Incident | None
    queued: Queued | None
    history: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One contact or account. A contact that lives in NetSuite only has no Salesforce id. `name` and `plan` are None
    when the systems could not be asked; `unreachable` says why."""

    entity: Entity
    salesforce_id: str | None
    remembered: Remembered
    name: str | None = None
    plan: ContactPlan | AccountPlan | None = None
    unreachable: str | None = None
    netsuite_id: str | None = None


class Explainer:
    """Answers "why is this contact (not) on the other side?" for an id of either side, or an email."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._contacts = Gatherer(connection)
        self._newcomers = NetSuiteGatherer(connection)
        self._accounts = AccountGatherer(connection)

    async def explain(self, text: str) -> list[Explanation]:
        """One explanation for each contact or account that `text` names; none when it names nothing known."""
        try:
            id_ = _salesforce_id(text)
            if id_ and id_.startswith(ACCOUNT_PREFIX):
                return await self._account(id_)
            keys = (await self._find(text.strip()))[:MOST_CONTACTS]
            return [
                *await self._pairs(_ids(keys, Side.SALESFORCE)),
                *await self._alone(_ids(keys, Side.NETSUITE)),
            ]
        except SideError as error:
            known = await self._connection.store.read(lambda tx: outcomes.search(tx, _normal(text)))
            return [await self._from_memory(found, str(error)) for found in known]

    async def _account(self, id_: str) -> list[Explanation]:
        found = (await self._accounts.consider([id_])).get(id_)
        remembered = await self._remembered(Key(Entity.ACCOUNT, Side.SALESFORCE, id_))
        if found is None:
            return [Explanation(Entity.ACCOUNT, id_, remembered)] if remembered.outcome else []
        return [Explanation(Entity.ACCOUNT, id_, remembered, found.view.account.name, found.plan)]

    async def _pairs(self, ids: Sequence[str]) -> list[Explanation]:
        """Contacts of Salesforce, linked or not."""
        explained = []
        for id_, found in (await self._contacts.consider(ids) if ids else {}).items():
            contact = found.view.salesforce
            name = display_name(contact) if contact else None
            remembered = await self._remembered(Key(Entity.CONTACT, Side.SALESFORCE, id_))
            explained.append(Explanation(Entity.CONTACT, id_, remembered, name, found.plan))
        return explained

    async def _alone(self, ids: Sequence[str]) -> list[Explanation]:
        """Contacts that live in NetSuite only."""
        explained = []
        for id_, found in (await self._newcomers.consider(ids) if ids else {}).items():
            name = found.view.netsuite.name if found.view.netsuite else None
            remembered = await self._remembered(Key(Entity.CONTACT, Side.NETSUITE, id_))
            if found.view.netsuite or remembered.outcome:
                explained.append(
                    Explanation(Entity.CONTACT, None, remembered, name, found.plan, netsuite_id=id_)
                )
        return explained

    async def _from_memory(self, found: Outcome, why: str) -> Explanation:
        key = found.key
        here, there = (key.id, None) if key.side is Side.SALESFORCE else (None, key.id)
        remembered = await self._remembered(key)
        return Explanation(key.entity, here, remembered, found.name, unreachable=why, netsuite_id=there)

    async def _find(self, text: str) -> list[Key]:
        if "@" in text:
            found = await self._connection.salesforce.search_contacts([text])
            return list(dict.fromkeys([*map(_of_salesforce, found), *await self._known(text)]))
        if NETSUITE_ID.fullmatch(text):
            return await self._known(text) or await self._of_netsuite(text)
        id_ = _salesforce_id(text)
        return [_of_salesforce(id_)] if id_ else []

    async def _of_netsuite(self, netsuite_id: str) -> list[Key]:
        """Of a contact that was never looked at: the Salesforce contact whose id it carries, else itself."""
        found = await self._connection.netsuite.find_contacts(ContactQuery(ids=frozenset({netsuite_id})))
        named = (named_by(contact.salesforce_id, contact.external_id) for contact in found)
        return [
            _of_salesforce(id_) if id_ else Key(Entity.CONTACT, Side.NETSUITE, netsuite_id) for id_ in named
        ]

    async def _known(self, text: str) -> list[Key]:
        def search(tx: Tx) -> list[Key]:
            linked = links.by_netsuite(tx, Entity.CONTACT, [text])
            return [_of_salesforce(link.salesforce_id) for link in linked.values()] or [
                found.key for found in outcomes.search(tx, _normal(text))
            ]

        return await self._connection.store.read(search)

    async def _remembered(self, key: Key) -> Remembered:
        return await self._connection.store.read(lambda tx: remember(tx, key))


def remember(tx: Tx, key: Key) -> Remembered:
    """What the store knows of a record."""
    here, there = (key.id, None) if key.side is Side.SALESFORCE else (None, key.id)
    return Remembered(
        outcomes.find(tx, key),
        incidents.of_record(tx, key),
        dirty_keys.queued(tx, key),
        tuple(journal.history(tx, salesforce_id=here, netsuite_id=there)),
    )


def origin(change: Change) -> str:
    """Whose value was written, who had saved it there, and whether the value before it lost; empty where a field is
    Twinbook's own."""
    if change.seen_at is None:
        return ""
    saved = f", last saved by {change.saved_by}" if change.saved_by else ""
    whose = f"{SYSTEM_NAMES[change.source]}'s value{saved}" if change.source else "a value that a person gave"
    return f"{whose}; {change.before!r} lost the conflict" if change.lost else whose


def _of_salesforce(id_: str) -> Key:
    return Key(Entity.CONTACT, Side.SALESFORCE, id_)


def _ids(keys: Sequence[Key], side: Side) -> list[str]:
    return [key.id for key in keys if key.side is side]


def _salesforce_id(text: str) -> str | None:
    try:
        return to_18(text)
    except ValueError:
        return None


def _normal(text: str) -> str:
    return _salesforce_id(text) or text.strip().casefold()
