"""Reading what the planner needs to know, in as few calls as possible.

For a batch of contacts: one read of Salesforce and, at the same time, one of the NetSuite contacts that are already
linked; then, only for contacts that would be created, one search for candidates beside one read of their customers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twinbook.domain.canonical import email_key
from twinbook.domain.ids import contact_key
from twinbook.domain.plan import Candidate, ContactPlan, ContactView, Gate
from twinbook.domain.planner import may_inherit, plan_contact, seeks_counterpart
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Link, LinkState, NetSuiteContact, SalesforceContact, Side
from twinbook.engine.accounts.gates import gates_of
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.candidates import owned
from twinbook.engine.contacts.merges import Fate, Inheritance, Merges
from twinbook.store import decisions, flows, links
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision
from twinbook.store.flows import Flow


@dataclass(frozen=True, slots=True)
class Considered:
    """A contact, everything the planner saw of it, and what it decided. `decision` is what a person chose for it."""

    view: ContactView
    plan: ContactPlan
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store knows of a batch of contacts, by Salesforce id."""

    flow: Flow
    links: Mapping[str, Link]
    decisions: Mapping[str, Decision]


class Gatherer:
    """Builds views of contacts and has them planned. It writes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._merges = Merges(connection)

    async def consider(self, ids: Sequence[str]) -> dict[str, Considered]:
        """Plans for Salesforce contacts by id, ≤ 200 of them. Raises what the ports raise."""
        remembered = await self._remember(ids)
        views = await self._views(ids, remembered)
        plans = {id_: self._plan(view) for id_, view in views.items()}
        open_ = {id_: view for id_, view in views.items() if _is_provisional(view, plans[id_])}
        winners = {id_: _losers(views[id_]) for id_, plan in plans.items() if may_inherit(plan)}
        if open_ or winners:
            completed, inherited = await asyncio.gather(
                self._complete(open_), self._merges.inherited(winners)
            )
            late = {id_: views[id_] for id_ in inherited if id_ not in completed}
            completed |= await self._complete(late)
            completed |= {id_: _heir(completed[id_], found) for id_, found in inherited.items()}
            views |= completed
            plans |= {id_: self._plan(view) for id_, view in completed.items()}
        return {
            id_: Considered(
                view,
                plans[id_],
                decision=remembered.decisions.get(id_),
            )
            for id_, view in views.items()
        }

    async def candidates_named(self, names: frozenset[str]) -> Mapping[str, tuple[Candidate, ...]]:
        """NetSuite contacts that bear one of these names, by `name_key`, with whom they belong to."""
        found = await self._connection.netsuite.find_contacts(ContactQuery(names=names))
        named: dict[str, tuple[Candidate, ...]] = {}
        for candidate in await owned(self._connection, found):
            name = name_key(candidate.record.name)
            named[name] = (*named.get(name, ()), candidate)
        return named

    def _plan(self, view: ContactView) -> ContactPlan:
        return plan_contact(view, self._connection.contacts)

    async def _remember(self, ids: Sequence[str]) -> Remembered:
        def read(tx: Tx) -> Remembered:
            return Remembered(
                flows.state(tx),
                links.by_salesforce(tx, Entity.CONTACT, ids),
                decisions.of_records(tx, Entity.CONTACT, Side.SALESFORCE, ids),
            )

        return await self._connection.store.read(read)

    async def _views(self, ids: Sequence[str], remembered: Remembered) -> dict[str, ContactView]:
        """The views without candidates."""
        known, flow = remembered.links, remembered.flow
        contacts, counterparts = await asyncio.gather(
            self._contacts(ids, known), self._counterparts(known.values())
        )
        views = {}
        for id_ in ids:
            contact = contacts.get(id_) or _purged(id_)
            link, decision = _link_of(contact, known.get(id_)), remembered.decisions.get(id_)
            views[id_] = ContactView(
                _gate(contact),
                contact,
                counterparts.get(link.netsuite_id or "") if link else None,
                link,
                chosen=decision.choice if decision else None,
                resolved=decision.fields if decision else {},
                sent=known[id_].sent if id_ in known else (),
                paused=flow.paused,
                stopped=flow.stopped,
            )
        return await self._with_companies(await self._with_winners(views))

    async def _contacts(
        self, ids: Sequence[str], known: Mapping[str, Link]
    ) -> Mapping[str, SalesforceContact]:
        """Who was merged into them matters where there is no link; asked with the rest, it costs no call of its own."""
        salesforce = self._connection.salesforce
        all_linked = all(id_ in known and known[id_].state is LinkState.LINKED for id_ in ids)
        return await (salesforce.read_contacts(ids) if all_linked else salesforce.read_with_losers(ids))

    async def _with_winners(self, views: dict[str, ContactView]) -> dict[str, ContactView]:
        """Add who took the place of linked contacts that were merged away."""
        lost = [
            view.salesforce
            for view in views.values()
            if view.salesforce and view.salesforce.merged_into and view.link and _is_open(view.link)
        ]
        fates = await self._merges.fates(lost) if lost else {}
        return views | {id_: _with_fate(views[id_], fate) for id_, fate in fates.items()}

    async def _with_companies(self, views: Mapping[str, ContactView]) -> dict[str, ContactView]:
        """Add the accounts of NetSuite contacts that are at another company, where that may reach Salesforce."""
        moved = {
            id_: view.netsuite.company_id
            for id_, view in views.items()
            if view.netsuite is not None
            and view.netsuite.company_id not in (None, view.gate.customer_id)
            and self._connection.contacts.direction.reaches(Side.SALESFORCE)
        }
        gates = await gates_of(self._connection.salesforce, moved.values()) if moved else {}
        return {
            id_: replace(view, netsuite_gate=gates.get(moved.get(id_) or "")) for id_, view in views.items()
        }

    async def _counterparts(self, known: Iterable[Link]) -> Mapping[str, NetSuiteContact]:
        """The other sides of links, and of tombstones: a contact that is undeleted finds its counterpart there."""
        ids = frozenset(
            link.netsuite_id for link in known if link.netsuite_id and link.state is not LinkState.CREATING
        )
        if not ids:
            return {}
        found = await self._connection.netsuite.find_contacts(ContactQuery(ids=ids))
        return {contact.id: contact for contact in found}

    async def _complete(self, views: Mapping[str, ContactView]) -> dict[str, ContactView]:
        """Add candidates and the customer's subsidiary to views that need them."""
        contacts = [view.salesforce for view in views.values() if view.salesforce is not None]
        if not contacts:
            return {}
        emails = {email for contact in contacts if (email := _email(contact))}
        ids = frozenset(contact.id for contact in contacts)
        stored = {contact.netsuite_id for contact in contacts if contact.netsuite_id}
        chosen = {view.chosen for view in views.values() if view.chosen and view.chosen.isdigit()}
        found, subsidiaries = await asyncio.gather(
            self._connection.netsuite.find_contacts(
                ContactQuery(ids=frozenset(stored | chosen), emails=frozenset(emails), salesforce_ids=ids)
            ),
            self._subsidiaries({view.gate.customer_id for view in views.values() if view.gate.customer_id}),
        )
        candidates = await owned(self._connection, found)
        return {
            id_: replace(
                view,
                gate=replace(view.gate, subsidiary_id=subsidiaries.get(view.gate.customer_id or "")),
                candidates=tuple(candidate for candidate in candidates if _concerns(candidate, view)),
            )
            for id_, view in views.items()
        }

    async def _subsidiaries(self, customer_ids: set[str]) -> Mapping[str, str | None]:
        if not customer_ids:
            return {}
        customers = await self._connection.netsuite.find_customers(ids=sorted(customer_ids))
        return {customer.id: customer.subsidiary_id for customer in customers}


