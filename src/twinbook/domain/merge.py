"""The three-way merge of behaviour.md section 4: what Salesforce shows, what NetSuite shows, what they last agreed on.

`decide` is the rule for one field. `merge` applies it to all rows of a mapping and says what is to be written where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from twinbook.domain.agreement import Agreement, agreement_on, stored
from twinbook.domain.canonical import spelled_for_salesforce
from twinbook.domain.checks import error, shortened
from twinbook.domain.errors import PermanentError
from twinbook.domain.mapping import ConflictPolicy, FieldMap, MappingRow
from twinbook.domain.plan import FieldDecision, FieldVerdict
from twinbook.domain.ports import Schema
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Fields, Side, Value
from twinbook.domain.resolution import Given, Resolution
from twinbook.domain.rules import Evaluation, Facts

_WON = {
    ConflictPolicy.SALESFORCE: FieldVerdict.CONFLICT_SALESFORCE_WON,
    ConflictPolicy.NETSUITE: FieldVerdict.CONFLICT_NETSUITE_WON,
    ConflictPolicy.REVIEW: FieldVerdict.CONFLICT_REVIEW,
}
_WRITES_TO = {
    FieldVerdict.TO_NETSUITE: Side.NETSUITE,
    FieldVerdict.CONFLICT_SALESFORCE_WON: Side.NETSUITE,
    FieldVerdict.TO_SALESFORCE: Side.SALESFORCE,
    FieldVerdict.CONFLICT_NETSUITE_WON: Side.SALESFORCE,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Both records of a pair, and what governs their merge.

    A side that is None does not exist yet and is to be created. `writable` are the sides that may be written at all;
    `resolve` decides the rows whose conflicts are left to a person, once that person has chosen.
    """

    salesforce: Fields | None
    netsuite: Fields | None
    agreed: Fields
    facts: Facts
    writable: frozenset[Side]
    schemas: Mapping[Side, Schema | None] = field(default_factory=dict)
    resolve: Resolution = field(default_factory=Resolution)

    @property
    def creates(self) -> Side | None:
        if self.salesforce is None:
            return Side.SALESFORCE
        return Side.NETSUITE if self.netsuite is None else None


@dataclass(frozen=True, slots=True)
class Merge:
    """The decisions for all rows, the vendor fields to write, and what is agreed once they are written."""

    decisions: tuple[FieldDecision, ...]
    changes: Mapping[Side, dict[str, Value]]
    agreements: Mapping[str, Agreement]
    errors: tuple[PermanentError, ...]

    @property
    def agreed(self) -> Fields:
        return stored(self.agreements)


def decide(
    salesforce: Value,
    netsuite: Value,
    agreed: Agreement | None,
    *,
    conflict: ConflictPolicy,
    writable: frozenset[Side],
    ignore_blank: bool = False,
) -> tuple[FieldVerdict, str]:
    """The verdict on one field from canonical values, and why. Without an agreement a value beats a blank."""
    if salesforce == netsuite:
        return FieldVerdict.SAME, "both sides show the same"
    then = agreed or Agreement(None, None)
    here = salesforce != then.salesforce and not (ignore_blank and salesforce is None)
    there = netsuite != then.netsuite and not (ignore_blank and netsuite is None)
    if here and there:
        first = "both sides have a value at the first sync" if agreed is None else "both sides changed it"
        return _WON[conflict], f"{first}; policy: {conflict}"
    if here:
        return _one_sided(FieldVerdict.TO_NETSUITE, writable, "Salesforce changed it")
    if there:
        return _one_sided(FieldVerdict.TO_SALESFORCE, writable, "NetSuite changed it")
    if (salesforce, netsuite) == (then.salesforce, then.netsuite):
        return FieldVerdict.SAME, "unchanged since both sides agreed, each in its own spelling"
    return FieldVerdict.LEFT_ALONE, "a blank does not erase here (ignore_blank)"


