"""The people who use the dashboard. They belong to the installation, so the scope of a transaction plays no part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import identity, person


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `role` is a word the dashboard knows; `has_password` is false until one is chosen."""

    id: int
    login: str
    name: str
    role: str
    has_password: bool
    created_at: float
    seen_at: float | None
    disabled_at: float | None


def none_yet(tx: Tx) -> bool:
    return tx.execute(sa.select(person.c.id).limit(1)).one_or_none() is None


def add(tx: Tx, *, login: str, name: str, role: str, password_hash: str | None, now: float) -> Person:
    """A new person. Raises `sqlalchemy.exc.IntegrityError` where the login is taken."""
    made = tx.execute(
        sa.insert(person).values(
            login=login, name=name, role=role, password_hash=password_hash, created_at=now
        )
    )
    key = made.inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return Person(key[0], login, name, role, password_hash is not None, now, None, None)


def by_id(tx: Tx, person_id: int) -> Person | None:
    return _one(tx, person.c.id == person_id)


def by_login(tx: Tx, login: str) -> Person | None:
    return _one(tx, person.c.login == login)


def by_identity(tx: Tx, issuer: str, subject: str) -> Person | None:
    """The person whom a provider of single sign-on knows by this subject."""
    known = sa.select(identity.c.person_id).where(identity.c.issuer == issuer, identity.c.subject == subject)
    return _one(tx, person.c.id.in_(known))


def add_identity(tx: Tx, person_id: int, issuer: str, subject: str) -> None:
    tx.execute(sa.insert(identity).values(issuer=issuer, subject=subject, person_id=person_id))


def everybody(tx: Tx) -> list[Person]:
    return [_person(row) for row in tx.execute(sa.select(person).order_by(person.c.login))]


def password_hash(tx: Tx, person_id: int) -> str | None:
    return tx.execute(sa.select(person.c.password_hash).where(person.c.id == person_id)).scalar()


def set_password(tx: Tx, person_id: int, hashed: str) -> None:
    _update(tx, person_id, password_hash=hashed)


def set_role(tx: Tx, person_id: int, role: str) -> None:
    _update(tx, person_id, role=role)


def set_disabled(tx: Tx, person_id: int, at: float | None) -> None:
    _update(tx, person_id, disabled_at=at)


def note_visit(tx: Tx, person_id: int, *, now: float) -> None:
    _update(tx, person_id, seen_at=now)


def _update(tx: Tx, person_id: int, **values: Any) -> None:
    tx.execute(sa.update(person).where(person.c.id == person_id).values(**values))


def _one(tx: Tx, clause: sa.ColumnElement[bool]) -> Person | None:
    row = tx.execute(sa.select(person).where(clause)).one_or_none()
    return None if row is None else _person(row)


def _person(row: sa.Row[Any]) -> Person:
    return Person(
        row.id,
        row.login,
        row.name,
        row.role,
        row.password_hash is not None,
        row.created_at,
        row.seen_at,
        row.disabled_at,
    )
