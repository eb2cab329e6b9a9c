"""The page Review: piles, the preview of a decision about many, and that it is taken as a whole for those it fits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.dashboard.connected import Desk, desk
from tests.dashboard.rig import Rig
from tests.dashboard.store import NOW, fill

from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.store import audit, decisions, outcomes
from twinbook.store.database import Database
from twinbook.web.access.roles import Role
from twinbook.web.queries import review
from twinbook.web.queries.review import Wanted


@pytest_asyncio.fixture
async def d(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as made:
        yield made


async def taken_matches(d: Desk, number: int) -> list[str]:
    """Contacts whose email belongs to a pair already: ids in Salesforce."""
    account, _ = d.w.linked_account()
    given = {"Email": "office@acme.example", "AccountId": account}
    d.w.salesforce.user_creates_contact(FirstName="First", LastName="Pair", **given)
    await d.w.settle()
    found = [
        d.w.salesforce.user_creates_contact(FirstName="Later", LastName=f"Person{index}", **given)
        for index in range(number)
    ]
    await d.w.settle()
    for id_ in found:
        assert (await d.w.outcome(id_)).reason is Reason.MATCH_TAKEN
    return found


def sealed(page: str) -> str:
    found = re.search(r'name="sealed" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_a_choice_for_a_whole_pile_is_previewed_then_carried_out(d: Desk) -> None:
    waiting = await taken_matches(d, 3)
    async with d.browser() as browser:
        page = (await browser.get("/review")).text
        assert "MATCH_TAKEN" in page
        assert "Later Person2" in page
        form = {"reason": "MATCH_TAKEN", "entity": "contact", "choice": "new", "scope": "all"}
        preview = await browser.post("/review/preview", data=form)
        assert "Decide about 3 records?" in preview.text
        assert len(d.w.netsuite.contacts) == 1, "a preview decides nothing"
        # One that comes to wait after the preview is not decided by it.
        d.w.clock.at += 60
        account = d.w.salesforce.contact(waiting[0]).account_id
        late = d.w.salesforce.user_creates_contact(
            FirstName="Too", LastName="Late", Email="office@acme.example", AccountId=account
        )
        await d.w.settle()
        answer = await browser.post("/review/decide", data={"sealed": sealed(preview.text)})
        assert answer.status_code == 303
        shown = await browser.get(answer.headers["location"])
        assert "Decided: 3" in shown.text
    await d.w.settle()
    for id_ in waiting:
        assert (await d.w.outcome(id_)).counterpart_id is not None
    assert (await d.w.outcome(late)).reason is Reason.MATCH_TAKEN
    [act] = [
        item
        for item in await d.rig.database.read("", lambda tx: audit.latest(tx, limit=9))
        if item.what == "review.decided"
    ]
    assert act.detail == {"choice": "new", "decided": 3, "not decided": 0}


async def test_only_the_ticked_are_decided_and_those_that_changed_meanwhile_are_told(d: Desk) -> None:
    one, two, three = await taken_matches(d, 3)
    form = {"reason": "MATCH_TAKEN", "entity": "contact", "choice": "skip", "scope": "ticked"}
    async with d.browser() as browser:
        nothing = await browser.post("/review/preview", data=form)
        assert nothing.status_code == 422
        ticked = form | {"key": [f"salesforce:{one}", f"salesforce:{two}"]}
        preview = await browser.post("/review/preview", data=ticked)
        d.w.clock.at += 60
        d.w.salesforce.user_edits(two, {"Email": "own@acme.example"})
        await d.w.settle()
        answer = await browser.post("/review/decide", data={"sealed": sealed(preview.text)})
        shown = await browser.get(answer.headers["location"])
        assert "Decided: 1" in shown.text
        assert "Not decided: 1" in shown.text
        forged = await browser.post("/review/decide", data={"sealed": "gAAAA"})
        assert forged.status_code == 400
    await d.w.settle()
    assert (await d.w.outcome(one)).reason is Reason.LEFT_OUT
    assert (await d.w.outcome(two)).written == "created"
    assert (await d.w.outcome(three)).reason is Reason.MATCH_TAKEN


async def test_a_viewer_sees_the_piles_and_decides_nothing(d: Desk) -> None:
    await taken_matches(d, 1)
    async with d.browser(Role.VIEWER) as browser:
        page = (await browser.get("/review")).text
        assert "Later Person0" in page
        assert "Preview for" not in page


async def test_the_api_does_the_same(d: Desk) -> None:
    [one] = await taken_matches(d, 1)
    async with d.browser() as browser:
        [pile] = (await browser.get("/api/v1/review")).json()
        assert (pile["reason"], pile["number"]) == ("MATCH_TAKEN", 1)
        [waiting] = (await browser.get("/api/v1/review/MATCH_TAKEN")).json()
        assert (waiting["id"], waiting["choices"]) == (one, ["new"])
        wanted = {"reason": "MATCH_TAKEN", "choice": "netsuite"}
        unfit = (await browser.post("/api/v1/review/decide", json=wanted)).json()
        assert unfit["decided"] == []
        assert unfit["not_decided"][0]["why"] == "it has no such choice"
        done = (await browser.post("/api/v1/review/decide", json=wanted | {"choice": "new"})).json()
        assert [item["id"] for item in done["decided"]] == [one]
        again = (await browser.post("/api/v1/review/decide", json=wanted | {"choice": "new"})).json()
        assert again["not_decided"][0]["why"] == "somebody has decided already"


def test_a_pile_is_listed_page_by_page_and_a_decision_has_a_bound(tmp_path: Path) -> None:
    database = Database.open_memory()
    fill(database, 60_000)
    rig = Rig.over(database, tmp_path, now=lambda: NOW)
    reason = Reason.AMBIGUOUS_MATCH
    [pile] = [item for item in database.read_now("default", review.piles) if item.reason is reason]
    seen, place = set[Key](), None
    while True:
        found = database.read_now(
            "default", lambda tx, place=place: review.pile(tx, Entity.CONTACT, reason, limit=500, after=place)
        )
        if not found:
            break
        seen |= {item.key for item in found}
        place = outcomes.Place(found[-1].looked_at, found[-1].key.side, found[-1].key.id)
    assert len(seen) == pile.number > review.MOST
    wanted = Wanted(Entity.CONTACT, reason, "new", NOW)
    foreseen = database.read_now("default", lambda tx: review.foresee(tx, wanted))
    assert len(foreseen.fitting) == review.MOST
    assert foreseen.more
    body = {"reason": reason, "choice": "new"}
    assert rig.client().post("/api/v1/review/decide", json=body).json()["more"] is True
    ids = [item.key.id for item in foreseen.fitting]
    decided = database.read_now(
        "default", lambda tx: decisions.of_records(tx, Entity.CONTACT, Side.SALESFORCE, ids)
    )
    assert set(decided) == set(ids)
