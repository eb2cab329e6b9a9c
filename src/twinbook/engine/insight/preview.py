"""A dry run: what would happen to every account and contact, without writing anything."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.canonical import email_key
from twinbook.domain.plan import (
    AccountPlan,
    Action,
    Candidate,
    ContactPlan,
    ContactView,
    SalesforceCandidate,
)
from twinbook.domain.planner import plan_contact
from twinbook.domain.ports import NetSuitePort, SalesforcePort
from twinbook.domain.records import Entity, Key, NetSuiteContact, SalesforceContact, display_name
from twinbook.engine.accounts.gather import AccountGatherer
from twinbook.engine.connection import (
    ACCOUNTS,
    CONTACTS,
    NETSUITE_CONTACTS,
    Connection,
    Source,
    looked_through,
)
from twinbook.engine.contacts.gather import Considered, Gatherer
from twinbook.engine.contacts.netsuite_gather import ConsideredNetSuite, NetSuiteGatherer
from twinbook.store import links
from twinbook.store.sql import chunks


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One contact of the dry run, known by its id on the side where it is. `candidates` are the NetSuite contacts that
    were looked at for it, `decided` is what a person chose for it."""

    key: Key
    name: str
    email: str | None
    account_id: str | None
    account: str | None
    plan: ContactPlan
    candidates: tuple[Candidate, ...] = ()
    decided: str | None = None


@dataclass(frozen=True, slots=True)
class ForeseenAccount:
    """One account of the dry run."""

    key: Key
    name: str
    plan: AccountPlan


Seen = Foreseen | ForeseenAccount


class Preview:
    """Plans everything page by page, in constant memory but for what would be linked or created.

    The real run takes one contact after the other; so does this one: contacts of NetSuite (`newcomers`) are to be asked
    for after those of Salesforce, and see what became of them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._contacts = Gatherer(connection)
        self._newcomers = NetSuiteGatherer(connection)
        self._accounts = AccountGatherer(connection)
        self._claimed: dict[str, str] = {}
        self._pairs: dict[str, str] = {}
        self._arrivals: dict[tuple[str | None, str | None], str] = {}

    def lists(self) -> list[tuple[Source, AsyncGenerator[Seen]]]:
        """What a back-fill would look through, list by list, in the order in which they are to be read."""
        read: dict[Source, Callable[[], AsyncGenerator[Seen]]] = {
            ACCOUNTS: self.accounts,
            CONTACTS: self.contacts,
            NETSUITE_CONTACTS: self.newcomers,
        }
        return [(part, read[part]()) for part in looked_through(self._connection.contacts.direction)]

    async def accounts(self) -> AsyncGenerator[ForeseenAccount]:
        """All accounts that are not deleted."""
        async for keys in self._pages(self._connection.salesforce, Entity.ACCOUNT):
            considered = await self._accounts.consider([key.id for key in keys])
            for key in keys:
                if key.id in considered:
                    found = considered[key.id]
                    yield ForeseenAccount(key, found.view.account.name, found.plan)

    async def contacts(self) -> AsyncGenerator[Foreseen]:
        """All contacts of Salesforce."""
        async for keys in self._pages(self._connection.salesforce, Entity.CONTACT):
            considered = await self._contacts.consider([key.id for key in keys])
            for key in keys:
                yield self._foresee(key, considered[key.id])

    async def newcomers(self) -> AsyncGenerator[Foreseen]:
        """The contacts of NetSuite that no contact of Salesforce is linked with, or would be."""
        async for keys in self._pages(self._connection.netsuite, Entity.CONTACT):
            alone = await self._without_pair(keys)
            considered = await self._newcomers.consider([key.id for key in alone]) if alone else {}
            for key in alone:
                found = considered[key.id]
                if found.view.netsuite is not None:
                    yield self._foresee_newcomer(key, found.view.netsuite, found)

    async def _pages(
        self, port: SalesforcePort | NetSuitePort, entity: Entity
    ) -> AsyncIterator[Sequence[Key]]:
        after: str | None = None
        while True:
            page = await port.list_keys(entity, after)
            for keys in chunks(page.keys, self._connection.options.batch):
                yield keys
            if page.next is None:
                return
            after = page.next

    async def _without_pair(self, keys: Sequence[Key]) -> list[Key]:
        ids = [key.id for key in keys]
        known = await self._connection.store.read(lambda tx: links.concluded(tx, Entity.CONTACT, ids))
        taken = set(self._pairs.values())
        return [key for key in keys if key.id not in known and key.id not in taken]

    def _foresee(self, key: Key, found: Considered) -> Foreseen:
        contact = found.view.salesforce
        assert contact is not None  # noqa: S101 - the gatherer always gives one
        plan = self._after_others(found)
        if plan.counterpart_id and plan.action in (Action.ADOPT, Action.INHERIT):
            self._pairs[key.id] = plan.counterpart_id
        elif plan.action is Action.CREATE:
            self._pairs[key.id] = f"new contact for {key.id}"
        return Foreseen(
            key,
            display_name(contact),
            email_key(contact.fields.get("Email")),
            contact.account_id,
            contact.account_name,
            plan,
            found.view.candidates,
            found.view.chosen,
        )

    def _foresee_newcomer(self, key: Key, contact: NetSuiteContact, found: ConsideredNetSuite) -> Foreseen:
        gate, email = found.view.gate, email_key(contact.email)
        plan = plan_contact(self._among_others(found.view, email), self._connection.contacts)
        if plan.action is Action.ADOPT and plan.counterpart_id:
            self._pairs[plan.counterpart_id] = key.id
        elif plan.action is Action.CREATE:
            self._arrivals[gate.account_id, email] = key.id
        return Foreseen(
            key, contact.name, email, gate.account_id, gate.account_name, plan, decided=found.view.chosen
        )

    def _among_others(self, view: ContactView, email: str | None) -> ContactView:
        """The view once those before it have their pairs."""
        candidates = [
            replace(item, linked_to=item.linked_to or self._pairs.get(item.record.id))
            for item in view.salesforce_candidates
        ]
        earlier = self._arrivals.get((view.gate.account_id, email)) if email else None
        if earlier is not None:
            imagined = SalesforceContact("", {"Email": email}, "", account_id=view.gate.account_id)
            candidates.append(SalesforceCandidate(imagined, earlier))
        return replace(view, salesforce_candidates=tuple(candidates))

    def _after_others(self, found: Considered) -> ContactPlan:
        """Contacts that share a mailbox are decided one after the other in the real run; so they are here."""
        view, plan = found.view, found.plan
        email = email_key(view.salesforce.fields.get("Email")) if view.salesforce else None
        if plan.action not in (Action.CREATE, Action.ADOPT) or email is None or view.salesforce is None:
            return plan
        taken = plan.counterpart_id or f"new contact for {email}"
        owner = self._claimed.setdefault(taken, view.salesforce.id)
        if owner == view.salesforce.id:
            self._claimed.setdefault(f"new contact for {email}", owner)
            return plan
        return plan_contact(self._with_owner(view, taken, owner, email), self._connection.contacts)

    def _with_owner(self, view: ContactView, taken: str, owner: str, email: str) -> ContactView:
        others = tuple(
            replace(candidate, linked_to=owner) if candidate.record.id == taken else candidate
            for candidate in view.candidates
        )
        if not any(candidate.record.id == taken for candidate in others):
            imagined = NetSuiteContact(taken, {}, "", email=email, company_id=view.gate.customer_id)
            others = (*others, Candidate(imagined, owner))
        return replace(view, candidates=others)
