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
    notes = incidents.notes_of(tx, [item.id for item in found])
    return [ErrorLine(item, _name(tx, item), notes.get(item.id, ())) for item in found]


def line(tx: Tx, number: int) -> ErrorLine | None:
    """One open incident."""
    found = incidents.open_with(tx, [number])
    return (
        ErrorLine(found[0], _name(tx, found[0]), incidents.notes_of(tx, [number]).get(number, ()))
        if found
        else None
    )


def _name(tx: Tx, item: Incident) -> str:
    outcome = outcomes.find(tx, item.key)
    return (outcome.name if outcome else "") or item.key.id
