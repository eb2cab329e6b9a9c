"""One contact or account with its counterpart: what both systems show now, and what the store remembers of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twinbook.domain.agreement import agreement_on
from twinbook.domain.mapping import COMPANY_ROW, FieldMap, MappingRow
from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.plan import FieldDecision, FieldVerdict, OutcomeKind, TraceStep
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Fields, Key, Link, LinkState, Side, Value
from twinbook.domain.why import sentence, verdict_words
from twinbook.engine.insight.explain import Remembered, remember
from twinbook.engine.insight.looking import Look, Option
from twinbook.store import decisions, flows, links
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision


@dataclass(frozen=True, slots=True)
class Memory:
    """What the store knows of one record: `link` is that of its pair, `decision` what a person decided and is not yet
    carried out, or stands."""

    key: Key
    known: Remembered
    link: Link | None
    decision: Decision | None
    paused: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at; `saw` are the values that it saw."""

    rule: str
    question: str
    answer: bool
    saw: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One mapped field. `agreed` is what Salesforce showed when both sides last agreed, `agreed_in_netsuite` what
    NetSuite did; `verdict` is None where nothing was compared, and `why` says what follows from the three."""

    row: str
    salesforce_field: str
    netsuite_field: str
    salesforce: Value
    netsuite: Value
    agreed: Value
    agreed_in_netsuite: Value
    ever_agreed: bool
    verdict: FieldVerdict | None
    why: str

    @property
    def label(self) -> str:
        return self.salesforce_field or self.netsuite_field

    @property
    def is_empty(self) -> bool:
        values = (self.salesforce, self.netsuite, self.agreed, self.agreed_in_netsuite)
        return not self.differs and all(value in (None, "") for value in values)

    @property
    def differs(self) -> bool:
        return self.verdict not in (None, FieldVerdict.SAME)


@dataclass(frozen=True, slots=True)
class Record:
    """All there is to say about one record. `silence` says why the systems could not be asked; then values and rules
    are those that the store remembers. `paired` answers whether it is on the other side."""

    key: Key
    name: str
    email: str | None
    salesforce_id: str | None
    netsuite_id: str | None
    account_id: str | None
    paired: str
    kind: OutcomeKind | None
    reason: Reason | None
    said: str
    silence: str
    fields: Sequence[FieldLine]
    trace: Sequence[Step]
    choices: Sequence[str]
    options: Mapping[str, Option]
    memory: Memory = field(repr=False)

    @property
    def filled(self) -> list[FieldLine]:
        """The fields that hold something, those that differ first."""
        return sorted((line for line in self.fields if not line.is_empty), key=lambda line: not line.differs)

    @property
    def empty(self) -> list[FieldLine]:
        return [line for line in self.fields if line.is_empty]

    @property
    def open_fields(self) -> list[FieldLine]:
        """The fields that wait for a person."""
        return [line for line in self.fields if line.verdict is FieldVerdict.CONFLICT_REVIEW]

    @property
    def left_out(self) -> bool:
        return self.reason is Reason.LEFT_OUT or bool(
            self.memory.decision and self.memory.decision.choice == LEAVE_OUT
        )


def recall(tx: Tx, key: Key) -> Memory:
    """What the store knows."""
    if key.side is Side.SALESFORCE:
        link = links.by_salesforce(tx, key.entity, [key.id]).get(key.id)
    else:
        link = links.by_netsuite(tx, key.entity, [key.id]).get(key.id)
    decided = decisions.of_records(tx, key.entity, key.side, [key.id]).get(key.id)
    return Memory(key, remember(tx, key), link, decided, flows.state(tx).paused)


def is_known(memory: Memory) -> bool:
    return bool(memory.known.outcome or memory.link or memory.known.queued or memory.known.history)


def looked_at(memory: Memory, look: Look) -> Record:
    """The record as both systems show it now."""
    plan, link = look.plan, memory.link
    return Record(
        look.key,
        look.name or _name(memory),
        look.email,
        look.ids.get(Side.SALESFORCE) or _ids(memory)[0],
        look.ids.get(Side.NETSUITE) or _ids(memory)[1],
        look.account_id,
        _paired(look.key, link),
        plan.outcome,
        plan.reason,
        sentence(plan.outcome, plan.reason, plan.trace, detail=plan.detail),
        "",
        list(_lines(look.mapping, look.fields, link.agreed if link else {}, plan.decisions)),
        [_step(step) for step in plan.trace],
        plan.choices,
        {option.id: option for option in look.options},
        memory,
    )


def remembered(memory: Memory, mapping: FieldMap, silence: str) -> Record:
    """The record as the store remembers it."""
    outcome, link = memory.known.outcome, memory.link
    said = sentence(outcome.kind, outcome.reason, detail=outcome.detail) if outcome else ""
    return Record(
        memory.key,
        _name(memory),
        outcome.email if outcome else None,
        *_ids(memory),
        outcome.account_id if outcome else None,
        _paired(memory.key, link),
        outcome.kind if outcome else None,
        outcome.reason if outcome else None,
        said or "Twinbook has not looked at it yet.",
        silence,
        list(_lines(mapping, {}, link.agreed if link else {}, ())),
        [_stored_step(row) for row in outcome.trace] if outcome else [],
        outcome.choices if outcome else (),
        {},
        memory,
    )


def _lines(
    mapping: FieldMap, shown: Mapping[Side, Fields], agreed: Fields, decided: Iterable[FieldDecision]
) -> Iterator[FieldLine]:
    decisions_ = {item.row: item for item in decided}
    rows = (*mapping.rows, COMPANY_ROW) if COMPANY_ROW.key in decisions_ else mapping.rows
    for row in rows:
        line = _line(row, shown, agreed, decisions_.get(row.key))
        if shown or line.ever_agreed:
            yield line


def _line(
    row: MappingRow, shown: Mapping[Side, Fields], agreed: Fields, decision: FieldDecision | None
) -> FieldLine:
    then = agreement_on(row.key, agreed)
    values = {side: shown.get(side, {}).get(row.field_on(side)) for side in Side}
    if decision is not None and row is COMPANY_ROW:
        values = {Side.SALESFORCE: decision.salesforce, Side.NETSUITE: decision.netsuite}
    return FieldLine(
        row.key,
        row.salesforce,
        row.netsuite,
        values[Side.SALESFORCE],
        values[Side.NETSUITE],
        then.salesforce if then else None,
        then.netsuite if then else None,
        then is not None,
        decision.verdict if decision else None,
        _why(decision),
    )


def _why(decision: FieldDecision | None) -> str:
    if decision is None:
        return ""
    words = verdict_words(decision.verdict)
    if decision.verdict is FieldVerdict.SAME or not decision.why:
        return words
    return f"{words} ({decision.why})"


def _paired(key: Key, link: Link | None) -> str:
    other = key.side.other.system
    what = "contact" if key.entity is Entity.CONTACT else "customer" if other == "NetSuite" else "account"
    if link is None:
        return f"It is not in {other}: no {what} there belongs to it."
    counterpart = link.netsuite_id if key.side is Side.SALESFORCE else link.salesforce_id
    match link.state:
        case LinkState.LINKED:
            return f"It is in {other}: {what} {counterpart} belongs to it."
        case LinkState.CREATING:
            return f"It is being created in {other}."
        case LinkState.CLOSED:
            return f"It was paired with {what} {counterpart or '(unknown)'} in {other}; the pair has ended."


def _ids(memory: Memory) -> tuple[str | None, str | None]:
    key, link, outcome = memory.key, memory.link, memory.known.outcome
    partner = outcome.counterpart_id if outcome else None
    if key.side is Side.SALESFORCE:
        return key.id, (link.netsuite_id if link else None) or partner
    return (link.salesforce_id if link else None) or partner, key.id


def _name(memory: Memory) -> str:
    return memory.known.outcome.name if memory.known.outcome else ""


def _step(step: TraceStep) -> Step:
    return Step(step.rule, step.question, step.answer, dict(step.saw))


def _stored_step(row: dict[str, Any]) -> Step:
    return Step(row["rule"], row["question"], row["answer"], row["saw"])
