"""Signing in and out, and choosing passwords: what people do before they may do anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinbook.store import audit, invitations, people, sessions, tokens
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.people import Person
from twinbook.web.access.principal import Principal
from twinbook.web.access.roles import Role
from twinbook.web.access.secrets import digest, new_token

INVITATION_SECONDS = 3 * 24 * 3600
# A visit is noted at most so often, so that looking around writes next to nothing.
TOUCH_SECONDS = 60
LONGEST_LOGIN = 120
LONGEST_AGENT = 200
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]*")


@dataclass(frozen=True, slots=True)
class Visitor:
    """What is known of a caller before signing in."""

    address: str
    agent: str


def login_of(text: str) -> str:
    return text.strip().casefold()


def problem_with_login(login: str) -> str | None:
    """Why this cannot be a login, with the remedy; None if it can."""
    if not _LOGIN.fullmatch(login) or len(login) > LONGEST_LOGIN:
        return "Take letters without accents, digits and . _ @ + - only, such as ada or ada@example.com."
    return None


def begin_session(tx: Tx, person: Person, visitor: Visitor, *, now: float) -> str:
    """Sign a person in; the token for their browser, which is not kept here."""
    token = new_token()
    sessions.begin(tx, digest(token), person.id, agent=visitor.agent[:LONGEST_AGENT], now=now)
    people.note_visit(tx, person.id, now=now)
    audit.note(tx, Act(person.login, "session.begun"), now=now)
    return token


def who_has(tx: Tx, token: str, *, alive_since: float) -> tuple[Principal, float] | None:
    """Whose session token this is, and when it was last noted to be in use."""
    found = sessions.find(tx, digest(token), alive_since=alive_since)
    if found is None:
        return None
    who = Principal(found.person_id, found.login, found.name, Role(found.role), session_id=found.id)
    return who, found.seen_at


def whose_token(tx: Tx, token: str, *, now: float) -> tuple[Principal, float] | None:
    """For whom this token of a program acts, and when it was last noted to be in use."""
    found = tokens.find(tx, digest(token), now=now)
    if found is None:
        return None
    who = Principal(
        found.person_id,
        found.login,
        found.person_name,
        Role(found.role),
        token_id=found.id,
        scopes=frozenset(found.scopes),
    )
    return who, found.seen_at or 0.0


def note_visit(tx: Tx, who: Principal, *, now: float) -> None:
    if who.session_id is not None:
        sessions.touch(tx, who.session_id, now=now)
        people.note_visit(tx, who.person_id, now=now)
    if who.token_id is not None:
        tokens.touch(tx, who.token_id, now=now)


def invite(tx: Tx, person_id: int | None, *, now: float) -> str:
    """The token of a link that lets this person choose a password, or the first administrator set up."""
    token = new_token()
    invitations.make(tx, digest(token), person_id, now=now, expires_at=now + INVITATION_SECONDS)
    return token


def set_up(tx: Tx, token: str, *, login: str, name: str, password_hash: str, now: float) -> Person | None:
    """The first administrator; None where the link has been used, is too old, or somebody is there already."""
    found = invitations.find(tx, digest(token), now=now)
    if found is None or found.person_id is not None or not people.none_yet(tx):
        return None
    invitations.use(tx, digest(token))
    role = Role.ADMINISTRATOR
    made = people.add(tx, login=login, name=name, role=role, password_hash=password_hash, now=now)
    audit.note(tx, Act(login, "person.set_up", login, detail={"role": role}), now=now)
    return made


def accept(tx: Tx, token: str, password_hash: str, *, now: float) -> Person | None:
    """The person whom the link invited, with their new password; None where the link no longer works."""
    found = invitations.find(tx, digest(token), now=now)
    if found is None or found.person_id is None or not invitations.use(tx, digest(token)):
        return None
    people.set_password(tx, found.person_id, password_hash)
    sessions.end_all_of(tx, found.person_id)
    person = people.by_id(tx, found.person_id)
    if person is not None:
        audit.note(tx, Act(person.login, "person.password_chosen", person.login), now=now)
    return person


def come_in(tx: Tx, token: str, *, now: float) -> Person | None:
    """The person whom the link invited, without a password; None where the link no longer works, or they may not."""
    found = invitations.find(tx, digest(token), now=now)
    person = people.by_id(tx, found.person_id) if found and found.person_id is not None else None
    if person is None or person.disabled_at is not None or not invitations.use(tx, digest(token)):
        return None
    return person


def demo_token(tx: Tx, *, now: float) -> str:
    """The token of a link that lets the visitor of a demo in as its administrator, in a store that ends with it."""
    login, role = "demo", Role.ADMINISTRATOR
    person = people.add(tx, login=login, name="Demo", role=role, password_hash=None, now=now)
    audit.note(tx, Act(login, "person.set_up", login, detail={"role": role}), now=now)
    return invite(tx, person.id, now=now)


def set_up_token(tx: Tx, *, now: float) -> str | None:
    """A fresh set-up token while nobody is there, otherwise None."""
    return invite(tx, None, now=now) if people.none_yet(tx) else None
