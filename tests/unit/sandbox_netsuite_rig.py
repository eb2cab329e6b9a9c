"""An emulated NetSuite account with a client that is logged in, for the tests of the account."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

import httpx
import jwt
from starlette.applications import Starlette

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.account import NetSuiteAccount

BASE = "http://netsuite.test"
TOKEN_URL = f"{BASE}/services/rest/auth/oauth2/v1/token"
RESTLET = "/app/site/hosting/restlet.nl?script=customscript_twinbook_batch&deploy=customdeploy_twinbook_batch"
RECORDS = "/services/rest/record/v1"
NOW = datetime(2026, 10, 1, 9, 15, tzinfo=UTC)
STRICT = {"X-NetSuite-PropertyNameValidation": "Error"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Rig:
    """The account, its clock (frozen at `NOW`), and calls as the integration makes them.

    `path` is a file of an account whose keys are made already: that takes the longest.
    """

    def __init__(self, path: str | None = None) -> None:
        self.clock = Clock()
        self.clock.set(NOW)
        self.account = NetSuiteAccount(self.clock, path=path)
        self.switches = self.account.switches
        app = Starlette(routes=self.account.routes())
        transport = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    async def __aenter__(self) -> Self:
        await self.log_in()
        return self

    async def log_in(self) -> None:
        answer = await self.token(self.assertion())
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.account.scripts.stop()
        self.account.close()

    def assertion(
        self,
        *,
        login: str = "ec",
        algorithm: str | None = None,
        headers: Mapping[str, Any] = {},
        **claims: Any,
    ) -> str:
        """A signed assertion; ``claims`` replace the right ones, ``None`` leaves one out."""
        credentials = self.account.credentials()
        chosen = credentials if login == "ec" else credentials["rsa"]
        now = int(self.clock.now().timestamp())
        scopes = ["rest_webservices", "restlets"]
        right = {"iss": chosen["client_id"], "scope": scopes, "aud": TOKEN_URL}
        wanted = {**right, "iat": now, "exp": now + 300, **claims}
        return jwt.encode(
            {name: value for name, value in wanted.items() if value is not None},
            chosen["private_key"],
            algorithm=algorithm or ("ES256" if login == "ec" else "PS256"),
            headers={"kid": chosen["certificate_id"], **headers},
        )

    async def token(self, assertion: str, **form: str) -> httpx.Response:
        fields = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **form,
        }
        return await self.http.post(TOKEN_URL, data=fields)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        headers = {**STRICT, **options.pop("headers", {})}
        return await self.http.request(method, RECORDS + path, json=body, headers=headers, **options)

    async def restlet(self, body: Any, **options: Any) -> httpx.Response:
        """A call of the batch RESTlet."""
        return await self.http.post(RESTLET, json=body, **options)

    async def create(self, type_: str, **body: Any) -> str:
        answer = await self.call("POST", f"/{type_}", body)
        assert answer.status_code == 204, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    async def customer(self, name: str = "Acme GmbH", **body: Any) -> str:
        return await self.create("customer", companyName=name, **{"subsidiary": {"id": "1"}, **body})

    async def contact(self, **body: Any) -> str:
        person = {"firstName": "Ada", "lastName": "Lovelace", "subsidiary": {"id": "1"}}
        return await self.create("contact", **{**person, **body})

    async def get(self, type_: str, key: str, **params: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/{type_}/{key}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def query(self, text: str, params: list[Any] | None = None, **paging: int) -> httpx.Response:
        body = {"q": text} if params is None else {"q": text, "params": params}
        return await self.http.post(
            "/services/rest/query/v1/suiteql", json=body, params=paging, headers={"Prefer": "transient"}
        )

    async def rows(self, text: str, params: list[Any] | None = None) -> list[dict[str, Any]]:
        answer = await self.query(text, params)
        assert answer.status_code == 200, answer.text
        return [
            {name: value for name, value in row.items() if name != "links"} for row in answer.json()["items"]
        ]


def detail(answer: httpx.Response) -> dict[str, Any]:
    """The one error detail of a refusal, with its status."""
    body = answer.json()
    assert body["status"] == answer.status_code
    assert answer.headers["content-type"].startswith("application/vnd.oracle.resource+json; type=error")
    (only,) = body["o:errorDetails"]
    return {"status": answer.status_code, **only}
