"""The page Drift and its API: what sweeps found, and putting it right, over a connection that really drifted."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dashboard.rig import Rig
from tests.memory.world import World, world

from twinbook.domain.policy import Direction
from twinbook.engine.care import controls
from twinbook.store import audit
from twinbook.web.access.roles import Role

API = "/api/v1/sweeps"


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def systems(runner: asyncio.Runner) -> Iterator[World]:
    """Three linked contacts, two of which a sweep that only reports found changed in NetSuite behind everybody's back,
    and one of which is gone there."""
    made = world()
    entered = runner.run(made.__aenter__())

    async def drift() -> None:
        entered.configure(direction=Direction.BOTH)
        account, _ = entered.linked_account()
        create = entered.salesforce.user_creates_contact
        ids = [
            create(AccountId=account, LastName=name, Email=f"{name}@acme.example", Title="Engineer")
            for name in ("Lovelace", "Hopper", "Turing")
        ]
        await entered.settle()
        links = [await entered.link(id_) for id_ in ids]
        for link in links[:2]:
            assert link is not None
            assert link.netsuite_id is not None
            entered.netsuite.user_edits_unseen(link.netsuite_id, {"title": "Admiral"})
        await entered.sweep(thorough=True, repairs=False)

    runner.run(drift())
    yield entered
    runner.run(made.__aexit__(None, None, None))


@pytest.fixture
def rig(systems: World, tmp_path: Path) -> Rig:
    return Rig.over(systems.store.database, tmp_path, now=systems.clock.now)


def test_findings_show_the_values_of_both_sides_and_are_put_right_one_by_one(
    rig: Rig, systems: World, runner: asyncio.Runner
) -> None:
    client = rig.client(Role.OPERATOR)
    number = client.get(API).json()["sweeps"][0]["number"]
    found = client.get(f"{API}/{number}/findings").json()["findings"]
    assert {item["name"] for item in found} == {"Lovelace", "Hopper"}
    field = found[0]["fields"][0]
    assert (field["salesforce"], field["netsuite"], field["agreed"]) == ("Engineer", "Admiral", "Engineer")
    page = client.get("/drift").text
    assert "Admiral" in page
    answer = client.post(f"/drift/{number}/repair", data={"record": found[0]["salesforce_id"]})
    assert answer.headers["location"] == f"/drift?sweep={number}"
    runner.run(systems.drain())
    done = client.get(f"{API}/{number}/findings").json()["findings"]
    assert [item["outcome"] for item in done] == ["updated", None]
    act = rig.database.read_now("", lambda tx: audit.latest(tx, limit=1))[0]
    assert (act.what, act.detail["queued"]) == ("drift.repaired", 1)


def test_all_of_a_kind_is_put_right_at_once(rig: Rig) -> None:
    client = rig.client(Role.OPERATOR)
    number = client.get(API).json()["sweeps"][0]["number"]
    assert client.post(f"{API}/{number}/repair", json={"kinds": ["missing"]}).json() == {"queued": 0}
    assert client.post(f"{API}/{number}/repair", json={"kinds": ["different"]}).json() == {"queued": 2}
    assert client.post(f"{API}/{number}/repair", json={}).json() == {"queued": 0}, "nothing is left"
    assert client.post(f"{API}/{number + 9}/repair", json={}).status_code == 404


def test_findings_are_paged(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    number = client.get(API).json()["sweeps"][0]["number"]
    first = client.get(f"{API}/{number}/findings?limit=1").json()
    second = client.get(f"{API}/{number}/findings?limit=1&after={first['next']}").json()
    assert second["next"] is None
    assert {first["findings"][0]["name"], second["findings"][0]["name"]} == {"Lovelace", "Hopper"}


def test_findings_are_written_as_csv(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    number = client.get(API).json()["sweeps"][0]["number"]
    answer = client.get(f"/drift/{number}.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="drift-default-{number}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["name"] for row in rows} == {"Lovelace", "Hopper"}
    assert {(row["field"], row["salesforce"], row["netsuite"]) for row in rows} == {
        ("Title/title", "Engineer", "Admiral")
    }
    assert client.get(f"/drift/{number}.csv?kind=missing").text.count("\n") == 1, "only the headings"
    assert client.get(f"/drift/{number + 9}.csv").status_code == 404


def test_a_sweep_begins_once_and_not_while_the_connection_is_held(rig: Rig, systems: World) -> None:
    client = rig.client(Role.OPERATOR)
    assert client.post("/drift/sweeps", data={"report_only": "true"}).status_code == 303
    newest = client.get(API).json()["sweeps"][0]
    assert (newest["state"], newest["repairs"], newest["requested_by"]) == ("listing", False, "operator")
    assert client.post(API, json={}).status_code == 409
    systems.store.run_now(lambda tx: controls.pause(tx, by="test", now=1.0))
    assert client.post(API, json={}).json()["title"] == "The connection is held"
    assert "Resume it" in client.get("/drift").text


def test_viewers_look_and_change_nothing(rig: Rig) -> None:
    client = rig.client(Role.VIEWER)
    assert "Put right" not in client.get("/drift").text
    assert client.post("/drift/sweeps").status_code == 403
    assert client.post("/drift/1/repair").status_code == 403


def test_an_unknown_sweep_is_said(rig: Rig) -> None:
    assert rig.client().get("/drift?sweep=999").status_code == 404
