"""The emulated org judged by a client that others wrote: simple-salesforce over real HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceExpiredSession, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)
from starlette.applications import Starlette
from tests.contract.clients_of_others import PlainHttp

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.salesforce.org import SalesforceOrg

SOON = 0.05
"""Seconds between two looks at a bulk job."""


@dataclass
class Running:
    clock: Clock
    org: SalesforceOrg
    session: requests.Session
    instance: str

    def client(self, token: str) -> Salesforce:
        return Salesforce(instance=self.instance, session_id=token, session=self.session, version="67.0")


@contextmanager
def served(app: Starlette, listener: socket.socket) -> Iterator[None]:
    """Serve an app from a thread of its own, since the client under test is synchronous."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        server = HttpServer(listener, app)
        await server.start()
        started.set()
        await ended.wait()
        await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(timeout=10)
    yield
    loop.call_soon_threadsafe(ended.set)
    thread.join(timeout=10)
    loop.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    listener = bind("127.0.0.1", 0)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    clock = Clock()
    org = SalesforceOrg(clock, seed=3, base_url=f"http://{address}")
    with served(Starlette(routes=org.routes()), listener), requests.Session() as session:
        session.mount("https://", PlainHttp(f"http://{address}"))
        yield Running(clock, org, session, address)


@pytest.fixture
def sf(running: Running) -> Salesforce:
    running.org.reset()
    login = running.org.credentials()
    token, _ = SalesforceLogin(
        session=running.session,
        username=login["username"],
        consumer_key=login["consumer_key"],
        privatekey=login["private_key"].encode(),
        domain="login",
    )
    return running.client(token)


def make_account(sf: Salesforce, **fields: Any) -> str:
    return str(sf.Account.create({"Name": "Acme"} | fields)["id"])


def test_login_with_jwt_names_the_instance(running: Running) -> None:
    login = running.org.credentials()
    token, instance = SalesforceLogin(
        session=running.session,
        username=login["username"],
        consumer_key=login["consumer_key"],
        privatekey=login["private_key"].encode(),
        domain="login",
    )
    assert instance == running.instance
    assert token.startswith(login["org_id"][:15] + "!")


def test_login_with_client_credentials(running: Running) -> None:
    login = running.org.credentials()
    token, _ = SalesforceLogin(
        session=running.session,
        consumer_key=login["consumer_key"],
        consumer_secret=login["consumer_secret"],
        domain="meridian.my",
    )
    assert running.client(token).query("SELECT COUNT() FROM User")["totalSize"] == 4


def test_wrong_secret_is_refused(running: Running) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        SalesforceLogin(
            session=running.session,
            consumer_key=running.org.credentials()["consumer_key"],
            consumer_secret="wrong",
            domain="meridian.my",
        )