def name_key(name: str) -> str:
    """A contact's name as NetSuite compares it (netsuite.md 3.3)."""
    return name.strip().casefold()


async def all_done(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do pieces of work side by side; none is left running when another one fails."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _is_provisional(view: ContactView, plan: ContactPlan) -> bool:
    """Whether the plan may change once candidates and the customer's subsidiary are known."""
    unconfirmed = view.link is not None and view.link.state is LinkState.CREATING
    return seeks_counterpart(plan) or "company" in plan.netsuite_changes or unconfirmed


def _link_of(contact: SalesforceContact, known: Link | None) -> Link | None:
    """An intent without a result is no link: the contact is looked for by its Salesforce id, which finds whatever
    became of the write. Only a deleted contact needs its intent: something may be left to be tidied up."""
    if known is None or (known.state is LinkState.CREATING and not contact.deleted):
        return None
    return known


def _losers(view: ContactView) -> tuple[str, ...] | None:
    return view.salesforce.losers if view.salesforce else ()


def _is_open(link: Link) -> bool:
    return link.state is not LinkState.CLOSED


def _with_fate(view: ContactView, fate: Fate) -> ContactView:
    """A loser whose winner was deleted in its turn is a deleted contact like any other."""
    contact = view.salesforce
    assert contact is not None  # noqa: S101 - only contacts that were read have a fate
    return replace(view, salesforce=replace(contact, merged_into=fate.winner), winner_link=fate.link)


def _heir(view: ContactView, found: Inheritance) -> ContactView:
    others = (item for item in view.candidates if item.record.id != found.candidate.record.id)
    return replace(view, merged_link=found.link, candidates=(*others, found.candidate))


def _gate(contact: SalesforceContact) -> Gate:
    return Gate(contact.account_id, contact.account_name, contact.account_customer_id)


def _purged(id_: str) -> SalesforceContact:
    """What stands for a contact that Salesforce no longer knows at all."""
    return SalesforceContact(id_, fields={}, version="", deleted=True)


def _email(contact: SalesforceContact) -> str | None:
    return email_key(contact.fields.get("Email"))


def _concerns(candidate: Candidate, view: ContactView) -> bool:
    contact, record = view.salesforce, candidate.record
    if contact is None:
        return False
    email = _email(contact)
    same_email = email is not None and email_key(record.email) == email
    carries_id = contact.id == record.salesforce_id or record.external_id == contact_key(contact.id)
    return same_email or carries_id or record.id in (contact.netsuite_id, view.chosen)
