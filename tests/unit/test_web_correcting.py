"""Correcting one field of all records of a cause, after a preview of what would be written where."""

from __future__ import annotations

import re

import httpx
import pytest
from tests.dashboard.connected import Desk
from tests.unit.test_web_errors import LONG, d, numbers, too_long

from twinbook.store import audit
from twinbook.web.access.roles import Role

__all__ = ["d"]  # the fixture

API = "/api/v1/errors"


async def sealed_of(browser: httpx.AsyncClient, number: int, **form: str) -> str:
    preview = await browser.post(f"/errors/{number}/correct/preview", data={"field": "Title"} | form)
    assert preview.status_code == 200, preview.text
    found = re.search(r'name="sealed" value="([^"]+)"', preview.text)
    assert found is not None
    return found[1]


async def test_one_value_for_all_of_a_cause_is_previewed_and_written(d: Desk) -> None:
    ids = await too_long(d, "lovelace", "king")
    [first, _] = await numbers(d)
    async with d.browser() as browser:
        form = (await browser.get(f"/errors/{first}/correct")).text
        assert form.index("<option>Title") < form.index("<option>FirstName"), (
            "the field that is wrong comes first"
        )
        page = await browser.post(
            f"/errors/{first}/correct/preview", data={"field": "Title", "how": "set", "text": "Countess"}
        )
        assert "Write Title of 2 records?" in page.text
        assert "<code>title</code> Countess" in page.text, "what follows in NetSuite"
        assert {d.w.salesforce.contact(id_).fields["Title"] for id_ in ids} == {
            LONG + "lovelace",
            LONG + "king",
        }
        sealed = await sealed_of(browser, first, how="set", text="Countess")
        await browser.post(f"/errors/{first}/correct", data={"sealed": sealed})
        await d.rig.dashboard.corrections.settled("default", 10)
        assert (
            '<b class="big">2</b> of 2 written'
            in (await browser.get(f"/errors/{first}/correct/progress")).text
        )
    await d.w.settle()
    assert {contact.fields["title"] for contact in d.w.netsuite.contacts} == {"Countess"}
    assert await numbers(d) == []
    acts = d.rig.database.read_now("", lambda tx: audit.latest(tx, limit=1))
    assert (acts[0].what, acts[0].detail) == ("errors.corrected", {"field": "Title", "records": 2})


async def test_what_somebody_changed_meanwhile_and_what_no_system_takes_is_left_alone(d: Desk) -> None:
    one, other = await too_long(d, "lovelace", "king")
    [first, _] = await numbers(d)
    async with d.browser() as browser:
        page = await browser.post(
            f"/errors/{first}/correct/preview", data={"field": "Title", "how": "set", "text": "x" * 120}
        )
        assert "Left alone: 2" in page.text
        assert "NetSuite takes at most" in page.text
        sealed = await sealed_of(browser, first, how="replace", find="Principal ", text="")
        d.w.salesforce.user_edits(one, {"Title": LONG + "somebody else"})
        await browser.post(f"/errors/{first}/correct", data={"sealed": sealed})
        await d.rig.dashboard.corrections.settled("default", 10)
        found = (await browser.get(f"{API}/correct")).json()
    assert (found["total"], found["written"], found["stage"]) == (2, 1, "done")
    assert found["refused"][0]["name"] == "Ada lovelace"
    assert "was changed since" in found["refused"][0]["why"]
    assert d.w.salesforce.contact(one).fields["Title"] == LONG + "somebody else"
    assert d.w.salesforce.contact(other).fields["Title"] == "king"


async def test_programs_preview_and_correct_too(d: Desk) -> None:
    await too_long(d, "lovelace")
    [number] = await numbers(d)
    async with d.browser() as browser:
        given = {"field": "Title", "how": "cut", "text": "9"}
        [line] = (await browser.post(f"{API}/{number}/correct/preview", json=given)).json()
        assert (line["value"], line["written"]["netsuite"]["title"]) == ("Principal", "Principal")
        edit = {"number": number, "shown": line["shown"], "value": line["value"]}
        begun = await browser.post(f"{API}/correct", json={"field": "Title", "edits": [edit]})
        assert begun.json()["total"] == 1
        await d.rig.dashboard.corrections.settled("default", 10)
    await d.w.settle()
    assert [contact.fields["title"] for contact in d.w.netsuite.contacts] == ["Principal"]


@pytest.mark.parametrize(
    "form", [{"how": "cut", "text": "many"}, {"how": "replace", "text": "x"}, {"how": "burn"}]
)
async def test_what_makes_no_sense_is_refused(d: Desk, form: dict[str, str]) -> None:
    await too_long(d, "lovelace")
    [number] = await numbers(d)
    async with d.browser() as browser:
        answer = await browser.post(f"/errors/{number}/correct/preview", data={"field": "Title"} | form)
        assert answer.status_code == 422
    async with d.browser(Role.VIEWER) as browser:
        assert (await browser.post(f"/errors/{number}/correct", data={"sealed": "x"})).status_code == 403
