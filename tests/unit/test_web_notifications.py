"""The page Notifications and its API: recipients are added, tried and removed; addresses are never shown again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.dashboard.rig import Rig

from twinbook.store import audit, deliveries, recipients
from twinbook.store.database import Database
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import INSTALLATION

PEOPLE = {"name": "On call", "url": "json://user:hunter2@localhost/x", "events": ["safety-stop"]}
WEBHOOK = {"name": "Warehouse", "url": "https://hooks.acme.example/token-123"}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path)


def stored(rig: Rig) -> list[recipients.Recipient]:
    return rig.database.read_now(INSTALLATION, recipients.everybody)


def test_people_are_added_and_their_address_is_sealed_and_never_shown(rig: Rig) -> None:
    browser = rig.client()
    assert browser.post("/notifications/people", data=PEOPLE).status_code == 303
    page = browser.get("/notifications").text
    assert "On call" in page
    [person] = stored(rig)
    for shown in (page, person.sealed, browser.get("/audit").text, browser.get("/api/v1/notifications").text):
        assert "hunter2" not in shown
    opened = rig.dashboard.sealer.open(person.sealed)
    assert opened is not None
    assert "hunter2" in opened


def test_a_test_is_queued_and_audited(rig: Rig) -> None:
    browser = rig.client()
    browser.post("/notifications/people", data=PEOPLE)
    [person] = stored(rig)
    assert browser.post(f"/notifications/{person.id}/test").status_code == 303
    assert rig.database.read_now(INSTALLATION, deliveries.waiting) == {person.id: 1}
    whats = [act.what for act in rig.database.read_now(INSTALLATION, lambda tx: audit.latest(tx, limit=9))]
    assert {"notification.added", "notification.tested"} <= set(whats)
    assert browser.post(f"/notifications/{person.id}/remove").status_code == 303
    assert stored(rig) == []
    assert browser.post(f"/notifications/{person.id}/test").status_code == 404


def test_the_secret_of_a_webhook_is_shown_once(rig: Rig) -> None:
    browser = rig.client()
    assert browser.post("/notifications/webhooks", data=WEBHOOK).status_code == 303
    page = browser.get("/notifications").text
    shown = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert shown
    assert "hooks.acme.example" in page
    again = browser.get("/notifications").text
    assert shown[1] not in again
    assert "token-123" not in page + again


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("people", PEOPLE | {"url": "nonsense"}, "no address apprise knows"),
        ("people", PEOPLE | {"events": []}, "Choose at least one event"),
        ("people", PEOPLE | {"quiet_from": "22"}, "choose both, or none"),
        ("webhooks", WEBHOOK | {"url": "http://hooks.acme.example/"}, "unencrypted"),
        ("webhooks", WEBHOOK | {"url": "https://[::1"}, "no web address"),
    ],
)
def test_what_cannot_work_is_refused_with_its_remedy(
    rig: Rig, path: str, form: dict[str, object], said: str
) -> None:
    answer = rig.client().post(f"/notifications/{path}", data=form)
    assert answer.status_code == 422
    assert said in answer.text
    assert stored(rig) == []


def test_what_was_given_up_is_shown_and_tried_again(rig: Rig) -> None:
    browser = rig.client()
    browser.post("/notifications/webhooks", data=WEBHOOK)
    [hook] = stored(rig)
    rig.database.run_now(INSTALLATION, lambda tx: deliveries.put(tx, hook.id, {}, now=1))
    [item] = rig.database.run_now(INSTALLATION, lambda tx: deliveries.take(tx, limit=1, until=9, now=2))
    rig.database.run_now(INSTALLATION, lambda tx: deliveries.give_up(tx, item.id, "It answered 500.", now=3))
    assert "It answered 500." in browser.get("/notifications").text
    assert browser.post(f"/notifications/given-up/{item.id}/retry").status_code == 303
    assert rig.database.read_now(INSTALLATION, deliveries.dead) == []


def test_the_api_does_the_same_for_administrators_only(rig: Rig) -> None:
    program = rig.client()
    made = program.post("/api/v1/notifications/webhooks", json=WEBHOOK).json()
    assert made["secret"]
    [listed] = program.get("/api/v1/notifications").json()["recipients"]
    assert (listed["id"], listed["to"]) == (made["id"], "hooks.acme.example")
    assert program.post("/api/v1/notifications/people", json=PEOPLE | {"url": "no"}).status_code == 422
    assert rig.client(Role.OPERATOR).get("/api/v1/notifications").status_code == 403


def test_a_recipient_is_changed_and_keeps_the_address_that_nobody_sees(rig: Rig) -> None:
    browser = rig.client()
    browser.post("/notifications/people", data=PEOPLE)
    [person] = stored(rig)
    form = browser.get(f"/notifications/{person.id}").text
    assert "On call" in form and "hunter2" not in form
    wishes = {"name": "Night shift", "events": ["failures"], "quiet_from": "22", "quiet_until": "6"}
    refused = browser.post(f"/notifications/people/{person.id}", data=wishes | {"quiet_until": "22"})
    assert (refused.status_code, "choose another end" in refused.text) == (422, True)
    assert browser.post(f"/notifications/people/{person.id}", data=wishes).status_code == 303
    [changed] = stored(rig)
    assert (changed.name, changed.rules["events"], changed.rules["quiet"]) == (
        "Night shift",
        ["failures"],
        [22, 6],
    )
    assert changed.sealed == person.sealed
    moved = wishes | {"url": "json://elsewhere.example/x"}
    assert browser.post(f"/notifications/people/{person.id}", data=moved).status_code == 303
    assert "elsewhere" in (rig.dashboard.sealer.open(stored(rig)[0].sealed) or "")


def test_a_webhook_that_moves_keeps_its_secret(rig: Rig) -> None:
    program = rig.client()
    secret = program.post("/api/v1/notifications/webhooks", json=WEBHOOK).json()["secret"]
    [hook] = stored(rig)
    path = f"/api/v1/notifications/webhooks/{hook.id}"
    assert program.post(path, json={"name": "Depot", "url": "https://new.acme.example/"}).json() == {
        "saved": True
    }
    [moved] = stored(rig)
    opened = rig.dashboard.sealer.open(moved.sealed) or ""
    assert (moved.shown, moved.name, secret in opened) == ("new.acme.example", "Depot", True)
    people = f"/api/v1/notifications/people/{hook.id}"
    assert program.post(people, json={"name": "x", "events": ["failures"]}).status_code == 404, (
        "it is a webhook"
    )
