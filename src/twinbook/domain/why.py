"""Why a record is where it is, in a sentence that a person can read.

Works from a plan as well as from what a store kept of it: the outcome, the reason, the trace.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.domain.plan import AccountPlan, ContactPlan, FieldDecision, FieldVerdict, OutcomeKind, TraceStep
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Value

_OPENINGS = {
    OutcomeKind.CREATED: "A new record is created on the other side.",
    OutcomeKind.ADOPTED: "It is linked with a record that was already there.",
    OutcomeKind.UPDATED: "It is linked, and what had changed is written.",
    OutcomeKind.UNCHANGED: "Both sides are in step; there is nothing to write.",
    OutcomeKind.SKIPPED: "Not synced.",
    OutcomeKind.WAITING: "Waiting.",
    OutcomeKind.REVIEW: "A person has to decide.",
    OutcomeKind.FAILED: "It could not be synced.",
}

_VERDICTS = {
    FieldVerdict.SAME: "the same on both sides",
    FieldVerdict.TO_NETSUITE: "goes to NetSuite",
    FieldVerdict.TO_SALESFORCE: "goes to Salesforce",
    FieldVerdict.LEFT_ALONE: "left alone",
    FieldVerdict.CONFLICT_SALESFORCE_WON: "changed on both sides: Salesforce's value counts",
    FieldVerdict.CONFLICT_NETSUITE_WON: "changed on both sides: NetSuite's value counts",
    FieldVerdict.CONFLICT_GIVEN: "changed on both sides: the value that a person gave counts",
    FieldVerdict.CONFLICT_REVIEW: "changed on both sides: a person has to choose",
}


def sentence_of(plan: ContactPlan | AccountPlan) -> str:
    """The explanation of a plan."""
    return sentence(plan.outcome, plan.reason, plan.trace, detail=plan.detail, choices=plan.choices)


def sentence(
    outcome: OutcomeKind,
    reason: Reason | None,
    trace: Sequence[TraceStep] = (),
    *,
    detail: str = "",
    choices: Sequence[str] = (),
) -> str:
    """What came of a record, why, on what grounds, and what to do: one short paragraph."""
    parts = [_OPENINGS[outcome]]
    if reason is not None:
        parts.append(CATALOGUE[reason].meaning)
    grounds = _grounds(trace)
    if grounds:
        parts.append(f"Seen: {grounds}.")
    if detail:
        parts.append(f"{detail[0].upper()}{detail[1:]}.")
    if choices:
        parts.append(f"To choose from: {', '.join(choices)}.")
    if reason is not None:
        parts.append(CATALOGUE[reason].remedy)
    return " ".join(parts)


def field_sentence(decision: FieldDecision) -> str:
    """One line about one field: what both sides show, what was agreed, and what follows."""
    why = f" ({decision.why})" if decision.why else ""
    agreed = f", agreed {_quoted(decision.agreed)}"
    return f"{decision.row}: {both_values(decision)}{agreed}: {_VERDICTS[decision.verdict]}{why}"


def verdict_words(verdict: FieldVerdict) -> str:
    """What was decided about one field."""
    return _VERDICTS[verdict]


def both_values(decision: FieldDecision) -> str:
    """What both sides show of one field."""
    return f"Salesforce {_quoted(decision.salesforce)}, NetSuite {_quoted(decision.netsuite)}"


def deciding_step(trace: Sequence[TraceStep]) -> TraceStep | None:
    """The row that decided: the last one that applied."""
    return next((step for step in reversed(trace) if step.answer), None)


def _grounds(trace: Sequence[TraceStep]) -> str:
    step = deciding_step(trace)
    return "" if step is None else ", ".join(f"{name}: {value}" for name, value in step.saw)


def _quoted(value: Value) -> str:
    return "empty" if value is None else repr(value)
