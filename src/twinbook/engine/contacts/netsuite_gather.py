"""Reading what the planner needs to know of NetSuite contacts that have no link (behaviour.md 3).

For a batch: one read of NetSuite, one of the accounts of their companies, and, only for contacts that could be linked,
one search in Salesforce by email and by the ids that both sides carry. Where contacts go both ways, one more in
NetSuite for those that would be linked: who else has their email.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.canonical import email_key
from twinbook.domain.ids import contact_key, named_by
from twinbook.domain.plan import Action, ContactPlan, ContactView, Gate, SalesforceCandidate
from twinbook.domain.planner import plan_contact, seeks_counterpart
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Link, LinkState, NetSuiteContact, SalesforceContact, Sent, Side
from twinbook.engine.accounts.gates import gates_of
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.candidates import owned
from twinbook.store import decisions, flows, links
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision
from twinbook.store.flows import Flow


@dataclass(frozen=True, slots=True)
class ConsideredNetSuite:
    """A NetSuite contact without a link, everything the planner saw of it, and what it decided."""

    view: ContactView
    plan: ContactPlan
    decision: Decision | None = None


class NetSuiteGatherer:
    """Builds views of NetSuite contacts and has them planned. It writes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def consider(self, ids: Sequence[str]) -> dict[str, ConsideredNetSuite]:
        """Plans by NetSuite id, ≤ 200 of them; `view.netsuite` is None where the contact is gone."""
        views, decided = await self._views(ids)
        considered = {id_: self._plan(view) for id_, view in views.items()}
        open_ = [id_ for id_, found in considered.items() if seeks_counterpart(found.plan)]
        contacts = [contact for id_ in open_ if (contact := views[id_].netsuite) is not None]
        candidates = await self._candidates(contacts)
        for contact in contacts:
            concerning = tuple(item for item in candidates if _concerns(item.record, contact))
            considered[contact.id] = self._plan(replace(views[contact.id], salesforce_candidates=concerning))
        considered |= await self._with_rivals(considered)
        return {id_: replace(found, decision=decided.get(id_)) for id_, found in considered.items()}

    async def _with_rivals(
        self, considered: Mapping[str, ConsideredNetSuite]
    ) -> dict[str, ConsideredNetSuite]:
        """Those that would adopt, planned once more with the NetSuite contacts that share their email: seen from
        Salesforce, one of those may be the counterpart as well."""
        if not self._connection.contacts.direction.reaches(Side.NETSUITE):
            return {}
        adopting = [found.view for found in considered.values() if found.plan.action is Action.ADOPT]
        emails = {email for view in adopting if (email := _email_of(view))}
        if not emails:
            return {}
        found = await self._connection.netsuite.find_contacts(ContactQuery(emails=frozenset(emails)))
        rivals = await owned(self._connection, found)
        planned = {}
        for view in adopting:
            sharing = tuple(item for item in rivals if email_key(item.record.email) == _email_of(view))
            if view.netsuite is not None:
                planned[view.netsuite.id] = self._plan(replace(view, candidates=sharing))
        return planned

    def _plan(self, view: ContactView) -> ConsideredNetSuite:
        return ConsideredNetSuite(view, plan_contact(view, self._connection.contacts))

    async def _views(self, ids: Sequence[str]) -> tuple[dict[str, ContactView], dict[str, Decision]]:
        connection = self._connection

        def remembered(tx: Tx) -> tuple[Flow, dict[str, Decision], dict[str, tuple[Sent, ...]]]:
            decided = decisions.of_records(tx, Entity.CONTACT, Side.NETSUITE, ids)
            return flows.state(tx), decided, links.cut_off(tx, Entity.CONTACT, ids)

        flow, decided, sent = await connection.store.read(remembered)
        found = await connection.netsuite.find_contacts(ContactQuery(ids=frozenset(ids)))
        contacts = {contact.id: contact for contact in found}
        gates = await gates_of(
            connection.salesforce,
            (contact.company_id for contact in found if contact.company_is_customer),
        )
        views = {}
        for id_ in ids:
            contact = contacts.get(id_)
            gate = gates.get(contact.company_id or "" if contact else "", Gate(None))
            views[id_] = ContactView(
                gate,
                netsuite=contact,
                netsuite_gate=gate,
                chosen=decided[id_].choice if id_ in decided else None,
                sent=sent.get(id_, ()),
                paused=flow.paused,
                stopped=flow.stopped,
            )
        return views, decided

    async def _candidates(self, contacts: Sequence[NetSuiteContact]) -> Sequence[SalesforceCandidate]:
        """Salesforce contacts with one of these emails or one of the ids that either side carries."""
        if not contacts:
            return ()
        salesforce = self._connection.salesforce
        emails = {email for contact in contacts if (email := email_key(contact.email))}
        named = {id_ for contact in contacts if (id_ := named_by(contact.salesforce_id, contact.external_id))}
        found, read = await asyncio.gather(
            salesforce.find_contacts(
                emails=sorted(emails), netsuite_ids=sorted(contact.id for contact in contacts)
            ),
            self._read(sorted(named)),
        )
        records = {record.id: record for record in (*found, *read.values()) if not record.deleted}
        owners = await self._owners(records, {contact.id for contact in contacts})
        return [SalesforceCandidate(record, owners.get(id_)) for id_, record in records.items()]

    async def _read(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        return await self._connection.salesforce.read_contacts(ids) if ids else {}

    async def _owners(
        self, records: Mapping[str, SalesforceContact], known: Collection[str]
    ) -> dict[str, str | None]:
        """Whom the Salesforce contacts belong to: by the link table, else by the NetSuite id they carry, as long as
        that NetSuite contact exists. `known` are ids that do."""
        linked = await self._connection.store.read(
            lambda tx: links.by_salesforce(tx, Entity.CONTACT, list(records))
        )
        owners = {id_: link.netsuite_id for id_, link in linked.items() if _binds(link)}
        carried = {id_: record.netsuite_id for id_, record in records.items() if id_ not in owners}
        doubtful = frozenset(id_ for id_ in carried.values() if id_ and id_ not in known)
        alive = set(known)
        if doubtful:
            found = await self._connection.netsuite.find_contacts(ContactQuery(ids=doubtful))
            alive |= {contact.id for contact in found}
        return owners | {id_: owner for id_, owner in carried.items() if owner in alive}


def _binds(link: Link) -> bool:
    return link.state is not LinkState.CLOSED and link.netsuite_id is not None


def _email_of(view: ContactView) -> str | None:
    return email_key(view.netsuite.email) if view.netsuite else None


def _concerns(record: SalesforceContact, contact: NetSuiteContact) -> bool:
    email = email_key(contact.email)
    same_email = email is not None and email_key(record.fields.get("Email")) == email
    carries_id = contact.id == record.netsuite_id
    is_named = record.id == contact.salesforce_id or contact.external_id == contact_key(record.id)
    return same_email or carries_id or is_named
