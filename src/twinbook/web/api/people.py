"""GET /api/v1/people: who may come in, with which role; inviting, locking out, ending sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from twinbook.web.access import managing
from twinbook.web.access.guard import Administrator
from twinbook.web.access.managing import Deed
from twinbook.web.access.people import login_of, problem_with_login
from twinbook.web.access.roles import Role
from twinbook.web.api.answers import CONFLICT, REFUSALS
from twinbook.web.dashboard import Deps
from twinbook.web.problems import Fault, Problem
from twinbook.web.queries import access

router = APIRouter(tags=["people"], responses=REFUSALS)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class PersonAnswer(BaseModel):
    """One person; `disabled_at` is set while they are locked out, `sessions` counts where they are signed in."""

    id: int
    login: str
    name: str
    role: Role
    disabled_at: float | None
    sessions: int


class PeopleAnswer(BaseModel):
    people: list[PersonAnswer]


class PersonGiven(BaseModel):
    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    name: Annotated[str, Field(max_length=200)] = ""
    role: Role


class RoleGiven(BaseModel):
    role: Role


class Invitation(BaseModel):
    """The path of the link to choose a password with, below the address of the dashboard. It is told only now."""

    path: str


class Done(BaseModel):
    """What was done, in words."""

    done: str


@router.get("/people")
async def list_people(_: Administrator, dashboard: Deps) -> PeopleAnswer:
    """Everybody, in the order of their logins."""
    alive_since = dashboard.alive_since()
    found = await dashboard.read(lambda tx: access.everybody(tx, alive_since=alive_since))
    people = [
        PersonAnswer(
            id=item.person.id,
            login=item.person.login,
            name=item.person.name,
            role=Role(item.person.role),
            disabled_at=item.person.disabled_at,
            sessions=len(item.sessions),
        )
        for item in found
    ]
    return PeopleAnswer(people=people)


@router.post("/people", responses=CONFLICT)
async def add_person(who: Administrator, dashboard: Deps, given: PersonGiven) -> Invitation:
    """Add a person, and get the link with which they come in."""
    login, now = login_of(given.login), dashboard.now()
    if fault := problem_with_login(login):
        raise Problem(422, "The request has faults", "Correct what is named.", faults=[Fault("login", fault)])
    token = await dashboard.write(
        lambda tx: managing.add(tx, who, login=login, name=given.name.strip(), role=given.role, now=now)
    )
    return Invitation(path=f"/invitation/{token}")


@router.post("/people/{person_id}/invitation", responses=CONFLICT)
async def invite(who: Administrator, dashboard: Deps, person_id: Number) -> Invitation:
    """A fresh link to choose a password."""
    now = dashboard.now()
    token = await dashboard.write(lambda tx: managing.invite_again(tx, who, person_id, now=now))
    return Invitation(path=f"/invitation/{token}")


@router.post("/people/{person_id}/role", responses=CONFLICT)
async def change_role(who: Administrator, dashboard: Deps, person_id: Number, given: RoleGiven) -> Done:
    """Give another role. Somebody must be left to administer."""
    now = dashboard.now()
    person = await dashboard.write(lambda tx: managing.change_role(tx, who, person_id, given.role, now=now))
    return Done(done=f"{person.name} is {given.role} now.")


@router.post("/people/{person_id}/do/{deed}", responses=CONFLICT)
async def do(who: Administrator, dashboard: Deps, person_id: Number, deed: Deed) -> Done:
    """Lock somebody out, let them in again, or end their sessions."""
    now = dashboard.now()
    return Done(done=await dashboard.write(lambda tx: managing.do(tx, who, person_id, deed, now=now)))
