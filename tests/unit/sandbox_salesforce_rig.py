"""An emulated org and a client of it in one process, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.salesforce.changes import Change
from twinbook_sandbox.salesforce.org import SalesforceOrg

NOON = datetime(2026, 9, 21, 12, 0, tzinfo=UTC)
V = "/services/data/v67.0"


class OrgRig:
    """The org, its frozen clock, the changes it told of, and a logged-in HTTP client."""

    def __init__(self, http: TestClient, org: SalesforceOrg, clock: Clock) -> None:
        self.http = http
        self.org = org
        self.clock = clock
        self.changes: list[Change] = []
        org.changes.subscribe(self.changes.extend)
        self.log_in()

    def log_in(self) -> str:
        login = self.org.credentials()
        form = {
            "grant_type": "client_credentials",
            "client_id": login["consumer_key"],
            "client_secret": login["consumer_secret"],
        }
        token = str(self.http.post("/services/oauth2/token", data=form).json()["access_token"])
        self.http.headers["Authorization"] = f"Bearer {token}"
        return token

    def query(self, soql: str, path: str = "query", **headers: str) -> Any:
        return self.http.get(f"{V}/{path}", params={"q": soql}, headers=headers).json()

    def ids(self, soql: str, path: str = "query") -> list[str]:
        return [record["Id"] for record in self.query(soql, path)["records"]]

    def names(self, soql: str) -> list[str]:
        return [record["LastName"] for record in self.query(soql)["records"]]

    def query_error(self, soql: str) -> dict[str, str]:
        response = self.http.get(f"{V}/query", params={"q": soql})
        assert response.status_code == 400, response.text
        (error,) = response.json()
        return dict(error)

    def contact(self, last_name: str = "Okafor", **fields: Any) -> str:
        """Create a contact as a user of the org."""
        return self.org.insert("Contact", {"LastName": last_name} | fields)

    def account(self, name: str = "Acme", **fields: Any) -> str:
        return self.org.insert("Account", {"Name": name} | fields)

    def refusal(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
        """Status, code and message of a call that must fail."""
        response = self.http.request(method, f"{V}{path}", json=body, headers=headers)
        error = response.json()[0]
        return response.status_code, error["errorCode"], error["message"]

    def write(self, method: str, records: list[dict[str, Any]], **settings: Any) -> list[dict[str, Any]]:
        """A collections call for contacts."""
        body = {"records": [{"attributes": {"type": "Contact"}} | each for each in records]} | settings
        response = self.http.request(method, f"{V}/composite/sobjects", json=body)
        assert response.status_code == 200, response.text
        return list(response.json())


@contextmanager
def org_rig() -> Iterator[OrgRig]:
    clock = Clock()
    clock.set(NOON)
    org = SalesforceOrg(clock, base_url="http://testserver")
    with TestClient(Starlette(routes=org.routes())) as http:
        yield OrgRig(http, org, clock)
    org.close()
