"""The emulated NetSuite account as its users and administrators act on it, and behind the sandbox's traffic."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from tests.unit.sandbox_netsuite_rig import ASSERTION_TYPE, BASE, RECORDS, TOKEN_URL, Rig, detail

from twinbook_sandbox.core.control import SiteError, control_routes
from twinbook_sandbox.core.traffic import Latency
from twinbook_sandbox.netsuite.kinds import classify


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


async def test_user_writes_and_reads_flat_records(rig: Rig) -> None:
    site = rig.account
    acme = site.insert("customer", {"companyName": "Acme", "subsidiary": "1"})
    id_ = site.insert("contact", {"firstName": "Ada", "lastName": "L", "company": acme})
    contact = site.read("contact", id_)
    assert contact is not None
    assert (contact["company"], contact["subsidiary"], contact["isInactive"]) == (acme, "1", False)
    site.update("contact", id_, {"email": "a@b.example"})
    assert [one["id"] for one in site.list("contact", {"email": "a@b.example", "company": acme}, 10, 0)] == [
        id_
    ]
    assert site.list("contact", {"email": None}, 10, 0) == []
    assert site.list("contact", {"isInactive": False}, 10, 1) == []
    assert (site.count("contact"), site.display_name("customer", acme)) == (1, "Acme")
    site.delete("contact", id_)
    assert site.count("contact") == 0
    assert site.read("contact", id_) == {**contact, "email": "a@b.example", "isDeleted": True}
    assert site.read("contact", "99") is None
    assert [row["recordid"] for row in site.list("deletedRecord", {}, 10, 0)] == [int(id_)]


async def test_refusals_are_site_errors(rig: Rig) -> None:
    with pytest.raises(SiteError, match="Invalid Field Value 77") as refused:
        rig.account.insert("contact", {"firstName": "Ada", "company": "77"})
    assert (refused.value.status, refused.value.code, refused.value.field) == (
        400,
        "INVALID_CONTENT",
        "company",
    )
    for act in (
        lambda: rig.account.insert("widget", {}),
        lambda: rig.account.update("contact", "77", {}),
        lambda: rig.account.list("contact", {"nonsense": 1}, 1, 0),
        lambda: rig.account.insert("contact", {"firstNam": "Ada"}),
    ):
        with pytest.raises(SiteError):
            act()


async def test_merge(rig: Rig) -> None:
    site, acts = rig.account, rig.account.actions()
    acme = site.insert("customer", {"companyName": "Acme", "subsidiary": "1"})
    master, loser, aide = (site.insert("contact", {"firstName": name}) for name in ("A", "B", "C"))
    site.update("contact", aide, {"supervisor": loser})
    acts["attach"]({"company": acme, "contact": loser, "role": -10})
    rig.clock.advance(10)
    acts["merge"]({"master": master, "loser": loser})
    gone = site.read("contact", loser)
    assert gone is not None and gone["isDeleted"]
    after = site.read("contact", aide)
    assert after is not None and after["supervisor"] == master
    assert site.list("companyContactRelationship", {}, 5, 0) == [
        {"company": int(acme), "contact": int(master), "role": -10}
    ]
    assert [row["recordid"] for row in await rig.rows("SELECT recordid FROM deletedrecord")] == [loser]
    rig.switches.merge_leaves_deletedrecord = False
    acts["merge"]({"master": master, "loser": aide})
    assert len(await rig.rows("SELECT recordid FROM deletedrecord")) == 1
    with pytest.raises(SiteError, match="with itself"):
        acts["merge"]({"master": master, "loser": master})


async def test_edits_in_other_contexts(rig: Rig) -> None:
    site, acts = rig.account, rig.account.actions()
    id_ = site.insert("contact", {"firstName": "Ada"})
    acts["edit"]({"type": "contact", "id": id_, "fields": {"title": "CSV"}, "context": "CSVIMPORT"})
    acts["inactivate"]({"type": "contact", "id": id_})
    contact = site.read("contact", id_)
    assert contact is not None and contact["isInactive"] and contact["title"] == "CSV"
    rig.switches.user_event_reject = "No."
    with pytest.raises(SiteError, match="No\\."):
        acts["edit"]({"type": "contact", "id": id_, "fields": {"title": "X"}, "context": "CSVIMPORT"})
    acts["edit"]({"type": "contact", "id": id_, "fields": {"title": "X"}})


async def test_reset_empties_data_and_keeps_the_session(rig: Rig) -> None:
    acts = rig.account.actions()
    acts["deploy_field"]({"script_id": "custentity_x"})
    await rig.contact(custentity_x="1")
    rig.account.reset()
    assert rig.account.count("contact") == 0
    assert await rig.rows("SELECT id FROM contact") == []
    assert (await rig.query("SELECT custentity_x FROM contact")).status_code == 400
    assert await rig.contact(custentity_twinbook_sf_id="003") == "1001"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/services/rest/auth/oauth2/v1/token", "token"),
        ("POST", "/services/rest/query/v1/suiteql", "suiteql"),
        ("GET", f"{RECORDS}/contact", "contact.list"),
        ("GET", f"{RECORDS}/contact/", "contact.list"),
        ("POST", f"{RECORDS}/contact", "contact.post"),
        ("GET", f"{RECORDS}/contact/1", "contact.get"),
        ("GET", f"{RECORDS}/contact/1/addressBook", "contact.get"),
        ("PATCH", f"{RECORDS}/contact/1", "contact.patch"),
        ("PUT", f"{RECORDS}/customer/eid:A", "customer.put"),
        ("POST", f"{RECORDS}/customer/1/!attach/contact/2", "attach"),
        ("GET", f"{RECORDS}/metadata-catalog/contact", "metadata"),
        ("GET", f"{RECORDS}/anything/1", "other"),
        ("GET", "/services/rest/system/v1/serverTime", "system"),
        ("POST", "/app/site/hosting/restlet.nl", "restlet"),
        ("GET", "/", "other"),
    ],
)
def test_kinds_of_call(method: str, path: str, kind: str) -> None:
    assert classify(method, path, "") == kind


async def test_concurrency_limit_counts_from_arrival_to_answer(rig: Rig) -> None:
    traffic = rig.account.traffic()
    traffic.latency = Latency(default_ms=40)
    routes = [*rig.account.routes(), *control_routes(rig.account, traffic, rig.clock)]
    transport = httpx.ASGITransport(app=traffic.wrap(Starlette(routes=routes)))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=rig.http.headers) as http:
        calls = [http.get(f"{RECORDS}/contact") for _ in range(4)]
        calls += [
            http.post(
                "/services/rest/query/v1/suiteql",
                json={"q": "SELECT id FROM contact"},
                headers={"Prefer": "transient"},
            )
            for _ in range(4)
        ]
        form = {"grant_type": "client_credentials", "client_assertion": rig.assertion()}
        token = http.post(TOKEN_URL, data={**form, "client_assertion_type": ASSERTION_TYPE})
        answers = await asyncio.gather(*calls, token)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] * 6 + [429] * 3, "five calls, and the token request, which is not governed"
        told = detail(next(answer for answer in answers if answer.status_code == 429))
        assert told["o:errorCode"] == "CONCURRENCY_LIMIT_EXCEEDED"
        assert told["detail"] == "Concurrent request limit exceeded. Request blocked."
        counters = (await http.get("/_sandbox/counters")).json()
        assert counters["high_water"] == 6, "the call that was one too many"
        assert counters["concurrency_limit"] == 5
        assert counters["kinds"]["suiteql"]["calls"] == 4
        rig.switches.concurrency_limit = 20
        answers = await asyncio.gather(*(http.get(f"{RECORDS}/contact") for _ in range(15)))
        assert {answer.status_code for answer in answers} == {200}


async def test_switches_are_set_by_the_control_plane(rig: Rig) -> None:
    app = Starlette(routes=control_routes(rig.account, rig.account.traffic(), rig.clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        values = (await http.get("/_sandbox/switches")).json()
        assert values["contact_name_scope"] == "company" and values["concurrency_limit"] == 5
        change = {
            "contact_name_scope": "global",
            "role_permissions": {"LIST_CONTACT": "VIEW"},
            "mandatory_fields": ["title"],
        }
        assert (await http.patch("/_sandbox/switches", json=change)).status_code == 200
        assert rig.switches.contact_name_scope == "global" and rig.switches.mandatory_fields == ["title"]
        for wrong in (
            {"contact_name_scope": "planet"},
            {"company_time_zone": "Mars/Base"},
            {"role_permissions": {"X": "SOME"}},
            {"relation_columns": ["a b", "c", "d"]},
            {"relation_columns": ["only_one"]},
            {"relation_table": "x; DROP TABLE entity"},
            {"concurrency_limit": 0},
        ):
            assert (await http.patch("/_sandbox/switches", json=wrong)).status_code == 400, wrong
