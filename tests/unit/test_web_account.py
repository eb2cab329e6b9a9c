"""The page of one's own account: what is wrong is said where it was typed, and what was changed holds at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.dashboard.rig import PASSWORD, Rig

from twinbook.store.database import Database
from twinbook.web.access.guard import COOKIE
from twinbook.web.access.roles import Role

FRESH = "an entirely different one"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path)


def sign_in(rig: Rig, password: str) -> TestClient:
    client = TestClient(rig.app, follow_redirects=False)
    client.post("/sign-in", data={"login": "viewer", "password": password})
    return client


@pytest.mark.parametrize(
    ("present", "password", "status", "said"),
    [
        ("not it", FRESH, 403, "This is not your present password."),
        (PASSWORD, "short", 422, "It is too short"),
        (PASSWORD, "viewerviewerviewer", 422, "It is too easy to guess"),
    ],
)
def test_a_password_that_cannot_be_changed_so_is_said_and_stays(
    rig: Rig, present: str, password: str, status: int, said: str
) -> None:
    client = rig.client(Role.VIEWER)
    answer = client.post("/account/password", data={"present": present, "password": password})
    assert answer.status_code == status
    assert said in answer.text
    assert COOKIE in sign_in(rig, PASSWORD).cookies


def test_a_new_password_lets_in_and_the_old_one_does_not(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    elsewhere = sign_in(rig, PASSWORD)
    client.post("/account/password", data={"present": PASSWORD, "password": FRESH})
    assert client.get("/account").status_code == 200, "the session that changed it goes on"
    assert elsewhere.get("/account").headers["location"].startswith("/sign-in"), "the others end"
    assert COOKIE in sign_in(rig, FRESH).cookies
    assert COOKIE not in sign_in(rig, PASSWORD).cookies


def test_guessing_the_present_password_is_slowed_down(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    for _ in range(20):
        client.post("/account/password", data={"present": "a guess", "password": FRESH})
    answer = client.post("/account/password", data={"present": PASSWORD, "password": FRESH})
    assert answer.status_code == 403


def test_a_session_elsewhere_is_seen_and_ended(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    elsewhere = sign_in(rig, PASSWORD)
    page = client.get("/account").text
    assert page.count("/end") == 1, "one's own session is not offered"
    number = page.partition("/account/sessions/")[2].partition("/end")[0]
    assert client.post(f"/account/sessions/{number}/end").status_code == 303
    assert elsewhere.get("/account").headers["location"].startswith("/sign-in")


def test_a_token_without_a_scope_is_refused_with_a_word(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    answer = client.post("/account/tokens", data={"name": "nightly", "days": "30"})
    assert answer.status_code == 422
    assert "scope" in answer.text
    made = client.post(
        "/account/tokens", data={"name": "nightly", "days": "30", "scopes": ["backfills:read"]}
    )
    assert made.status_code == 303
    assert "nightly" in client.get("/account").text
