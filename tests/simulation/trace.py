"""Everything that happens in one simulation, in order: calls, commits, log lines, faults, what people do.

Two runs of one seed must give the same trace, whatever the process, so nothing in it depends on the order of a set.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

LONGEST = 60


@dataclass(slots=True)
class Trace:
    """`time` gives virtual seconds. `faults` counts what befell the engine, by kind."""

    time: Callable[[], float]
    lines: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def note(self, who: str, what: str, *values: object) -> None:
        told = " ".join(map(shown, values))
        self.lines.append(f"{self.time():10.3f} {who:<7} {what} {told}")

    def fault(self, kind: str, *values: object) -> None:
        self.faults[kind] += 1
        self.note("fault", kind, *values)

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def shown(value: object) -> str:
    """A value as text that is the same in every process."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(shown, value))) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{shown(name)}: {shown(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, float):
        return f"{value:.3f}"
    if names := getattr(value, "__dataclass_fields__", None):
        told = (f"{name}={shown(item)}" for name in names if (item := getattr(value, name)))
        return f"{type(value).__name__}({', '.join(told)})"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