def target_of(verdict: FieldVerdict, writable: frozenset[Side]) -> Side | None:
    """The side that a verdict writes to, None when it writes nothing."""
    side = _WRITES_TO.get(verdict)
    return side if side in writable else None


def merge(mapping: FieldMap, pair: Pair) -> Merge:
    """Decide every row of the mapping for one pair."""
    decisions: list[FieldDecision] = []
    changes: dict[Side, dict[str, Value]] = {side: {} for side in Side}
    agreements: dict[str, Agreement] = {}
    errors: list[PermanentError] = []
    for row in mapping.rows:
        decided = _RowMerge.of(row, pair).outcome()
        decisions.append(decided.decision)
        if decided.agreement is not None:
            agreements[row.key] = decided.agreement
        if decided.error is not None:
            errors.append(decided.error)
        for side, value in decided.writes.items():
            changes[side][row.field_on(side)] = value
    return Merge(tuple(decisions), changes, agreements, tuple(errors))


@dataclass(frozen=True, slots=True)
class _RowOutcome:
    decision: FieldDecision
    agreement: Agreement | None
    writes: Mapping[Side, Value] = field(default_factory=dict)
    error: PermanentError | None = None


@dataclass(frozen=True, slots=True)
class _RowMerge:
    """One row for one pair: what was agreed on it, and the sides that its values may reach."""

    row: MappingRow
    pair: Pair
    then: Agreement | None
    writable: frozenset[Side]

    @classmethod
    def of(cls, row: MappingRow, pair: Pair) -> Self:
        writable = frozenset([side for side in pair.writable if row.direction.reaches(side)])
        return cls(row, pair, agreement_on(row.key, pair.agreed), writable)

    def outcome(self) -> _RowOutcome:
        applies, computed = self.row.applies(self.pair.facts), self.row.computed(self.pair.facts)
        raw = {
            Side.SALESFORCE: self._raw(Side.SALESFORCE, computed),
            Side.NETSUITE: self._raw(Side.NETSUITE, computed),
        }
        problem = applies.error or (computed.error if computed else None)
        if problem:
            return self._left_alone(raw, problem, error(Reason.EXPRESSION_ERROR, problem, self.row.key))
        obstacle = self._obstacle(when=bool(applies.value))
        if obstacle:
            return self._left_alone(raw, obstacle)
        return self._merged(raw) if self.pair.creates is None else self._created(raw, self.pair.creates)

    def _merged(self, raw: Mapping[Side, Value]) -> _RowOutcome:
        row, shown = self.row, self._shown(raw)
        chosen = self.pair.resolve.on(row) if row.conflict is ConflictPolicy.REVIEW else None
        verdict, why = decide(
            shown.salesforce,
            shown.netsuite,
            self.then,
            conflict=chosen if isinstance(chosen, ConflictPolicy) else row.conflict,
            writable=self.writable,
            ignore_blank=row.ignore_blank,
        )
        if verdict is FieldVerdict.CONFLICT_REVIEW and isinstance(chosen, Given):
            return self._given(chosen.value, shown)
        if verdict is FieldVerdict.SAME:
            return _RowOutcome(self._decision(shown, verdict, why), shown)
        target = target_of(verdict, self.writable)
        if target is None:
            return _RowOutcome(self._decision(shown, verdict, why), self.then)
        return self._written(target, raw, shown, self._decision(shown, verdict, why))

    def _created(self, raw: Mapping[Side, Value], target: Side) -> _RowOutcome:
        """A record that does not exist yet has no values of its own, so nothing can be in conflict."""
        shown = self._shown(raw)
        given = shown.salesforce if target is Side.NETSUITE else shown.netsuite
        if given is None and self.row.default is None:
            return _RowOutcome(
                self._decision(shown, FieldVerdict.SAME, "nothing to send"), Agreement(None, None)
            )
        if target not in self.writable:
            return self._left_alone(raw, f"the mapping does not carry it to {target}")
        verdict = FieldVerdict.TO_NETSUITE if target is Side.NETSUITE else FieldVerdict.TO_SALESFORCE
        return self._written(target, raw, shown, self._decision(shown, verdict, "part of the new record"))

    def _written(
        self, target: Side, raw: Mapping[Side, Value], shown: Agreement, decision: FieldDecision
    ) -> _RowOutcome:
        """A side that already shows what would be written is left in peace."""
        value = self._fitting(target, self.row.written(target, raw[target.other]))
        will_show = self.row.compared(target, value)
        if target is Side.NETSUITE:
            agreement, shows = Agreement(shown.salesforce, will_show), shown.netsuite
        else:
            agreement, shows = Agreement(will_show, shown.netsuite), shown.salesforce
        if will_show == shows and self.pair.creates is None:
            return _RowOutcome(decision, agreement)
        return _RowOutcome(decision, agreement, {target: value})

    def _given(self, value: Value, shown: Agreement) -> _RowOutcome:
        """A third value goes to both sides, or to neither: half of it would be one more conflict."""
        if self.writable != frozenset(Side):
            why = "a value that is given goes to both sides, and the settings carry this field one way only"
            return _RowOutcome(self._decision(shown, FieldVerdict.CONFLICT_REVIEW, why), self.then)
        row = self.row
        here = self._fitting(Side.SALESFORCE, spelled_for_salesforce(row.kind, value))
        there = self._fitting(Side.NETSUITE, row.written(Side.NETSUITE, value))
        will_show = Agreement(row.compared(Side.SALESFORCE, here), row.compared(Side.NETSUITE, there))
        writes: dict[Side, Value] = {}
        if will_show.salesforce != shown.salesforce:
            writes[Side.SALESFORCE] = here
        if will_show.netsuite != shown.netsuite:
            writes[Side.NETSUITE] = there
        decision = self._decision(
            shown, FieldVerdict.CONFLICT_GIVEN, "both sides changed it; a person decided"
        )
        return _RowOutcome(decision, will_show, writes)

    def _fitting(self, target: Side, value: Value) -> Value:
        return shortened(self.row, target, value, self.pair.schemas.get(target))

    def _raw(self, side: Side, computed: Evaluation | None) -> Value:
        if computed is not None and self.row.computes(side):
            return computed.value
        record = self.pair.salesforce if side is Side.SALESFORCE else self.pair.netsuite
        return None if record is None else record.get(self.row.field_on(side))

    def _shown(self, raw: Mapping[Side, Value]) -> Agreement:
        row, created = self.row, self.pair.creates
        return Agreement(
            None if created is Side.SALESFORCE else row.compared(Side.SALESFORCE, raw[Side.SALESFORCE]),
            None if created is Side.NETSUITE else row.compared(Side.NETSUITE, raw[Side.NETSUITE]),
        )

    def _obstacle(self, *, when: bool) -> str | None:
        if not when:
            return f"its condition is false: {self.row.when}"
        if self.row.create_only and self.pair.creates is None:
            return "it is only sent with a new record (create_only)"
        record, name = self.pair.salesforce, self.row.salesforce
        if record is not None and name not in record and not self.row.computes(Side.SALESFORCE):
            return f"Salesforce did not return {name}: the integration user may not read it"
        return None

    def _left_alone(
        self, raw: Mapping[Side, Value], why: str, problem: PermanentError | None = None
    ) -> _RowOutcome:
        decision = self._decision(self._shown(raw), FieldVerdict.LEFT_ALONE, why)
        return _RowOutcome(decision, self.then, error=problem)

    def _decision(self, shown: Agreement, verdict: FieldVerdict, why: str) -> FieldDecision:
        agreed = self.then.salesforce if self.then else None
        return FieldDecision(self.row.key, shown.salesforce, shown.netsuite, agreed, verdict, why)


def _one_sided(verdict: FieldVerdict, writable: frozenset[Side], why: str) -> tuple[FieldVerdict, str]:
    if target_of(verdict, writable) is None:
        return FieldVerdict.LEFT_ALONE, f"{why}; the settings do not carry it to {_WRITES_TO[verdict]}"
    return verdict, why
