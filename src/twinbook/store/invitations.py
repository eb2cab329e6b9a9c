"""Links that work once: the set-up link of a new installation, and those with which people choose a password."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import invitation


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a link lets in: a person, or the first administrator, who has no row yet (None)."""

    person_id: int | None


def make(tx: Tx, token_hash: str, person_id: int | None, *, now: float, expires_at: float) -> None:
    """A new link. It takes the place of an earlier one for the same person."""
    tx.execute(sa.delete(invitation).where(_for(person_id)))
    tx.execute(
        sa.insert(invitation).values(
            token_hash=token_hash, person_id=person_id, created_at=now, expires_at=expires_at
        )
    )


def find(tx: Tx, token_hash: str, *, now: float) -> Invitation | None:
    row = tx.execute(
        sa.select(invitation.c.person_id).where(
            invitation.c.token_hash == token_hash, invitation.c.expires_at > now
        )
    ).one_or_none()
    return None if row is None else Invitation(row.person_id)


def use(tx: Tx, token_hash: str) -> bool:
    """Take a link out of the world; false where somebody was faster."""
    return tx.execute(sa.delete(invitation).where(invitation.c.token_hash == token_hash)).rowcount > 0


def _for(person_id: int | None) -> sa.ColumnElement[bool]:
    return invitation.c.person_id.is_(None) if person_id is None else invitation.c.person_id == person_id
