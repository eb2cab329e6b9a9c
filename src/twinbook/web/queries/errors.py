"""What went wrong and is not yet right: by cause, and the records of one cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.store import incidents, outcomes
from twinbook.store.database import Tx
from twinbook.store.incidents import Cause, Group, Incident, Note

# The most incidents that one act is about.
MOST = 1000


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """One cause, with its newest incident to stand for all."""

    group: Group
    example: Incident


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One open incident, of whom, and what people wrote about it."""

    incident: Incident
    name: str
    notes: Sequence[Note]


def groups(tx: Tx) -> list[ErrorGroup]:
    """All causes that are open, the newest first."""
    found = incidents.groups(tx)
    examples = {item.id: item for item in incidents.open_with(tx, [group.number for group in found])}
    return [ErrorGroup(group, examples[group.number]) for group in found]


def cause_of(tx: Tx, number: int) -> Cause | None:
    """The cause of the incident with this number, closed or not."""
    found = incidents.by_id(tx, number)
    return Cause(found.code, found.field, found.shape) if found else None


def lines(tx: Tx, cause: Cause, *, limit: int, after: int | None = None) -> list[ErrorLine]:
    """The records of one cause."""
    found = incidents.of_cause(tx, cause, limit=limit, after=after)
    return _lines(tx, found)


def line(tx: Tx, number: int) -> ErrorLine | None:
    """One open incident."""
    return next(iter(_lines(tx, incidents.open_with(tx, [number]))), None)


def lines_with(tx: Tx, numbers: Sequence[int]) -> list[ErrorLine]:
    """Those of these numbers that are still open."""
    return _lines(tx, incidents.open_with(tx, numbers))


def _lines(tx: Tx, found: Sequence[Incident]) -> list[ErrorLine]:
    names = outcomes.names(tx, [item.key for item in found])
    notes = incidents.notes_of(tx, [item.id for item in found])
    return [ErrorLine(item, names.get(item.key) or item.key.id, notes.get(item.id, ())) for item in found]
