"""The contract suite against a real org and a real account: TWINBOOK_REAL_ORG=settings.toml. See docs/real-org.md.

The tests make their own records, carry a mark that is unique to the run, and delete what they made. Where a test needs
something that no API offers (a merge, the recycle bin) or an empty org, it is skipped and says so.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.contract.netsuite_accounts import ID_FIELD, LOCKED_FIELD, PAGE, SUBSIDIARY
from tests.contract.salesforce_orgs import CONFIG

from twinbook import composition
from twinbook.domain.errors import SideError
from twinbook.domain.ports import Written
from twinbook.domain.records import Entity
from twinbook.http import HttpResponse, HttpSettings, HttpTransport
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.side import NetSuiteSide
from twinbook.salesforce.auth import TokenProvider
from twinbook.salesforce.schema import SOBJECTS
from twinbook.salesforce.side import SalesforceSide
from twinbook.settings import ConnectionSettings, load

SWITCH = "TWINBOOK_REAL_ORG"
CONFIRMATION = "TWINBOOK_REAL_ORG_CONFIRM"
MARK = f"twinbook-contract-{uuid.uuid4().hex[:12]}"
"""Stands in every record of this run: Department, Site or NextStep in Salesforce, comments in NetSuite."""
_MARKED = {"Contact": "Department", "Account": "Site", "Opportunity": "NextStep"}
_PATHS = {Entity.CONTACT: "contact", Entity.ACCOUNT: "customer"}
_RECORDS = "/services/rest/record/v1"
_API = "/services/data/v67.0"

systems = ["memory", "sandbox", *(["real"] if SWITCH in os.environ else [])]
"""What the suite runs against."""


def skip_on_real(request: pytest.FixtureRequest) -> None:
    """Skips what is marked `emulated`, with the mark's reason."""
    mark = request.node.get_closest_marker("emulated")
    if mark is not None:
        pytest.skip(f"not against a real system: {mark.args[0]}")


def settings() -> ConnectionSettings:
    """The one connection of the settings file that the switch names."""
    [chosen] = load(Path(os.environ[SWITCH]), os.environ).connections.values()
    return chosen


def refuse_production(what: str, looks_like_production: bool) -> None:
    """Ends the run, unless somebody said that this is meant."""
    if looks_like_production and os.environ.get(CONFIRMATION) != "production":
        pytest.exit(f"{what} looks like production. If you mean it: {CONFIRMATION}=production", returncode=2)


def _no_api(what: str) -> NoReturn:
    pytest.skip(f"no API does it: {what}")


@asynccontextmanager
async def _transport(read_timeout: float, ca_file: Path | None, verify: bool) -> AsyncIterator[HttpTransport]:
    options = HttpSettings(read_timeout=read_timeout, ca_file=ca_file, verify_tls=verify)
    async with HttpTransport(options, time.time) as http:
        yield http


@dataclass
class RealOrg:
    """An org that is not ours to empty. The person and the integration are the same user."""

    side: SalesforceSide
    http: HttpTransport
    tokens: TokenProvider
    made: list[tuple[str, str]] = field(default_factory=list)

    async def account(self, name: str, **fields: Any) -> str:
        return await self._create("Account", {"Name": name, **fields})

    async def contact(self, **fields: Any) -> str:
        return await self._create("Contact", fields)

    async def person_account(self, last_name: str) -> str:
        try:
            account = await self._create("Account", {"LastName": last_name})
        except AssertionError:
            pytest.skip("this org has no person accounts")
        answer = await self._call("GET", f"/sobjects/Account/{account}?fields=PersonContactId")
        return str(answer.json()["PersonContactId"])

    async def opportunity(self, account_id: str, *, won: bool) -> str:
        stage = "Closed Won" if won else "Prospecting"
        fields = {"AccountId": account_id, "Name": "Deal", "StageName": stage, "CloseDate": "2030-12-01"}
        return await self._create("Opportunity", fields)

    async def role(self, entity: Entity, contact_id: str, role: str, **parent: str) -> str:
        name = "Roles" if entity is Entity.ACCOUNT_CONTACT_RELATION else "Role"
        return await self._create(SOBJECTS[entity], {"ContactId": contact_id, name: role, **parent})

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None:
        await self._call("PATCH", f"/sobjects/{SOBJECTS[entity]}/{record_id}", fields)

    async def delete(self, entity: Entity, record_id: str) -> None:
        await self._call("DELETE", f"/sobjects/{SOBJECTS[entity]}/{record_id}")

    async def undelete(self, entity: Entity, record_id: str) -> None:
        _no_api("bringing a record back from the recycle bin (SOAP does)")

    async def purge(self, entity: Entity, record_id: str) -> None:
        _no_api("emptying the recycle bin (SOAP does)")

    async def merge(self, entity: Entity, winner_id: str, loser_id: str) -> None:
        _no_api("merging (SOAP and Apex do)")

    async def pass_time(self) -> None:
        await asyncio.sleep(1.1)

    async def _create(self, sobject: str, fields: Mapping[str, Any]) -> str:
        mark = {_MARKED[sobject]: MARK} if sobject in _MARKED else {}
        answer = await self._call("POST", f"/sobjects/{sobject}", {**mark, **fields})
        id_ = str(answer.json()["id"])
        self.made.append((sobject, id_))
        return id_

    async def _call(self, method: str, path: str, body: object | None = None) -> HttpResponse:
        token = await self.tokens.token()
        headers = {"Authorization": f"Bearer {token.value}"}
        answer = await self.http.request(
            method, f"{token.instance_url}{_API}{path}", headers=headers, json=body
        )
        assert answer.status < 300, answer.text()
        return answer

    async def is_production(self) -> bool:
        answer = await self._call("GET", "/query?q=SELECT+IsSandbox,OrganizationType+FROM+Organization")
        [org] = answer.json()["records"]
        return not org["IsSandbox"] and org["OrganizationType"] != "Developer Edition"

    async def clean(self) -> None:
        """Delete what was made, children first, also what the port created."""
        found = await self._call("GET", f"/query?q=SELECT+Id+FROM+Contact+WHERE+Department='{MARK}'")
        self.made += [("Contact", each["Id"]) for each in found.json()["records"]]
        for sobject, id_ in reversed(dict.fromkeys(self.made)):
            with suppress(AssertionError):
                await self._call("DELETE", f"/sobjects/{sobject}/{id_}")


