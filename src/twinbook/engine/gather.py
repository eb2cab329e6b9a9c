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
from twinbook.domain.ids import contact_key, salesforce_id_of
from twinbook.domain.plan import Candidate, ContactPlan, ContactView, Gate
from twinbook.domain.planner import plan_contact, seeks_counterpart
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Link, LinkState, NetSuiteContact, SalesforceContact, Side
from twinbook.engine.connection import Connection
from twinbook.engine.gates import gates_of
from twinbook.store import flows, links
from twinbook.store.database import Tx


@dataclass(frozen=True, slots=True)
class Considered:
    """A contact, everything the planner saw of it, and what it decided."""

    view: ContactView
    plan: ContactPlan
    has_intent: bool = False


class Gatherer:
    """Builds views of contacts and has them planned. It writes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def consider(self, ids: Sequence[str]) -> dict[str, Considered]:
        """Plans for Salesforce contacts by id, ≤ 200 of them. Raises what the ports raise."""
        views, intents = await self._views(ids)
        considered = {
            id_: replace(self._plan(view), has_intent=id_ in intents) for id_, view in views.items()
        }
        open_ = [id_ for id_, found in considered.items() if _is_provisional(found.plan)]
        if open_:
            completed = await self._complete([considered[id_].view for id_ in open_])
            considered |= {
                id_: replace(self._plan(view), has_intent=id_ in intents)
                for id_, view in zip(open_, completed, strict=True)
            }
        return considered

    async def candidates_named(self, name: str) -> tuple[Candidate, ...]:
        """NetSuite contacts that bear this name, with whom they belong to."""
        found = await self._connection.netsuite.find_contacts(ContactQuery(names=frozenset({name})))
        return await self._candidates(found)

    def _plan(self, view: ContactView) -> Considered:
        return Considered(view, plan_contact(view, self._connection.contacts))

    async def _views(self, ids: Sequence[str]) -> tuple[dict[str, ContactView], set[str]]:
        """The views without candidates, and the contacts for which an intent is stored."""
        connection = self._connection

        def remembered(tx: Tx) -> tuple[bool, dict[str, Link]]:
            return flows.state(tx).paused, links.by_salesforce(tx, Entity.CONTACT, ids)

        paused, known = await connection.store.run(remembered)
        contacts, counterparts = await asyncio.gather(
            connection.salesforce.read_contacts(ids), self._counterparts(known.values())
        )
        views = {}
        for id_ in ids:
            contact = contacts.get(id_) or _purged(id_)
            # An intent without a result is no link: the contact is looked for by its Salesforce id, which finds
            # whatever became of the write.
            link = known.get(id_)
            link = None if link is None or link.state is LinkState.CREATING else link
            counterpart = counterparts.get(link.netsuite_id or "") if link else None
            views[id_] = ContactView(_gate(contact), contact, counterpart, link, paused=paused)
        return await self._with_companies(views), {id_ for id_, link in known.items() if _is_own_intent(link)}

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

    async def _complete(self, views: Sequence[ContactView]) -> list[ContactView]:
        """Add candidates and the customer's subsidiary to views that need them."""
        contacts = [view.salesforce for view in views if view.salesforce is not None]
        emails = {email for contact in contacts if (email := _email(contact))}
        ids = frozenset(contact.id for contact in contacts)
        stored = frozenset(contact.netsuite_id for contact in contacts if contact.netsuite_id)
        found, subsidiaries = await asyncio.gather(
            self._connection.netsuite.find_contacts(
                ContactQuery(ids=stored, emails=frozenset(emails), salesforce_ids=ids)
            ),
            self._subsidiaries({view.gate.customer_id for view in views if view.gate.customer_id}),
        )
        candidates = await self._candidates(found)
        return [
            replace(
                view,
                gate=replace(view.gate, subsidiary_id=subsidiaries.get(view.gate.customer_id or "")),
                candidates=tuple(
                    candidate for candidate in candidates if _concerns(candidate, view.salesforce)
                ),
            )
            for view in views
        ]

    async def _subsidiaries(self, customer_ids: set[str]) -> Mapping[str, str | None]:
        if not customer_ids:
            return {}
        customers = await self._connection.netsuite.find_customers(ids=sorted(customer_ids))
        return {customer.id: customer.subsidiary_id for customer in customers}

    async def _candidates(self, found: Sequence[NetSuiteContact]) -> tuple[Candidate, ...]:
        """Who the found contacts belong to: by the link table, else by the Salesforce id they carry, as long as
        that Salesforce contact is alive."""
        ids = [contact.id for contact in found]
        known = await self._connection.store.run(lambda tx: links.by_netsuite(tx, Entity.CONTACT, ids))
        claims = {contact.id: _claimed_by(contact) for contact in found if contact.id not in known}
        alive = await self._alive({id_ for id_ in claims.values() if id_})
        owners: dict[str, str | None] = {id_: link.salesforce_id for id_, link in known.items()}
        owners |= {id_: owner for id_, owner in claims.items() if owner in alive}
        return tuple(Candidate(contact, owners.get(contact.id)) for contact in found)

    async def _alive(self, ids: set[str]) -> set[str]:
        if not ids:
            return set()
        ordered = sorted(ids)
        size = self._connection.options.batch
        alive: set[str] = set()
        for start in range(0, len(ordered), size):
            contacts = await self._connection.salesforce.read_contacts(ordered[start : start + size])
            alive |= {id_ for id_, contact in contacts.items() if not contact.deleted}
        return alive


async def all_done(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do pieces of work side by side; none is left running when another one fails."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _is_provisional(plan: ContactPlan) -> bool:
    """Whether the plan may change once candidates and the customer's subsidiary are known."""
    return seeks_counterpart(plan) or "company" in plan.netsuite_changes


def _gate(contact: SalesforceContact) -> Gate:
    return Gate(contact.account_id, contact.account_name, contact.account_customer_id)


def _purged(id_: str) -> SalesforceContact:
    """What stands for a contact that Salesforce no longer knows at all."""
    return SalesforceContact(id_, fields={}, version="", deleted=True)


def _is_own_intent(link: Link) -> bool:
    return link.state is LinkState.CREATING and link.correlation_id == contact_key(link.salesforce_id)


def _email(contact: SalesforceContact) -> str | None:
    return email_key(contact.fields.get("Email"))


def _concerns(candidate: Candidate, contact: SalesforceContact | None) -> bool:
    if contact is None:
        return False
    record = candidate.record
    email = _email(contact)
    same_email = email is not None and email_key(record.email) == email
    carries_id = contact.id == record.salesforce_id or record.external_id == contact_key(contact.id)
    return same_email or carries_id or record.id == contact.netsuite_id


def _claimed_by(contact: NetSuiteContact) -> str | None:
    return contact.salesforce_id or salesforce_id_of(contact.external_id)
