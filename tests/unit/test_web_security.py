"""What protects every answer and every request."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dashboard.rig import Rig

from twinbook.logs import configure_logging
from twinbook.settings.model import LogSettings
from twinbook.store.database import Database
from twinbook.web.access.roles import Role
from twinbook.web.access.secrets import Sealer
from twinbook.web.errors import CannotServeError
from twinbook.web.security import HEADERS, LARGEST_BODY


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path)


@pytest.mark.parametrize("path", ["/contacts", "/nowhere", "/api/v1/contacts", "/api/v1/nowhere", "/sign-in"])
def test_every_answer_carries_the_headers_and_is_not_kept(rig: Rig, path: str) -> None:
    answer = rig.client().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]


def test_styles_and_scripts_are_kept_for_good_under_an_address_of_their_contents(rig: Rig) -> None:
    client = rig.client(None)
    page = client.get("/sign-in").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in client.get(address).headers["cache-control"]
    old = address.replace(address.split("/")[2], "0123456789ab")
    assert client.get(old).headers["cache-control"] == "no-store"
    assert client.get("/static/x/..%2Fapp.py").status_code == 404


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://testserver"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({}, True),
    ],
)
def test_forms_of_other_sites_are_refused(rig: Rig, headers: dict[str, str], passes: bool) -> None:
    answer = rig.client(Role.VIEWER).post("/contacts/search", data={"text": "ada"}, headers=headers)
    assert (answer.status_code == 303) == passes
    assert passes or answer.status_code == 403


def test_a_body_that_is_too_large_is_refused_announced_or_not(rig: Rig) -> None:
    client = rig.client()
    large = b"x" * (LARGEST_BODY + 1)
    assert client.post("/contacts/search", content=large).status_code == 413
    assert client.post("/contacts/search", content=iter([large[:1000]] * 1100)).status_code == 413
    answer = client.post("/api/v1/contacts/search", content=large)
    assert answer.json()["status"] == 413
    assert client.post("/contacts/search", headers={"content-length": "many"}).status_code == 413


def test_refusals_are_problems_in_the_api_and_pages_elsewhere(rig: Rig) -> None:
    client = rig.client()
    problem = client.get("/api/v1/contacts", params={"limit": 0, "sort": "sideways"})
    assert problem.status_code == 422
    assert {item["field"] for item in problem.json()["errors"]} == {"limit", "sort"}
    page = client.get("/contacts", params={"state": "odd"})
    assert page.status_code == 422
    assert "<code>state</code>" in page.text
    nobody = rig.client(None).get("/api/v1/contacts")
    assert nobody.status_code == 401
    assert nobody.json()["title"] == "Please sign in"


def test_a_fault_of_our_own_shows_nothing_of_itself(
    capsys: pytest.CaptureFixture[str], rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging(LogSettings(level="error"))

    async def broken(_connection: str) -> None:
        raise ValueError("ada@example.com is secret")

    monkeypatch.setattr(type(rig.dashboard.contact_counts), "get", lambda _self, key: broken(key))
    client = rig.client()
    client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
    for path in ("/contacts", "/api/v1/contacts"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "content-security-policy" in answer.headers
        logged = capsys.readouterr().err
        assert "dashboard.fault" in logged and "ValueError" in logged
        assert "ada@example.com" not in answer.text + logged


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "twinbook.key"
    sealed = Sealer.from_file(path).seal("ada")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Sealer.from_file(path).open(sealed) == "ada"
    assert Sealer.from_file(path).open(sealed[:-4] + "AAAA") is None
    path.write_text("something else")
    with pytest.raises(CannotServeError, match="is no key file"):
        Sealer.from_file(path)
