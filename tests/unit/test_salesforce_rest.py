"""The REST client: tokens, paging, collections and limits, against a scripted org."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.memory.http import Request, ScriptedHttp, reply

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import Allowance, Failed, Written
from twinbook.http import HttpResponse
from twinbook.salesforce.auth import ClientCredentials, TokenProvider
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.rest import MAX_PAGES, SalesforceRest

URL = "https://acme.my.salesforce.com"
API = "/services/data/v67.0"
EXPIRED = reply(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])


class Org:
    """Grants 00D!1, 00D!2, …; other calls go to `answer`."""

    def __init__(self, answer: Callable[[Request], HttpResponse]) -> None:
        self.logins = 0
        self._answer = answer
        self.http = ScriptedHttp(self._reply)

    def _reply(self, request: Request) -> HttpResponse:
        if not request.path.startswith("/services/oauth2/"):
            return self._answer(request)
        self.logins += 1
        token = {"access_token": f"00D!{self.logins}", "instance_url": URL, "id": f"{URL}/id/00Dorg/005user"}
        return reply(200, token)

    @property
    def calls(self) -> list[Request]:
        return [each for each in self.http.requests if "oauth2" not in each.path]

    def client(self, config: SalesforceConfig | None = None) -> SalesforceRest:
        tokens = TokenProvider(self.http, URL, ClientCredentials("id", "secret"), lambda: 0.0)
        return SalesforceRest(self.http, tokens, config or SalesforceConfig())


def page(ids: list[str], next_url: str | None = None) -> dict[str, Any]:
    records = [{"attributes": {"type": "Contact"}, "Id": id_} for id_ in ids]
    body: dict[str, Any] = {"totalSize": len(ids), "done": next_url is None, "records": records}
    return body if next_url is None else {**body, "nextRecordsUrl": next_url}


async def test_headers_name_us_and_the_token() -> None:
    org = Org(lambda _: reply(200, page([])))
    await org.client().query("SELECT Id FROM Contact")
    sent = org.calls[0]
    assert sent.headers["Authorization"] == "Bearer 00D!1"
    assert sent.headers["Sforce-Call-Options"] == "client=twinbook"
    assert (sent.path, sent.params["q"]) == (f"{API}/query", "SELECT Id FROM Contact")
    assert "Sforce-Duplicate-Rule-Header" not in sent.headers


async def test_saving_past_duplicate_alerts_is_a_setting() -> None:
    org = Org(lambda _: reply(200, page([])))
    await org.client(SalesforceConfig(save_past_duplicate_alerts=True)).query("SELECT Id FROM Contact")
    assert org.calls[0].headers["Sforce-Duplicate-Rule-Header"] == "allowSave=true"


async def test_all_pages_are_read_in_order() -> None:
    pages = {f"{API}/queryAll": page(["a", "b"], f"{API}/query/01g-2"), f"{API}/query/01g-2": page(["c"])}
    org = Org(lambda request: reply(200, pages[request.path]))
    assert [row["Id"] for row in await org.client().query_all("SELECT Id FROM Contact")] == ["a", "b", "c"]
    assert org.calls[1].params == {}


async def test_child_rows_that_did_not_fit_are_fetched() -> None:
    first = page(["a"])
    first["records"][0]["Roles"] = page(["r1"], f"{API}/query/roles-1")
    first["records"][0]["Empty"] = None
    pages = {f"{API}/query": first, f"{API}/query/roles-1": page(["r2"])}
    org = Org(lambda request: reply(200, pages[request.path]))
    (row,) = await org.client().query("SELECT Id, (SELECT Id FROM Roles) FROM Contact")
    assert [child["Id"] for child in row["Roles"]["records"]] == ["r1", "r2"]


async def test_a_refused_token_is_replaced_once() -> None:
    org = Org(lambda r: EXPIRED if r.headers["Authorization"] == "Bearer 00D!1" else reply(200, page(["a"])))
    assert len(await org.client().query("SELECT Id FROM Contact")) == 1
    assert (org.logins, len(org.calls)) == (2, 2)


async def test_a_new_token_that_is_refused_too_is_an_error() -> None:
    org = Org(lambda _: EXPIRED)
    with pytest.raises(TemporaryError, match="INVALID_SESSION_ID"):
        await org.client().query("SELECT Id FROM Contact")
    assert (org.logins, len(org.calls)) == (2, 2)


async def test_a_locator_that_died_with_its_session_starts_the_query_over() -> None:
    dead = reply(400, [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}])
    answers = [
        reply(200, page(["a"], f"{API}/query/1")),
        dead,
        reply(200, page(["a"], f"{API}/query/2")),
        reply(200, page(["b"])),
    ]
    org = Org(lambda _: answers.pop(0))
    assert [row["Id"] for row in await org.client().query("SELECT Id FROM Contact")] == ["a", "b"]


async def test_a_locator_that_dies_twice_is_left_to_the_engine() -> None:
    dead = reply(400, [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}])
    first = reply(200, page(["a"], f"{API}/query/1"))
    org = Org(lambda request: dead if request.path.endswith("/1") else first)
    with pytest.raises(TemporaryError, match="INVALID_QUERY_LOCATOR"):
        await org.client().query("SELECT Id FROM Contact")


async def test_a_query_without_end_is_stopped() -> None:
    org = Org(lambda _: reply(200, page(["a"], f"{API}/query/again")))
    with pytest.raises(PermanentError, match="TOO_MANY_PAGES"):
        await org.client().query("SELECT Id FROM Contact")
    assert len(org.calls) == MAX_PAGES + 1


async def test_an_update_is_one_call_with_a_result_for_each() -> None:
    error = {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: …", "fields": ["Email"]}
    results = [{"id": "A", "success": True, "errors": []}, {"id": "B", "success": False, "errors": [error]}]
    org = Org(lambda _: reply(200, results))
    outcome = await org.client().update("Contact", {"A": {"Phone": None}, "B": {"Email": "x"}})
    sent = org.calls[0]
    assert (sent.method, sent.path) == ("PATCH", f"{API}/composite/sobjects")
    assert sent.json == {
        "allOrNone": False,
        "records": [
            {"attributes": {"type": "Contact"}, "id": "A", "Phone": None},
            {"attributes": {"type": "Contact"}, "id": "B", "Email": "x"},
        ],
    }
    assert outcome["A"] == Written("A")
    failed = outcome["B"]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, PermanentError)
    assert failed.error.field == "Email"


async def test_an_upsert_carries_its_id_in_the_record() -> None:
    org = Org(lambda _: reply(200, [{"id": "003", "success": True, "created": True, "errors": []}]))
    outcome = await org.client().upsert("Contact", "NetSuite_Id__c", {"17": {"LastName": "Okafor"}})
    sent = org.calls[0]
    assert sent.path == f"{API}/composite/sobjects/Contact/NetSuite_Id__c"
    assert sent.json["records"] == [
        {"attributes": {"type": "Contact"}, "LastName": "Okafor", "NetSuite_Id__c": "17"}
    ]
    assert outcome == {"17": Written("003")}


async def test_nothing_to_write_is_no_call() -> None:
    org = Org(lambda _: EXPIRED)
    assert await org.client().update("Contact", {}) == {}
    assert not org.calls


async def test_more_than_200_records_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at most 200"):
        await Org(lambda _: EXPIRED).client().update("Contact", {str(n): {} for n in range(201)})


async def test_usage_is_kept_from_the_latest_answer() -> None:
    headers = {"Sforce-Limit-Info": "api-usage=10018/100000, per-app-api-usage=17/250(appName=twinbook)"}
    org = Org(lambda _: reply(200, page([]), headers=headers))
    client = org.client()
    assert client.usage is None
    await client.query("SELECT Id FROM Contact")
    assert client.usage == Allowance("DailyApiRequests", 10018, 100000)


async def test_a_success_that_is_no_json_is_temporary() -> None:
    with pytest.raises(TemporaryError, match="UNEXPECTED_RESPONSE"):
        await Org(lambda _: reply(200, text="<html>Wi-Fi login</html>")).client().limits()
