"""The page Your account: the own password, where one is signed in, and tokens for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from twinbook.store import audit, people, sessions
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.guard import Viewer
from twinbook.web.access.passwords import problem_with
from twinbook.web.access.principal import Principal
from twinbook.web.acts import tokens as acts
from twinbook.web.acts.tokens import LONGEST_DAYS
from twinbook.web.dashboard import Dashboard, Deps
from twinbook.web.problems import NotFound, Problem
from twinbook.web.queries import access
from twinbook.web.rendering import redirect, render

router = APIRouter()

Text = Annotated[str, Form(max_length=400)]


@router.get("/account")
async def account_page(request: Request, who: Viewer, dashboard: Deps) -> Response:
    return await _shown(request, who, dashboard)


@router.post("/account/password")
async def change_password(
    request: Request, who: Viewer, dashboard: Deps, present: Text, password: Text
) -> Response:
    key = f"login:{who.login}"
    hashed = await dashboard.read(lambda tx: people.password_hash(tx, who.person_id))
    if dashboard.throttle.wait(key) or not await dashboard.passwords.fits(present, hashed):
        dashboard.throttle.failed(key)
        return await _shown(request, who, dashboard, status=403, present="This is not your present password.")
    fault = problem_with(password, login=who.login)
    if fault:
        return await _shown(request, who, dashboard, status=422, password=fault)
    fresh, now = await dashboard.passwords.hash(password), dashboard.now()

    def change(tx: Tx) -> None:
        people.set_password(tx, who.person_id, fresh)
        sessions.end_all_of(tx, who.person_id, but=who.session_id)
        audit.note(tx, Act(who.login, "person.password_changed", who.login), now=now)

    await dashboard.write(change)
    return redirect(request, "/account", notice="Your password is changed. Other sessions were ended.")


@router.post("/account/sessions/{session_id}/end")
async def end_session(request: Request, who: Viewer, dashboard: Deps, session_id: int) -> Response:
    def end(tx: Tx) -> bool:
        mine = sessions.alive(tx, alive_since=0.0, person_id=who.person_id)
        if session_id not in {item.id for item in mine}:
            return False
        audit.note(tx, Act(who.login, "session.ended"), now=dashboard.now())
        return sessions.end(tx, session_id)

    if not await dashboard.write(end):
        raise NotFound("session")
    return redirect(request, "/account", notice="The session was ended.")


@router.post("/account/tokens")
async def make_token(
    request: Request,
    who: Viewer,
    dashboard: Deps,
    name: Text,
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)],
    scopes: Annotated[list[str], Form(default_factory=list, max_length=100)],
) -> Response:
    try:
        token = await acts.make(dashboard, who, name, scopes, days, _scopes(request))
    except Problem as problem:
        return await _shown(request, who, dashboard, status=problem.status, token=problem.detail)
    return redirect(request, "/account", notice="Copy the token now: it is shown only once.", secret=token)


@router.post("/account/tokens/{token_id}/revoke")
async def revoke_token(request: Request, who: Viewer, dashboard: Deps, token_id: int) -> Response:
    name = await acts.revoke(dashboard, who, token_id)
    return redirect(request, "/account", notice=f"The token {name} works no longer.")


async def _shown(
    request: Request, who: Principal, dashboard: Dashboard, *, status: int = 200, **faults: str
) -> Response:
    alive_since = dashboard.alive_since()
    found = await dashboard.read(lambda tx: access.account(tx, who.person_id, alive_since=alive_since))
    if found is None:
        raise NotFound("person")
    return await render(
        request, "account.html", status=status, found=found, scopes=_scopes(request), faults=faults
    )


def _scopes(request: Request) -> tuple[str, ...]:
    scopes: tuple[str, ...] = request.app.state.scopes
    return scopes
