"""Tokens of programs. A token acts for the person who made it: when that person is locked out, so is the token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import api_token, person


@dataclass(frozen=True, slots=True)
class Token:
    """One token, without itself: only its hash is kept. `role` and `login` are those of its person now."""

    id: int
    person_id: int
    login: str
    person_name: str
    role: str
    name: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None
    seen_at: float | None


def add(
    tx: Tx,
    token_hash: str,
    person_id: int,
    *,
    name: str,
    scopes: Sequence[str],
    now: float,
    expires_at: float | None,
) -> None:
    row = {"token_hash": token_hash, "person_id": person_id, "name": name, "scopes": list(scopes)}
    tx.execute(sa.insert(api_token).values(**row, created_at=now, expires_at=expires_at))


def find(tx: Tx, token_hash: str, *, now: float) -> Token | None:
    """The token, if it is in force and its person is not locked out."""
    row = tx.execute(
        _select().where(
            api_token.c.token_hash == token_hash,
            sa.or_(api_token.c.expires_at.is_(None), api_token.c.expires_at > now),
            person.c.disabled_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else _token(row)


def of_person(tx: Tx, person_id: int) -> list[Token]:
    """A person's tokens, the latest first."""
    wanted = _select().where(api_token.c.person_id == person_id).order_by(api_token.c.id.desc())
    return [_token(row) for row in tx.execute(wanted)]


def touch(tx: Tx, token_id: int, *, now: float) -> None:
    tx.execute(sa.update(api_token).where(api_token.c.id == token_id).values(seen_at=now))


def revoke(tx: Tx, token_id: int, person_id: int) -> str | None:
    """Take a person's token out of force; its name, None where they have none of this number."""
    mine = (api_token.c.id == token_id, api_token.c.person_id == person_id)
    name: str | None = tx.execute(sa.select(api_token.c.name).where(*mine)).scalar()
    tx.execute(sa.delete(api_token).where(*mine))
    return name


def _select() -> sa.Select[Any]:
    return sa.select(api_token, person.c.login, person.c.name.label("person_name"), person.c.role).join(
        person, person.c.id == api_token.c.person_id
    )


def _token(row: sa.Row[Any]) -> Token:
    return Token(
        row.id,
        row.person_id,
        row.login,
        row.person_name,
        row.role,
        row.name,
        tuple(row.scopes),
        row.created_at,
        row.expires_at,
        row.seen_at,
    )
