"""The page Your account: the own password, where one is signed in, and tokens for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from twinbook.store import audit, people, sessions, tokens
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.guard import Viewer
from twinbook.web.access.passwords import problem_with
from twinbook.web.access.principal import Principal
from twinbook.web.access.secrets import digest, new_token
from twinbook.web.dashboard import Dashboard, Deps
from twinbook.web.problems import NotFound
from twinbook.web.queries import access
from twinbook.web.rendering import redirect, render

router = APIRouter()

Text = Annotated[str, Form(max_length=400)]
DAY = 86_400
TOKEN_PREFIX = "twinbook_"  # noqa: S105 - the beginning that all have
LONGEST_DAYS = 3650
MOST_TOKENS = 50


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
    chosen = [scope for scope in _scopes(request) if scope in scopes]
    if not name.strip() or not chosen:
        fault = "Give it a name, and choose at least one thing that it may do."
        return await _shown(request, who, dashboard, status=422, token=fault)
    token, now = TOKEN_PREFIX + new_token(), dashboard.now()
    expires_at = now + days * DAY

    def make(tx: Tx) -> bool:
        if len(tokens.of_person(tx, who.person_id)) >= MOST_TOKENS:
            return False
        tokens.add(
            tx, digest(token), who.person_id, name=name.strip(), scopes=chosen, now=now, expires_at=expires_at
        )
        audit.note(tx, Act(who.login, "token.made", name.strip(), detail={"scopes": chosen}), now=now)
        return True

    if not await dashboard.write(make):
        fault = f"You have {MOST_TOKENS} tokens. Revoke those that nobody uses."
        return await _shown(request, who, dashboard, status=409, token=fault)
    return redirect(request, "/account", notice="Copy the token now: it is shown only once.", secret=token)


@router.post("/account/tokens/{token_id}/revoke")
async def revoke_token(request: Request, who: Viewer, dashboard: Deps, token_id: int) -> Response:
    def revoke(tx: Tx) -> str | None:
        name = tokens.revoke(tx, token_id, who.person_id)
        if name is not None:
            audit.note(tx, Act(who.login, "token.revoked", name), now=dashboard.now())
        return name

    name = await dashboard.write(revoke)
    if name is None:
        raise NotFound("token")
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
