"""Whether anything changed that a page may show: a stamp that differs as soon as something did, read in a moment."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from twinbook.store import flows
from twinbook.store.database import Tx
from twinbook.store.flows import Flow
from twinbook.store.outcomes import Tally
from twinbook.store.schema import audit, incident, journal
from twinbook.web.queries import contacts
from twinbook.web.queries.contacts import Wanted

Stamp = tuple[float, int, int, int, Flow, tuple[Tally, ...]]


def stamp(tx: Tx, cells: Sequence[Tally]) -> Stamp:
    """The latest look at any contact, the last numbers in the journal, the incidents and the audit, the flow, and the
    counts that it was made with."""
    latest = contacts.page(tx, Wanted(), cells, limit=1).rows
    numbers = (
        tx.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0 for table in (journal, incident, audit)
    )
    seen = latest[0].looked_at if latest else 0.0
    last_journal, last_incident, last_audit = numbers
    return (seen, last_journal, last_incident, last_audit, flows.state(tx), tuple(cells))
