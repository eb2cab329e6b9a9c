"""The page Contacts and its API: the same lists, in order, page by page, whatever the filter."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from tests.dashboard.rig import Rig
from tests.dashboard.store import NOW, fill

from twinbook.store.database import Database
from twinbook.web.queries import contacts
from twinbook.web.queries.contacts import Sort, State, Wanted

CONTACTS = 1200


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    database = Database.open_memory()
    fill(database, CONTACTS)
    return Rig.over(database, tmp_path_factory.mktemp("installation"), now=lambda: NOW)


def api(rig: Rig, path: str, **query: Any) -> Any:
    answer = rig.client().get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(rig: Rig, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(200):
        part = api(rig, "/contacts", limit=100, **query, **({"cursor": cursor} if cursor else {}))
        found += part["contacts"]
        cursor = part["next"]
        if cursor is None:
            return found
    raise AssertionError("the list has no end")


@pytest.mark.parametrize(
    ("sort", "key", "down"),
    [
        ("recent", "looked_at", True),
        ("oldest", "looked_at", False),
        ("name", "name", False),
        ("name-down", "name", True),
    ],
)
def test_pages_together_are_the_whole_list_in_order(rig: Rig, sort: str, key: str, down: bool) -> None:
    found = everything(rig, sort=sort)
    assert len({(item["side"], item["id"]) for item in found}) == len(found) == CONTACTS
    values = [item[key].lower() if key == "name" else item[key] for item in found]
    assert values == sorted(values, reverse=down)


def test_a_filter_lists_what_it_counts(rig: Rig) -> None:
    counts = api(rig, "/contacts/counts")
    assert counts["total"] == CONTACTS == sum(item["number"] for item in counts["counts"])
    review = [item for item in counts["counts"] if item["outcome"] == "review"]
    found = everything(rig, outcome="review")
    assert len(found) == sum(item["number"] for item in review)
    assert {item["outcome"] for item in found} == {"review"}
    conflicts = everything(rig, reason=["CONFLICT", "NO_EMAIL"])
    assert {item["reason"] for item in conflicts} == {"CONFLICT", "NO_EMAIL"}


def test_going_on_and_back_shows_the_same_pages(rig: Rig) -> None:
    wanted = Wanted(sort=Sort.NAME)
    cells = rig.database.read_now("default", contacts.counts)

    def page(at: contacts.Position | None) -> contacts.ContactPage:
        return rig.database.read_now("default", lambda tx: contacts.page(tx, wanted, cells, limit=70, at=at))

    first = page(None)
    second = page(first.after)
    third = page(second.after)
    assert page(third.before).rows == second.rows
    again = page(second.before)
    assert again.rows == first.rows
    assert again.before is None
    assert first.before is None


@pytest.mark.parametrize("text", ["dijkstra", "Ada Love", "003gK0000000012QAA", "10006"])
def test_search_finds_names_emails_and_ids(rig: Rig, text: str) -> None:
    answer = rig.client().post("/api/v1/contacts/search", json={"text": text}).json()
    assert answer["contacts"], text
    for item in answer["contacts"]:
        held = (item["name"], item["email"] or "", item["salesforce_id"], item["netsuite_id"])
        assert any(text.lower() in (value or "").lower() for value in held)


def test_a_search_term_never_stands_in_an_address(rig: Rig) -> None:
    client = rig.client()
    answer = client.post("/contacts/search", data={"text": "ada.lovelace", "state": "in-step"})
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert "lovelace" not in address
    page = client.get(address)
    assert page.status_code == 200
    assert 'value="ada.lovelace"' in page.text
    assert "state=in-step" in page.text


def test_a_cursor_of_another_list_or_a_forged_one_is_refused_with_its_field(rig: Rig) -> None:
    cursor = api(rig, "/contacts", limit=5)["next"]
    for query in ({"cursor": cursor, "sort": "name"}, {"cursor": "gAAAAA-forged"}):
        answer = rig.client().get("/api/v1/contacts", params=query)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] == "cursor"


def test_the_export_holds_every_contact_of_the_filter_and_no_formulas(rig: Rig) -> None:
    answer = rig.client().get("/contacts.csv", params={"state": "failed"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(everything(rig, outcome="failed"))
    assert {row["outcome"] for row in rows} == {"failed"}
    assert not [value for row in rows for value in row.values() if value.startswith(("=", "+", "@"))]


def test_states_cover_every_outcome_once() -> None:
    kinds = [kind for state in State for kind in state.kinds]
    assert sorted(kinds) == sorted(contacts.OutcomeKind)


def test_an_empty_store_says_what_to_expect(tmp_path: Path) -> None:
    rig = Rig.over(Database.open_memory(), tmp_path)
    page = rig.client().get("/contacts")
    assert page.status_code == 200
    assert "No contacts yet" in page.text
