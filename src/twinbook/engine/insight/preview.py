"""A dry run: what would happen to every contact, without writing anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.canonical import email_key
from twinbook.domain.plan import Action, Candidate, ContactPlan, ContactView
from twinbook.domain.planner import plan_contact
from twinbook.domain.records import Entity, NetSuiteContact, display_name
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import Considered, Gatherer


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One contact of the dry run. `candidates` are the NetSuite contacts that were looked at for it, `decided` is what
    a person chose for it."""

    salesforce_id: str
    name: str
    email: str | None
    account: str | None
    plan: ContactPlan
    candidates: tuple[Candidate, ...] = ()
    decided: str | None = None


class Preview:
    """Plans all contacts page by page, in constant memory but for the emails that would be created."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._gatherer = Gatherer(connection)
        self._claimed: dict[str, str] = {}

    async def contacts(self) -> AsyncIterator[Foreseen]:
        after: str | None = None
        while True:
            page = await self._connection.salesforce.list_keys(Entity.CONTACT, after)
            ids = [key.id for key in page.keys]
            size = self._connection.options.batch
            for start in range(0, len(ids), size):
                for found in await self.plan(ids[start : start + size]):
                    yield found
            if page.next is None:
                return
            after = page.next

    async def plan(self, ids: Sequence[str]) -> list[Foreseen]:
        considered = await self._gatherer.consider(ids)
        return [self._foresee(considered[id_]) for id_ in ids]

    def _foresee(self, found: Considered) -> Foreseen:
        contact = found.view.salesforce
        assert contact is not None  # noqa: S101 - the gatherer always gives one
        plan = self._after_others(found)
        return Foreseen(
            contact.id,
            display_name(contact),
            email_key(contact.fields.get("Email")),
            contact.account_name,
            plan,
            found.view.candidates,
            found.view.chosen,
        )

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
