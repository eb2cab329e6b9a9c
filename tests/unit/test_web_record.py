"""The page of one record: what it says live and from memory, and that each act does what its page said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from tests.dashboard.connected import Desk, ada_in_conflict, ada_linked, desk

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care.holding import held
from twinbook.store import audit, dirty_keys
from twinbook.web.access.roles import Role
from twinbook.web.asking import APART


@pytest_asyncio.fixture
async def d(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as made:
        yield made


async def acts(d: Desk) -> list[str]:
    found = await d.rig.database.read("", lambda tx: audit.latest(tx, limit=20))
    return [act.what for act in found if act.what.startswith("record.")]


async def post(d: Desk, path: str, data: dict[str, str] | None = None) -> httpx.Response:
    async with d.browser() as browser:
        return await browser.post(path, data=data or {})


async def get(d: Desk, path: str, role: Role = Role.OPERATOR) -> httpx.Response:
    async with d.browser(role) as browser:
        return await browser.get(path)


async def test_the_page_shows_both_records_the_agreed_value_who_wins_and_why(d: Desk) -> None:
    here, there = await ada_in_conflict(d.w)
    page = (await get(d, f"/contacts/salesforce/{here}")).text
    for text in (
        "Baroness",
        "Countess",
        "Analyst",
        "a person has to choose",
        f"contact {there} belongs to it",
    ):
        assert text in page, text
    assert "policy: review" in page
    assert f"https://acme.my.salesforce.com/{here}" in page
    assert f"contact.nl?id={there}" in page
    assert f"/contacts/salesforce/{here}/resolve" in page


async def test_a_viewer_sees_all_of_it_and_no_buttons(d: Desk) -> None:
    here, _ = await ada_in_conflict(d.w)
    page = (await get(d, f"/contacts/salesforce/{here}", Role.VIEWER)).text
    assert "Baroness" in page
    assert "Sync now" not in page
    assert "Undo this" not in page


async def test_without_a_live_connection_the_page_says_so_and_shows_what_is_remembered(d: Desk) -> None:
    here, there = await ada_linked(d.w)
    d.live.clear()
    page = (await get(d, f"/contacts/salesforce/{here}")).text
    assert APART in page
    assert f"contact {there} belongs to it" in page
    assert "Analyst" in page, "the agreed value"
    assert "not read" in page


async def test_a_linked_netsuite_contact_leads_to_its_pair_and_a_short_id_to_the_long_one(d: Desk) -> None:
    here, there = await ada_linked(d.w)
    for path in (f"/contacts/netsuite/{there}", f"/contacts/salesforce/{here[:15]}"):
        answer = await get(d, path)
        assert answer.headers["location"] == f"/contacts/salesforce/{here}"


async def test_what_nobody_knows_is_not_found(d: Desk) -> None:
    for path in (
        "/contacts/salesforce/003000000000001AAA",
        "/contacts/netsuite/99",
        "/contacts/salesforce/x",
    ):
        assert (await get(d, path)).status_code == 404, path
    assert (await get(d, "/contacts/oracle/1")).status_code == 422


async def test_an_account_has_the_same_page(d: Desk) -> None:
    account, customer = d.w.linked_account()
    answer = await get(d, f"/accounts/salesforce/{account}")
    assert answer.status_code == 200
    assert "Acme" in answer.text
    assert f"custjob.nl?id={customer}" in answer.text


async def test_sync_now_has_it_looked_at(d: Desk) -> None:
    here, _ = await ada_linked(d.w)
    asked = await get(d, f"/contacts/salesforce/{here}/push")
    assert "looked at at once" in asked.text
    answer = await post(d, f"/contacts/salesforce/{here}/push")
    assert answer.headers["location"] == f"/contacts/salesforce/{here}"
    key = Key(Entity.CONTACT, Side.SALESFORCE, here)
    queued = await d.w.store.read(lambda tx: dirty_keys.queued(tx, key))
    assert queued is not None
    assert queued.cause == "by hand"
    assert await acts(d) == ["record.pushed"]


async def test_a_paused_contact_is_left_alone_until_it_is_taken_in_again(d: Desk) -> None:
    here, there = await ada_linked(d.w)
    await post(d, f"/contacts/salesforce/{here}/leave-out")
    d.w.salesforce.user_edits(here, {"Title": "Countess"})
    await d.w.settle()
    assert (await d.w.outcome(here)).reason is Reason.LEFT_OUT
    assert d.w.netsuite.contact(there).fields["title"] == "Analyst"
    assert "Take in again" in (await get(d, f"/contacts/salesforce/{here}")).text
    await post(d, f"/contacts/salesforce/{here}/take-in")
    await d.w.settle()
    assert d.w.netsuite.contact(there).fields["title"] == "Countess"
    assert await acts(d) == ["record.taken-in", "record.left-out"]


async def test_a_conflict_is_resolved_field_by_field(d: Desk) -> None:
    here, there = await ada_in_conflict(d.w)
    path = f"/contacts/salesforce/{here}/resolve"
    assert "Countess" in (await get(d, path)).text
    open_ = await post(d, path, {"take:Title/title": "other", "value:Title/title": "Duchess"})
    assert open_.status_code == 422
    assert "MobilePhone/mobilePhone is still to be decided" in open_.text
    assert 'value="Duchess"' in open_.text, "what was typed stays"
    form = {
        "take:Title/title": "other",
        "value:Title/title": "Duchess",
        "take:MobilePhone/mobilePhone": "netsuite",
    }
    assert (await post(d, path, form)).status_code == 303
    await d.w.settle()
    assert d.w.netsuite.contact(there).fields["title"] == "Duchess"
    assert d.w.salesforce.contact(here).fields["MobilePhone"] == "222"
    assert await acts(d) == ["record.resolved"]
    assert "Duchess" in (await get(d, f"/contacts/salesforce/{here}")).text


async def test_a_candidate_is_chosen(d: Desk) -> None:
    account, customer = d.w.linked_account()
    both = [
        d.w.netsuite.user_creates_contact(
            firstName=first, lastName="L", email="ada@acme.example", company=customer, subsidiary="1"
        )
        for first in ("Ada", "Augusta")
    ]
    d.w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    d.live["default"] = d.w.connection
    here = d.w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await d.w.settle()
    assert (await d.w.outcome(here)).reason is Reason.AMBIGUOUS_MATCH
    page = (await get(d, f"/contacts/salesforce/{here}/choose")).text
    assert "Augusta" in page
    wrong = await post(d, f"/contacts/salesforce/{here}/choose", {"choice": "4711"})
    assert wrong.status_code == 409
    await post(d, f"/contacts/salesforce/{here}/choose", {"choice": both[1]})
    await d.w.settle()
    link = await d.w.link(here)
    assert link is not None
    assert link.netsuite_id == both[1]
    assert await acts(d) == ["record.chosen"]


async def test_an_entry_is_undone_beside_the_running_engine_and_stays_undone(d: Desk) -> None:
    here, there = await ada_linked(d.w)
    d.w.salesforce.user_edits(here, {"Title": "Countess"})
    await d.w.settle()
    entry = (await d.w.history(here))[0]
    path = f"/contacts/salesforce/{here}/undo/{entry.id}"
    preview = (await get(d, path)).text
    assert "Countess" in preview
    assert "Analyst" in preview
    assert d.w.netsuite.contact(there).fields["title"] == "Countess", "a preview writes nothing"
    assert (await post(d, path)).status_code == 303
    await d.w.settle()
    assert d.w.netsuite.contact(there).fields["title"] == "Analyst"
    assert d.w.salesforce.contact(here).fields["Title"] == "Countess"
    assert (await d.w.outcome(here)).kind is OutcomeKind.UNCHANGED
    undone = (await d.w.history(here))[0]
    assert (undone.what, undone.who) == ("undone", "operator")
    assert (await post(d, path)).status_code == 409, "it is undone already"
    assert (await acts(d))[0] == "record.undone"


async def test_an_entry_of_somebody_else_is_not_undone_from_here(d: Desk) -> None:
    here, _ = await ada_linked(d.w)
    other = d.w.salesforce.user_creates_contact(LastName="King", Email="k@acme.example")
    entry = (await d.w.history(here))[0]
    assert (await get(d, f"/contacts/salesforce/{other}/undo/{entry.id}")).status_code == 404


async def test_undo_waits_while_a_lane_works_on_the_account_and_says_so(d: Desk) -> None:
    here, there = await ada_linked(d.w)
    d.w.salesforce.user_edits(here, {"Title": "Countess"})
    await d.w.settle()
    entry = (await d.w.history(here))[0]
    key = Key(Entity.CONTACT, Side.SALESFORCE, here)
    async with held(d.w.connection, key, cause="a lane"):
        answer = await post(d, f"/contacts/salesforce/{here}/undo/{entry.id}")
    assert answer.status_code == 503
    assert "working on this account" in answer.text
    assert d.w.netsuite.contact(there).fields["title"] == "Countess"


async def test_without_a_live_connection_nothing_is_half_done(d: Desk) -> None:
    here, _ = await ada_in_conflict(d.w)
    entry = (await d.w.history(here))[0]
    d.live.clear()
    for path in ("resolve", f"undo/{entry.id}"):
        answer = await post(d, f"/contacts/salesforce/{here}/{path}")
        assert answer.status_code in (409, 503), path
    assert await acts(d) == []


async def test_the_api_says_and_does_the_same(d: Desk) -> None:
    here, there = await ada_in_conflict(d.w)
    path = f"/api/v1/contacts/salesforce/{here}"
    async with d.browser() as browser:
        found = (await browser.get(path)).json()
        assert found["netsuite_id"] == there
        title = next(line for line in found["fields"] if line["row"] == "Title/title")
        assert (title["salesforce"], title["netsuite"], title["agreed"]) == (
            "Baroness",
            "Countess",
            "Analyst",
        )
        assert title["verdict"] == "conflict-review"
        assert found["history"][-1]["changes"]
        refused = await browser.post(f"{path}/resolve", json={"values": {"Title/title": "x"}})
        assert refused.status_code == 422
        assert "MobilePhone" in refused.json()["errors"][0]["message"]
        done = await browser.post(f"{path}/resolve", json={"otherwise": "netsuite"})
        assert done.json() == {"done": True}
        await d.w.settle()
        assert d.w.salesforce.contact(here).fields["Title"] == "Countess"
        entry = (await d.w.history(here))[0].id
        assert (await browser.get(f"{path}/undo/{entry}")).json()["step"] == "restore"
        assert (await browser.post(f"{path}/undo/{entry}")).json()["refused"] == ""
        assert d.w.salesforce.contact(here).fields["Title"] == "Baroness"