@asynccontextmanager
async def real_org() -> AsyncIterator[RealOrg]:
    chosen = settings()
    salesforce = chosen.salesforce
    async with _transport(salesforce.timeout_seconds, salesforce.ca_file, salesforce.verify_tls) as http:
        tokens = composition.salesforce_tokens(chosen, http)
        org = RealOrg(Tracked(SalesforceSide(http, tokens, CONFIG, time.time)), http, tokens)  # type: ignore[arg-type]
        refuse_production("The Salesforce org", await org.is_production())
        try:
            yield org
        finally:
            org.made += [("Contact", id_) for id_ in org.side.written]  # type: ignore[attr-defined]
            await org.clean()


class Tracked:
    """A port that remembers the ids of what was written through it, so that it can be deleted again."""

    _WRITING = ("upsert_contacts", "write_contacts", "write_customers")

    def __init__(self, side: Any) -> None:
        self._side = side
        self.written: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._side, name)
        if name not in self._WRITING:
            return method

        async def remembered(*arguments: Any, **named: Any) -> Any:
            results = await method(*arguments, **named)
            self.written += [result.id for result in results.values() if isinstance(result, Written)]
            return results

        return remembered


@dataclass
class RealAccount:
    """A NetSuite account that is not ours to empty."""

    side: NetSuiteSide
    client: NetSuiteClient
    made: list[tuple[str, str]] = field(default_factory=list)

    async def customer(self, name: str, **fields: Any) -> str:
        return await self._create("customer", {"companyName": f"{name} {uuid.uuid4().hex[:8]}", **fields})

    async def contact(self, **fields: Any) -> str:
        return await self._create("contact", fields)

    async def edit(self, entity: Entity, record_id: str, **fields: Any) -> None:
        await self.client.call("PATCH", f"{_RECORDS}/{_PATHS[entity]}/{record_id}", json=fields, writing=True)

    async def delete(self, entity: Entity, record_id: str) -> None:
        await self.client.call("DELETE", f"{_RECORDS}/{_PATHS[entity]}/{record_id}", writing=True)

    async def merge(self, winner_id: str, loser_id: str) -> None:
        _no_api("merging contacts")

    async def attached(self, contact_id: str) -> dict[str, str | None]:
        _no_api("reading all attachments of a contact; compare them on its page")

    @asynccontextmanager
    async def losing_answers(self, method: str) -> AsyncIterator[None]:
        _no_api("losing an answer")
        yield

    async def throttle_next(self) -> None:
        _no_api("refusing one call for the concurrency limit")

    async def _create(self, kind: str, fields: Mapping[str, Any]) -> str:
        references = {name: {"id": value} for name, value in fields.items() if name == "company"}
        body = {"subsidiary": {"id": SUBSIDIARY}, "comments": MARK, **fields, **references}
        answer = await self.client.call("POST", f"{_RECORDS}/{kind}", json=body, writing=True)
        id_ = answer.headers["Location"].rsplit("/", 1)[-1]
        self.made.append((kind, id_))
        return id_

    async def clean(self) -> None:
        for kind, id_ in reversed(dict.fromkeys(self.made)):
            with suppress(SideError):
                await self.client.call("DELETE", f"{_RECORDS}/{kind}/{id_}", writing=True)


@asynccontextmanager
async def real_account() -> AsyncIterator[RealAccount]:
    chosen = settings()
    netsuite = chosen.netsuite
    test_account = "_" in netsuite.account_id or netsuite.account_id.upper().startswith(("TSTDRV", "TD"))
    refuse_production("The NetSuite account", not test_account)
    config = NetSuiteConfig(
        netsuite.account_id,
        base_url=netsuite.base_url,
        id_field=ID_FIELD,
        locked_field=LOCKED_FIELD,
        page_size=PAGE,
    )
    async with _transport(netsuite.timeout_seconds, netsuite.ca_file, netsuite.verify_tls) as http:
        authorizer = composition.netsuite_authorizer(chosen, http, config.url)
        client = NetSuiteClient(
            http, authorizer, Permits(netsuite.concurrency or config.concurrency), config.url
        )
        side = Tracked(NetSuiteSide(client, config, monotonic=time.monotonic))
        account = RealAccount(side, client)  # type: ignore[arg-type]
        try:
            yield account
        finally:
            account.made += [(kind, id_) for id_ in side.written for kind in ("contact", "customer")]
            await account.clean()
