"""Attaching linked contacts to further customers, with roles: a step of its own after a contact is in step.

It begins when the pair is linked and its fields are written, and a failure here only puts the contact's key back: the
next look finds the link, so nothing is ever created twice. Every step may be repeated. What is about to be attached
is remembered first, so that a lost answer leaves no attachment that nobody would ever take back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twinbook.domain.attachments import UNCONFIRMED, Attach, Attachments, Step, steps
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ports import Failed, WriteResult
from twinbook.domain.records import Entity, Side
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import all_done
from twinbook.engine.contacts.job import IN_STEP, Job
from twinbook.engine.lease import Lease
from twinbook.store import attachments, journal, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.journal import Entry


@dataclass(slots=True)
class _Part:
    """What one contact needs, and how far it came: what was done, and why the step after it was not."""

    job: Job
    contact_id: str
    steps: tuple[Step, ...]
    done: list[Step] = field(default_factory=list)
    error: SideError | None = None
    call_failed: bool = False

    @property
    def refused(self) -> Step | None:
        """The step that NetSuite refused for good."""
        final = isinstance(self.error, PermanentError) and not self.call_failed
        return self.steps[len(self.done)] if final else None


class AttachmentWork:
    """Brings the attachments of a batch of contacts up to date."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection = connection
        self._lease = lease

    async def carry_out(self, jobs: Sequence[Job], *, began: float) -> None:
        """Attach, change roles, detach. `began` is the time before the contacts were read."""
        policy = self._connection.contacts
        if not (policy.attachments.relations and policy.direction.reaches(Side.NETSUITE)):
            return
        parts = await self._parts(
            [job for job in jobs if job.error is None and job.netsuite_id and job.plan.outcome in IN_STEP]
        )
        if not parts:
            return
        now = self._connection.clock.now()
        await self._connection.store.run(lambda tx: _announce(tx, parts, now=now))
        await all_done(self._write(part) for part in parts)
        now = self._connection.clock.now()
        await self._connection.store.run(lambda tx: _conclude(tx, parts, began, now=now))

    async def _parts(self, jobs: Sequence[Job]) -> list[_Part]:
        ids = [job.netsuite_id for job in jobs if job.netsuite_id]
        if not ids:
            return []
        made = await self._connection.store.read(lambda tx: attachments.made(tx, ids))
        policy = self._connection.contacts.attachments
        nothing: Attachments = {}
        found = [
            _Part(job, id_, steps(job.contact, policy, made.get(id_, nothing)))
            for job, id_ in zip(jobs, ids, strict=True)
        ]
        return [part for part in found if part.steps]

    async def _write(self, part: _Part) -> None:
        """One step after the other, up to the first that fails."""
        for step in part.steps:
            self._lease.check()
            result = await self._send(part.contact_id, step)
            if isinstance(result, Failed):
                part.error, part.call_failed = result.error, result.of_call
                return
            part.done.append(step)

    async def _send(self, contact_id: str, step: Step) -> WriteResult:
        netsuite = self._connection.netsuite
        if isinstance(step, Attach):
            return await netsuite.attach(step.customer_id, contact_id, step.role_id)
        return await netsuite.detach(step.customer_id, contact_id)


def _announce(tx: Tx, parts: Sequence[_Part], *, now: float) -> None:
    for part in parts:
        for step in part.steps:
            if isinstance(step, Attach) and step.anew:
                attachments.remember(tx, part.contact_id, step.customer_id, UNCONFIRMED, now=now)


def _conclude(tx: Tx, parts: Sequence[_Part], began: float, *, now: float) -> None:
    for part in parts:
        _remember(tx, part, began, now=now)


def _remember(tx: Tx, part: _Part, began: float, *, now: float) -> None:
    """What NetSuite confirmed, in one transaction with its lines in the journal.

    A contact that has to come back only for its attachments is told as what it is already.
    """
    for step in part.done:
        if isinstance(step, Attach):
            attachments.remember(tx, part.contact_id, step.customer_id, step.role_id, now=now)
        else:
            attachments.forget(tx, part.contact_id, step.customer_id)
    refused = part.refused
    if isinstance(refused, Attach) and refused.anew:
        attachments.forget(tx, part.contact_id, refused.customer_id)
    if part.error is not None and refused is None:
        settled = part.job.settled()
        outcomes.record(tx, [settled.outcome] if settled.outcome else [], looked_at=began, now=now)
        journal.append(tx, settled.entries, now=now)
        links.told(tx, Entity.CONTACT, [part.job.contact.id])
    part.job.error, part.job.call_failed = part.error, part.call_failed
    journal.append(tx, [_entry(part, step) for step in part.done], now=now)


def _entry(part: _Part, step: Step) -> Entry:
    """The roles stand in the sentence, not among the changes: those are fields, which undo would write back."""
    job = part.job
    if isinstance(step, Attach):
        what = "attached" if step.anew else "role changed"
        why = f"Salesforce relates it to the account of customer {step.customer_id}; {_roles(step)}"
    else:
        what = "detached"
        why = f"Salesforce no longer relates it to the account of customer {step.customer_id}"
    return Entry(
        what,
        Entity.CONTACT,
        job.contact.id,
        part.contact_id,
        f"{why}; {job.claimed.cause}",
        run_id=job.claimed.run_id,
    )


def _roles(step: Attach) -> str:
    after = f"contact role {step.role_id}" if step.role_id else "no contact role"
    return f"{after}, before {step.before}" if step.before else after
