"""The guard before every route. A route says in its signature whom it lets in:

    async def list_contacts(who: Viewer, ...)         # or Operator, Administrator
    async def sign_in(_: Anyone, ...)                 # without signing in

An application with a route that says nothing does not start (`check`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.requests import HTTPConnection
from fastapi.routing import APIRoute

from twinbook.web.access import people
from twinbook.web.access.principal import Principal
from twinbook.web.access.roles import Role
from twinbook.web.access.scopes import scope_of
from twinbook.web.dashboard import Dashboard, dashboard_of
from twinbook.web.problems import NotAllowed, NotSignedIn, OutOfScope, Problem

COOKIE = "twinbook"
SECURE_COOKIE = "__Host-twinbook"


class Needs:
    """Lets in who has at least this role; with None everybody, and says who it is where that is known."""

    def __init__(self, role: Role | None) -> None:
        self.role = role

    async def __call__(self, request: HTTPConnection) -> Principal | None:
        who = await identify(request)
        if self.role is None:
            return who
        if who is None:
            raise NotSignedIn
        if not who.role.covers(self.role):
            raise NotAllowed(self.role)
        if who.token_id is not None and (scope := scope_of(request.url.path, self.role)) not in who.scopes:
            raise OutOfScope(scope)
        return who


Viewer = Annotated[Principal, Depends(Needs(Role.VIEWER))]
Operator = Annotated[Principal, Depends(Needs(Role.OPERATOR))]
Administrator = Annotated[Principal, Depends(Needs(Role.ADMINISTRATOR))]
Anyone = Annotated[Principal | None, Depends(Needs(None))]


async def identify(request: HTTPConnection) -> Principal | None:
    """Who is asking, by token or by session cookie. The answer is kept with the request: error pages ask again.

    Raises `Problem` for whoever asks the API too often.
    """
    if not hasattr(request.state, "principal"):
        request.state.principal = None
        request.state.principal = await _identified(request)
    found: Principal | None = request.state.principal
    return found


async def _identified(request: HTTPConnection) -> Principal | None:
    dashboard = dashboard_of(request)
    path = request.url.path
    for_programs = path.startswith("/api/") or path == "/metrics"
    if not for_programs:
        return await _by_session(dashboard, session_token(request))
    bearer = request.headers.get("authorization", "").partition("Bearer ")[2].strip()
    who = await (_by_token(dashboard, bearer) if bearer else _by_session(dashboard, session_token(request)))
    wait = (
        dashboard.pace.take(f"token {who.token_id}" if who and who.token_id else f"person {who.person_id}")
        if who
        else 0.0
    )
    if wait:
        detail = f"{dashboard.pace.a_minute} requests a minute are allowed. Wait as long as Retry-After says."
        raise Problem(429, "Too many requests", detail, retry_after=wait)
    return who


async def identify_anew(request: HTTPConnection) -> Principal | None:
    """The same after a while: the session may have been ended."""
    return await _by_session(dashboard_of(request), session_token(request))


def session_token(request: HTTPConnection) -> str | None:
    return request.cookies.get(cookie_name(request))


def cookie_name(request: HTTPConnection) -> str:
    """Over https the name itself forbids other hosts and plain http to set it."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


async def _by_token(dashboard: Dashboard, token: str) -> Principal | None:
    now = dashboard.now()
    return await _noted(dashboard, await dashboard.read(lambda tx: people.whose_token(tx, token, now=now)))


async def _by_session(dashboard: Dashboard, token: str | None) -> Principal | None:
    if not token:
        return None
    alive_since = dashboard.alive_since()
    found = await dashboard.read(lambda tx: people.who_has(tx, token, alive_since=alive_since))
    return await _noted(dashboard, found)


async def _noted(dashboard: Dashboard, found: tuple[Principal, float] | None) -> Principal | None:
    """Note the visit, but rarely: looking around writes next to nothing."""
    if found is None:
        return None
    (who, seen_at), now = found, dashboard.now()
    if now - seen_at > people.TOUCH_SECONDS:
        await dashboard.write(lambda tx: people.note_visit(tx, who, now=now))
    return who


def needed(route: APIRoute) -> list[Needs]:
    """What the guard asks of this route. A route that is in order has exactly one."""
    return [item.call for item in _dependants(route.dependant) if isinstance(item.call, Needs)]


def check(routers: Iterable[APIRouter]) -> None:
    """Raises `RuntimeError` for a route that does not say whom it lets in."""
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute) or len(needed(route)) != 1:
                raise RuntimeError(f"{getattr(route, 'path', route)} does not say whom it lets in")


def _dependants(top: Dependant) -> Iterator[Dependant]:
    for item in top.dependencies:
        yield item
        yield from _dependants(item)
