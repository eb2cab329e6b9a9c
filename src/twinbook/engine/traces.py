"""The planner's trace in the form in which it is stored and shown as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinbook.domain.plan import TraceStep


def trace_rows(trace: Iterable[TraceStep]) -> tuple[dict[str, Any], ...]:
    """`{"rule", "question", "answer", "saw": {name: value}}` for each step, in the order they were looked at."""
    return tuple(
        {"rule": step.rule, "question": step.question, "answer": step.answer, "saw": dict(step.saw)}
        for step in trace
    )