def test_create_read_update_delete(sf: Salesforce) -> None:
    account = make_account(sf)
    created = sf.Contact.create(
        {"LastName": "  Okafor ", "Email": "n@example.com", "AccountId": account[:15]}
    )
    assert created["success"]
    contact = sf.Contact.get(created["id"])
    assert (contact["LastName"], contact["AccountId"], contact["HasOptedOutOfEmail"]) == (
        "Okafor",
        account,
        False,
    )
    assert sf.Contact.update(created["id"], {"Phone": "1", "Email": ""}) == 204
    changed = sf.Contact.get(created["id"])
    assert (changed["Phone"], changed["Email"]) == ("1", None)
    assert sf.Contact.delete(created["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as gone:
        sf.Contact.get(created["id"])
    assert gone.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_upsert_by_external_id(sf: Salesforce) -> None:
    assert sf.Contact.upsert("NetSuite_Id__c/4711", {"LastName": "Okafor"}) == 201
    assert sf.Contact.upsert("NetSuite_Id__c/4711", {"FirstName": "Nia"}) == 200
    contact = sf.Contact.get_by_custom_id("NetSuite_Id__c", "4711")
    assert contact["Name"] == "Nia Okafor"


def test_refusals_name_code_and_field(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Contact.create({"LastName": "Okafor", "Email": "123"})
    assert refused.value.content == [
        {
            "message": "Email: invalid email address: 123",
            "errorCode": "INVALID_EMAIL_ADDRESS",
            "fields": ["Email"],
        }
    ]


def test_query_pages_through_everything_once(sf: Salesforce) -> None:
    account = make_account(sf)
    records = [{"LastName": f"Number {n:04d}", "AccountId": account} for n in range(450)]
    results = sf.bulk2.Contact.insert(records=records, batch_size=450, wait=SOON)
    assert results[0]["numberRecordsProcessed"] == 450
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = "SELECT Id, LastName, Account.Name FROM Contact ORDER BY LastName"
    first = sf.query(soql, headers=headers)
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert second["records"][0]["LastName"] == "Number 0200"
    found = sf.query_all(soql, headers=headers)["records"]
    assert [each["LastName"] for each in found] == [each["LastName"] for each in records]
    assert {each["Account"]["Name"] for each in found} == {"Acme"}


def test_a_page_ends_with_its_session(running: Running, sf: Salesforce) -> None:
    for n in range(201):
        running.org.insert("Contact", {"LastName": f"Number {n}"})
    page = sf.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    running.org.revoke_tokens()
    with pytest.raises(SalesforceExpiredSession):
        sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    login = running.org.credentials()
    token, _ = SalesforceLogin(
        session=running.session,
        consumer_key=login["consumer_key"],
        consumer_secret=login["consumer_secret"],
        domain="meridian.my",
    )
    with pytest.raises(SalesforceMalformedRequest) as refused:
        running.client(token).query_more(page["nextRecordsUrl"], identifier_is_url=True)
    assert refused.value.content[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_describe_lists_fields(sf: Salesforce) -> None:
    fields = {each["name"]: each for each in sf.Contact.describe()["fields"]}
    key = fields["NetSuite_Id__c"]
    assert (key["externalId"], key["unique"], key["length"]) == (True, True, 40)
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert {each["name"] for each in sf.describe()["sobjects"]} >= {"Contact", "Account", "Quote"}


def test_deleted_and_updated_lists(running: Running, sf: Salesforce) -> None:
    gone = sf.Contact.create({"LastName": "Gone"})["id"]
    kept = sf.Contact.create({"LastName": "Kept"})["id"]
    sf.Contact.delete(gone)
    running.clock.advance(2)  # the lists cover whole seconds that have passed
    start = running.clock.now() - timedelta(minutes=5)
    end = start + timedelta(minutes=10)
    assert [each["id"] for each in sf.Contact.deleted(start, end)["deletedRecords"]] == [gone]
    assert sf.Contact.updated(start, end)["ids"] == [kept]


def test_bulk_query_yields_csv(sf: Salesforce) -> None:
    account = make_account(sf, Name='Acme "Rockets", Ltd')
    sf.Contact.create({"LastName": "Okafor", "AccountId": account, "MailingStreet": "12 Quay Rd\nFloor 2"})
    pages = list(
        sf.bulk2.Contact.query("SELECT Id, LastName, Account.Name, MailingStreet, Email FROM Contact")
    )
    header, *_ = pages[0].split("\n")
    assert header == '"Id","LastName","Account.Name","MailingStreet","Email"'
    assert '"Acme ""Rockets"", Ltd","12 Quay Rd\nFloor 2",""\n' in pages[0]


def test_bulk_ingest_reports_each_record(sf: Salesforce) -> None:
    records = [
        {"NetSuite_Id__c": "1", "LastName": "One", "Email": "one@example.com"},
        {"NetSuite_Id__c": "2", "LastName": "Two", "Email": "two"},
    ]
    job = sf.bulk2.Contact.upsert(records=records, external_id_field="NetSuite_Id__c", wait=SOON)[0]
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    (good,) = csv.DictReader(io.StringIO(sf.bulk2.Contact.get_successful_records(job["job_id"])))
    (bad,) = csv.DictReader(io.StringIO(sf.bulk2.Contact.get_failed_records(job["job_id"])))
    assert sf.Contact.get(good["sf__Id"])["Email"] == "one@example.com"
    assert (good["sf__Created"], good["NetSuite_Id__c"]) == ("true", "1")
    assert bad["sf__Error"] == "INVALID_EMAIL_ADDRESS:Email: invalid email address: two:Email --"
    assert (bad["sf__Id"], bad["LastName"]) == ("", "Two")


def test_bulk_update_and_delete(sf: Salesforce) -> None:
    ids = [sf.Contact.create({"LastName": f"Number {n}", "Phone": "1"})["id"] for n in range(3)]
    sf.bulk2.Contact.update(records=[{"Id": id_, "Phone": "#N/A", "Title": "Head"} for id_ in ids], wait=SOON)
    found = sf.query("SELECT Phone, Title FROM Contact")["records"]
    assert {(each["Phone"], each["Title"]) for each in found} == {(None, "Head")}
    sf.bulk2.Contact.delete(records=[{"Id": id_} for id_ in ids], wait=SOON)
    assert sf.query("SELECT COUNT() FROM Contact")["totalSize"] == 0
    assert sf.query("SELECT COUNT() FROM Contact", include_deleted=True)["totalSize"] == 3
