"""Who may come in: people with their sessions and tokens, and what they did."""

from __future__ import annotations

from dataclasses import dataclass

from twinbook.store import people, sessions, tokens
from twinbook.store.database import Tx
from twinbook.store.people import Person
from twinbook.store.sessions import Session
from twinbook.store.tokens import Token


@dataclass(frozen=True, slots=True)
class Account:
    """One person with where they are signed in and what signs in for them."""

    person: Person
    sessions: tuple[Session, ...]
    tokens: tuple[Token, ...]


def account(tx: Tx, person_id: int, *, alive_since: float) -> Account | None:
    person = people.by_id(tx, person_id)
    if person is None:
        return None
    alive = sessions.alive(tx, alive_since=alive_since, person_id=person_id)
    return Account(person, tuple(alive), tuple(tokens.of_person(tx, person_id)))


def everybody(tx: Tx, *, alive_since: float) -> list[Account]:
    """All people with their sessions, in the order of their logins."""
    alive = sessions.alive(tx, alive_since=alive_since)
    return [
        Account(person, tuple(item for item in alive if item.person_id == person.id), ())
        for person in people.everybody(tx)
    ]
