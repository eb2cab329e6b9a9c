"""GET /api/v1/install/{system}: how far the set-up of a system is; entering values, making the key, checking."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from twinbook.doctor import Verdict
from twinbook.install import State, System
from twinbook.web.access.guard import Administrator
from twinbook.web.acts import install as acts
from twinbook.web.acts.install import Standing
from twinbook.web.api.answers import CONFLICT, REFUSALS
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.examinations import Examination
from twinbook.web.findings import Stage
from twinbook.web.problems import Problem

router = APIRouter(tags=["install"], responses=REFUSALS)

PATIENCE = 2.0
Value = Annotated[str, StringConstraints(max_length=400)]


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Asked(_Shown):
    """The value that a step ends with."""

    key: str
    label: str
    example: str


class InstallStep(_Shown):
    """One thing to do. `instructions` are acts of a person, `commands` of a shell, `values` what to copy by name."""

    code: str
    title: str
    state: State
    detail: str
    instructions: list[str]
    commands: list[str]
    values: list[tuple[str, str]]
    asks: Asked | None


class CheckFound(_Shown):
    """One thing that was examined; `remedy` says what to do where it is not well."""

    code: str
    name: str
    verdict: Verdict
    detail: str
    remedy: str


class ExaminationAnswer(_Shown):
    """The checks so far. `bounded`: the system did not answer all of it in time; `fault` says why it failed."""

    began_at: float
    stage: Stage
    fault: str
    checks: list[CheckFound]


class InstallAnswer(BaseModel):
    """How far it is. `next` is the code of the first step that is not done; `values` are those entered so far."""

    system: System
    connection: str
    steps: list[InstallStep]
    next: str | None
    values: dict[str, str]
    examination: ExaminationAnswer | None


class Started(BaseModel):
    started: bool = True


class ValuesGiven(BaseModel):
    """Values by key: those that steps ask for."""

    values: dict[str, Value] = Field(min_length=1, max_length=10)


@router.post("/install/start", responses=CONFLICT)
async def start(who: Administrator, dashboard: Deps, connection: ConnectionName) -> Started:
    """Begin to sync, once everything is entered."""
    await acts.start(dashboard, who, connection)
    return Started()


@router.get("/install/{system}")
async def get_install(
    _: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> InstallAnswer:
    """The steps, and what the latest checks found."""
    return _answer(acts.look(dashboard, connection, system))


@router.post("/install/{system}", responses=CONFLICT)
async def enter_values(
    who: Administrator, dashboard: Deps, connection: ConnectionName, system: System, given: ValuesGiven
) -> InstallAnswer:
    """Enter values of the login. None of them is a secret."""
    await acts.enter(dashboard, who, connection, system, given.values)
    return _answer(acts.look(dashboard, connection, system))


@router.post("/install/{system}/key", responses=CONFLICT)
async def make_key(
    who: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> InstallAnswer:
    """Make key and certificate unless they are there. The key is told to nobody."""
    await acts.make_key(dashboard, who, connection, system)
    return _answer(acts.look(dashboard, connection, system))


@router.post("/install/{system}/check", responses=CONFLICT)
async def check(
    _: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> ExaminationAnswer:
    """Check the system now. Ask for the steps again while it goes on."""
    acts.check(dashboard, connection, system)
    await dashboard.examinations.settled(connection, system, PATIENCE)
    found = dashboard.examinations.of(connection, system)
    if found is None:
        raise Problem(409, "The values were changed meanwhile", "Check again.")
    return ExaminationAnswer.model_validate(found)


def _answer(standing: Standing) -> InstallAnswer:
    guide = standing.guide
    return InstallAnswer(
        system=guide.system,
        connection=guide.connection,
        steps=[InstallStep.model_validate(step) for step in guide.steps],
        next=guide.next.code if guide.next else None,
        values=dict(standing.values),
        examination=_examination(standing.examination),
    )


def _examination(found: Examination | None) -> ExaminationAnswer | None:
    return None if found is None else ExaminationAnswer.model_validate(found)
