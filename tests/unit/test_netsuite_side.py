"""What the NetSuite side sends and what it makes of the answers: requests as netsuite.md 2 and 4 give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from tests.memory.netsuite_http import NoLogin, Request, ScriptedHttp, answer, refusal, rows
from tests.memory.single import (
    create_contact,
    create_customer,
    delete_contact,
    update_contact,
    update_customer,
)

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import ContactQuery, Delete, Failed, Written
from twinbook.domain.records import Entity, Fields, Key, Side
from twinbook.engine.lease import LeaseLostError
from twinbook.http import HttpResponse
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.fields import DOCUMENTED
from twinbook.netsuite.metadata import schema_from
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.side import NetSuiteSide

BASE = "https://ns.example"
RECORD = f"{BASE}/services/rest/record/v1"
CONFIG = NetSuiteConfig(
    "1234567", base_url=BASE, oneworld=True, locked_field="custentity_locked", contact_fields=("email",)
)
CATALOGUE = {
    "type": "object",
    "required": ["custentity_region"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "links": {"type": "array"},
        "refName": {"type": "string"},
        "firstName": {"title": "First Name", "type": "string", "nullable": True},
        "isInactive": {"type": "boolean"},
        "owner": {"type": ["integer", "null"], "format": "int64"},
        "lastModifiedDate": {"type": "string", "format": "date-time"},
        "company": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "refName": {"type": "string"}},
        },
        "subsidiary": {"$ref": "/services/rest/record/v1/metadata-catalog/subsidiary"},
        "emailPreference": {
            "type": "object",
            "properties": {"id": {"type": "string", "enum": ["HTML", "PDF"]}},
        },
        "category": {"type": "object", "properties": {"items": {"type": "array"}}},
        "addressBook": {"type": "object", "properties": {"items": {"type": "array"}}},
        "custentity_region": {"type": "object", "properties": {"id": {"type": "string"}}},
        "custentity_born": {"type": "string", "format": "date"},
        "custentity_score": {"type": "number"},
        "custentity_note": {"type": "string", "maxLength": 300},
        "custentity_vip": {"type": "boolean"},
    },
}

Handler = Callable[[Request], HttpResponse | Exception]


def side(handler: Handler, config: NetSuiteConfig = CONFIG) -> tuple[NetSuiteSide, ScriptedHttp]:
    http = ScriptedHttp(handler)
    return NetSuiteSide.over(http, NoLogin(), config, monotonic=lambda: 0.0), http


def always(reply: HttpResponse | Exception) -> Handler:
    return lambda _: reply


def sql_of(http: ScriptedHttp) -> str:
    return str(http.requests[-1].json["q"])


async def test_one_query_finds_a_batch_by_everything() -> None:
    netsuite, http = side(always(rows()))
    await netsuite.find_contacts(
        ContactQuery(
            ids=frozenset({"4711", "not an id"}),
            emails=frozenset({" O'Hara@Acme.example ", "bad\x00@x"}),
            salesforce_ids=frozenset({"003A"}),
            names=frozenset({"Ada LOVELACE"}),
        )
    )
    assert len(http.requests) == 1
    where = sql_of(http).split(" WHERE ")[1]
    assert where == (
        "(c.id IN (4711) OR c.externalid IN ('003A','SFC_003A')"
        " OR c.custentity_twinbook_sf_id IN ('003A') OR LOWER(c.email) IN ('o''hara@acme.example')"
        " OR LOWER(c.entityid) IN ('ada lovelace')) ORDER BY c.id"
    )


async def test_nothing_asked_is_nothing_sent() -> None:
    netsuite, http = side(always(rows()))
    assert await netsuite.find_contacts(ContactQuery()) == ()
    assert await netsuite.find_contacts(ContactQuery(ids=frozenset({"x"}), emails=frozenset({""}))) == ()
    assert await netsuite.find_customers() == ()
    assert await update_contact(netsuite, "1", {}) == Written("1")
    assert http.requests == []


async def test_large_batches_are_asked_in_several_queries() -> None:
    netsuite, http = side(always(rows()))
    emails = frozenset(f"{'x' * 60}{number}@acme.example" for number in range(2_000))
    await netsuite.find_contacts(ContactQuery(emails=emails))
    assert len(http.requests) > 1
    assert all(len(request.json["q"].encode()) < 100_000 for request in http.requests)
    asked = [
        email for request in http.requests for email in re.findall(r"'(x+\d+@[^']*)'", request.json["q"])
    ]
    assert sorted(asked) == sorted(emails)


async def test_a_row_becomes_a_contact() -> None:
    row = {
        "id": "4711",
        "externalid": "SFC_003A",
        "entityid": "Ada Lovelace",
        "firstname": "Ada",
        "email": "ada@acme.example",
        "company": "660",
        "customerid": "660",
        "subsidiary": "1",
        "isinactive": "F",
        "custentity_twinbook_sf_id": "003A",
        "custentity_locked": "T",
        "version": "2026-10-01 09:15:00",
        "defaultbilling": "T",
        "addr1": "Hauptstr. 5",
        "addr2": "Hof",
        "country": "DE",
    }
    netsuite, _ = side(always(rows(row)))
    (contact,) = await netsuite.find_contacts(ContactQuery(ids=frozenset({"4711"})))
    assert (contact.id, contact.name, contact.version) == ("4711", "Ada Lovelace", "2026-10-01 09:15:00")
    assert (contact.company_id, contact.company_is_customer) == ("660", True)
    assert (contact.external_id, contact.salesforce_id) == ("SFC_003A", "003A")
    assert (contact.locked, contact.inactive) == (True, False)
    assert contact.fields["firstName"] == "Ada"
    assert contact.fields["lastName"] is None
    assert contact.fields["isInactive"] is False
    assert contact.fields["subsidiary"] == "1"
    assert contact.fields["address.street"] == "Hauptstr. 5\nHof"
    assert contact.fields["address.city"] is None


async def test_a_company_that_is_no_customer_is_seen() -> None:
    netsuite, _ = side(always(rows({"id": "1", "company": "77"}, {"id": "2"})))
    vendor, alone = await netsuite.find_contacts(ContactQuery(ids=frozenset({"1", "2"})))
    assert (vendor.company_id, vendor.company_is_customer) == ("77", False)
    assert alone.company_id is None


async def test_two_default_lines_are_one_contact_with_the_billing_address() -> None:
    shipping = {"id": "1", "defaultbilling": "F", "defaultshipping": "T", "city": "Bonn"}
    billing = {"id": "1", "defaultbilling": "T", "defaultshipping": "F", "city": "Berlin"}
    for order in ([shipping, billing], [billing, shipping]):
        netsuite, _ = side(always(rows(*order)))
        (contact,) = await netsuite.find_contacts(ContactQuery(ids=frozenset({"1"})))
        assert contact.fields["address.city"] == "Berlin"


async def test_addresses_and_subsidiaries_are_left_out_where_there_are_none() -> None:
    config = replace(CONFIG, oneworld=False, read_addresses=False)
    netsuite, http = side(always(rows({"id": "1"})), config)
    (contact,) = await netsuite.find_contacts(ContactQuery(ids=frozenset({"1"})))
    assert "address" not in sql_of(http)
    assert "subsidiary" not in sql_of(http)
    assert not any(name.startswith("address.") for name in contact.fields)


async def test_the_account_is_asked_what_it_is_only_once() -> None:
    def handler(request: Request) -> HttpResponse:
        return (
            answer(200, CATALOGUE)
            if "metadata-catalog" in request.url
            else rows({"id": "1", "custentity_score": "2.5"})
        )

    fields = ("custentity_score", "custentity_born", "custentity_absent", "category")
    netsuite, http = side(handler, replace(CONFIG, oneworld=None, contact_fields=fields))
    for _ in range(2):
        (contact,) = await netsuite.find_contacts(ContactQuery(ids=frozenset({"1"})))
    assert sum("metadata-catalog" in request.url for request in http.requests) == 1
    assert http.requests[0].headers["Accept"] == "application/schema+json"
    assert "c.subsidiary" in sql_of(http)
    assert "TO_CHAR(c.custentity_born, 'YYYY-MM-DD') AS custentity_born" in sql_of(http)
    assert contact.fields["custentity_score"] == 2.5
    assert "custentity_absent" not in contact.fields
    assert "category" not in contact.fields


async def test_customers_by_name_id_and_salesforce_id() -> None:
    row = {
        "id": "660",
        "companyname": "Acme GmbH",
        "subsidiary": "2",
        "isinactive": "T",
        "externalid": "SFA_001A",
    }
    netsuite, http = side(always(rows(row)))
    (customer,) = await netsuite.find_customers(ids=["660"], salesforce_ids=["001A"], names=["  ACME GmbH "])
    assert "LOWER(TRIM(c.companyname)) IN ('acme gmbh')" in sql_of(http)
    assert "'SFA_001A'" in sql_of(http)
    assert (customer.id, customer.name, customer.subsidiary_id) == ("660", "Acme GmbH", "2")
    assert (customer.external_id, customer.inactive) == ("SFA_001A", True)


async def test_create_is_a_strict_upsert_by_external_id() -> None:
    netsuite, http = side(always(answer(204, Location=f"{RECORD}/contact/4711")))
    fields: Fields = {
        "firstName": "Ada",
        "company": "660",
        "subsidiary": "1",
        "isInactive": False,
        "title": None,
    }
    assert await create_contact(netsuite, "SFC_003A", fields) == Written("4711")
    (request,) = http.requests
    assert (request.method, request.url) == ("PUT", f"{RECORD}/contact/eid:SFC_003A")
    assert request.headers["X-NetSuite-PropertyNameValidation"] == "Error"
    assert request.json == {
        "firstName": "Ada",
        "company": {"id": "660"},
        "subsidiary": {"id": "1"},
        "isInactive": False,
        "title": None,
    }


async def test_a_created_address_replaces_so_that_a_repeated_call_adds_no_second_line() -> None:
    netsuite, http = side(always(answer(204, Location=f"{RECORD}/contact/4711")))
    await create_contact(
        netsuite, "SFC_003A", {"lastName": "L", "address.street": "A\nB\nC\nD", "address.city": None}
    )
    (request,) = http.requests
    assert request.url.endswith("/contact/eid:SFC_003A?replace=addressBook")
    (line,) = request.json["addressBook"]["items"]
    assert line["defaultBilling"] is True
    assert line["addressBookAddress"] == {"addr1": "A", "addr2": "B", "addr3": "C, D"}


@pytest.mark.parametrize("location", [None, f"{RECORD}/contact/eid:SFC_003A"])
async def test_an_upsert_without_a_numeric_location_looks_the_id_up(location: str | None) -> None:
    def handler(request: Request) -> HttpResponse:
        if request.method == "PUT":
            return answer(204, **({"Location": location} if location else {}))
        return answer(200, {"id": "4711"})

    netsuite, http = side(handler)
    assert await create_contact(netsuite, "SFC_003A", {"lastName": "L"}) == Written("4711")
    assert http.requests[1].url == f"{RECORD}/contact/eid:SFC_003A?fields=id"


async def test_update_sends_changed_fields_only() -> None:
    netsuite, http = side(always(answer(204)))
    result = await update_contact(netsuite, "4711", {"title": "CTO", "company": None})
    assert result == Written("4711")
    (request,) = http.requests
    assert (request.method, request.url) == ("PATCH", f"{RECORD}/contact/4711")
    assert request.json == {"title": "CTO", "company": None}


async def test_an_address_update_merges_the_default_line_by_its_key() -> None:
    lines = [
        {"internalId": 1, "defaultShipping": True, "label": "Yard"},
        {"internalId": 2, "defaultBilling": True, "label": "Office"},
    ]

    def handler(request: Request) -> HttpResponse:
        return answer(200, {"addressBook": {"items": lines}}) if request.method == "GET" else answer(204)

    netsuite, http = side(handler)
    await update_contact(netsuite, "4711", {"address.country": "DE", "address.zip": None, "title": "CTO"})
    assert http.requests[0].url == f"{RECORD}/contact/4711?expandSubResources=true"
    assert http.requests[1].json == {
        "title": "CTO",
        "addressBook": {
            "items": [{"internalId": 2, "addressBookAddress": {"zip": None, "country": {"id": "DE"}}}]
        },
    }


async def test_clearing_an_address_that_is_not_there_writes_nothing() -> None:
    netsuite, http = side(always(answer(200, {})))
    assert await update_contact(netsuite, "4711", {"address.city": None}) == Written("4711")
    assert [request.method for request in http.requests] == ["GET"]


async def test_custom_references_are_sent_as_references() -> None:
    def handler(request: Request) -> HttpResponse:
        return answer(200, CATALOGUE) if request.method == "GET" else answer(204)

    netsuite, http = side(handler)
    await update_contact(
        netsuite, "1", {"custentity_region": "3", "custentity_vip": True, "custentity_oops": "x"}
    )
    assert http.requests[-1].json == {
        "custentity_region": {"id": "3"},
        "custentity_vip": True,
        "custentity_oops": "x",
    }


async def test_delete() -> None:
    netsuite, http = side(always(answer(204)))
    assert await delete_contact(netsuite, "4711") == Written("4711")
    assert (http.requests[0].method, http.requests[0].url) == ("DELETE", f"{RECORD}/contact/4711")


async def test_customers_are_written_as_customers() -> None:
    netsuite, http = side(always(answer(204, Location=f"{RECORD}/customer/660")))
    fields: Fields = {"companyName": "Acme", "entityStatus": "13", "parent": "5", "isPerson": False}
    assert await create_customer(netsuite, "SFA_001A", fields) == Written("660")
    assert http.requests[0].url == f"{RECORD}/customer/eid:SFA_001A"
    assert http.requests[0].json["entityStatus"] == {"id": "13"}
    assert await update_customer(netsuite, "660", {"companyName": "Acme AG"}) == Written("660")
    assert http.requests[1].url == f"{RECORD}/customer/660"


async def test_refusals_are_values_and_tell_whether_the_record_is_to_blame() -> None:
    netsuite, _ = side(always(refusal(400, "USER_ERROR", "A contact record with this name already exists.")))
    result = await update_contact(netsuite, "1", {"title": "x"})
    assert isinstance(result, Failed)
    assert (result.error.code, result.of_call) == ("CONTACT_NAME_TAKEN", False)
    netsuite, _ = side(always(refusal(401, "INVALID_LOGIN", "Invalid login attempt.")))
    result = await update_contact(netsuite, "1", {"title": "x"})
    assert isinstance(result, Failed)
    assert (result.error.code, result.of_call) == ("INVALID_LOGIN", True)


async def test_a_lost_lease_stops_the_writes_that_still_wait_for_a_permit() -> None:
    netsuite, http = side(always(answer(204)))
    asked = 0

    def guard() -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise LeaseLostError("token")

    with pytest.raises(LeaseLostError):
        await netsuite.write_contacts({str(n): Delete(str(n)) for n in range(9)}, guard)
    assert [request.method for request in http.requests] == ["DELETE", "DELETE"]


async def test_a_lost_answer_of_a_write_has_an_unknown_outcome() -> None:
    netsuite, _ = side(always(TemporaryError("TIMEOUT", "…", outcome_unknown=True)))
    result = await create_contact(netsuite, "SFC_003A", {"lastName": "L"})
    assert isinstance(result, Failed)
    assert isinstance(result.error, TemporaryError)
    assert result.error.outcome_unknown


@pytest.mark.parametrize("id_", ["", "../customer/1", "1?replace=addressBook", "eid:X"])
async def test_only_ids_reach_a_path(id_: str) -> None:
    netsuite, http = side(always(answer(204)))
    for result in (await update_contact(netsuite, id_, {"title": "x"}), await delete_contact(netsuite, id_)):
        assert isinstance(result, Failed)
        assert result.error.code == "INVALID_ID"
    created = await create_contact(netsuite, "ada@acme.example", {"lastName": "L"})
    assert isinstance(created, Failed)
    assert created.error.code == "INVALID_EXTERNAL_ID"
    assert http.requests == []


async def test_listing_goes_by_id_to_the_end() -> None:
    pages = iter([rows({"id": "5"}, {"id": "9"}), rows({"id": "12"})])
    netsuite, http = side(lambda _: next(pages), replace(CONFIG, page_size=2))
    first = await netsuite.list_keys(Entity.CONTACT, None)
    assert [key.id for key in first.keys] == ["5", "9"]
    second = await netsuite.list_keys(Entity.CONTACT, first.next)
    assert second.keys == (Key(Entity.CONTACT, Side.NETSUITE, "12"),)
    assert second.next is None
    assert sql_of(http) == "SELECT t.id FROM contact t WHERE t.id > 9 ORDER BY t.id FETCH FIRST 2 ROWS ONLY"


def test_the_schema_merges_metadata_with_documented_lengths() -> None:
    schema = schema_from(CATALOGUE, DOCUMENTED[Entity.CONTACT])
    assert schema["firstName"].length == 32
    assert schema["custentity_note"].length == 300
    assert schema["custentity_region"].required
    assert schema["emailPreference"].values == frozenset({"HTML", "PDF"})
    kinds = {
        name: schema[name].type for name in ("owner", "company", "subsidiary", "custentity_born", "category")
    }
    assert list(kinds.values()) == ["integer", "reference", "reference", "date", "collection"]
    assert not any(schema[name].writable for name in ("id", "lastModifiedDate", "category"))
    assert schema["address.street"].length == 452
    assert "middleName" not in schema, "the account does not have it"
    assert not {"links", "refName", "addressBook"} & set(schema)


class Renewing:
    """A login whose first header is refused by the account."""

    def __init__(self, *, helps: bool) -> None:
        self.helps = helps
        self.refused: list[str] = []

    async def authorization(self, method: str, url: str) -> str:
        return f"Bearer {len(self.refused)}"

    def renewable(self, refused: str) -> bool:
        self.refused.append(refused)
        return self.helps


@pytest.mark.parametrize(
    ("helps", "statuses", "calls"), [(True, [401, 204], 2), (True, [401, 401], 2), (False, [401], 1)]
)
async def test_a_call_is_tried_once_more_after_a_401(
    helps: bool, statuses: Sequence[int], calls: int
) -> None:
    left = iter(statuses)
    http = ScriptedHttp(lambda _: answer(next(left)))
    client = NetSuiteClient(http, Renewing(helps=helps), Permits(1), BASE)
    if statuses[-1] == 401:
        with pytest.raises(PermanentError):
            await client.call("GET", "/x", writing=False)
    else:
        await client.call("GET", "/x", writing=False)
    assert len(http.requests) == calls
    assert client.permits.in_use == 0


async def test_discovery_names_what_is_missing() -> None:
    def handler(request: Request) -> HttpResponse:
        if "metadata-catalog" in request.url:
            return answer(200, CATALOGUE)
        if "serverTime" in request.url:
            return answer(200, {"serverTime": "1970-01-01T00:00:30Z"})
        if "governanceLimits" in request.url:
            return answer(200, {"accountConcurrencyLimit": 15, "integrationConcurrencyLimit": 5})
        if "deletedrecord" in request.json["q"]:
            return refusal(
                400, "INVALID_PARAMETER", "Search error occurred: Record 'deletedrecord' was not found."
            )
        return rows({"id": "1"})

    netsuite, _ = side(handler, replace(CONFIG, oneworld=None))
    facts = await netsuite.discover()
    assert not facts.ok
    assert {probe.name for probe in facts.probes if not probe.ok} == {
        "read deleted records",
        "fields of contact",
        "fields of customer",
    }
    assert all(probe.remedy for probe in facts.probes if not probe.ok)
    assert (facts.oneworld, facts.concurrency_limit, facts.clock_offset_s) == (True, 5, 30.0)
    assert "contact.custentity_twinbook_sf_id" in facts.missing_fields


async def test_discovery_stops_at_a_refused_login() -> None:
    netsuite, http = side(always(refusal(401, "INVALID_LOGIN", "Invalid login attempt.")))
    facts = await netsuite.discover()
    assert [probe.name for probe in facts.probes] == ["login"]
    assert len(http.requests) == 1


async def test_discovery_takes_the_time_from_http_where_the_account_tells_none() -> None:
    def handler(request: Request) -> HttpResponse:
        if "serverTime" in request.url:
            return answer(200, {}, Date="Thu, 01 Jan 1970 00:00:02 GMT")
        return refusal(403, "INSUFFICIENT_PERMISSION", "Permission Violation")

    netsuite, _ = side(handler)
    facts = await netsuite.discover()
    assert facts.clock_offset_s == 2.0
    assert facts.concurrency_limit is None
    assert facts.probes[0].ok
