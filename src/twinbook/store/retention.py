"""Letting go of history: what is older than the settings say is deleted, in batches small enough to hold up nobody.

Links, the queue, cursors, outcomes and open incidents are the present and are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.store.answered import forget_old
from twinbook.store.database import Tx
from twinbook.store.runs import ENDED, RunKind
from twinbook.store.schema import dirty, incident, journal, run

# Rows that one transaction deletes.
AT_ONCE = 1000

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days finished things are kept. A sweep's drift ends with its run."""

    journal_days: int = 730
    incident_days: int = 180
    run_days: int = 365
    drift_days: int = 90


def prune(tx: Tx, kept: Retention, *, now: float) -> int:
    """Delete one batch of what is too old; the number of rows, 0 when nothing is left to delete."""
    too_old = (
        (journal, journal.c.at < now - kept.journal_days * DAY),
        (incident, incident.c.closed_at < now - kept.incident_days * DAY),
        (run, _finished(now - kept.drift_days * DAY) & (run.c.kind == RunKind.SWEEP)),
        (run, _finished(now - kept.run_days * DAY)),
    )
    for table, is_too_old in too_old:
        chosen = sa.select(table.c.id).where(table.c.scope == tx.scope, is_too_old)
        oldest = chosen.order_by(table.c.id).limit(AT_ONCE).subquery()
        deleted = tx.execute(sa.delete(table).where(table.c.id.in_(sa.select(oldest.c.id)))).rowcount
        if deleted:
            return deleted
    return forget_old(tx, now=now)


def _finished(before: float) -> sa.ColumnElement[bool]:
    """Runs that ended before then and that no key in the queue still refers to."""
    waiting = sa.exists().where(dirty.c.run_id == run.c.id)
    return sa.and_(run.c.state.in_(ENDED), run.c.finished_at < before, ~waiting)
