"""Signing in and out, setting up the first administrator, and choosing a password by an invitation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from twinbook.store import audit, invitations, sessions
from twinbook.store import people as stored_people
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.people import Person
from twinbook.web.access import people
from twinbook.web.access.guard import Anyone, Viewer, cookie_name
from twinbook.web.access.passwords import problem_with
from twinbook.web.access.people import Visitor
from twinbook.web.access.secrets import digest
from twinbook.web.dashboard import Dashboard, Deps, dashboard_of
from twinbook.web.problems import Problem
from twinbook.web.rendering import redirect, render

router = APIRouter()

Text = Annotated[str, Form(max_length=400)]
SIGN_IN = "signing_in/sign_in.html"
CHOOSE = "signing_in/choose_password.html"


@router.get("/sign-in")
async def sign_in_page(request: Request, who: Anyone, dashboard: Deps, onward: str = "/") -> Response:
    if who is not None:
        return redirect(request, inside(onward))
    fresh = await dashboard.read(stored_people.none_yet)
    return await _door(request, onward=onward, fresh=fresh)


@router.post("/sign-in")
async def sign_in(
    request: Request, _: Anyone, dashboard: Deps, login: Text, password: Text, onward: Text = "/"
) -> Response:
    login, visitor = people.login_of(login), visitor_of(request)
    keys = (f"login:{login}", f"address:{visitor.address}")
    wait = dashboard.throttle.wait(*keys)
    if wait:
        title = "Too many tries"
        raise Problem(429, title, f"Wait {round(wait + 0.5)} seconds, then try again.", retry_after=wait)
    person, hashed = await dashboard.read(lambda tx: _candidate(tx, login))
    fits = await dashboard.passwords.fits(password, hashed)
    if person is None or not fits or person.disabled_at is not None:
        dashboard.throttle.failed(*keys)
        wrong = "Login and password do not fit together, or the person has been locked out."
        return await _door(request, status=403, onward=onward, login=login, wrong=wrong)
    dashboard.throttle.worked(keys[0])
    return await signed_in(request, person, visitor, onward=inside(onward))


@router.post("/sign-out")
async def sign_out(request: Request, who: Viewer, dashboard: Deps) -> Response:
    def leave(tx: Tx) -> None:
        if who.session_id is not None:
            sessions.end(tx, who.session_id)
        audit.note(tx, Act(who.login, "session.ended"), now=dashboard.now())

    await dashboard.write(leave)
    answer = redirect(request, "/sign-in", notice="You are signed out.")
    answer.delete_cookie(cookie_name(request), secure=request.url.scheme == "https")
    return answer


@router.get("/set-up/{token}")
async def set_up_page(request: Request, _: Anyone, dashboard: Deps, token: str) -> Response:
    await _invited(dashboard, token, first=True)
    return await render(request, "signing_in/set_up.html", faults={}, login="", name="")


@router.post("/set-up/{token}")
async def set_up(
    request: Request, _: Anyone, dashboard: Deps, token: str, login: Text, password: Text, name: Text = ""
) -> Response:
    await _invited(dashboard, token, first=True)
    login, name = people.login_of(login), name.strip()
    faults = {
        "login": people.problem_with_login(login),
        "password": problem_with(password, login=login),
    }
    if any(faults.values()):
        return await render(
            request, "signing_in/set_up.html", status=422, faults=faults, login=login, name=name
        )
    hashed = await dashboard.passwords.hash(password)
    now = dashboard.now()
    made = await dashboard.write(
        lambda tx: people.set_up(tx, token, login=login, name=name or login, password_hash=hashed, now=now)
    )
    if made is None:
        raise _spent(first=True)
    return await signed_in(request, made, visitor_of(request), notice="Twinbook is yours. Welcome.")


@router.get("/invitation/{token}")
async def choose_password_page(request: Request, _: Anyone, dashboard: Deps, token: str) -> Response:
    person = await _invited(dashboard, token)
    return await render(request, CHOOSE, person=person, fault=None)


@router.post("/invitation/{token}")
async def choose_password(
    request: Request, _: Anyone, dashboard: Deps, token: str, password: Text
) -> Response:
    person = await _invited(dashboard, token)
    fault = problem_with(password, login=person.login if person else "")
    if fault:
        return await render(request, CHOOSE, status=422, person=person, fault=fault)
    hashed = await dashboard.passwords.hash(password)
    now = dashboard.now()
    accepted = await dashboard.write(lambda tx: people.accept(tx, token, hashed, now=now))
    if accepted is None:
        raise _spent(first=False)
    return await signed_in(request, accepted, visitor_of(request), notice="Your password is set.")


@router.get("/welcome/{token}")
async def welcome(request: Request, who: Anyone, dashboard: Deps, token: str) -> Response:
    """In at once, by a link that works once, such as the demo prints. A browser that is in already stays in."""
    if who is not None:
        return redirect(request, "/")
    now = dashboard.now()
    person = await dashboard.write(lambda tx: people.come_in(tx, token, now=now))
    if person is None:
        raise _spent(first=True)
    return await signed_in(request, person, visitor_of(request))


async def _door(
    request: Request, *, onward: str, status: int = 200, login: str = "", wrong: str = "", fresh: bool = False
) -> Response:
    dashboard = dashboard_of(request)
    return await render(
        request,
        SIGN_IN,
        status=status,
        onward=inside(onward),
        login=login,
        wrong=wrong,
        fresh=fresh,
        single_sign_on=dashboard.settings.web.oidc.label if dashboard.oidc else "",
    )


async def signed_in(
    request: Request, person: Person, visitor: Visitor, *, onward: str = "/", notice: str = ""
) -> Response:
    dashboard = dashboard_of(request)
    now = dashboard.now()
    token = await dashboard.write(lambda tx: people.begin_session(tx, person, visitor, now=now))
    answer = redirect(request, onward, notice=notice)
    answer.set_cookie(
        cookie_name(request), token, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return answer


def _candidate(tx: Tx, login: str) -> tuple[Person | None, str | None]:
    person = stored_people.by_login(tx, login)
    return person, stored_people.password_hash(tx, person.id) if person else None


async def _invited(dashboard: Dashboard, token: str, *, first: bool = False) -> Person | None:
    """Whom the link invites; None for the first administrator. Raises `Problem` where it works no longer."""
    now = dashboard.now()
    found = await dashboard.read(lambda tx: invitations.find(tx, digest(token), now=now))
    if found is None or (found.person_id is None) != first:
        raise _spent(first=first)
    person_id = found.person_id
    if person_id is None:
        return None
    return await dashboard.read(lambda tx: stored_people.by_id(tx, person_id))


def _spent(*, first: bool) -> Problem:
    remedy = "Start Twinbook again for a fresh one." if first else "Ask an administrator for a fresh one."
    return Problem(410, "This link works no longer", f"It was used already, or is too old. {remedy}")


def inside(onward: str) -> str:
    """Where to go on to, never to another site."""
    return onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) else "/"


def visitor_of(request: Request) -> Visitor:
    return Visitor(request.client.host if request.client else "", request.headers.get("user-agent", ""))
