"""Bulk API 2.0 of the emulated org (salesforce.md 5)."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.sandbox_salesforce_rig import OrgRig, V, org_rig


@pytest.fixture
def rig() -> Iterator[OrgRig]:
    with org_rig() as rig:
        yield rig


def finished(rig: OrgRig, kind: str, id_: str) -> dict[str, Any]:
    """The job once its work in the background has ended."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        job: dict[str, Any] = rig.http.get(f"{V}/jobs/{kind}/{id_}").json()
        if job["state"] in ("JobComplete", "Failed", "Aborted"):
            return job
    raise AssertionError(f"the job did not end: {job}")


def query_job(rig: OrgRig, soql: str, **settings: str) -> str:
    response = rig.http.post(f"{V}/jobs/query", json={"operation": "query", "query": soql} | settings)
    assert response.status_code == 200, response.text
    assert response.json()["state"] == "UploadComplete"
    job = finished(rig, "query", response.json()["id"])
    assert (job["state"], job["jobType"]) == ("JobComplete", "V2Query")
    return str(job["id"])


def ingest(rig: OrgRig, operation: str, text: str, **settings: str) -> dict[str, Any]:
    body = {"object": "Contact", "operation": operation} | settings
    job = rig.http.post(f"{V}/jobs/ingest", json=body).json()
    assert (job["state"], job["contentUrl"]) == ("Open", f"{V[1:]}/jobs/ingest/{job['id']}/batches")
    path = f"{V}/jobs/ingest/{job['id']}"
    assert rig.http.put(f"{path}/batches", content=text.encode()).status_code == 201
    assert rig.http.patch(path, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    return finished(rig, "ingest", job["id"])


def rows(rig: OrgRig, job: dict[str, Any], kind: str) -> list[dict[str, str]]:
    text = rig.http.get(f"{V}/jobs/ingest/{job['id']}/{kind}").text
    return list(csv.DictReader(io.StringIO(text)))


def test_pages_of_a_result(rig: OrgRig) -> None:
    for n in range(5):
        rig.contact(f"Line\n{n}", Email=f"{n}@example.com")
    job = query_job(rig, "SELECT LastName, Email, DoNotCall, SystemModstamp FROM Contact")
    path = f"{V}/jobs/query/{job}/results"
    first = rig.http.get(path, params={"maxRecords": 2})
    assert first.headers["Content-Type"].startswith("text/csv")
    assert (first.headers["Sforce-NumberOfRecords"], first.headers["Sforce-Locator"]) == ("2", "Mg")
    assert first.text.splitlines()[:3] == [
        '"LastName","Email","DoNotCall","SystemModstamp"',
        '"Line',
        '0","0@example.com","false","2026-09-21T12:00:00.000Z"',
    ]
    last = rig.http.get(path, params={"maxRecords": 3, "locator": "Mg"})
    assert (last.headers["Sforce-NumberOfRecords"], last.headers["Sforce-Locator"]) == ("3", "null")
    assert len(list(csv.DictReader(io.StringIO(last.text)))) == 3
    pages = rig.http.get(path.replace("results", "resultPages"), params={"maxRecords": 2}).json()
    assert [len(rig.http.get(each["resultUrl"]).text.splitlines()) for each in pages["resultPages"]] == [
        5,
        5,
        3,
    ]


def test_result_stays_as_it_was(rig: OrgRig) -> None:
    contact = rig.contact()
    job = query_job(rig, "SELECT LastName FROM Contact")
    rig.org.update("Contact", contact, {"LastName": "Changed"})
    assert "Okafor" in rig.http.get(f"{V}/jobs/query/{job}/results").text


def test_formats(rig: OrgRig) -> None:
    rig.contact(Email="a@example.com")
    settings = {"columnDelimiter": "PIPE", "lineEnding": "CRLF"}
    job = query_job(rig, "SELECT LastName, Email FROM Contact", **settings)
    text = rig.http.get(f"{V}/jobs/query/{job}/results").text
    assert text == '"LastName"|"Email"\r\n"Okafor"|"a@example.com"\r\n'


def test_empty_results_by_switch(rig: OrgRig) -> None:
    job = query_job(rig, "SELECT Id FROM Contact")
    path = f"{V}/jobs/query/{job}/results"
    assert rig.http.get(path).text == '"Id"\n'
    rig.org.switches.bulk_header_without_rows = False
    assert rig.http.get(path).text == ""


def test_query_all_in_bulk(rig: OrgRig) -> None:
    rig.org.delete("Contact", rig.contact())
    assert rig.org.count("Contact") == 0
    job = query_job(rig, "SELECT IsDeleted FROM Contact", operation="queryAll")
    assert rig.http.get(f"{V}/jobs/query/{job}/results").text == '"IsDeleted"\n"true"\n'


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT COUNT(Id) FROM Contact",
        "SELECT Id FROM Contact OFFSET 5",
        "SELECT MailingAddress FROM Contact",
        "SELECT Id, (SELECT Id FROM AccountContactRelations) FROM Contact",
    ],
)
def test_what_bulk_queries_do_not_know(rig: OrgRig, soql: str) -> None:
    assert rig.refusal("POST", "/jobs/query", {"operation": "query", "query": soql})[1] == "API_ERROR"


