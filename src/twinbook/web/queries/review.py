"""What waits for a person, by reason: piles of records, and what a decision about many of them would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity, Key
from twinbook.store import decisions, outcomes
from twinbook.store.database import Tx
from twinbook.store.outcomes import Outcome, Place

# What one decision may be about at most; the rest of a larger pile is decided by the next one.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Pile:
    """So many records of one kind that wait for the same reason."""

    entity: Entity
    reason: Reason
    number: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """One choice for many: for the records in `keys`, or for the whole pile as it was at `until` (epoch seconds)."""

    entity: Entity
    reason: Reason
    choice: str
    until: float
    keys: tuple[Key, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A record that is not decided, and why."""

    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a decision would do, or has done. `more`: the pile is larger than one decision may be."""

    fitting: Sequence[Outcome]
    unfit: Sequence[Unfit]
    more: bool


def piles(tx: Tx) -> list[Pile]:
    """All that waits for a person, the largest pile first."""
    found = [
        Pile(entity, cell.reason, cell.number)
        for entity in (Entity.CONTACT, Entity.ACCOUNT)
        for cell in outcomes.tally(tx, entity)
        if cell.kind is OutcomeKind.REVIEW and cell.reason is not None
    ]
    return sorted(found, key=lambda pile: -pile.number)


def pile(tx: Tx, entity: Entity, reason: Reason, *, limit: int, after: Place | None = None) -> list[Outcome]:
    """Some of a pile, those that wait longest first."""
    return outcomes.of_reason(tx, entity, OutcomeKind.REVIEW, reason, limit=limit, after=after)


def foresee(tx: Tx, wanted: Wanted) -> Foreseen:
    """Whom a choice fits: records that still wait for this reason, have this choice, and nobody has decided."""
    found = outcomes.of_reason(
        tx, wanted.entity, OutcomeKind.REVIEW, wanted.reason, limit=MOST + 1, until=wanted.until
    )
    if wanted.keys is not None:
        found = [item for key in wanted.keys[:MOST] if (item := outcomes.find(tx, key)) is not None]
    considered = found[:MOST]
    taken = {
        (side, id_)
        for side in {item.key.side for item in considered}
        for id_ in decisions.of_records(
            tx, wanted.entity, side, [item.key.id for item in considered if item.key.side is side]
        )
    }
    fitting: list[Outcome] = []
    unfit: list[Unfit] = []
    for item in considered:
        why = _obstacle(item, wanted, decided=(item.key.side, item.key.id) in taken)
        if why:
            unfit.append(Unfit(item, why))
        else:
            fitting.append(item)
    return Foreseen(fitting, unfit, len(found) > MOST)


def _obstacle(item: Outcome, wanted: Wanted, *, decided: bool) -> str:
    if item.kind is not OutcomeKind.REVIEW or item.reason is not wanted.reason:
        return "it does not wait for this any more"
    if item.looked_at > wanted.until:
        return "it was looked at anew since the preview"
    if decided:
        return "somebody has decided already"
    if wanted.choice != LEAVE_OUT and wanted.choice not in item.choices:
        return "it has no such choice"
    return ""
