"""Who is signed in where. A session is a row, so that it can be ended from anywhere; of its token a hash is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import person, session


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one person. `agent` is what the browser says of itself."""

    id: int
    person_id: int
    login: str
    name: str
    role: str
    created_at: float
    seen_at: float
    agent: str


def begin(tx: Tx, token_hash: str, person_id: int, *, agent: str, now: float) -> None:
    row = {"token_hash": token_hash, "person_id": person_id, "agent": agent}
    tx.execute(sa.insert(session).values(**row, created_at=now, seen_at=now))


def find(tx: Tx, token_hash: str, *, alive_since: float) -> Session | None:
    """The session of this token, if it was used since then and its person is not locked out."""
    found = tx.execute(
        _select().where(
            session.c.token_hash == token_hash,
            session.c.seen_at >= alive_since,
            person.c.disabled_at.is_(None),
        )
    ).one_or_none()
    return None if found is None else _session(found)


def alive(tx: Tx, *, alive_since: float, person_id: int | None = None) -> list[Session]:
    """Sessions in use since then, of everybody or of one person, the latest first."""
    wanted = _select().where(session.c.seen_at >= alive_since).order_by(session.c.seen_at.desc())
    if person_id is not None:
        wanted = wanted.where(session.c.person_id == person_id)
    return [_session(row) for row in tx.execute(wanted)]


def touch(tx: Tx, session_id: int, *, now: float) -> None:
    tx.execute(sa.update(session).where(session.c.id == session_id).values(seen_at=now))


def end(tx: Tx, session_id: int) -> bool:
    """Whether there was such a session."""
    return tx.execute(sa.delete(session).where(session.c.id == session_id)).rowcount > 0


def end_all_of(tx: Tx, person_id: int, *, but: int | None = None) -> int:
    """End a person's sessions, except the one named; how many."""
    ended = sa.delete(session).where(session.c.person_id == person_id)
    return tx.execute(ended if but is None else ended.where(session.c.id != but)).rowcount


def sweep(tx: Tx, *, before: float) -> None:
    """Forget sessions that were last used before then."""
    tx.execute(sa.delete(session).where(session.c.seen_at < before))


def _select() -> sa.Select[Any]:
    return sa.select(session, person.c.login, person.c.name, person.c.role).join(
        person, person.c.id == session.c.person_id
    )


def _session(row: sa.Row[Any]) -> Session:
    return Session(
        row.id, row.person_id, row.login, row.name, row.role, row.created_at, row.seen_at, row.agent
    )
