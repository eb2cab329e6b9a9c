"""The mapping editor: rows are added, changed, moved and taken out, checked against the live fields, and tried out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.dashboard.rig import Rig
from tests.memory.world import World
from tests.unit.test_web_settings import browser, fields, path_of, rig, systems

from twinbook.domain.errors import TemporaryError
from twinbook.settings import load
from twinbook.web.access.roles import Role

__all__ = ["browser", "rig", "systems"]
PAGE = "/settings/mapping"


def keep(client: TestClient, query: str = "", **changed: Any) -> Any:
    return client.post(f"{PAGE}/row{query}", data=fields(client, f"{PAGE}/row{query}") | changed)


def saved(rig: Rig, client: TestClient) -> Any:
    """Save the draft; the contacts' settings."""
    name = re.search(r'name="name" value="(\w+)"', client.get("/settings/review").text)
    assert name is not None
    assert client.post("/settings/save", data={"name": name[1]}).status_code == 303
    return load(path_of(rig), {}).connections["default"].contacts


def test_rows_are_added_changed_moved_and_removed(rig: Rig, browser: TestClient) -> None:
    keep(browser, salesforce="Department", netsuite="comments", direction="->", lookup="Sales = S\nHR = H")
    keep(browser, salesforce="Title", netsuite="title", conflict="netsuite", default="007")
    browser.post(f"{PAGE}/move", data={"number": 1, "by": -1})
    contacts = saved(rig, browser)
    first, second = contacts.mapping
    assert (first.salesforce, first.conflict, first.default) == ("Title", "netsuite", "007")
    assert (second.salesforce, second.lookup) == ("Department", {"Sales": "S", "HR": "H"})
    keep(browser, "?number=0", conflict="review")
    browser.post(f"{PAGE}/remove", data={"number": 1})
    contacts = saved(rig, browser)
    assert [(row.salesforce, row.conflict) for row in contacts.mapping] == [("Title", "review")]


def test_a_usual_row_is_taken_out_and_put_back(rig: Rig, browser: TestClient) -> None:
    browser.post(f"{PAGE}/take-out", data={"usual": "Fax/fax"})
    assert "taken out" in browser.get(PAGE).text
    assert saved(rig, browser).mapping[0].enabled is False
    browser.post(f"{PAGE}/remove", data={"number": 0})
    assert saved(rig, browser).mapping == ()


def test_a_usual_row_is_changed_from_what_it_says(rig: Rig, browser: TestClient) -> None:
    path = f"{PAGE}/row?usual=MobilePhone/mobilePhone"
    form = fields(browser, path)
    assert (form["salesforce"], form["netsuite"], form["kind"]) == ("MobilePhone", "mobilePhone", "phone")
    browser.post(f"{PAGE}/row", data=form | {"ignore_blank": "true"})
    row = saved(rig, browser).mapping[0]
    assert (row.kind, row.ignore_blank) == ("phone", True)


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"salesforce": "Nowhere__c", "netsuite": "title"}, "salesforce", "has no field Nowhere__c"),
        ({"salesforce": "Title", "netsuite": "custentity_none"}, "netsuite", "has no field custentity_none"),
        ({"salesforce": "Title", "netsuite": "title", "conflict": "nobody"}, "conflict", "is not one of"),
        ({"salesforce": "Title"}, None, "it names no netsuite field"),
        ({"salesforce": "Title", "netsuite": "title", "when": "contact."}, None, "when"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_what_was_typed(
    browser: TestClient, changed: dict[str, str], field: str | None, said: str
) -> None:
    answer = keep(browser, **changed)
    assert answer.status_code == 422
    place = rf'id="{field}-fault" class="fault">([^<]*)' if field else r'class="fault" role="alert">([^<]*)'
    fault = re.search(place, answer.text)
    assert fault is not None
    assert said in fault[1]
    assert f'value="{changed["salesforce"]}"' in answer.text
    assert "Not saved" not in browser.get(PAGE).text


def test_a_contact_is_tried_without_writing(systems: World, browser: TestClient) -> None:
    browser.post(f"{PAGE}/take-out", data={"usual": "Title/title"})
    answer = browser.post(f"{PAGE}/try", data={"text": "hopper@acme.example"})
    assert answer.status_code == 200
    assert "Hopper" in answer.text
    assert "Admiral" not in answer.text, "the row is taken out"
    assert not systems.netsuite.contacts
    assert browser.post(f"{PAGE}/try", data={"text": "nobody@acme.example"}).status_code == 422


def test_fields_are_not_checked_while_the_systems_are_silent(systems: World, browser: TestClient) -> None:
    systems.salesforce.fail("describe", TemporaryError("TIMEOUT", "Salesforce does not answer."), times=9)
    assert "Salesforce does not answer" in browser.get(PAGE).text
    assert keep(browser, salesforce="Nowhere__c", netsuite="title").status_code == 303


def test_viewers_look_and_change_nothing(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    assert "Take out" not in client.get(PAGE).text
    for act in ("row", "move", "remove", "take-out"):
        data = {"number": 0, "by": 1, "usual": "Fax/fax"}
        assert client.post(f"{PAGE}/{act}", data=data).status_code == 403


def test_the_rows_of_accounts_are_their_own(rig: Rig, browser: TestClient) -> None:
    text = browser.get(f"{PAGE}?of=account").text
    assert "Website" in text
    assert browser.get(f"{PAGE}?of=quote").status_code == 422
