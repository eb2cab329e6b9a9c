"""The settings in the browser: what is typed, what it would do, versions; the file stays the truth."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.dashboard import trying
from tests.dashboard.rig import Rig
from tests.memory.world import World

from twinbook.settings import load
from twinbook.settings.promotion import behaviour
from twinbook.store import audit
from twinbook.web.access.roles import Role
from twinbook.web.settings import form

COMMENT = "# Kept by the ERP team.\n"


@pytest.fixture
def systems() -> Iterator[World]:
    with trying.systems() as made:
        yield made


@pytest.fixture
def rig(systems: World, tmp_path: Path) -> Rig:
    return Rig.over(systems.store.database, tmp_path, open_connection=trying.over(systems))


@pytest.fixture
def browser(rig: Rig) -> Iterator[TestClient]:
    """One event loop for all requests, as the server has it."""
    with rig.client() as client:
        yield client


def path_of(rig: Rig) -> Path:
    assert rig.dashboard.origin is not None
    return rig.dashboard.origin.path


def fields(client: TestClient, path: str = "/settings") -> dict[str, str | list[str]]:
    """What the form of a page would post as it stands."""
    page = client.get(path)
    assert page.status_code == 200, page.text
    return posted(page.text)


def posted(text: str) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    inner = text[text.index('name="digest"') - 40 :]
    for tag in re.finditer(r"<input[^>]*>", inner):
        name = re.search(r'\sname="([^"]*)"', tag[0])
        value = re.search(r'\svalue="([^"]*)"', tag[0])
        text = html.unescape(value[1]) if value else ""
        if name and "checkbox" not in tag[0]:
            found[name[1]] = text
        elif name and " checked" in tag[0]:
            found[name[1]] = [*found.get(name[1], []), text]
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', inner, re.S):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', body)
        assert chosen or "as usual" in body
        found[name] = html.unescape(chosen[1] or chosen[2]) if chosen else ""
    for name, body in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', inner, re.S):
        found[name] = html.unescape(body)
    return found


def save(client: TestClient, **changed: str | list[str]) -> None:
    """Change the form and save what the review shows."""
    names = {name.replace("__", "."): value for name, value in changed.items()}
    answer = client.post("/settings", data=fields(client) | names)
    assert answer.headers["location"] == "/settings/review", answer.text
    review = client.get("/settings/review")
    name = re.search(r'name="name" value="(\w+)"', review.text)
    assert name is not None
    assert client.post("/settings/save", data={"name": name[1]}).status_code == 303


def test_every_setting_that_can_be_changed_stands_in_the_form_once(browser: TestClient) -> None:
    text = browser.get("/settings").text
    for table in behaviour():
        if table.path in form.APART:
            continue
        for option in table.options:
            place = ".".join((*table.path, f"[0].{option.name}" if table.rows else option.name))
            assert text.count(f'id="{place.replace(".[", "[")}"') == 1, place
    assert "key.pem" not in text
    assert "3MVG9" not in text, "the login is no matter of this page"


def test_a_form_that_is_sent_as_it_stands_changes_nothing(rig: Rig, browser: TestClient) -> None:
    before = path_of(rig).read_text()
    answer = browser.post("/settings", data=fields(browser))
    assert answer.headers["location"] == "/settings"
    assert path_of(rig).read_text() == before


def test_a_change_is_written_with_comments_kept_versioned_and_audited(rig: Rig, browser: TestClient) -> None:
    path = path_of(rig)
    path.write_text(COMMENT + path.read_text())
    save(browser, contacts__match_scope="account", contacts__role_filter="Decision Maker\nInfluencer")
    text = path.read_text()
    contacts = load(path, {}).connections["default"].contacts
    assert COMMENT in text
    assert contacts.match_scope == "account"
    assert contacts.role_filter == ("Decision Maker", "Influencer")
    assert "create =" not in text, "what was not changed is not written"
    versions = browser.get("/settings/versions").text
    assert "contacts.match_scope" in versions
    assert "administrator" in versions
    act = rig.database.read_now("", lambda tx: audit.latest(tx, limit=1))[0]
    assert act.what == "settings.saved"
    assert act.detail["places"] == ["contacts.role_filter", "contacts.match_scope"]
    assert "not in force yet" in browser.get("/settings").text


def test_rules_are_added_changed_and_removed(rig: Rig, browser: TestClient) -> None:
    path = path_of(rig)
    row = "contacts.rules[0]"
    save(browser, **{f"{row}.name": "partners", f"{row}.expression": 'contact.LeadSource != "Partner"'})
    assert [rule.name for rule in load(path, {}).connections["default"].contacts.rules] == ["partners"]
    save(browser, **{f"{row}.name": "no partners"})
    assert [rule.name for rule in load(path, {}).connections["default"].contacts.rules] == ["no partners"]
    save(browser, **{f"{row}.name": "", f"{row}.expression": ""})
    assert load(path, {}).connections["default"].contacts.rules == ()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("sweep.hour", "25", "less than or equal to 23"),
        ("sweep.hour", "noon", "does not fit"),
        ("contacts.direction", "sideways", "is not one of its values"),
        ("contacts.test_mode_field", "", "Is empty"),
        ("contacts.role_map", "Influencer", "where a table is expected"),
        ("contacts.rules[0].name", "alone", "Is missing"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_at_its_field(
    rig: Rig, browser: TestClient, field: str, value: str, said: str
) -> None:
    before = path_of(rig).read_text()
    answer = browser.post("/settings", data=fields(browser) | {field: value})
    assert answer.status_code == 422
    place = field if said != "Is missing" else "contacts.rules[0].expression"
    fault = re.search(rf'id="{re.escape(place)}-fault" class="fault">([^<]*)', answer.text)
    assert fault is not None, "the fault does not stand at its field"
    assert said in html.unescape(fault[1])
    assert posted(answer.text)[field] == value, "what was typed is lost"
    assert path_of(rig).read_text() == before
    assert "Not saved" not in browser.get("/settings").text


def test_nothing_is_saved_over_what_somebody_else_wrote(rig: Rig, browser: TestClient) -> None:
    path = path_of(rig)
    browser.post("/settings", data=fields(browser) | {"contacts.match_scope": "account"})
    name = re.search(r'name="name" value="(\w+)"', browser.get("/settings/review").text)
    assert name is not None
    path.write_text(path.read_text() + "[connections.default.sweep]\nhour = 5\n")
    theirs = path.read_text()
    assert browser.post("/settings/save", data={"name": name[1]}).status_code == 409
    assert path.read_text() == theirs
    assert "changed after you began" in browser.get("/settings").text
    browser.post("/settings/put-on-top")
    review = browser.get("/settings/review").text
    again = re.search(r'name="name" value="(\w+)"', review)
    assert again is not None
    browser.post("/settings/save", data={"name": again[1]})
    connection = load(path, {}).connections["default"]
    assert (connection.sweep.hour, connection.contacts.match_scope) == (5, "account")
    assert "somebody, in the file" in browser.get("/settings/versions").text


def test_a_form_of_an_older_file_is_refused(rig: Rig, browser: TestClient) -> None:
    old = fields(browser)
    path_of(rig).write_text(path_of(rig).read_text() + "[connections.default.sweep]\nhour = 5\n")
    assert browser.post("/settings", data=old | {"contacts.match_scope": "account"}).status_code == 409


def test_a_version_is_brought_back(rig: Rig, browser: TestClient) -> None:
    path = path_of(rig)
    before = load(path, {})
    save(browser, sweep__hour="4")
    save(browser, sweep__hour="5", contacts__shared_email="create")
    answer = browser.post("/settings/versions/1/restore")
    assert answer.headers["location"] == "/settings/review"
    assert load(path, {}) != before, "it is saved only after it was looked at"
    name = re.search(r'name="name" value="(\w+)"', browser.get("/settings/review").text)
    assert name is not None
    browser.post("/settings/save", data={"name": name[1]})
    assert load(path, {}) == before


def test_the_review_says_what_would_turn_out_differently(browser: TestClient) -> None:
    browser.post("/settings", data=fields(browser) | {"contacts.role_filter": "Decision Maker"})
    text = browser.get("/settings/review").text
    assert '<b class="big">2</b> of 3 accounts and contacts' in text
    assert "Lovelace" in text
    assert "Hopper" in text


def test_what_the_environment_sets_cannot_be_changed_here(systems: World, tmp_path: Path) -> None:
    rig = Rig.over(systems.store.database, tmp_path, open_connection=trying.over(systems))
    origin = rig.dashboard.origin
    assert origin is not None
    object.__setattr__(origin, "environ", {"TWINBOOK_CONNECTIONS__DEFAULT__SWEEP__HOUR": "7"})
    client = rig.client()
    text = client.get("/settings").text
    assert "TWINBOOK_CONNECTIONS__DEFAULT__SWEEP__HOUR" in text
    answer = client.post("/settings", data=fields(client) | {"sweep.hour": "3"})
    assert answer.headers["location"] == "/settings"


def test_viewers_see_the_settings_and_change_nothing(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    text = client.get("/settings").text
    assert '<fieldset class="all" disabled>' in text
    for path in ("/settings", "/settings/save", "/settings/discard", "/settings/versions/1/restore"):
        assert client.post(path, data={"name": "x"}).status_code == 403


def test_programs_check_try_out_save_and_go_back(rig: Rig, browser: TestClient) -> None:
    api = "/api/v1/settings"
    before = browser.get(api).json()
    assert before["values"]["contacts.direction"] == "salesforce-to-netsuite"
    wanted = {"digest": before["digest"], "changes": {"contacts.role_filter": ["Decision Maker"]}}
    checked = browser.post(f"{api}/check", json=wanted).json()
    assert [item["place"] for item in checked["changes"]] == ["contacts.role_filter"]
    impact = browser.post(f"{api}/impact", json=wanted).json()
    assert (impact["stage"], impact["looked_at"], sum(item["number"] for item in impact["moves"])) == (
        "done",
        3,
        2,
    )
    number = browser.post(api, json=wanted).json()["version"]
    assert browser.post(api, json=wanted).status_code == 409, "that file is gone"
    assert browser.post(f"{api}/versions/{number - 1}/restore").json() == {"version": number + 1}
    assert load(path_of(rig), {}).connections["default"].contacts.role_filter == ()
    steps = browser.get(f"{api}/versions").json()["versions"]
    assert [(step["id"], step["who"]) for step in steps[:2]] == [
        (number + 1, "administrator"),
        (number, "administrator"),
    ]


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("sweep.hour", 24, "less than or equal to 23"),
        ("sweep.hour", [None], "Has no form in a settings file"),
        ("salesforce.client_secret", "x", "Cannot be changed here"),
        ("salesforce.login_url", "https://other.example", "Cannot be changed here"),
        ("no.such", 1, "Cannot be changed here"),
    ],
)
def test_programs_are_told_which_value_does_not_fit(
    rig: Rig, browser: TestClient, place: str, value: object, said: str
) -> None:
    digest = browser.get("/api/v1/settings").json()["digest"]
    wanted = {"digest": digest, "changes": {place: value}}
    before = path_of(rig).read_text()
    for path in ("check", "impact", ""):
        answer = browser.post(f"/api/v1/settings/{path}".rstrip("/"), json=wanted)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == place
        assert said in answer.json()["errors"][0]["message"]
    assert path_of(rig).read_text() == before
