"""What a dry run comes to, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Entity
from twinbook.engine.connection import ACCOUNTS, CONTACTS, NETSUITE_CONTACTS, Source
from twinbook.engine.insight.preview import Foreseen, Seen

Cell = tuple[OutcomeKind, Reason | None]

_LINKED = {
    OutcomeKind.UPDATED: "would be updated",
    OutcomeKind.UNCHANGED: "are in step already",
}
_WOULD: dict[Source, dict[OutcomeKind, str]] = {
    ACCOUNTS: _LINKED
    | {
        OutcomeKind.CREATED: "would be created in NetSuite as customers",
        OutcomeKind.ADOPTED: "would be linked with a customer that exists",
    },
    CONTACTS: _LINKED
    | {
        OutcomeKind.CREATED: "would be created in NetSuite",
        OutcomeKind.ADOPTED: "would be linked with a NetSuite contact that exists",
    },
    NETSUITE_CONTACTS: {
        OutcomeKind.CREATED: "would be created in Salesforce",
        OutcomeKind.ADOPTED: "would be linked with a Salesforce contact that exists",
    },
}


def meaning_of(part: Source, cell: Cell) -> str:
    """What would become of records of a list, in words."""
    kind, reason = cell
    return _WOULD[part].get(kind) or (CATALOGUE[reason].meaning if reason else "")


@dataclass(slots=True)
class Forecast:
    """How many records of each list would have which outcome for which reason. `released` are contacts that wait for an
    account which would be linked: they are looked at again as soon as it is."""

    counts: dict[Source, Counter[Cell]] = field(default_factory=dict)
    released: int = 0
    _opening: set[str] = field(default_factory=set)

    def take(self, item: Seen) -> Cell:
        """Count one record; accounts are to be taken before contacts."""
        cell = item.plan.outcome, item.plan.reason
        self.counts.setdefault(Source(item.key.entity, item.key.side), Counter())[cell] += 1
        if item.key.entity is Entity.ACCOUNT and cell[0] in (OutcomeKind.CREATED, OutcomeKind.ADOPTED):
            self._opening.add(item.key.id)
        elif isinstance(item, Foreseen) and cell[1] is Reason.ACCOUNT_NOT_SYNCED:
            self.released += item.account_id in self._opening
        return cell

    def of(self, part: Source) -> Counter[Cell]:
        return self.counts.get(part, Counter())
