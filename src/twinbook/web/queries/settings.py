"""The versions of a connection's settings, each with what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from twinbook.settings.revising import Difference, differences
from twinbook.store import revisions
from twinbook.store.database import Tx
from twinbook.store.revisions import Version


@dataclass(frozen=True, slots=True)
class Step:
    """One version and what it changed; None for the first that is known, before which nobody can look."""

    version: Version
    changed: list[Difference] | None


@dataclass(frozen=True, slots=True)
class Steps:
    """A page of versions, newest first. `next` is where the following page begins, None at the end."""

    steps: list[Step]
    next: int | None


def steps(tx: Tx, *, limit: int, before: int | None = None) -> Steps:
    """The latest versions."""
    found = revisions.latest(tx, limit=limit + 1, before=before)
    shown = [Step(new, differences(old.snapshot, new.snapshot)) for new, old in pairwise(found)]
    if len(found) <= limit:
        return Steps([*shown, *(Step(oldest, None) for oldest in found[-1:])], None)
    return Steps(shown, shown[-1].version.id)
