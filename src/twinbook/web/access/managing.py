"""What administrators do about people, with the audit in the same transaction. Refusals are sentences."""

from __future__ import annotations

from enum import StrEnum

from twinbook.store import audit, people, sessions
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.people import Person
from twinbook.web.access.people import invite
from twinbook.web.access.principal import Principal
from twinbook.web.access.roles import Role
from twinbook.web.problems import NotFound, Problem


class Deed(StrEnum):
    """What can be done about a person with one button."""

    LOCK_OUT = "lock-out"
    LET_IN = "let-in"
    END_SESSIONS = "end-sessions"


def do(tx: Tx, by: Principal, person_id: int, deed: Deed, *, now: float) -> str:
    """What was done, in words. Raises `Problem`."""
    match deed:
        case Deed.LOCK_OUT:
            return f"{lock_out(tx, by, person_id, now=now).name} is locked out."
        case Deed.LET_IN:
            return f"{let_in(tx, by, person_id, now=now).name} may come in again."
        case Deed.END_SESSIONS:
            return f"{end_sessions(tx, by, person_id, now=now)} sessions were ended."


def add(tx: Tx, by: Principal, *, login: str, name: str, role: Role, now: float) -> str:
    """A new person; the token of the link to choose a password with. Raises `Problem` for a login that is taken."""
    if people.by_login(tx, login) is not None:
        raise Problem(409, "This login is taken", "Choose another one, or change the person who has it.")
    made = people.add(tx, login=login, name=name or login, role=role, password_hash=None, now=now)
    audit.note(tx, Act(by.login, "person.added", login, detail={"role": role}), now=now)
    return invite(tx, made.id, now=now)


def invite_again(tx: Tx, by: Principal, person_id: int, *, now: float) -> str:
    """A fresh link to choose a password. The present password works until it is used."""
    person = _found(tx, person_id)
    audit.note(tx, Act(by.login, "person.invited", person.login), now=now)
    return invite(tx, person_id, now=now)


def change_role(tx: Tx, by: Principal, person_id: int, role: Role, *, now: float) -> Person:
    """Raises `Problem` where nobody would be left to administer."""
    person = _found(tx, person_id)
    if role is not Role.ADMINISTRATOR:
        _keep_an_administrator(tx, person)
    people.set_role(tx, person_id, role)
    detail = {"from": person.role, "to": role}
    audit.note(tx, Act(by.login, "person.role_changed", person.login, detail=detail), now=now)
    return person


def lock_out(tx: Tx, by: Principal, person_id: int, *, now: float) -> Person:
    """From now on this person, their sessions and their tokens do not get in."""
    person = _found(tx, person_id)
    _keep_an_administrator(tx, person)
    people.set_disabled(tx, person_id, now)
    sessions.end_all_of(tx, person_id)
    audit.note(tx, Act(by.login, "person.locked_out", person.login), now=now)
    return person


def let_in(tx: Tx, by: Principal, person_id: int, *, now: float) -> Person:
    person = _found(tx, person_id)
    people.set_disabled(tx, person_id, None)
    audit.note(tx, Act(by.login, "person.let_in", person.login), now=now)
    return person


def end_sessions(tx: Tx, by: Principal, person_id: int, *, now: float) -> int:
    person = _found(tx, person_id)
    audit.note(tx, Act(by.login, "person.sessions_ended", person.login), now=now)
    return sessions.end_all_of(tx, person_id)


def _found(tx: Tx, person_id: int) -> Person:
    person = people.by_id(tx, person_id)
    if person is None:
        raise NotFound("person")
    return person


def _keep_an_administrator(tx: Tx, leaving: Person) -> None:
    others = [
        item
        for item in people.everybody(tx)
        if item.id != leaving.id and item.role == Role.ADMINISTRATOR and item.disabled_at is None
    ]
    if leaving.role == Role.ADMINISTRATOR and not others:
        remedy = "Make somebody else an administrator first."
        raise Problem(409, "Nobody would be left to administer", remedy)