def test_life_of_a_job(rig: OrgRig) -> None:
    job = query_job(rig, "SELECT Id FROM Contact")
    assert [each["id"] for each in rig.http.get(f"{V}/jobs/query").json()["records"]] == [job]
    other = "/services/data/v66.0"
    assert rig.http.get(f"{other}/jobs/query/{job}/results").status_code == 409
    assert rig.refusal("PATCH", f"/jobs/query/{job}", {"state": "Aborted"})[1] == "INVALIDJOBSTATE"
    assert rig.http.delete(f"{V}/jobs/query/{job}").status_code == 204
    assert rig.refusal("GET", f"/jobs/query/{job}")[:2] == (404, "NOT_FOUND")


def test_ingest_writes_and_reports(rig: OrgRig) -> None:
    account = rig.account(NetSuite_Id__c="77")
    rig.changes.clear()
    text = (
        "NetSuite_Id__c,LastName,Email,DoNotCall,Account.NetSuite_Id__c\n"
        '1,"O""Neill",a@example.com,true,77\n'
        "2,Two,bad,false,77\n"
        "3,Three,,maybe,\n"
    )
    job = ingest(rig, "upsert", text, externalIdFieldName="NetSuite_Id__c")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    (good,) = rows(rig, job, "successfulResults")
    assert (good["sf__Created"], good["LastName"]) == ("true", 'O"Neill')
    record = rig.org.read("Contact", good["sf__Id"])
    assert record is not None
    assert (record["AccountId"], record["DoNotCall"]) == (account, True)
    errors = [each["sf__Error"] for each in rows(rig, job, "failedResults")]
    assert errors == [
        "INVALID_EMAIL_ADDRESS:Email: invalid email address: bad:Email --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Do Not Call: value not of required type: maybe:DoNotCall --",
    ]
    assert {change.origin for change in rig.changes} == {"com/salesforce/api/bulkapi/67.0"}


def test_empty_cell_leaves_and_na_clears(rig: OrgRig) -> None:
    contact = rig.contact(Phone="1", Fax="2")
    ingest(rig, "update", f"Id,Phone,Fax\n{contact},,#N/A\n")
    record = rig.org.read("Contact", contact)
    assert record is not None
    assert (record["Phone"], record["Fax"]) == ("1", None)


@pytest.mark.parametrize("fires", [True, False])
def test_hard_delete(rig: OrgRig, fires: bool) -> None:
    rig.org.switches.hard_delete_fires_event = fires
    contact = rig.contact()
    rig.changes.clear()
    ingest(rig, "hardDelete", f"Id\n{contact}\n")
    assert rig.org.read("Contact", contact) is None
    assert [change.change_type for change in rig.changes] == (["DELETE"] if fires else [])


def test_unknown_column_fails_the_job(rig: OrgRig) -> None:
    job = ingest(rig, "insert", "LastName,Foo\nx,y\n")
    assert (job["state"], job["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Foo")
    assert rig.org.count("Contact") == 0


def test_aborted_upload_writes_nothing(rig: OrgRig) -> None:
    job = rig.http.post(f"{V}/jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()
    path = f"{V}/jobs/ingest/{job['id']}"
    rig.http.put(f"{path}/batches", content=b"LastName\nx\n")
    assert rig.refusal("PUT", f"/jobs/ingest/{job['id']}/batches")[1] == "INVALIDJOBSTATE"
    assert rig.http.patch(path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert rig.org.count("Contact") == 0
