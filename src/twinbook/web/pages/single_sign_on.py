"""Signing in by a provider of single sign-on: out to it, and back with its word."""

from __future__ import annotations

from dataclasses import astuple
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from twinbook.store import audit, people, sessions
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.people import Person
from twinbook.web.access.guard import Anyone
from twinbook.web.access.oidc import Identity, Oidc, Pending
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import Dashboard, Deps
from twinbook.web.pages.signing_in import inside, signed_in, visitor_of
from twinbook.web.problems import NotFound, Problem
from twinbook.web.rendering import open_state, seal_state

router = APIRouter()

COOKIE = "twinbook_oidc"
COOKIE_SECONDS = 600
CALLBACK = "/sign-in/oidc/callback"


@router.get("/sign-in/oidc")
async def leave(request: Request, _: Anyone, dashboard: Deps, onward: str = "/") -> Response:
    provider = _provider(dashboard)
    address, pending = await provider.begin(_callback(request, dashboard))
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        COOKIE,
        seal_state(request, [*astuple(pending), inside(onward)]),
        max_age=COOKIE_SECONDS,
        httponly=True,
        # Lax, so that it comes back with the browser from the provider.
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get(CALLBACK)
async def come_back(
    request: Request,
    _: Anyone,
    dashboard: Deps,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    provider = _provider(dashboard)
    kept = open_state(request, request.cookies.get(COOKIE))
    if not kept or kept[0] != state or not code:
        raise Problem(400, "This sign-in was not begun here", "Go to the dashboard and sign in from there.")
    *parts, onward = kept
    identity = await provider.finish(code, Pending(*parts), _callback(request, dashboard))
    now = dashboard.now()
    person = await dashboard.write(lambda tx: welcome(tx, identity, now=now))
    answer = await signed_in(request, person, visitor_of(request), onward=onward)
    answer.delete_cookie(COOKIE)
    return answer


def welcome(tx: Tx, identity: Identity, *, now: float) -> Person:
    """The person of this identity, with the role that their groups give them now. Raises `Problem` for whom they let in
    nowhere, for who is locked out, and where somebody else has the login."""
    if identity.role is None:
        raise Problem(403, "Your groups do not let you in", "Ask an administrator which group it takes.")
    person = people.by_identity(tx, identity.issuer, identity.subject)
    if person is None:
        return _newcomer(tx, identity, identity.role, now=now)
    if person.disabled_at is not None:
        raise Problem(403, "You are locked out", "Ask an administrator.")
    if person.role != identity.role:
        people.set_role(tx, person.id, identity.role)
        sessions.end_all_of(tx, person.id)
        detail = {"from": person.role, "to": identity.role}
        audit.note(tx, Act("single sign-on", "person.role_changed", person.login, detail=detail), now=now)
    return person


def _newcomer(tx: Tx, identity: Identity, role: Role, *, now: float) -> Person:
    if people.by_login(tx, identity.login) is not None:
        remedy = "Sign in with the password of that login, or ask an administrator to give that person another one."
        raise Problem(409, "Somebody else has your login here", remedy)
    person = people.add(tx, login=identity.login, name=identity.name, role=role, password_hash=None, now=now)
    people.add_identity(tx, person.id, identity.issuer, identity.subject)
    audit.note(tx, Act("single sign-on", "person.added", person.login, detail={"role": role}), now=now)
    return person


def _provider(dashboard: Dashboard) -> Oidc:
    if dashboard.oidc is None:
        raise NotFound
    return dashboard.oidc


def _callback(request: Request, dashboard: Dashboard) -> str:
    base = dashboard.settings.web.base_url or str(request.base_url).rstrip("/")
    return base + CALLBACK
