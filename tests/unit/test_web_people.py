"""People, their own account, tokens of programs, and the audit of it all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.dashboard.rig import PASSWORD, Rig

from twinbook.store import audit
from twinbook.store.database import Database
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import INSTALLATION


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path)


def secret(client: TestClient, path: str) -> str:
    """What the next page shows once."""
    found = re.search(r'<code class="secret">([^<]+)</code>', client.get(path).text)
    assert found, "nothing was shown"
    return found[1]


def acts(rig: Rig) -> list[str]:
    return [act.what for act in rig.database.read_now(INSTALLATION, lambda tx: audit.latest(tx, limit=100))]


def make_token(client: TestClient, *scopes: str, days: int = 30) -> str:
    form = {"name": "report", "days": days, "scopes": list(scopes)}
    assert client.post("/account/tokens", data=form).status_code == 303
    return secret(client, "/account")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_somebody_is_invited_chooses_a_password_and_signs_in(rig: Rig) -> None:
    administrator = rig.client()
    form = {"login": "Ada@Acme.example", "name": "Ada", "role": "operator"}
    assert administrator.post("/people", data=form).status_code == 303
    link = secret(administrator, "/people")
    assert "secret" not in administrator.get("/people").text, "the link is shown once"
    path = "/" + link.split("/", 3)[3]
    ada = rig.client(None)
    assert ada.post(path, data={"password": "short"}).status_code == 422
    assert ada.post(path, data={"password": PASSWORD}).status_code == 303
    assert "operator" in ada.get("/contacts").text
    assert ada.get("/people").status_code == 403
    assert ada.get(path).status_code == 410
    assert {"person.added", "person.password_chosen", "session.begun"} <= set(acts(rig))


def test_a_login_is_given_once(rig: Rig) -> None:
    client = rig.client()
    form = {"login": "ada", "role": "viewer"}
    assert client.post("/people", data=form).status_code == 303
    refused = client.post("/people", data=form)
    assert refused.status_code == 409
    assert "This login is taken" in refused.text


def test_the_last_administrator_stays(rig: Rig) -> None:
    client = rig.client()
    for path, form in (("/people/1/role", {"role": "viewer"}), ("/people/1/do/lock-out", {})):
        answer = client.post(path, data=form)
        assert answer.status_code == 409
        assert "Nobody would be left" in answer.text


def test_whoever_is_locked_out_is_out_at_once_with_all_tokens(rig: Rig) -> None:
    administrator, operator = rig.client(), rig.client(Role.OPERATOR)
    token = make_token(operator, "contacts:read")
    nobody = rig.client(None)
    assert nobody.get("/api/v1/contacts", headers=bearer(token)).status_code == 200
    assert administrator.post("/people/2/do/lock-out").status_code == 303
    assert operator.get("/contacts").status_code == 303
    assert nobody.get("/api/v1/contacts", headers=bearer(token)).status_code == 401
    assert nobody.post("/sign-in", data={"login": "operator", "password": PASSWORD}).status_code == 403


def test_a_role_that_is_taken_away_is_gone_at_once(rig: Rig) -> None:
    administrator, operator = rig.client(), rig.client(Role.OPERATOR)
    assert operator.post("/overview/pause").status_code == 303
    assert administrator.post("/people/2/role", data={"role": "viewer"}).status_code == 303
    assert operator.post("/overview/pause").status_code == 403


def test_a_token_reaches_no_further_than_its_scopes_and_its_person(rig: Rig) -> None:
    client, nobody = rig.client(Role.VIEWER), rig.client(None)
    token = make_token(client, "contacts:read", "overview:write")
    assert nobody.get("/api/v1/contacts/counts", headers=bearer(token)).status_code == 200
    outside = nobody.get("/api/v1/overview", headers=bearer(token))
    assert outside.status_code == 403
    assert "overview:read" in outside.json()["detail"]
    above = nobody.post("/api/v1/overview/pause", headers=bearer(token))
    assert above.status_code == 403
    assert "operator" in above.json()["detail"]
    assert nobody.get("/contacts", headers=bearer(token)).status_code == 303, "tokens open no pages"
    assert nobody.get("/metrics", headers=bearer(token)).status_code == 403


def test_metrics_are_for_tokens_with_their_scope(rig: Rig) -> None:
    token = make_token(rig.client(Role.VIEWER), "metrics:read")
    answer = rig.client(None).get("/metrics", headers=bearer(token))
    assert answer.status_code == 200
    assert 'twinbook_queue{connection="default",state="due"} 0.0' in answer.text


def test_a_token_ends_when_revoked(rig: Rig) -> None:
    client, nobody = rig.client(), rig.client(None)
    token = make_token(client, "contacts:read")
    assert client.post("/account/tokens/1/revoke").status_code == 303
    assert client.post("/account/tokens/1/revoke").status_code == 404
    assert nobody.get("/api/v1/contacts", headers=bearer(token)).status_code == 401
    assert acts(rig)[0] == "token.revoked"


def test_nobody_revokes_tokens_or_ends_sessions_of_others(rig: Rig) -> None:
    make_token(rig.client(), "contacts:read")
    viewer = rig.client(Role.VIEWER)
    assert viewer.post("/account/tokens/1/revoke").status_code == 404
    assert viewer.post("/account/sessions/1/end").status_code == 404


def test_a_new_password_ends_the_other_sessions(rig: Rig) -> None:
    first, second = rig.client(Role.VIEWER), rig.client(None)
    assert second.post("/sign-in", data={"login": "viewer", "password": PASSWORD}).status_code == 303
    wrong = {"present": "not my password", "password": "four words chosen by chance"}
    assert first.post("/account/password", data=wrong).status_code == 403
    assert first.post("/account/password", data={**wrong, "present": PASSWORD}).status_code == 303
    assert second.get("/contacts").status_code == 303
    assert first.get("/contacts").status_code == 200
    assert (
        rig.client(None).post("/sign-in", data={"login": "viewer", "password": PASSWORD}).status_code == 403
    )


def test_whoever_asks_the_api_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    rig = Rig.over(
        Database.open_memory(), tmp_path, now=lambda: 1_764_000_000.0, web="requests_per_minute = 60"
    )
    client = rig.client()
    answers = [client.get("/api/v1/contacts/counts") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client.get("/contacts").status_code == 200, "pages are not counted"


def test_the_audit_shows_who_did_what(rig: Rig) -> None:
    rig.client(Role.OPERATOR).post("/overview/pause")
    client = rig.client()
    page = client.get("/audit", params={"who": "operator"})
    assert "connection.paused" in page.text
    assert "connection.paused" not in client.get("/audit", params={"who": "viewer"}).text


def test_pausing_and_resuming_by_page_and_by_api(rig: Rig) -> None:
    client = rig.client(Role.OPERATOR)
    assert client.post("/overview/pause").status_code == 303
    assert client.get("/api/v1/overview").json()["flow"]["paused"] is True
    assert "Paused" in client.get("/overview").text
    assert client.post("/api/v1/overview/resume").json() == {"released": 0}
    assert client.get("/api/v1/overview").json()["flow"]["paused"] is False


def test_health(rig: Rig) -> None:
    nobody = rig.client(None)
    assert nobody.get("/healthz").json() == nobody.get("/readyz").json() == {"status": "ok"}
