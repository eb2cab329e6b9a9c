"""The safety valve: when far more linked records vanish at once than usual, stop and ask, before doing harm.

A permission that was taken away, or a wrong mass delete, looks like thousands of deletes. Twinbook counts the linked
pairs of which one record turned out to be gone within the last hour, whatever the settings make of it. The batch that
takes the number over both limits is not carried out, nor is anything after it, until a person confirms. What was
below the limits has been carried out by then: an ordinary day's work is never held up.

Merges are not counted: nothing vanishes in them, somebody takes the loser's place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twinbook.domain.plan import ContactView
from twinbook.domain.planner import plan_contact
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, LinkState
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.job import Job
from twinbook.store import flows, journal, outcomes, vanished
from twinbook.store.database import Tx
from twinbook.store.journal import Entry

WINDOW_SECONDS = 3600.0

_GONE = (Reason.DELETED_IN_SALESFORCE, Reason.DELETED_IN_NETSUITE, Reason.COUNTERPART_MISSING)
# A record whose last outcome is one of these was counted before, or a person has confirmed it.
_TOLD = (*_GONE, Reason.SAFETY_STOP)


class SafetyValve:
    """Looks at each batch before anything is written for it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(self, jobs: Sequence[Job]) -> None:
        """Let the batch pass, or make all of its plans SAFETY_STOP."""
        gone = [job for job in jobs if has_vanished(job.view) and _matters(job)]
        if not gone:
            return
        now = self._connection.clock.now()
        if await self._connection.store.run(lambda tx: self._holds(tx, gone, now=now)):
            for job in jobs:
                job.view = replace(job.view, stopped=True)
                job.plan = plan_contact(job.view, self._connection.contacts)

    def _holds(self, tx: Tx, gone: Sequence[Job], *, now: float) -> bool:
        if flows.state(tx).stopped:
            return True
        told = outcomes.with_reasons(tx, [job.claimed.key for job in gone], _TOLD)
        news = [job.claimed.key.id for job in gone if job.claimed.key not in told]
        share = vanished.note(tx, Entity.CONTACT, news, now=now, since=now - WINDOW_SECONDS)
        options = self._connection.options
        if share.number <= options.stop_deletes_above or not share.exceeds(options.stop_deletes_percent):
            return False
        why = (
            f"{share.number} of {share.of} linked contacts turned out to be deleted within an hour; "
            f"more than {options.stop_deletes_percent:g} % stop the flow"
        )
        stop(tx, why, now=now)
        return True


def stop(tx: Tx, why: str, *, now: float) -> None:
    """Hold the flow of the connection until a person confirms."""
    flows.stop(tx, why=why, now=now)
    journal.append(tx, [Entry("safety stop", Entity.CONTACT, None, None, why)], now=now)


def has_vanished(view: ContactView) -> bool:
    """Whether one record of a linked pair is gone, and nobody took its place."""
    if view.link is None or view.link.state is not LinkState.LINKED:
        return False
    salesforce = view.salesforce
    if salesforce is None or salesforce.deleted:
        return salesforce is None or salesforce.merged_into is None
    return view.netsuite is None


def _matters(job: Job) -> bool:
    """Whether the plan is about what is gone: something ends, starts anew, or is put before a person."""
    return job.plan.reason in _GONE or job.links
