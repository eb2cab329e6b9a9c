"""The `netsuite` package, a client that others wrote, works against the emulated account over a real connection.

It signs with TBA by its own means (authlib), so it also checks the account's reading of OAuth 1.0a.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from netsuite import Config, TokenAuth
from netsuite.exceptions import NetsuiteAPIRequestError
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client
from starlette.applications import Starlette
from tests.contract.clients_of_others import SandboxApi

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.netsuite.account import NetSuiteAccount


@dataclass(frozen=True)
class Served:
    account: NetSuiteAccount
    api: SandboxApi


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    account = NetSuiteAccount(Clock(), base_url=url)
    server = HttpServer(listener, account.traffic().wrap(Starlette(routes=account.routes())))
    await server.start()
    credentials = account.credentials()
    api = SandboxApi(Config(account=credentials["account_id"], auth=TokenAuth(**credentials["tba"])))
    api.base_url = url
    yield Served(account, api)
    await server.stop()
    account.close()


async def test_records_are_put_patched_read_and_deleted(served: Served) -> None:
    body = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "subsidiary": {"id": "1"},
        "email": "ada@acme.example",
    }
    assert await served.api.put("/record/v1/contact/eid:SFC_1", json=body) is None
    contact = await served.api.get("/record/v1/contact/eid:SFC_1")
    assert contact["entityId"] == "Ada Lovelace" and contact["email"] == "ada@acme.example"
    await served.api.patch(f"/record/v1/contact/{contact['id']}", json={"email": None, "title": "Analyst"})
    changed = await served.api.get(
        f"/record/v1/contact/{contact['id']}", params={"expandSubResources": "true"}
    )
    assert changed["title"] == "Analyst" and "email" not in changed
    await served.api.delete("/record/v1/contact/eid:SFC_1")
    with pytest.raises(NetsuiteAPIRequestError) as refused:
        await served.api.get("/record/v1/contact/eid:SFC_1")
    assert refused.value.status_code == 404


async def test_collection_filter_is_signed_with_its_query(served: Served) -> None:
    await served.api.post("/record/v1/contact", json={"firstName": "Jörg & Söhne", "subsidiary": {"id": "1"}})
    found = await served.api.get(
        "/record/v1/contact", params={"q": 'firstName IS "Jörg & Söhne"', "limit": 10}
    )
    assert found["totalResults"] == 1


async def test_suiteql_pages(served: Served) -> None:
    for number in range(25):
        served.account.insert("contact", {"firstName": f"P{number:02}"})
    names: list[str] = []
    offset, more = 0, True
    while more:
        page = await served.api.suiteql("SELECT firstname FROM contact ORDER BY id", limit=10, offset=offset)
        names += [row["firstname"] for row in page["items"]]
        offset, more = offset + 10, page["hasMore"]
    assert names == [f"P{number:02}" for number in range(25)]


async def test_the_package_s_strictness_reaches_the_account(served: Served) -> None:
    with pytest.raises(NetsuiteAPIRequestError) as refused:
        await served.api.post("/record/v1/contact", json={"firstName": "Ada", "custentity_unknown": 1})
    assert refused.value.status_code == 400 and "custentity_unknown" in refused.value.response_text


async def test_schema_and_openapi(served: Served) -> None:
    schema = await served.api.jsonschema("contact")
    assert "custentity_twinbook_sf_id" in schema["properties"]
    document = await served.api.openapi(["contact", "customer"])
    assert set(document["components"]["schemas"]) == {"contact", "customer"}


async def test_oauthlib_signs_alike(served: Served) -> None:
    """A second signer, on the same connection and the same account."""
    credentials = served.account.credentials()
    tba = credentials["tba"]
    client = Client(
        tba["consumer_key"],
        tba["consumer_secret"],
        tba["token_id"],
        tba["token_secret"],
        realm=credentials["account_id"],
        signature_method=SIGNATURE_HMAC_SHA256,
    )
    url = f"{served.api.base_url}/services/rest/query/v1/suiteql?limit=5&offset=0"
    _, headers, _ = client.sign(
        url, "POST", headers={"Content-Type": "application/json", "Prefer": "transient"}
    )
    async with httpx.AsyncClient() as http:
        answer = await http.post(url, headers=headers, json={"q": "SELECT id FROM subsidiary"})
    assert answer.status_code == 200 and answer.json()["items"] == [{"links": [], "id": "1"}]
