"""The page Match and back-fill and its API, over two systems in memory."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.dashboard.connected import Desk, desk
from tests.dashboard.rig import Rig
from tests.dashboard.trying import over

from twinbook.domain.errors import TemporaryError
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care import controls
from twinbook.engine.connection import CONTACTS
from twinbook.engine.running.listing import Lister
from twinbook.store import audit, conditions, decisions, runs
from twinbook.store.conditions import Condition, State
from twinbook.web.access.roles import Role
from twinbook.web.findings import Stage
from twinbook.web.matching import previews

API = "/api/v1"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Desk]:
    """Ada has one namesake in NetSuite, Grace has two, Alan none; somebody in NetSuite has no pair."""
    async with desk(tmp_path) as found:
        account, customer = found.w.linked_account()
        for name in ("Ada", "Grace", "Alan"):
            found.w.salesforce.user_creates_contact(
                AccountId=account, FirstName=name, LastName="X", Email=f"{name.lower()}@acme.example"
            )
        for name, email in (("Ada", "ada"), ("Grace", "grace"), ("Gracie", "grace"), ("Radia", "radia")):
            found.w.netsuite.user_creates_contact(
                firstName=name,
                lastName="X",
                email=f"{email}@acme.example",
                subsidiary="1",
                company=customer,
            )
        yield found


async def previewed(made: Desk, browser: httpx.AsyncClient) -> None:
    assert (await browser.post("/match/preview")).status_code == 303
    await made.rig.dashboard.previews.settled("default", 10)


def id_of(made: Desk, name: str) -> str:
    return next(item.id for item in made.w.salesforce.contacts if item.fields["FirstName"] == name)


def there(made: Desk, name: str) -> str:
    return next(item.id for item in made.w.netsuite.contacts if item.fields["firstName"] == name)


async def decided(made: Desk, name: str) -> str | None:
    key = Key(Entity.CONTACT, Side.SALESFORCE, id_of(made, name))
    found = await made.w.store.read(lambda tx: decisions.of_records(tx, key.entity, key.side, [key.id]))
    return found[key.id].choice if key.id in found else None


async def test_a_preview_counts_every_list_and_writes_nothing(made: Desk) -> None:
    async with made.browser() as browser:
        empty = (await browser.get("/match")).text
        assert "See it before you run it" in empty
        assert "the connection is not set up" not in empty
        await previewed(made, browser)
        found = (await browser.get(f"{API}/matching")).json()
        assert found["stage"] == "done"
        assert found["matches"] == {"link": 1, "ambiguous": 1, "create": 1}
        counts = {
            item["of"]: {(cell["outcome"], cell["reason"]): cell["number"] for cell in item["counts"]}
            for item in found["lists"]
        }
        assert counts["contact"] == {
            ("adopted", None): 1,
            ("created", None): 1,
            ("review", "AMBIGUOUS_MATCH"): 1,
        }
        assert counts["netsuite:contact"][("created", None)] >= 1
        assert (await browser.get("/match")).text.count('class="tile ') == 3
        shown = await browser.get(
            "/match/records", params={"of": "contact", "outcome": "review", "reason": "AMBIGUOUS_MATCH"}
        )
        assert "Grace X" in shown.text
    assert len(made.w.netsuite.contacts) == 4
    assert await made.w.store.read(runs.unfinished) == []


async def test_a_preview_is_bounded_and_says_so(made: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MOST_OF_A_LIST", 2)
    async with made.browser() as browser:
        await previewed(made, browser)
        assert "Not all was looked at" in (await browser.get("/match")).text
    known = made.rig.dashboard.previews.of("default")
    assert known is not None
    assert (known.stage, known.lists[CONTACTS].looked_at, known.lists[CONTACTS].total) == (
        Stage.BOUNDED,
        2,
        3,
    )


async def test_a_preview_that_fails_says_why(made: Desk) -> None:
    made.w.salesforce.fail("list_keys", TemporaryError("DOWN", "Salesforce is down."))
    async with made.browser() as browser:
        await previewed(made, browser)
        assert "Salesforce is down." in (await browser.get("/match")).text


async def test_decisions_in_the_page_are_checked_and_kept_until_the_contact_is_synced(made: Desk) -> None:
    grace, alan, gracie = id_of(made, "Grace"), id_of(made, "Alan"), there(made, "Gracie")
    async with made.browser() as browser:
        await previewed(made, browser)
        assert gracie in (await browser.get("/match/contacts?kind=ambiguous")).text
        wrong = await browser.post(
            "/match/contacts", data={f"decision:{grace}": gracie, f"decision:{alan}": gracie}
        )
        assert wrong.status_code == 422
        assert "Nothing was stored" in wrong.text
        assert await decided(made, "Grace") is None
        await browser.post("/match/contacts", data={f"decision:{grace}": gracie, f"decision:{alan}": ""})
        assert "decided: link with" in (await browser.get("/match/contacts?kind=ambiguous")).text
        assert await decided(made, "Grace") == gracie
        await browser.post("/match/start", data={"of": "contact"})
    await made.w.list_runs()
    link = await made.w.link(grace)
    assert link is not None
    assert link.netsuite_id == gracie
    acts = made.rig.database.read_now("", lambda tx: audit.latest(tx, limit=9))
    assert [item.what for item in acts][:3] == ["backfill.begun", "matching.decided", "matching.previewed"]


async def test_decisions_go_through_a_spreadsheet(made: Desk) -> None:
    async with made.browser() as browser:
        await previewed(made, browser)
        answer = await browser.get("/match/contacts.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert {row["name"] for row in rows} == {"Ada X", "Grace X", "Alan X"}
        for row in rows:
            row["decision"] = {"Grace X": "new", "Alan X": "skip"}.get(row["name"], "")
        file = io.StringIO()
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
        done = await browser.post("/match/upload", files={"file": ("match.csv", file.getvalue())})
        assert done.status_code == 303
        assert (await decided(made, "Grace"), await decided(made, "Alan")) == ("new", "skip")
        bad = await browser.post(
            "/match/upload",
            files={"file": ("m.csv", f"salesforce_id,decision\n{id_of(made, 'Ada')},new\n003,x\n")},
        )
        assert bad.status_code == 422
        assert "row 3, column salesforce_id" in bad.text
        assert await decided(made, "Ada") is None
        nonsense = await browser.post("/match/upload", files={"file": ("m.csv", b"\xff\xfe")})
        assert "not UTF-8" in nonsense.text
        large = await browser.post("/match/upload", files={"file": ("m.csv", b"x" * (6 * 1024 * 1024))})
        assert large.status_code == 413
        huge = await browser.post("/match/contacts", content=b"x" * (1024 * 1024 + 1))
        assert huge.status_code == 413, "other pages take no files"


async def test_a_back_fill_is_begun_paused_resumed_and_stopped(made: Desk) -> None:
    made.w.salesforce.page_size = 2
    async with made.browser() as browser:
        assert "Begin a back-fill?" in (await browser.get("/match/start")).text
        assert (await browser.post("/match/start", data={})).status_code == 422
        begun = (await browser.post(f"{API}/backfills", json={})).json()["numbers"]
        assert len(begun) == 3, "accounts, and the contacts of both sides"
        assert (await browser.post(f"{API}/backfills/pause")).json() == {"changed": 3}
        await made.w.list_runs()
        going = (await browser.get(f"{API}/backfills")).json()["going"]
        assert [(item["of"], item["state"], item["listed"]) for item in going] == [
            ("account", "paused", 0),
            ("contact", "paused", 0),
            ("netsuite:contact", "paused", 0),
        ]
        assert "Paused" in (await browser.get("/match")).text
        await browser.post("/match/resume")
        await made.w.list_runs()
        await made.w.settle()
        await made.w.list_runs()
        ended = (await browser.get(f"{API}/backfills")).json()["ended"]
        assert [item["of"] for item in ended] == ["netsuite:contact", "contact", "account"]
        assert {item["state"] for item in ended} == {"done"}
        assert sum(cell["number"] for cell in ended[1]["counts"]) == 3
        rest = (await browser.get(f"{API}/backfills", params={"limit": 1})).json()
        assert (len(rest["ended"]), rest["next"]) == (1, ended[0]["number"])
        await browser.post("/match/start", data={"of": ["account", "contact"]})
        assert "Stop the back-fill?" in (await browser.get("/match/stop")).text
        await browser.post("/match/stop")
        states = [item["state"] for item in (await browser.get(f"{API}/backfills")).json()["ended"]]
        assert states[:2] == ["stopped", "stopped"]
        assert "stopped" in (await browser.get("/match")).text


async def test_what_is_sent_again_with_its_key_is_begun_once(made: Desk) -> None:
    key = {"Idempotency-Key": "8d6ae2b4-0000-4000-8000-5f0c1f5f2a10"}
    async with made.browser() as browser:
        first = await browser.post(f"{API}/backfills", json={"lists": ["contact"]}, headers=key)
        await browser.post(f"{API}/backfills/stop")
        again = await browser.post(f"{API}/backfills", json={"lists": ["contact"]}, headers=key)
        assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
        assert (await browser.get(f"{API}/backfills")).json()["going"] == []


async def test_a_preview_ends_when_somebody_has_seen_enough(made: Desk) -> None:
    reached = asyncio.Event()

    async def hold(kind: str) -> None:
        if kind == "list_keys":
            reached.set()
            await asyncio.Event().wait()

    made.w.salesforce.before_call = hold
    async with made.browser() as browser:
        begun = asyncio.create_task(browser.post("/match/preview"))
        await reached.wait()
        await begun
        assert "Still looking" in (await browser.get("/match")).text
        await browser.post("/match/preview/end")
        assert "Not all was looked at" in (await browser.get("/match")).text


async def test_how_long_it_takes_is_told_by_the_present_pace(made: Desk) -> None:
    made.w.salesforce.page_size = 1
    async with made.browser() as browser:
        await browser.post(f"{API}/backfills", json={"lists": ["contact"]})
        made.w.clock.at += 10
        await Lister(made.w.connection).step()
        await made.w.drain()
        [item] = (await browser.get(f"{API}/backfills")).json()["going"]
        assert (item["done"], item["total"]) == (1, 3)
        assert item["seconds_left"] == pytest.approx(20, abs=0.1), "ten seconds for one, two are left"
        assert "about 20 s left" in (await browser.get("/match")).text


async def test_none_begins_while_the_connection_is_held(made: Desk) -> None:
    await made.w.store.run(lambda tx: controls.pause(tx, by="test", now=1.0))
    async with made.browser() as browser:
        assert "The connection is held" in (await browser.get("/match")).text
        answer = await browser.post(f"{API}/backfills", json={})
        assert (answer.status_code, answer.json()["title"]) == (409, "The connection is held")


async def test_apart_from_the_sync_it_says_so_and_still_works(tmp_path: Path, made: Desk) -> None:
    rig = Rig.over(made.w.store.database, tmp_path, now=made.w.clock.now, open_connection=over(made.w))
    apart = Desk(made.w, rig, {})
    async with apart.browser() as browser:
        text = (await browser.get("/match")).text
        assert "runs apart from the sync" in text
        assert "none works on this connection" in text
        running = Condition(State.IN_STEP, 1.0)
        await made.w.store.run(lambda tx: conditions.note(tx, running))
        assert "none works on this connection" not in (await browser.get("/match")).text
        await previewed(apart, browser)
        given = {"decisions": [{"salesforce_id": id_of(made, "Grace"), "decision": "NEW"}]}
        assert (await browser.post(f"{API}/matching/decisions", json=given)).json() == {"decided": 1}
        listed = (await browser.get(f"{API}/matching/contacts?kind=ambiguous")).json()["contacts"]
        assert [(item["name"], item["decision"]) for item in listed] == [("Grace X", "new")]
        assert (await browser.post(f"{API}/backfills", json={})).status_code == 200


async def test_programs_are_told_which_decision_is_wrong(made: Desk) -> None:
    async with made.browser() as browser:
        assert (await browser.get(f"{API}/matching")).status_code == 404
        given = {"decisions": [{"salesforce_id": id_of(made, "Ada"), "decision": "99"}]}
        answer = await browser.post(f"{API}/matching/decisions", json=given)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"field": "decisions.0.decision", "message": "there is no NetSuite contact 99."}
        ]


async def test_viewers_look_and_change_nothing(made: Desk) -> None:
    async with made.browser() as operator, made.browser(Role.VIEWER) as viewer:
        await previewed(made, operator)
        page = (await viewer.get("/match")).text
        assert "Back-fill …" not in page
        assert "<select" not in (await viewer.get("/match/contacts")).text
        assert (await viewer.post("/match/start", data={"of": "contact"})).status_code == 403
