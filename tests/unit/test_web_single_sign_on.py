"""Single sign-on: who comes in, with which role, and every way in which a provider's word must not be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient
from tests.dashboard.provider import CLIENT, ISSUER, SECRET, Provider
from tests.dashboard.rig import Rig

from twinbook.store.database import Database
from twinbook.web.access.roles import Role
from twinbook.web.pages.single_sign_on import CALLBACK

NOW = 1_764_000_000.0
ADA = {
    "sub": "248289761001",
    "email": "Ada@Acme.example",
    "name": "Ada Lovelace",
    "groups": ["sync-operators"],
}
SETTINGS = f"""
[web.oidc]
issuer = "{ISSUER}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
administrators = ["sync-admins"]
operators = ["sync-operators"]
viewers = ["staff"]
"""


@pytest.fixture
def provider() -> Provider:
    return Provider(lambda: NOW, claims=dict(ADA))


@pytest.fixture
def rig(tmp_path: Path, provider: Provider) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path, now=lambda: NOW, web=SETTINGS, http=provider)


def come_in(rig: Rig, provider: Provider, **changed: str) -> tuple[TestClient, Any]:
    """A browser that goes to the provider and comes back, with parameters changed on the way."""
    client = rig.client(None)
    address = client.get("/sign-in/oidc", params={"onward": "/contacts"}).headers["location"]
    back = provider.authorize(address) | changed
    return client, client.get(CALLBACK, params=back)


def test_a_newcomer_gets_the_role_of_their_groups(rig: Rig, provider: Provider) -> None:
    assert "Single sign-on" in rig.client(None).get("/sign-in").text
    client, answer = come_in(rig, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts")
    page = client.get("/contacts").text
    assert "Ada Lovelace" in page
    assert "operator" in page
    assert client.post("/overview/pause").status_code == 303
    assert client.get("/people").status_code == 403


def test_a_role_follows_the_groups_and_older_sessions_end(rig: Rig, provider: Provider) -> None:
    before, _ = come_in(rig, provider)
    provider.claims["groups"] = ["sync-admins", "staff"]
    after, _ = come_in(rig, provider)
    assert after.get("/people").status_code == 200
    assert before.get("/contacts").status_code == 303


def test_who_is_in_no_group_or_locked_out_stays_out(rig: Rig, provider: Provider) -> None:
    come_in(rig, provider)
    [ada] = [
        person for person in (2, 1) if rig.client().post(f"/people/{person}/do/lock-out").status_code == 303
    ]
    assert ada == 1
    _, answer = come_in(rig, provider)
    assert (answer.status_code, "locked out" in answer.text) == (403, True)
    provider.claims |= {"sub": "other", "email": "grace@acme.example", "groups": ["visitors"]}
    _, answer = come_in(rig, provider)
    assert (answer.status_code, "groups" in answer.text) == (403, True)


def test_a_login_that_somebody_has_is_not_taken_over(rig: Rig, provider: Provider) -> None:
    rig.token(Role.ADMINISTRATOR)
    provider.claims["email"] = "administrator"
    client, answer = come_in(rig, provider)
    assert answer.status_code == 409
    assert client.get("/contacts").status_code == 303


@pytest.mark.parametrize(
    "spoil",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"nonce": "of another sign-in"},
        {"exp": int(NOW) - 3600},
        {"iat": int(NOW) + 3600},
        {"sub": None},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_an_id_token_that_does_not_hold_lets_nobody_in(
    rig: Rig, provider: Provider, spoil: dict[str, Any]
) -> None:
    provider.spoil = spoil
    client, answer = come_in(rig, provider)
    assert answer.status_code == 502
    assert client.get("/contacts").status_code == 303


def test_an_id_token_of_another_key_lets_nobody_in(rig: Rig, provider: Provider) -> None:
    provider.published = RSAKey.generate_key(2048, {"kid": "1"})
    assert come_in(rig, provider)[1].status_code == 502


def test_a_provider_that_names_another_issuer_is_not_used(rig: Rig, provider: Provider) -> None:
    provider.issuer = "https://evil.example"
    assert rig.client(None).get("/sign-in/oidc").status_code == 502


@pytest.mark.parametrize("changed", [{"state": "forged"}, {"code": ""}])
def test_an_answer_that_was_not_asked_for_is_refused(
    rig: Rig, provider: Provider, changed: dict[str, str]
) -> None:
    assert come_in(rig, provider, **changed)[1].status_code == 400


def test_a_code_that_was_stolen_is_of_no_use_in_another_browser(rig: Rig, provider: Provider) -> None:
    address = rig.client(None).get("/sign-in/oidc").headers["location"]
    back = provider.authorize(address)
    thief = rig.client(None)
    thief.get("/sign-in/oidc")
    assert thief.get(CALLBACK, params=back).status_code == 400


def test_a_code_that_the_provider_does_not_know_is_refused(rig: Rig, provider: Provider) -> None:
    assert come_in(rig, provider, code="guessed")[1].status_code == 502


def test_without_an_issuer_there_is_no_such_way(tmp_path: Path) -> None:
    rig = Rig.over(Database.open_memory(), tmp_path)
    assert rig.client(None).get("/sign-in/oidc").status_code == 404
    assert "oidc" not in rig.client(None).get("/sign-in").text
