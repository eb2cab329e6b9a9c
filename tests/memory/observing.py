"""What a system in memory tells of each change of a record, to whoever keeps an account of who did what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinbook.domain.records import Entity, Fields, Side


@dataclass(frozen=True, slots=True)
class Touched:
    """A record as it is after somebody created, changed, deleted or undeleted it. `fields` holds what is not empty."""

    side: Side
    entity: Entity
    id: str
    fields: Fields
    alive: bool = True


Observer = Callable[[Touched], None]
