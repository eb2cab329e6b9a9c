"""The batch RESTlet of `packages/netsuite`, the very files that are deployed, run by the sandbox."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sandbox_netsuite_rig import RESTLET, Rig

PROJECT = Path(__file__).parents[2] / "packages" / "netsuite"
ID_FIELD = "custentity_twinbook_sf_id"
COLUMNS = [{"name": name} for name in ("externalid", "entityid", "email", "title", "isinactive", ID_FIELD)]
RETURN = {"columns": COLUMNS}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("netsuite") / "account.sqlite"
    Rig(str(path)).account.close()
    return path


@pytest.fixture
async def rig(keys: Path, tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(shutil.copy(keys, tmp_path / "account.sqlite")) as rig:
        rig.account.scripts.deploy(PROJECT)
        yield rig


def create(key: str, last_name: str, **more: Any) -> dict[str, Any]:
    address = {"address": more.pop("address")} if "address" in more else {}
    fields = {"lastname": last_name, "subsidiary": "1", **more}
    return {"key": key, "op": "create", "externalId": f"SFC_{key}", "fields": fields, **address}


def update(key: str, id_: str, **fields: Any) -> dict[str, Any]:
    condition = {"ifVersion": fields.pop("if_version")} if "if_version" in fields else {}
    return {"key": key, "op": "update", "id": id_, "fields": fields, **condition}


async def write(rig: Rig, *writes: dict[str, Any], record: str = "contact", **more: Any) -> dict[str, Any]:
    body = {
        "version": 1,
        "action": "write",
        "record": record,
        "writes": list(writes),
        "return": RETURN,
        **more,
    }
    answer = await rig.restlet(body)
    assert answer.status_code == 200, answer.text
    results = {result["key"]: result for result in answer.json()["results"]}
    assert len(results) == len(answer.json()["results"]) == len(writes)
    return results


async def refusal(rig: Rig, body: Any, **options: Any) -> dict[str, str]:
    answer = await rig.restlet(body, **options)
    assert answer.status_code == 400, answer.text
    error: dict[str, str] = answer.json()["error"]
    return error


class TestWriting:
    async def test_creates_and_tells_what_was_kept(self, rig: Rig) -> None:
        results = await write(rig, create("A", "  Lovelace ", firstname="Ada", email="ada@acme.example"))
        made = results["A"]
        assert made["status"] == "CREATED"
        assert made["row"] == {
            "id": made["id"],
            "externalid": "SFC_A",
            "entityid": "Ada Lovelace",
            "email": "ada@acme.example",
            "isinactive": "F",
            "version": "2026-10-01 02:15:00",
        }
        assert (await rig.get("contact", "eid:SFC_A"))["lastName"] == "Lovelace"

    async def test_a_batch_that_is_carried_out_again_makes_no_second_record(self, rig: Rig) -> None:
        batch = [create(str(n), f"Number {n}", title="CTO") for n in range(30)]
        first = await write(rig, *batch)
        again = await write(rig, *batch)
        assert {result["status"] for result in first.values()} == {"CREATED"}
        assert {result["status"] for result in again.values()} == {"UPDATED"}
        assert {key: result["id"] for key, result in first.items()} == {k: r["id"] for k, r in again.items()}
        assert rig.account.count("contact") == 30

    async def test_batches_side_by_side_make_no_second_record(self, rig: Rig) -> None:
        batch = [create(str(n), f"Number {n}") for n in range(20)]
        both = await asyncio.gather(write(rig, *batch), write(rig, *reversed(batch)))
        assert rig.account.count("contact") == 20
        for key in map(str, range(20)):
            assert both[0][key]["id"] == both[1][key]["id"]
            assert {one[key]["status"] for one in both} == {"CREATED", "UPDATED"}

    async def test_updates_clear_and_keep(self, rig: Rig) -> None:
        id_ = await rig.contact(title="CTO", email="ada@acme.example", phone="030 1234567")
        results = await write(rig, update("A", id_, title=None, email="new@acme.example", isinactive=True))
        assert results["A"]["status"] == "UPDATED"
        shown = await rig.get("contact", id_)
        assert "title" not in shown
        assert (shown["email"], shown["isInactive"], shown["phone"]) == (
            "new@acme.example",
            True,
            "030 1234567",
        )

    async def test_deletes(self, rig: Rig) -> None:
        id_ = await rig.contact()
        results = await write(rig, {"key": "A", "op": "delete", "id": id_})
        assert results["A"] == {"key": "A", "status": "DELETED", "id": id_}
        assert rig.account.count("contact") == 0

    async def test_addresses_fill_the_default_line_and_leave_others_alone(self, rig: Rig) -> None:
        yard = {"label": "Yard", "addressBookAddress": {"city": "Kiel", "country": {"id": "DE"}}}
        id_ = await rig.contact(addressBook={"items": [yard]})
        berlin = {"addr1": "B 2", "city": "Berlin", "country": "DE"}
        await write(rig, {**update("A", id_), "address": berlin})
        await write(rig, {**update("A", id_), "address": {"addr1": None, "city": "Potsdam"}})
        shown = {**RETURN, "addresses": True}
        (row,) = (await write(rig, update("A", id_, title="CTO"), **{"return": shown})).values()
        assert (row["row"]["city"], row["row"]["country"], row["row"].get("addr1")) == ("Potsdam", "DE", None)
        lines = rig.account.read("contact", id_)
        assert lines is not None
        assert [line["addressBookAddress"]["city"] for line in lines["addressBook"]] == ["Kiel", "Potsdam"]

    async def test_customers(self, rig: Rig) -> None:
        fields = {"companyname": "Acme", "subsidiary": "1", "isperson": False}
        made = {"key": "A", "op": "create", "externalId": "SFA_A", "fields": fields}
        results = await write(rig, made, record="customer")
        assert results["A"]["status"] == "CREATED", results
        assert (await rig.get("customer", "eid:SFA_A"))["companyName"] == "Acme"


class TestRefusing:
    async def test_one_refused_record_does_not_hold_up_the_others(self, rig: Rig) -> None:
        await rig.contact(firstName="Ada", lastName="Lovelace")
        results = await write(
            rig,
            create("name", "Lovelace", firstname="Ada"),
            create("field", "B", custentity_nowhere="x"),
            create("mandatory", "C", subsidiary=None),
            create("long", "D", title="x" * 100),
            create("reference", "E", company="999999"),
            update("gone", "999999", title="x"),
            create("fine", "F"),
        )
        told = {key: result.get("code") for key, result in results.items()}
        assert told == {
            "name": "CONTACT_ALREADY_EXISTS",
            "field": "UNKNOWN_FIELD",
            "mandatory": "USER_ERROR",
            "long": "USER_ERROR",
            "reference": "INVALID_FLD_VALUE",
            "gone": "RCRD_DSNT_EXIST",
            "fine": None,
        }
        assert results["field"]["field"] == "custentity_nowhere"
        assert "Please enter value(s) for: Subsidiary." in results["mandatory"]["message"]
        assert results["fine"]["status"] == "CREATED"
        assert rig.account.count("contact") == 2

    async def test_a_stale_write_is_refused(self, rig: Rig) -> None:
        id_ = await rig.contact()
        results = await write(rig, update("A", id_, title="CTO"))
        seen = results["A"]["row"]["version"]
        rig.clock.advance(2)
        fresh = await write(rig, update("A", id_, title="CEO", if_version=seen))
        stale = await write(rig, update("A", id_, title="COO", if_version=seen))
        assert (fresh["A"]["status"], stale["A"]["status"]) == ("UPDATED", "STALE")
        assert (await rig.get("contact", id_))["title"] == "CEO"

    async def test_a_record_that_somebody_saves_meanwhile_is_stale(self, rig: Rig) -> None:
        """Between its load and its save: other calls are answered while the script runs."""
        ids = [await rig.contact(lastName=f"Number {n}") for n in range(20)]
        writing = asyncio.create_task(write(rig, *(update(id_, id_, title="Theirs") for id_ in ids)))
        while rig.account.scripts.calls["record.load"] < 20:
            await asyncio.sleep(0)
        rig.account.update("contact", ids[-1], {"title": "Mine"})
        results = await writing
        assert results[ids[-1]]["status"] == "STALE"
        assert (await rig.get("contact", ids[-1]))["title"] == "Mine"
        assert [results[id_]["status"] for id_ in ids[:-1]] == ["UPDATED"] * 19

    async def test_a_record_locked_by_a_workflow(self, rig: Rig) -> None:
        id_ = await rig.contact()
        rig.account.actions()["lock"]({"type": "contact", "id": id_})
        results = await write(
            rig, update("A", id_, title="CTO"), {"key": "B", "op": "delete", "id": "999999"}
        )
        assert (results["A"]["code"], results["B"]["code"]) == ("RCRD_LOCKED_BY_WF", "RCRD_DSNT_EXIST")

    async def test_the_same_record_twice_in_one_batch(self, rig: Rig) -> None:
        id_ = await rig.contact(externalId="SFC_A", lastName="Old")
        results = await write(
            rig,
            update("first", id_, title="CTO"),
            {**create("A", "New"), "key": "second"},
            create("B", "Twin"),
            {**create("B", "Twin"), "key": "third"},
        )
        assert [results[key]["status"] for key in ("first", "B")] == ["UPDATED", "CREATED"]
        assert [results[key]["code"] for key in ("second", "third")] == ["DUPLICATE_IN_BATCH"] * 2
        assert rig.account.count("contact") == 2


class TestLimits:
    async def test_what_the_units_do_not_allow_is_deferred(self, rig: Rig) -> None:
        rig.switches.restlet_units = 1000
        batch = [create(str(n), f"Number {n}") for n in range(100)]
        done = 0
        for _ in range(3):
            results = await write(rig, *batch)
            batch = [item for item in batch if results[item["key"]]["status"] == "DEFERRED"]
            assert rig.account.count("contact") == 100 - len(batch) > done
            done = 100 - len(batch)
            if not batch:
                break
        assert done == 100

    async def test_no_number_of_units_makes_it_lose_an_answer(self, rig: Rig) -> None:
        ids = [await rig.contact(lastName=f"Old {n}") for n in range(5)]
        for units in range(10, 300, 7):
            rig.switches.restlet_units = units
            batch = [create(f"{units}-{n}", f"Number {units} {n}") for n in range(5)]
            clash = [{**create(f"c{units}-{n}", f"Old {n}"), "op": "create"} for n in range(5)]
            edits = [update(f"e{n}", id_, title=str(units)) for n, id_ in enumerate(ids)]
            before = rig.account.count("contact")
            results = await write(rig, *clash, *batch, *edits)
            made = [result for result in results.values() if result["status"] == "CREATED"]
            assert rig.account.count("contact") == before + len(made)

    async def test_a_batch_of_two_hundred_fits_into_one_call(self, rig: Rig) -> None:
        results = await write(rig, *(create(str(n), f"Number {n}") for n in range(200)))
        assert {result["status"] for result in results.values()} == {"CREATED"}
        assert all("row" in result for result in results.values())

    async def test_five_megabytes(self, rig: Rig) -> None:
        batch = [create(str(n), f"Number {n}", comments="x" * 25_000) for n in range(200)]
        results = await write(rig, *batch)
        assert {result["code"] for result in results.values()} == {"USER_ERROR"}
        assert rig.account.count("contact") == 0

    async def test_more_than_ten_megabytes_are_refused_whole(self, rig: Rig) -> None:
        answer = await rig.restlet({"version": 1, "padding": "x" * 11_000_000})
        assert answer.status_code == 413

    async def test_the_concurrency_limit_has_its_own_words(self, rig: Rig) -> None:
        answer = rig.account.over_limit(RESTLET.partition("?")[0])
        assert (answer.status_code, b"SSS_REQUEST_LIMIT_EXCEEDED" in answer.body) == (400, True)


class TestFinding:
    async def test_by_all_keys_at_once(self, rig: Rig) -> None:
        acme = await rig.customer()
        by_id = await rig.contact(lastName="Id", company={"id": acme})
        by_email = await rig.contact(lastName="Email", email="Ada@Acme.example")
        by_external = await rig.contact(lastName="External", externalId="SFC_X")
        by_field = await rig.contact(lastName="Field", **{ID_FIELD: "003X"})
        by_name = await rig.contact(firstName="O'Name", lastName="--")
        await rig.contact(lastName="Other")
        by = {
            "id": [by_id, "424242"],
            "email": ["ADA@acme.example"],
            "externalid": ["SFC_X"],
            ID_FIELD: ["003X"],
            "entityid": [" o'name --"],
        }
        body = {"version": 1, "action": "find", "record": "contact", "columns": COLUMNS, "by": by}
        rows = (await rig.restlet(body)).json()["rows"]
        assert [row["id"] for row in rows] == sorted(
            [by_id, by_email, by_external, by_field, by_name], key=int
        )
        assert rows[0]["customerid"] == acme
        assert "customerid" not in rows[1]

    async def test_customers_with_their_subsidiary(self, rig: Rig) -> None:
        acme = await rig.customer()
        body = {"version": 1, "action": "find", "record": "customer", "columns": [{"name": "companyname"}]}
        asked = {**body, "subsidiary": True, "by": {"companyname": ["acme gmbh"]}}
        (row,) = (await rig.restlet(asked)).json()["rows"]
        assert (row["id"], row["companyname"], row["subsidiary"]) == (acme, "Acme GmbH", "1")


WRITE = {"version": 1, "action": "write", "record": "contact"}
FIND = {"version": 1, "action": "find", "record": "contact", "columns": []}
MALFORMED = [
    ([], "The body must be a JSON object."),
    ({}, "version must be 1. Deploy the package that belongs to this release of Twinbook."),
    ({"version": 2}, "version must be 1."),
    ({"version": 1, "action": "drop"}, "action must be one of find, write."),
    ({**WRITE, "record": "invoice", "writes": []}, "record must be one of contact, customer."),
    ({**WRITE, "writes": {}}, "writes must be a list."),
    ({**WRITE, "writes": [1]}, "writes[0] must be an object."),
    ({**WRITE, "writes": [], "extra": 1}, "The body.extra is unknown."),
    ({**WRITE, "writes": [{}]}, "writes[0].op must be one of create, update, delete."),
    ({**WRITE, "writes": [{"op": "delete", "id": "1"}]}, "writes[0].key must be a text"),
    ({**WRITE, "writes": [{"op": "delete", "key": "A", "id": "x"}]}, "writes[0].id must be an internal id."),
    ({**WRITE, "writes": [{"op": "delete", "key": "A", "id": 1}]}, "writes[0].id must be an internal id."),
    (
        {**WRITE, "writes": [update("A", "1", title={"a": 1})]},
        "writes[0].fields.title must be a text, a number",
    ),
    ({**WRITE, "writes": [update("A", "1", __proto__=1)]}, "writes[0].fields.__proto__ is no field id."),
    (
        {**WRITE, "writes": [update("A", "1", **{"Title; DROP": "x"})]},
        "writes[0].fields.Title; DROP is no field",
    ),
    (
        {**WRITE, "writes": [{**create("A", "L"), "externalId": "a b"}]},
        "writes[0].externalId must be a text of",
    ),
    (
        {**WRITE, "writes": [{**create("A", "L"), "address": {"zipcode": "1"}}]},
        "writes[0].address.zipcode is unk",
    ),
    ({**WRITE, "writes": [update("A", "1"), update("A", "2")]}, "writes[1].key is that of writes[0] too."),
    (
        {**WRITE, "writes": [update(str(n), "1") for n in range(201)]},
        "writes holds 201 items. Send at most 200",
    ),
    ({**WRITE, "writes": [], "seconds": 0}, "seconds must be a number above 0"),
    ({**FIND, "by": {"phone": ["1"]}}, "by.phone cannot be searched by."),
    ({**FIND, "by": {"id": ["1 OR 1=1"]}}, "by.id[0] must be an internal id."),
    ({**FIND, "by": {}, "columns": [{"name": "id, 1"}]}, "The body.columns[0].name must be a field id"),
]


async def test_malformed_input_is_refused_whole_and_named(rig: Rig) -> None:
    for body, message in MALFORMED:
        error = await refusal(rig, body)
        assert error["code"] == "INVALID_INPUT", message
        assert error["message"].startswith(message), error
    assert rig.account.count("contact") == 0


async def test_what_is_no_json(rig: Rig) -> None:
    for content_type, body in (("application/json", b"{"), ("text/plain", b"{")):
        answer = await rig.http.post(RESTLET, content=body, headers={"Content-Type": content_type})
        assert answer.status_code == 400, content_type
    answer = await rig.http.post(RESTLET, content=b"<a/>", headers={"Content-Type": "application/xml"})
    assert answer.status_code == 415


async def test_it_says_what_is_deployed(rig: Rig) -> None:
    told = (await rig.http.get(RESTLET)).json()
    assert (told["version"], told["limits"]["writes"]) == (1, 200)


async def test_it_needs_the_scope_and_a_deployment(rig: Rig) -> None:
    gone = await rig.http.get(RESTLET.replace("batch", "botch"))
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "SSS_INVALID_SCRIPTLET_ID")
    token = (await rig.token(rig.assertion(scope=["rest_webservices"]))).json()["access_token"]
    answer = await rig.http.get(RESTLET, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_LOGIN_ATTEMPT")
