"""Looking at all records once because a person asks for it: beginning a back-fill, pausing and ending it.

Everything here only writes to the store; the engine notices.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from twinbook.domain.policy import Direction
from twinbook.domain.records import Entity, Side
from twinbook.store import runs
from twinbook.store.database import Tx
from twinbook.store.runs import RunKind

Part = tuple[Entity, Side]
"""One list that is worked off: accounts of Salesforce, contacts of either side."""

# Accounts first: what a won opportunity links releases its contacts before they are listed.
TO_NETSUITE: tuple[Part, ...] = ((Entity.ACCOUNT, Side.SALESFORCE), (Entity.CONTACT, Side.SALESFORCE))
FROM_NETSUITE: Part = (Entity.CONTACT, Side.NETSUITE)
PARTS = (*TO_NETSUITE, FROM_NETSUITE)


def parts_of(direction: Direction) -> tuple[Part, ...]:
    """What a whole back-fill looks at, in its order."""
    return PARTS if direction.reaches(Side.SALESFORCE) else TO_NETSUITE


def begin(tx: Tx, parts: Collection[Part], *, by: str, now: float) -> list[int]:
    """Begin a back-fill of these parts, or go on with those that have begun; the numbers of their runs, in order."""
    runs.resume(tx, RunKind.BACKFILL)
    return [
        runs.start(tx, RunKind.BACKFILL, entity, by=by, now=now, side=side)
        for entity, side in _in_order(parts)
    ]


def pause(tx: Tx) -> int:
    """List no further pages until somebody resumes; how many runs that concerns."""
    return runs.pause(tx, RunKind.BACKFILL)


def resume(tx: Tx) -> int:
    return runs.resume(tx, RunKind.BACKFILL)


def stop(tx: Tx, *, now: float) -> int:
    """End it for good; how many runs that concerns. What is written stays written."""
    return runs.stop(tx, RunKind.BACKFILL, now=now)


def _in_order(parts: Collection[Part]) -> Sequence[Part]:
    return [part for part in PARTS if part in parts]
