"""The page Errors: causes, acts about many, and correcting a record so that it syncs again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.dashboard.connected import Desk, desk

from twinbook.domain.records import Entity
from twinbook.store import audit, incidents
from twinbook.store.incidents import shape_of
from twinbook.web.access.roles import Role

LONG = "Principal " * 11


@pytest_asyncio.fixture
async def d(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as made:
        made.w.configure(
            netsuite_schema=await made.w.netsuite.describe(Entity.CONTACT),
            salesforce_schema=await made.w.salesforce.describe(Entity.CONTACT),
        )
        made.live["default"] = made.w.connection
        yield made


async def too_long(d: Desk, *names: str) -> list[str]:
    """Contacts whose title is longer than NetSuite allows: their ids."""
    account, _ = d.w.linked_account()
    found = [
        d.w.salesforce.user_creates_contact(
            FirstName="Ada", LastName=name, Email=f"{name}@acme.example", AccountId=account, Title=LONG + name
        )
        for name in names
    ]
    await d.w.settle()
    return found


async def numbers(d: Desk) -> list[int]:
    return sorted(item.id for item in await d.w.incidents())


async def do(browser: httpx.AsyncClient, number: int, **form: Any) -> httpx.Response:
    """Preview, then carry out what the preview has shown."""
    preview = await browser.post(f"/errors/{number}/preview", data=form)
    assert preview.status_code == 200, preview.text
    found = re.search(r'name="sealed" value="([^"]+)"', preview.text)
    assert found is not None
    return await browser.post(f"/errors/{number}/do", data={"sealed": found[1]})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "title has 201 characters, NetSuite takes at most 100",
            "title has 99 characters, NetSuite takes at most 100",
        ),
        ("'Chief' is not a value of role", "'Boss' is not a value of role"),
        ("ada@acme.example is taken by 4711", "bob@acme.example is taken by 4712"),
    ],
)
def test_messages_of_one_cause_have_one_shape(one: str, other: str) -> None:
    assert shape_of(one) == shape_of(other)
    assert shape_of("a field is missing") == "a field is missing"


async def test_errors_stand_by_cause_and_close_by_themselves(d: Desk) -> None:
    one, _ = await too_long(d, "lovelace", "king")
    async with d.browser(Role.VIEWER) as browser:
        page = (await browser.get("/errors")).text
        assert "<b>2</b>" in page
        assert "FIELD_TOO_LONG" in page
        assert "Shorten the value" in page
        number = (await numbers(d))[-1]
        cause = (await browser.get(f"/errors/{number}")).text
        assert "Ada lovelace" in cause
        assert "Ada king" in cause
        assert "Edit" not in cause
        d.w.salesforce.user_edits(one, {"Title": "Countess"})
        await d.w.settle()
        assert "<b>1</b>" in (await browser.get("/errors")).text


async def test_acts_about_many_are_previewed_and_done_together(d: Desk) -> None:
    await too_long(d, "lovelace", "king")
    first, second = await numbers(d)
    async with d.browser() as browser:
        await do(browser, first, what="assign", text="operator", scope="all")
        await do(browser, first, what="tag", text="titles", key=[str(first)])
        await do(browser, first, what="note", text="asked HR", key=[str(first)])
        page = (await browser.get(f"/errors/{first}")).text
        for text in ("titles", "asked HR", "operator"):
            assert text in page
        found = {item.id: item for item in await d.w.incidents()}
        assert [found[first].tags, found[second].tags] == [("titles",), ()]
        assert {item.assignee for item in found.values()} == {"operator"}
        await do(browser, first, what="untag", text="titles", scope="all")
        await do(browser, first, what="resolve", key=[str(second)])
    assert await numbers(d) == [first]
    closed = await d.w.store.read(lambda tx: incidents.by_id(tx, second))
    assert closed is not None
    assert closed.closed_by == "operator"
    whats = [act.what for act in await d.rig.database.read("", lambda tx: audit.latest(tx, limit=20))]
    assert whats[:5] == ["errors.resolve", "errors.untag", "errors.note", "errors.tag", "errors.assign"]


@pytest.mark.parametrize(
    "form",
    [
        {"what": "retry"},
        {"what": "tag", "text": " ", "scope": "all"},
        {"what": "assign", "text": "nobody-known", "scope": "all"},
        {"what": "note", "text": "", "scope": "all"},
        {"what": "dance", "scope": "all"},
    ],
)
async def test_what_cannot_be_done_is_refused_before_anything_happens(d: Desk, form: dict[str, str]) -> None:
    await too_long(d, "lovelace")
    [number] = await numbers(d)
    async with d.browser() as browser:
        assert (await browser.post(f"/errors/{number}/preview", data=form)).status_code == 422
        assert (await browser.post(f"/errors/{number}/do", data={"sealed": "x"})).status_code == 400
        assert (await browser.get("/errors/999")).status_code == 404


async def test_a_record_is_corrected_where_it_is_wrong_and_syncs(d: Desk) -> None:
    [here] = await too_long(d, "lovelace")
    [number] = await numbers(d)
    async with d.browser() as browser:
        page = (await browser.get(f"/errors/{number}/edit")).text
        assert page.index("Title (this is the one)") < page.index("FirstName")
        shown = {"shown:Title": LONG + "lovelace"}
        still = await browser.post(f"/errors/{number}/edit", data=shown | {"value:Title": "x" * 120})
        assert still.status_code == 422
        assert "120 characters, NetSuite takes at most" in still.text
        assert "x" * 120 in still.text, "what was typed stays"
        assert d.w.salesforce.contact(here).fields["Title"] == LONG + "lovelace"
        done = await browser.post(f"/errors/{number}/edit", data=shown | {"value:Title": "Countess"})
        assert done.headers["location"] == f"/contacts/salesforce/{here}"
    await d.w.settle()
    assert d.w.salesforce.contact(here).fields["Title"] == "Countess"
    assert [contact.fields["title"] for contact in d.w.netsuite.contacts] == ["Countess"]
    assert await numbers(d) == []
    entry = next(item for item in await d.w.history(here) if item.what == "edited")
    assert entry.who == "operator"
    [change] = entry.changes
    assert (change.before, change.after) == (LONG + "lovelace", "Countess")


async def test_an_edit_made_meanwhile_is_not_overwritten(d: Desk) -> None:
    [here] = await too_long(d, "lovelace")
    [number] = await numbers(d)
    d.w.salesforce.user_edits(here, {"Title": LONG + "somebody else"})
    form = {"shown:Title": LONG + "lovelace", "value:Title": "Countess"}
    async with d.browser() as browser:
        answer = await browser.post(f"/errors/{number}/edit", data=form)
    assert answer.status_code == 422
    assert "was changed since you opened it" in answer.text
    assert d.w.salesforce.contact(here).fields["Title"] == LONG + "somebody else"


async def test_the_api_does_the_same(d: Desk) -> None:
    await too_long(d, "lovelace", "king")
    async with d.browser() as browser:
        [cause] = (await browser.get("/api/v1/errors")).json()
        assert (cause["count"], cause["code"], cause["unassigned"]) == (2, "FIELD_TOO_LONG", 2)
        found = (await browser.get(f"/api/v1/errors/{cause['number']}")).json()
        assert {item["name"] for item in found} == {"Ada lovelace", "Ada king"}
        ids = [item["number"] for item in found]
        done = await browser.post("/api/v1/errors/do", json={"what": "retry", "numbers": [*ids, 99_999]})
        assert done.json() == {"done": 2}
        path = f"/api/v1/errors/{ids[0]}/edit"
        refused = await browser.post(path, json={"values": {"Id": "x"}, "shown": {}})
        assert refused.status_code == 422
        assert "Id is not a field" in refused.json()["errors"][0]["message"]
