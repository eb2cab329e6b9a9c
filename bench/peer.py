"""The naive peer: a loop over `simple-salesforce` and `netsuite`, as most teams write their first sync of contacts.

It polls Salesforce for contacts that changed, looks each up in NetSuite by email unless its id is known, writes it,
and writes the new id back; one after the other. It is kept as good as such scripts are: it skips its own echoes, uses
the packages as their own pages show them, and polls every second, where most do so every few minutes. It keeps no
memory: it does not merge, it overwrites what people edit in NetSuite, and it never notices a delete.

    python -m bench.peer http://127.0.0.1:8001 --once      # a first sync, then the end
    python -m bench.peer http://127.0.0.1:8001             # what changes from now on, until it is stopped
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import Any

import requests
from netsuite import Config, TokenAuth
from simple_salesforce import Salesforce, SalesforceLogin
from tests.contract.clients_of_others import PlainHttp, SandboxApi

POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 60
FIELDS = (
    "Id, FirstName, LastName, Email, Title, Phone, MailingStreet, MailingCity, MailingPostalCode, "
    "NetSuite_Id__c, Account.NetSuite_Id__c"
)
WANTED = "Email != null AND Account.NetSuite_Id__c != null"

Record = dict[str, Any]


class Peer:
    """Both systems, and the moment since which changes are to be looked for."""

    def __init__(self, salesforce: Salesforce, me: str, netsuite: SandboxApi) -> None:
        self.salesforce = salesforce
        self.netsuite = netsuite
        self.me = me
        self.since: str | None = None
        """None: everything."""

    async def round(self) -> None:
        """One look for changes, and the work that it leads to."""
        began = _now()
        conditions = WANTED
        if self.since is not None:
            conditions += f" AND SystemModstamp >= {self.since} AND LastModifiedById != '{self.me}'"
        query = f"SELECT {FIELDS} FROM Contact WHERE {conditions} ORDER BY SystemModstamp"  # noqa: S608
        for contact in self.salesforce.query_all(query)["records"]:
            await self.write(contact)
        self.since = began

    async def write(self, contact: Record) -> None:
        """Bring one contact into NetSuite, and its new id into Salesforce."""
        body = _body(contact)
        known = contact["NetSuite_Id__c"] or await self.by_email(contact["Email"])
        if known:
            await self.netsuite.patch(f"/record/v1/contact/{known}", json=body)
        else:
            external = f"eid:PEER_{contact['Id']}"
            await self.netsuite.put(f"/record/v1/contact/{external}", json=body | _address(contact))
            known = (await self.netsuite.get(f"/record/v1/contact/{external}"))["id"]
        if contact["NetSuite_Id__c"] != known:
            self.salesforce.Contact.update(contact["Id"], {"NetSuite_Id__c": known})

    async def by_email(self, email: str) -> str | None:
        literal = email.replace("'", "''")
        query = f"SELECT id FROM contact WHERE email = '{literal}'"  # noqa: S608 - as such scripts do it
        found = await self.netsuite.suiteql(query)
        return found["items"][0]["id"] if found["items"] else None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(contact: Record) -> Record:
    return {
        "firstName": contact["FirstName"],
        "lastName": contact["LastName"],
        "email": contact["Email"],
        "title": contact["Title"],
        "phone": contact["Phone"],
        "company": {"id": contact["Account"]["NetSuite_Id__c"]},
        "subsidiary": {"id": "1"},
    }


def _address(contact: Record) -> Record:
    address = {
        "addr1": contact["MailingStreet"],
        "city": contact["MailingCity"],
        "zip": contact["MailingPostalCode"],
        "country": {"id": "US"},
    }
    return {"addressBook": {"items": [{"defaultBilling": True, "addressBookAddress": address}]}}


def connected(url: str) -> Peer:
    """Logged in to a running sandbox; `url` is that of its Salesforce org."""
    described = requests.get(f"{url}/_sandbox/describe", timeout=TIMEOUT_SECONDS).json()
    salesforce, netsuite = described["salesforce"], described["netsuite"]
    login, session = salesforce["credentials"], requests.Session()
    session.mount("https://", PlainHttp(url))
    token, _ = SalesforceLogin(
        session=session,
        username=login["username"],
        consumer_key=login["consumer_key"],
        privatekey=login["private_key"].encode(),
        domain="login",
    )
    org = Salesforce(instance="sandbox.my.salesforce.com", session_id=token, session=session, version="67.0")
    me = org.query(f"SELECT Id FROM User WHERE Username = '{login['username']}'")["records"][0]["Id"]  # noqa: S608
    given = netsuite["credentials"]
    api = SandboxApi(Config(account=given["account_id"], auth=TokenAuth(**given["tba"])))
    api.base_url = netsuite["base_url"]
    return Peer(org, me, api)


async def main() -> None:
    parser = argparse.ArgumentParser(description="The naive peer of the benchmarks.")
    parser.add_argument("url", help="of the emulated Salesforce org")
    parser.add_argument("--once", action="store_true", help="end after the first round")
    options = parser.parse_args()
    peer = connected(options.url)
    if options.once:
        await peer.round()
        return
    peer.since = _now()
    print("the peer works", flush=True)
    while True:
        await peer.round()
        await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
