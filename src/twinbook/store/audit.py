"""Who did what when: every act of a person or a program that changed something, in the order it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import audit


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did. `what` is a dotted verb (`session.begun`), `about` what it was done to; `detail`
    holds neither secrets nor values of contacts. `connection` is None for what concerns the whole installation."""

    who: str
    what: str
    about: str = ""
    connection: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0
    id: int = 0


def note(tx: Tx, act: Act, *, now: float) -> None:
    tx.execute(
        sa.insert(audit).values(
            at=now,
            connection=act.connection,
            who=act.who,
            what=act.what,
            about=act.about,
            detail=dict(act.detail),
        )
    )


def latest(tx: Tx, *, limit: int, before: int | None = None, who: str | None = None) -> list[Act]:
    """The latest acts, newest first, from before the one with the number `before`."""
    wanted = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(audit.c.id < before)
    if who is not None:
        wanted = wanted.where(audit.c.who == who)
    return [
        Act(row.who, row.what, row.about, row.connection, row.detail, row.at, row.id)
        for row in tx.execute(wanted)
    ]
