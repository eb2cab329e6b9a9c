"""Follows the link table from commit to commit: a link never moves without a word in the journal (behaviour.md 9.5)."""

from __future__ import annotations

from tests.simulation.ledger import Ledger

from twinbook.domain.records import LinkState, Side
from twinbook.store.database import Tx

LINKS = "SELECT salesforce_id, netsuite_id, state FROM link WHERE entity = 'contact' AND salesforce_id IS NOT NULL"
NEWS = "SELECT id, salesforce_id, why, who FROM journal WHERE id > ?"


class LinksWatch:
    """Looked at inside each transaction that wrote, so that what it sees is what will be committed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._linked: dict[str, str] = {}
        self._told = 0
        self.problems: list[str] = []

    def look(self, tx: Tx) -> None:
        rows = {id_: (there, state) for id_, there, state in tx.db.exec_driver_sql(LINKS)}
        news = tx.db.exec_driver_sql(NEWS, (self._told,)).all()
        linked = {id_: there for id_, (there, state) in rows.items() if state == LinkState.LINKED and there}
        moved = {id_: there for id_, there in self._linked.items() if linked.get(id_) != there}
        told = {row.salesforce_id for row in news if row.why and row.who}
        for id_, there in moved.items():
            if id_ not in told:
                self.problems.append(
                    f"5 silent move: the link of {id_} with {there} became {rows.get(id_)} without a word"
                )
        self._told = max((row.id for row in news), default=self._told)
        self._linked = linked
        partner, before = self._ledger.partner, dict(self._ledger.partner)
        partner.clear()
        for id_, (there, state) in rows.items():
            if there is not None and state != LinkState.CLOSED:
                if before.get((Side.SALESFORCE, id_)) != there:
                    self._ledger.paired_at[Side.SALESFORCE, id_] = self._ledger.version
                    self._ledger.paired_at[Side.NETSUITE, there] = self._ledger.version
                partner[Side.SALESFORCE, id_] = there
                partner[Side.NETSUITE, there] = id_
