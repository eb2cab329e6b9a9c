"""What the history keeps of each field that is written: whose value it is, who saved it there, when that was noticed,
and whether the value before it lost a conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from twinbook.domain.mapping import MappingRow
from twinbook.domain.plan import FieldDecision, FieldVerdict
from twinbook.domain.records import Fields, Side
from twinbook.store.journal import Change

_SOURCES = {
    FieldVerdict.TO_NETSUITE: Side.SALESFORCE,
    FieldVerdict.CONFLICT_SALESFORCE_WON: Side.SALESFORCE,
    FieldVerdict.TO_SALESFORCE: Side.NETSUITE,
    FieldVerdict.CONFLICT_NETSUITE_WON: Side.NETSUITE,
}
_CONFLICTS = frozenset(
    {
        FieldVerdict.CONFLICT_SALESFORCE_WON,
        FieldVerdict.CONFLICT_NETSUITE_WON,
        FieldVerdict.CONFLICT_GIVEN,
    }
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of the values of one look at one pair. `seen_at` is when a change was noticed (epoch seconds),
    `saved_by` who saved each side's record last: NetSuite does not tell."""

    rows: Iterable[MappingRow]
    decisions: Iterable[FieldDecision]
    seen_at: float
    saved_by: Mapping[Side, str | None] = field(default_factory=dict)

    def changes(self, side: Side, written: Fields, before: Fields) -> tuple[Change, ...]:
        """The journal's changes for the fields that were written to `side`. Fields that no row decided are Twinbook's
        own: ids, status, the composed name."""
        decided = {decision.row: decision for decision in self.decisions}
        by_field = {row.field_on(side): decided[row.key] for row in self.rows if row.key in decided}
        return tuple(
            self._change(Change(side, name, before.get(name), value), by_field.get(name))
            for name, value in written.items()
        )

    def _change(self, change: Change, decision: FieldDecision | None) -> Change:
        if decision is None:
            return change
        source = _SOURCES.get(decision.verdict)
        return Change(
            change.side,
            change.field,
            change.before,
            change.after,
            source=source,
            saved_by=self.saved_by.get(source) if source else None,
            seen_at=self.seen_at,
            lost=decision.verdict in _CONFLICTS,
        )
