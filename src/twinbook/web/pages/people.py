"""The page People: who may come in, with which role; inviting, locking out, ending sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from twinbook.web.access import managing
from twinbook.web.access.guard import Administrator
from twinbook.web.access.managing import Deed
from twinbook.web.access.people import login_of, problem_with_login
from twinbook.web.access.roles import MEANING, Role
from twinbook.web.dashboard import Dashboard, Deps
from twinbook.web.problems import Problem
from twinbook.web.queries import access
from twinbook.web.rendering import redirect, render

router = APIRouter()

Text = Annotated[str, Form(max_length=200)]


@router.get("/people")
async def people_page(request: Request, _: Administrator, dashboard: Deps) -> Response:
    return await _shown(request, dashboard)


@router.post("/people")
async def add(
    request: Request,
    who: Administrator,
    dashboard: Deps,
    login: Text,
    role: Annotated[Role, Form()],
    name: Text = "",
) -> Response:
    login, now = login_of(login), dashboard.now()
    fault = problem_with_login(login)
    if fault:
        return await _shown(request, dashboard, fault=fault, login=login, name=name, status=422)
    try:
        token = await dashboard.write(
            lambda tx: managing.add(tx, who, login=login, name=name.strip(), role=role, now=now)
        )
    except Problem as problem:
        fault = f"{problem.title}. {problem.detail}"
        return await _shown(request, dashboard, fault=fault, login=login, name=name, status=problem.status)
    return _invited(request, dashboard, login, token)


@router.post("/people/{person_id}/invitation")
async def invite(request: Request, who: Administrator, dashboard: Deps, person_id: int) -> Response:
    now = dashboard.now()
    token = await dashboard.write(lambda tx: managing.invite_again(tx, who, person_id, now=now))
    return _invited(request, dashboard, "them", token)


@router.post("/people/{person_id}/role")
async def change_role(
    request: Request, who: Administrator, dashboard: Deps, person_id: int, role: Annotated[Role, Form()]
) -> Response:
    now = dashboard.now()
    person = await dashboard.write(lambda tx: managing.change_role(tx, who, person_id, role, now=now))
    return redirect(request, "/people", notice=f"{person.name} is {role} now.")


@router.post("/people/{person_id}/do/{deed}")
async def do(request: Request, who: Administrator, dashboard: Deps, person_id: int, deed: Deed) -> Response:
    now = dashboard.now()
    notice = await dashboard.write(lambda tx: managing.do(tx, who, person_id, deed, now=now))
    return redirect(request, "/people", notice=notice)


async def _shown(
    request: Request,
    dashboard: Dashboard,
    *,
    fault: str = "",
    login: str = "",
    name: str = "",
    status: int = 200,
) -> Response:
    alive_since = dashboard.alive_since()
    accounts = await dashboard.read(lambda tx: access.everybody(tx, alive_since=alive_since))
    return await render(
        request,
        "people.html",
        status=status,
        accounts=accounts,
        meaning=MEANING,
        fault=fault,
        login=login,
        name=name,
    )


def _invited(request: Request, dashboard: Dashboard, login: str, token: str) -> Response:
    notice = (
        f"Give {login} this link to choose a password. It works once, for three days, and is shown only now."
    )
    base = dashboard.settings.web.base_url or str(request.base_url).rstrip("/")
    return redirect(request, "/people", notice=notice, secret=f"{base}/invitation/{token}")
