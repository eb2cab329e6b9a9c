"""Who gets in, and what each role may do, for every route there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from tests.dashboard.rig import PASSWORD, Rig

import twinbook.web.api
import twinbook.web.pages
from twinbook.store.database import Database
from twinbook.web.access import guard, people
from twinbook.web.access.guard import COOKIE, needed
from twinbook.web.access.roles import Role
from twinbook.web.access.throttle import FREE_TRIES
from twinbook.web.app import API
from twinbook.web.dashboard import INSTALLATION

ROUTES = [
    (prefix + route.path, route)
    for prefix, routers in (("", twinbook.web.pages.ROUTERS), (API, twinbook.web.api.ROUTERS))
    for router in routers
    for route in router.routes
    if isinstance(route, APIRoute)
]


class Clock:
    def __init__(self) -> None:
        self.time = 1_764_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rig(tmp_path: Path, clock: Clock) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path, now=clock)


def set_up_token(rig: Rig) -> str | None:
    now = rig.dashboard.now()
    return rig.database.run_now(INSTALLATION, lambda tx: people.set_up_token(tx, now=now))


def sign_in(client: TestClient, login: str, password: str = PASSWORD) -> int:
    return client.post("/sign-in", data={"login": login, "password": password}).status_code


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nobody")
@pytest.mark.parametrize(("path", "route"), ROUTES, ids=[f"{path}" for path, _ in ROUTES])
async def test_each_route_lets_in_exactly_the_roles_that_it_declares(
    rig: Rig, path: str, route: APIRoute, role: Role | None
) -> None:
    [declared] = needed(route)
    let_in = declared.role is None or (role is not None and role.covers(declared.role))
    for method in route.methods:
        status, headers = await first_words(rig, method, path.replace("{", "").replace("}", ""), role)
        to_the_door = headers.get("location", "").startswith("/sign-in?onward")
        refused = status in (401, 403) or to_the_door
        assert refused != let_in, f"{method} {path} for {role}: {status}"


async def first_words(rig: Rig, method: str, path: str, role: Role | None) -> tuple[int, Headers]:
    """Status and headers of an answer, without waiting for its end: some streams have none."""
    cookie = f"{COOKIE}={rig.token(role)}" if role else ""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver"), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "state": {},
    }
    started: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    body: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    body.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not started.done():
            started.set_result(message)

    answering = asyncio.ensure_future(rig.app(scope, body.get, send))
    await asyncio.wait([started, answering], timeout=20, return_when=asyncio.FIRST_COMPLETED)
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)
    return started.result()["status"], Headers(raw=started.result()["headers"])


def test_an_application_with_a_route_that_declares_no_role_does_not_start() -> None:
    router = APIRouter()

    @router.get("/open")
    async def careless(request: Request) -> None: ...

    with pytest.raises(RuntimeError, match="/open does not say whom it lets in"):
        guard.check([router])


def test_the_link_of_the_demo_lets_its_administrator_in_once(rig: Rig) -> None:
    now = rig.dashboard.now()
    token = rig.database.run_now(INSTALLATION, lambda tx: people.demo_token(tx, now=now))
    visitor = rig.client(None)
    assert visitor.get(f"/welcome/{token}").headers["location"] == "/"
    assert visitor.get("/people").status_code == 200
    assert visitor.get(f"/welcome/{token}").headers["location"] == "/", "who is in stays in"
    assert rig.client(None).get(f"/welcome/{token}").status_code == 410


def test_the_link_of_the_demo_ends_by_itself(rig: Rig, clock: Clock) -> None:
    token = rig.database.run_now(INSTALLATION, lambda tx: people.demo_token(tx, now=clock()))
    clock.time += people.INVITATION_SECONDS + 1
    assert rig.client(None).get(f"/welcome/{token}").status_code == 410


def test_the_set_up_link_makes_the_first_administrator_once(rig: Rig) -> None:
    token = set_up_token(rig)
    client = rig.client(None)
    form = {"login": "Ada", "name": "Ada Lovelace", "password": PASSWORD}
    assert client.get(f"/set-up/{token}").status_code == 200
    answer = client.post(f"/set-up/{token}", data=form)
    assert answer.status_code == 303
    assert COOKIE in answer.cookies
    assert client.get("/contacts").status_code == 200
    assert rig.client(None).post(f"/set-up/{token}", data=form).status_code == 410
    assert set_up_token(rig) is None


def test_a_fresh_set_up_link_replaces_the_one_before_it_and_ends_after_some_days(
    rig: Rig, clock: Clock
) -> None:
    old, new = set_up_token(rig), set_up_token(rig)
    client = rig.client(None)
    assert client.get(f"/set-up/{old}").status_code == 410
    assert client.get(f"/set-up/{new}").status_code == 200
    clock.time += people.INVITATION_SECONDS + 1
    assert client.get(f"/set-up/{new}").status_code == 410


@pytest.mark.parametrize(
    ("login", "password", "field"),
    [
        ("ada", "short", "password"),
        ("ada", "a" * 20, "password"),
        ("ada", "ada loves me, ada", "password"),
        ("a b", PASSWORD, "login"),
    ],
)
def test_a_weak_password_or_an_odd_login_is_refused_at_its_field(
    rig: Rig, login: str, password: str, field: str
) -> None:
    token = set_up_token(rig)
    answer = rig.client(None).post(f"/set-up/{token}", data={"login": login, "password": password})
    assert answer.status_code == 422
    assert f'id="{field}-about" class="fault"' in answer.text


def test_signing_in_and_out(rig: Rig) -> None:
    rig.token(Role.VIEWER)
    client = rig.client(None)
    assert client.get("/contacts").headers["location"].startswith("/sign-in?")
    assert sign_in(client, "VIEWER ") == 303
    assert client.get("/contacts").status_code == 200
    token = client.cookies[COOKIE]
    assert client.post("/sign-out").status_code == 303
    client.cookies.set(COOKIE, token)
    assert client.get("/contacts").status_code == 303, "the session must be gone, not only the cookie"


def test_guessing_is_slowed_down_and_a_wait_is_announced(rig: Rig, clock: Clock) -> None:
    rig.token(Role.VIEWER)
    client = rig.client(None)
    for _ in range(FREE_TRIES):
        assert sign_in(client, "viewer", "wrong wrong wrong") == 403
    answer = client.post("/sign-in", data={"login": "viewer", "password": PASSWORD})
    assert answer.status_code == 429
    clock.time += float(answer.headers["retry-after"])
    assert sign_in(client, "viewer") == 303


def test_a_session_ends_after_its_hours_without_a_visit(rig: Rig, clock: Clock) -> None:
    client = rig.client(Role.VIEWER)
    hours = rig.dashboard.settings.web.session_hours
    for _ in range(3):
        clock.time += (hours - 1) * 3600
        assert client.get("/contacts").status_code == 200
    clock.time += (hours + 1) * 3600
    assert client.get("/contacts").status_code == 303


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(rig: Rig, onward: str) -> None:
    rig.token(Role.VIEWER)
    form = {"login": "viewer", "password": PASSWORD, "onward": onward}
    assert rig.client(None).post("/sign-in", data=form).headers["location"] == "/"


def test_what_is_stored_gives_nobody_access(rig: Rig) -> None:
    """Neither passwords nor tokens can be read out of the database."""
    token = rig.token(Role.ADMINISTRATOR)
    link = set_up_token(rig)
    assert link is None
    with rig.database._writing.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        dump = "\n".join(raw.iterdump())
    assert "administrator" in dump
    assert token not in dump
    assert PASSWORD not in dump
