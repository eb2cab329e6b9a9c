"""People, tokens and the audit for programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.dashboard.rig import Rig

from twinbook.store.database import Database
from twinbook.web.access.roles import Role

API = "/api/v1"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path)


def with_token(rig: Rig, *scopes: str, role: Role = Role.ADMINISTRATOR) -> TestClient:
    """A program with a token that somebody of this role made."""
    made = rig.client(role).post(f"{API}/tokens", json={"name": "a program", "scopes": scopes}).json()
    program = rig.client(None)
    program.headers["Authorization"] = f"Bearer {made['token']}"
    return program


def test_people_are_invited_changed_and_locked_out(rig: Rig) -> None:
    program = with_token(rig, "people:write", "people:read")
    invited = program.post(f"{API}/people", json={"login": "Grace", "role": "viewer"}).json()
    assert rig.client(None).get(invited["path"]).status_code == 200
    [grace] = [item for item in program.get(f"{API}/people").json()["people"] if item["login"] == "grace"]
    path = f"{API}/people/{grace['id']}"
    assert program.post(f"{path}/role", json={"role": "operator"}).json()["done"] == "grace is operator now."
    assert program.post(f"{path}/do/lock-out").json()["done"] == "grace is locked out."
    [grace] = [item for item in program.get(f"{API}/people").json()["people"] if item["login"] == "grace"]
    assert (grace["role"], grace["disabled_at"] is not None) == ("operator", True)
    assert program.post(f"{API}/people", json={"login": "grace", "role": "viewer"}).status_code == 409
    myself = next(
        item for item in program.get(f"{API}/people").json()["people"] if item["login"] == "administrator"
    )
    assert program.post(f"{API}/people/{myself['id']}/do/lock-out").status_code == 409, "nobody would be left"


def test_a_token_reaches_no_further_than_its_scopes_and_makes_no_other(rig: Rig) -> None:
    program = with_token(rig, "tokens:read", "audit:read")
    assert program.get(f"{API}/people").status_code == 403
    wanted = {"name": "more", "scopes": ["people:write"]}
    assert program.post(f"{API}/tokens", json=wanted).status_code == 403
    [mine] = program.get(f"{API}/tokens").json()["tokens"]
    other = rig.client().post(f"{API}/tokens", json=wanted)
    assert other.status_code == 200
    [newest, _] = program.get(f"{API}/tokens").json()["tokens"]
    assert program.post(f"{API}/tokens/{newest['id']}/revoke").status_code == 403
    assert program.post(f"{API}/tokens/{mine['id']}/revoke").status_code == 200
    assert program.get(f"{API}/tokens").status_code == 401


def test_the_audit_is_read_page_by_page(rig: Rig) -> None:
    program = with_token(rig, "audit:write")
    rig.client(Role.OPERATOR).post("/overview/pause")
    first = program.get(f"{API}/audit?limit=1").json()
    [latest] = first["acts"]
    assert (latest["who"], latest["connection"]) == ("operator", "default")
    older = program.get(f"{API}/audit?limit=1&before={first['next']}").json()["acts"]
    assert older[0]["id"] < latest["id"]
    assert {act["who"] for act in program.get(f"{API}/audit?who=operator").json()["acts"]} == {"operator"}
    assert with_token(rig, "audit:read", role=Role.OPERATOR).get(f"{API}/audit").status_code == 403
