"""Lanes: each takes the most urgent keys that no other lane works on, works them off, and stores what came of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import structlog

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Side
from twinbook.engine.accounts.work import AccountWork
from twinbook.engine.budget import GATHERING_SECONDS, Level
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.netsuite_work import NetSuiteWork
from twinbook.engine.contacts.work import ContactWork
from twinbook.engine.lease import Lease, LeaseLostError
from twinbook.engine.report import PutBack, Report, Settled
from twinbook.engine.running.lead_work import LeadWork
from twinbook.store import dirty_keys
from twinbook.store.database import StoreUnavailableError, Tx
from twinbook.store.dirty_keys import Claimed, Priority
from twinbook.store.outcomes import Outcome

log = structlog.get_logger()

# Keys that a lane takes together where there are so many; with fewer a first sync of 200 contacts reached 73 % of
# NetSuite's budget, with so many 93 %.
SMALLEST_SHARE = 50

# Seconds after which an idle lane looks at the queue although nobody rang.
LONGEST_SLEEP = 30.0

# Before a store that is away is asked again; it was waited for already.
STORE_AWAY_SECONDS = 1.0

# Keys of one claim are worked on in this order: what leads to records, then gates, then contacts.
ORDER = (
    (LeadWork, lambda key: key.entity.leads_elsewhere),
    (AccountWork, lambda key: key.entity is Entity.ACCOUNT),
    (NetSuiteWork, lambda key: key.entity is Entity.CONTACT and key.side is Side.NETSUITE),
    (ContactWork, lambda key: key.entity is Entity.CONTACT and key.side is Side.SALESFORCE),
)


class Lane:
    """One worker over the queue. `least_urgent` keeps a lane free for urgent work."""

    def __init__(self, connection: Connection, *, least_urgent: Priority = Priority.SWEEP) -> None:
        self._connection = connection
        self._least_urgent = least_urgent
        self._stopping = False
        self._lease: Lease | None = None

    @property
    def stopping(self) -> bool:
        return self._stopping

    def stop(self) -> None:
        """Take no further batch."""
        self._stopping = True

    def break_off(self) -> None:
        """Begin nothing more in the batch that is being worked on: what is left of it goes back to the queue."""
        if self._lease is not None:
            self._lease.revoke()

    async def run(self) -> None:
        """Work until stopped; with nothing to do, wait for the bell."""
        wake = self._connection.wake
        while not self._stopping:
            rings = wake.rings
            await self.drain()
            if not self._stopping:
                await wake.wait(LONGEST_SLEEP, since=rings)

    async def drain(self, *, at_most: float = math.inf) -> None:
        """Work off what is due, with no batch begun after so many seconds."""
        clock = self._connection.clock
        began = clock.monotonic()
        while not self._stopping and clock.monotonic() - began < at_most:
            try:
                batch = await self._take()
                if batch is None:
                    return
                await self._work(*batch)
                if self._connection.level is Level.SCARCE:
                    # What comes in meanwhile shares the calls of the next batch.
                    await clock.sleep(GATHERING_SECONDS)
            except StoreUnavailableError as away:
                # What was claimed comes back when its lease has run out.
                log.warning("store-unavailable", connection=self._connection.name, why=str(away))
                await clock.sleep(STORE_AWAY_SECONDS)

    async def _take(self) -> tuple[Lease, list[Claimed]] | None:
        connection, options = self._connection, self._connection.options
        token, started, now = connection.new_token(), connection.clock.monotonic(), connection.clock.now()

        def claim(tx: Tx) -> list[Claimed]:
            # A lane leaves work for the others, but not crumbs: each batch costs its reads, and the writes of one
            # batch go out side by side anyway.
            due = dirty_keys.due_at_most(tx, now=now, cap=options.batch * options.lanes)
            if not due:
                return []
            return dirty_keys.claim(
                tx,
                token=token,
                limit=min(options.batch, max(SMALLEST_SHARE, -(-due // options.lanes))),
                now=now,
                lease_until=now + options.lease_seconds,
                least_urgent=min(self._least_urgent, connection.level.least_urgent),
            )

        claimed = await connection.store.run(claim)
        lease = Lease(connection.clock, token, options.lease_seconds, started)
        return (lease, claimed) if claimed else None

    async def _work(self, lease: Lease, batch: Sequence[Claimed]) -> None:
        connection = self._connection
        self._lease = lease
        async with lease.renewed(connection.store):
            with connection.urgency(min(item.priority for item in batch)):
                report = await self._report(lease, batch)
        self._lease = None
        now = connection.clock.now()
        await connection.store.run(lambda tx: report.store(tx, token=lease.token, now=now))
        if report.marks:
            connection.wake.ring()

    async def _report(self, lease: Lease, batch: Sequence[Claimed]) -> Report:
        report = Report(began=self._connection.clock.now())
        for work, belongs in ORDER:
            part = [item for item in batch if belongs(item.key)]
            if part:
                await self._attempt(work(self._connection, lease), part, report)
        return report

    async def _attempt(
        self,
        work: LeadWork | AccountWork | NetSuiteWork | ContactWork,
        part: Sequence[Claimed],
        report: Report,
    ) -> None:
        """Work on a part of the batch. A failed call puts all of it back; an unforeseen fault is narrowed down to
        the record that causes it, so that one poisonous record never holds up the others."""
        mine = Report()
        try:
            await work.process(part, mine)
        except LeaseLostError:
            log.warning("lease-lost", connection=self._connection.name, keys=len(part))
            mine = Report(put_back=[PutBack(item, self._connection.clock.now()) for item in part])
        except SideError as error:
            mine = Report(put_back=[self._later(item, error) for item in part])
        except StoreUnavailableError:
            raise
        except Exception as fault:
            if len(part) > 1:
                log.exception("fault-in-batch", connection=self._connection.name, keys=len(part))
                for item in part:
                    await self._attempt(work, [item], report)
                return
            log.exception("unforeseen-fault", connection=self._connection.name, entity=part[0].key.entity)
            mine = Report(settled=[self._poisonous(part[0], fault)])
        report.settled += mine.settled
        report.put_back += mine.put_back
        report.marks += mine.marks

    def _later(self, item: Claimed, error: SideError) -> PutBack:
        wait = self._connection.backoff(error, item.attempts)
        return PutBack(item, self._connection.clock.now() + wait, error)

    def _poisonous(self, item: Claimed, fault: Exception) -> Settled:
        """It is shown as failed and holds nothing that others wait for; another look at it comes by itself, for it may
        have been the circumstances."""
        error = PermanentError(
            "INTERNAL_ERROR",
            f"Twinbook itself failed on this record ({type(fault).__name__}).",
            remedy="It is tried again by itself. If it stays, report it as a defect of Twinbook, with the log lines "
            "around this time.",
        )
        outcome = Outcome(item.key, OutcomeKind.FAILED, Reason.INTERNAL_ERROR, error.message)
        wait = self._connection.backoff(error, item.attempts)
        return Settled(item, outcome, error=error, again_at=self._connection.clock.now() + wait)
