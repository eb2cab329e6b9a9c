"""Everything there is to say about one contact or account: what the rules say now, what was stored, its history."""

from __future__ import annotations

from dataclasses import dataclass

from twinbook.domain.errors import SideError
from twinbook.domain.ids import to_18
from twinbook.domain.plan import AccountPlan, ContactPlan
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Key, Side, display_name
from twinbook.engine.account_gather import AccountGatherer
from twinbook.engine.connection import Connection
from twinbook.engine.gather import Considered, Gatherer
from twinbook.store import dirty_keys, incidents, journal, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Queued
from twinbook.store.incidents import Incident
from twinbook.store.journal import Entry
from twinbook.store.outcomes import Outcome

ACCOUNT_PREFIX = "001"

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
    """One contact or account. `name` and `plan` are None when the systems could not be asked; `unreachable` says
    why."""

    entity: Entity
    salesforce_id: str
    remembered: Remembered
    name: str | None = None
    plan: ContactPlan | AccountPlan | None = None
    unreachable: str | None = None


class Explainer:
    """Answers "why is this contact (not) in NetSuite?" for an id of either side, or an email."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._contacts = Gatherer(connection)
        self._accounts = AccountGatherer(connection)

    async def explain(self, text: str) -> list[Explanation]:
        """One explanation for each Salesforce contact or account that `text` names; none when it names nothing
        known."""
        try:
            if text.strip().startswith(ACCOUNT_PREFIX):
                return await self._account(to_18(text))
            ids = (await self._find(text.strip()))[:MOST_CONTACTS]
            considered = await self._contacts.consider(ids) if ids else {}
        except SideError as error:
            known = await self._connection.store.run(lambda tx: outcomes.search(tx, _normal(text)))
            return [await self._from_memory(found, str(error)) for found in known]
        return [await self._contact(id_, considered[id_]) for id_ in ids]

    async def _account(self, id_: str) -> list[Explanation]:
        found = (await self._accounts.consider([id_])).get(id_)
        remembered = await self._remembered(Entity.ACCOUNT, id_)
        if found is None:
            return [Explanation(Entity.ACCOUNT, id_, remembered)] if remembered.outcome else []
        return [Explanation(Entity.ACCOUNT, id_, remembered, found.view.account.name, found.plan)]

    async def _contact(self, id_: str, found: Considered) -> Explanation:
        remembered = await self._remembered(Entity.CONTACT, id_)
        contact = found.view.salesforce
        name = display_name(contact) if contact else None
        return Explanation(Entity.CONTACT, id_, remembered, name, found.plan)

    async def _from_memory(self, found: Outcome, why: str) -> Explanation:
        remembered = await self._remembered(found.key.entity, found.key.id)
        return Explanation(found.key.entity, found.key.id, remembered, found.name, unreachable=why)

    async def _find(self, text: str) -> list[str]:
        if "@" in text:
            found = await self._connection.salesforce.search_contacts([text])
            return list(dict.fromkeys([*found, *await self._known(text)]))
        if text.isdigit():
            return await self._of_netsuite(text)
        try:
            return [to_18(text)]
        except ValueError:
            return []

    async def _of_netsuite(self, netsuite_id: str) -> list[str]:
        known = await self._known(netsuite_id)
        if known:
            return known
        found = await self._connection.netsuite.find_contacts(ContactQuery(ids=frozenset({netsuite_id})))
        return [contact.salesforce_id for contact in found if contact.salesforce_id]

    async def _known(self, text: str) -> list[str]:
        def search(tx: Tx) -> list[str]:
            linked = links.by_netsuite(tx, Entity.CONTACT, [text])
            return [link.salesforce_id for link in linked.values()] or [
                found.key.id for found in outcomes.search(tx, _normal(text))
            ]

        return await self._connection.store.run(search)

    async def _remembered(self, entity: Entity, id_: str) -> Remembered:
        key = Key(entity, Side.SALESFORCE, id_)

        def read(tx: Tx) -> Remembered:
            outcome = outcomes.find(tx, key)
            return Remembered(
                outcome,
                incidents.of_record(tx, key),
                dirty_keys.queued(tx, key),
                tuple(journal.history(tx, salesforce_id=id_, netsuite_id=None)),
            )

        return await self._connection.store.run(read)


def _normal(text: str) -> str:
    try:
        return to_18(text)
    except ValueError:
        return text.strip().casefold()
