"""Collections, filters, address books, metadata and small services of the emulated NetSuite account."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.sandbox_netsuite_rig import BASE, RECORDS, Rig, detail


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


async def listed(rig: Rig, q: str = "", **params: Any) -> list[str]:
    answer = await rig.http.get(f"{RECORDS}/contact", params={**({"q": q} if q else {}), **params})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_pages_of_a_collection(rig: Rig) -> None:
    ids = [await rig.contact(lastName=f"L{number}") for number in range(5)]
    page = (await rig.http.get(f"{RECORDS}/contact", params={"limit": 2, "offset": 2})).json()
    assert [item["id"] for item in page["items"]] == ids[2:4]
    assert {name: page[name] for name in ("count", "hasMore", "offset", "totalResults")} == {
        "count": 2,
        "hasMore": True,
        "offset": 2,
        "totalResults": 5,
    }
    links = {link["rel"]: link["href"] for link in page["links"]}
    assert links["next"] == f"{BASE}{RECORDS}/contact?limit=2&offset=4" == links["last"]
    assert links["prev"].endswith("offset=0") and links["self"].endswith("offset=2")
    last = (await rig.http.get(links["next"])).json()
    assert last["count"] == 1 and last["hasMore"] is False
    assert last["items"][0] == {
        "links": [{"rel": "self", "href": f"{BASE}{RECORDS}/contact/{ids[4]}"}],
        "id": ids[4],
    }


@pytest.mark.parametrize(
    ("params", "culprit"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"limit": 10, "offset": 5}, "offset"),
        ({"limit": 1000, "offset": 100000}, "offset"),
        ({"limit": 2, "offset": 2000}, "offset"),
    ],
)
async def test_paging_rules(rig: Rig, params: dict[str, Any], culprit: str) -> None:
    told = detail(await rig.http.get(f"{RECORDS}/contact", params=params))
    assert told["o:errorCode"] == "INVALID_PARAMETER" and told["o:errorQueryParam"] == culprit


async def test_filters(rig: Rig) -> None:
    acme = await rig.customer()
    ada = await rig.contact(email="ada@acme.example", company=acme, title="Chief Analyst")
    rig.clock.advance(2 * 86400)
    await rig.log_in()
    alan = await rig.contact(firstName="Alan", lastName="Turing", email="alan@acme.example", isInactive=True)
    plain = await rig.contact(firstName="100%", lastName="Real")
    cases = {
        'email START_WITH "ada" AND isInactive IS false': [ada],
        'email IS "ADA@acme.example"': [ada],
        "email CONTAIN acme": [ada, alan],
        "email EMPTY": [plain],
        "email EMPTY_NOT": [ada, alan],
        'title END_WITH "analyst"': [ada],
        'title ENDWITH "analyst"': [ada],
        "title CONTAIN_NOT chief": [alan, plain],
        'firstName CONTAIN "%"': [plain],
        f"id ANY_OF [{ada}, {alan}]": [ada, alan],
        f"id ANY_OF_NOT [{ada}, {alan}]": [plain],
        f"id BETWEEN [{alan}, {plain}]": [alan, plain],
        f"id GREATER {ada}": [alan, plain],
        f"company EQUAL {acme}": [ada],
        f"id LESS {alan} OR lastName IS Real AND isInactive IS true": [ada],
        f"(id LESS {alan} OR lastName IS Turing) AND isInactive IS true": [alan],
        'dateCreated ON "10/1/2026"': [ada],
        'lastModifiedDate AFTER "10/1/2026"': [alan, plain],
        'dateCreated ON_OR_BEFORE "10/3/2026"': [ada, alan, plain],
        "isinactive_x IS true": None,
        "email LIKES x": None,
        "email GREATER 5": None,
        "isInactive IS maybe": None,
        "id EQUAL 99999999999999999999": [],
        "id EQUAL x": None,
        'dateCreated ON "2026-10-01"': None,
        "email IS": None,
    }
    for q, expected in cases.items():
        if expected is None:
            told = detail(await rig.http.get(f"{RECORDS}/contact", params={"q": q}))
            assert told["o:errorCode"] == "INVALID_PARAMETER" and told["o:errorQueryParam"] == "q", q
        else:
            assert await listed(rig, q) == expected, q


def line(number: int, **more: Any) -> dict[str, Any]:
    return {
        **more,
        "addressBookAddress": {"addr1": f"Street {number}", "city": "Berlin", "country": {"id": "DE"}},
    }


async def book(rig: Rig, id_: str) -> list[dict[str, Any]]:
    return (await rig.get("contact", id_, expandSubResources="true"))["addressBook"]["items"]


async def test_address_lines_append_merge_and_replace(rig: Rig) -> None:
    id_ = await rig.contact(addressBook={"items": [line(1, label="Office", defaultBilling=True)]})
    (first,) = await book(rig, id_)
    assert (
        first["label"] == "Office" and first["defaultBilling"] is True and first["defaultShipping"] is False
    )
    assert first["addressBookAddress"]["country"]["id"] == "DE"
    assert first["addressBookAddress_text"] == "Street 1\nBerlin\nDE"
    await rig.call("PATCH", f"/contact/{id_}", {"addressBook": {"items": [line(2, defaultBilling=True)]}})
    assert [(one["label"], one["defaultBilling"]) for one in await book(rig, id_)] == [
        ("Office", False),
        ("Street 2", True),
    ]
    change = {"internalId": first["internalId"], "addressBookAddress": {"zip": "10115", "city": None}}
    await rig.call("PATCH", f"/contact/{id_}", {"addressBook": {"items": [change]}})
    merged = (await book(rig, id_))[0]["addressBookAddress"]
    assert merged["addr1"] == "Street 1" and merged["zip"] == "10115" and "city" not in merged
    answer = await rig.call(
        "PATCH", f"/contact/{id_}", {"addressBook": {"items": [line(3)]}}, params={"replace": "addressBook"}
    )
    assert answer.status_code == 204
    assert [one["addressBookAddress"]["addr1"] for one in await book(rig, id_)] == ["Street 3"]
    for empty in (None, {"items": None}):
        await rig.call("PATCH", f"/contact/{id_}", {"addressBook": {"items": [line(4)]}})
        await rig.call("PATCH", f"/contact/{id_}", {"addressBook": empty})
        assert await book(rig, id_) == []


async def test_address_errors_name_their_place(rig: Rig) -> None:
    id_ = await rig.contact()

    async def refused(item: Any) -> dict[str, Any]:
        return detail(await rig.call("PATCH", f"/contact/{id_}", {"addressBook": {"items": [line(1), item]}}))

    told = await refused({"addressBookAddress": {"country": {"id": "XX"}}})
    assert told["o:errorPath"] == "addressBook.items[1].addressBookAddress.country"
    assert (await refused({"lable": "x"}))["o:errorPath"] == "addressBook.items[1].lable"
    assert (await refused({"internalId": 77}))["o:errorPath"] == "addressBook.items[1].internalId"
    assert "maximum number ( 150 )" in (await refused({"addressBookAddress": {"addr1": "x" * 151}}))["detail"]
    assert await book(rig, id_) == []


async def test_states_and_default_country(rig: Rig) -> None:
    id_ = await rig.contact(addressBook={"items": [{"addressBookAddress": {"state": "Texas"}}]})
    assert (await book(rig, id_))[0]["addressBookAddress"]["country"]["id"] == "US"
    rig.switches.free_form_states = False
    body = {"addressBook": {"items": [{"addressBookAddress": {"state": "Texas", "country": "US"}}]}}
    told = detail(await rig.call("PATCH", f"/contact/{id_}", body))
    assert told["o:errorPath"].endswith("addressBookAddress.state")
    body["addressBook"]["items"][0]["addressBookAddress"]["state"] = "TX"
    assert (await rig.call("PATCH", f"/contact/{id_}", body)).status_code == 204


async def test_address_sub_resources(rig: Rig) -> None:
    id_ = await rig.contact(addressBook={"items": [line(1)]})
    collection = await rig.get("contact", f"{id_}/addressBook")
    assert collection["totalResults"] == 1
    url = collection["items"][0]["links"][0]["href"]
    assert url == f"{BASE}{RECORDS}/contact/{id_}/addressBook/1"
    assert (await rig.http.get(url)).json()["label"] == "Street 1"
    assert (await rig.http.get(f"{url}/addressBookAddress")).json()["city"] == "Berlin"
    assert (await rig.http.get(url.removesuffix("1") + "9")).status_code == 404


async def test_multiselect(rig: Rig) -> None:
    id_ = await rig.contact(category={"items": [{"id": "1"}, {"id": "3"}]})
    expanded = await rig.get("contact", id_, expandSubResources="true")
    assert [item["id"] for item in expanded["category"]["items"]] == ["1", "3"]
    assert (await rig.get("contact", f"{id_}/category"))["totalResults"] == 2
    told = detail(await rig.call("PATCH", f"/contact/{id_}", {"category": {"items": [{"id": "9"}]}}))
    assert told["o:errorPath"] == "category.items[0]"


async def test_custom_fields_are_deployed_and_removed(rig: Rig) -> None:
    acts = rig.account.actions()
    acts["deploy_field"](
        {"script_id": "custentity_region", "label": "Region", "max_length": 3, "applies_to": ["contact"]}
    )
    acts["deploy_field"]({"script_id": "custentity_score", "type": "float"})
    acts["deploy_field"]({"script_id": "custentity_seen", "type": "datetime"})
    id_ = await rig.contact(
        custentity_region="EMEA"[:3], custentity_score=1.5, custentity_seen="2026-10-01T11:15:00+02:00"
    )
    contact = await rig.get("contact", id_)
    assert (contact["custentity_region"], contact["custentity_score"]) == ("EME", 1.5)
    assert contact["custentity_seen"] == "2026-10-01T09:15:00Z"
    assert (await rig.rows("SELECT custentity_score FROM contact"))[0] == {"custentity_score": "1.5"}
    assert detail(
        await rig.call("POST", "/customer", {"companyName": "A", "subsidiary": "1", "custentity_region": "x"})
    )["o:errorPath"]
    acts["remove_field"]({"script_id": "custentity_region"})
    assert "custentity_region" not in await rig.get("contact", id_)
    assert "Unknown identifier" in (await rig.query("SELECT custentity_region FROM contact")).text


async def test_metadata_knows_the_account_s_fields(rig: Rig) -> None:
    answer = await rig.call("GET", "/metadata-catalog/contact", headers={"Accept": "application/schema+json"})
    assert answer.headers["content-type"] == "application/schema+json"
    properties = answer.json()["properties"]
    assert properties["email"]["format"] == "email"
    assert properties["custentity_twinbook_locked"] == {
        "title": "Locked for Sync",
        "type": "boolean",
        "x-ns-custom-field": True,
    }
    assert {"subsidiary", "addressBook", "company"} <= properties.keys()
    rig.switches.oneworld = False
    assert (
        "subsidiary"
        not in (
            await rig.call("GET", "/metadata-catalog/contact", headers={"Accept": "application/schema+json"})
        ).text
    )
    openapi = await rig.call(
        "GET", "/metadata-catalog?select=contact", headers={"Accept": "application/swagger+json"}
    )
    assert list(openapi.json()["components"]["schemas"]) == ["contact"]
    assert len((await rig.call("GET", "/metadata-catalog")).json()["items"]) == 3
    assert (await rig.call("GET", "/metadata-catalog/widget")).status_code == 404


async def test_small_services(rig: Rig) -> None:
    limits = (await rig.http.get("/services/rest/system/v1/governanceLimits")).json()
    assert limits["accountConcurrencyLimit"] == 5
    assert (await rig.http.get("/services/rest/system/v1/serverTime")).json() == {
        "serverTime": "2026-10-01T09:15:00Z"
    }
    assert detail(await rig.http.get("/services/rest/nothing"))["o:errorCode"] == "INVALID_URL"
    restlet = await rig.http.post("/app/site/hosting/restlet.nl?script=1&deploy=1")
    assert restlet.status_code == 404 and restlet.json()["error"]["code"] == "SSS_INVALID_SCRIPTLET_ID"
