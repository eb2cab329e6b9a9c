"""The sandbox against what others recorded of real orgs: describes, query pages, results, errors, event schemas and
events. `derive_shapes` says where the shapes come from."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fidelity import events_seen
from tests.fidelity.shapes import avro_shape, differences, field_facts, parts_of, recorded, shape_of
from tests.unit.sandbox_salesforce_rig import OrgRig, V, org_rig

from twinbook.domain.ids import to_18
from twinbook.salesforce.change_events import EventSchema, set_bits
from twinbook_sandbox.pubsub.avro import event_schema
from twinbook_sandbox.pubsub.retention import replay_id
from twinbook_sandbox.salesforce.objects import schemas_with

OBJECTS = ("Account", "Contact", "Opportunity", "OpportunityContactRole")
KNOWN_DIFFERENCES = {
    "Account.Name": "with person accounts it is made of parts; the recording names a compound even without them",
    "Account.Type": "picklists have 255 characters in today's versions; the recording is of an older one",
    "Account.Industry": "as Account.Type",
    "Account.Ownership": "as Account.Type",
    "Account.Rating": "as Account.Type",
    "Account.AccountSource": "as Account.Type",
    "Account.JigsawCompanyId": "the relationship JigsawCompany is not emulated",
    "Contact.JigsawContactId": "the relationship JigsawContact is not emulated",
    "Contact.IndividualId": "the object Individual is not emulated, so it is a text",
    "Contact.Name": "nullable in the sandbox, which puts it together on reading",
    "Opportunity.Name": "idLookup is not set in the sandbox",
    "Opportunity.Probability": "the sandbox has no default by stage",
    "Opportunity.ForecastCategory": "nullable in the sandbox",
    "Opportunity.ContactId": "the relationship Contact does not exist there",
}
"""Where the sandbox says something else of a field, and why. One that is mended must leave this list."""


@pytest.fixture(scope="module")
def org() -> Iterator[OrgRig]:
    with org_rig() as rig:
        yield rig


@pytest.mark.parametrize("name", OBJECTS)
def test_describe_says_of_each_field_what_was_recorded(org: OrgRig, name: str) -> None:
    shape = recorded(f"describe_{name}")["shape"]
    ours = {field["name"]: field_facts(field) for field in _describe(org, name)["fields"]}
    both = ours.keys() & shape["fields"].keys()
    assert len(both) > 8
    different = {f"{name}.{field}" for field in both if ours[field] != shape["fields"][field]}
    assert different == {known for known in KNOWN_DIFFERENCES if known.startswith(f"{name}.")}


@pytest.mark.parametrize("name", OBJECTS)
def test_describe_has_no_name_and_no_type_that_was_not_recorded(org: OrgRig, name: str) -> None:
    """It leaves much out (see docs/fidelity.md), and invents nothing."""
    ours, shape = _describe(org, name), recorded(f"describe_{name}")["shape"]
    assert list(differences(_partly(shape["field"]), shape_of(ours["fields"])[0])) == []
    assert list(differences(_partly(shape["object"]), shape_of(ours | {"fields": []}))) == []


def _describe(org: OrgRig, name: str) -> dict[str, Any]:
    found: dict[str, Any] = org.http.get(f"{V}/sobjects/{name}/describe").json()
    return found


def _partly(shape: Any) -> Any:
    """The shape with leave to miss any name."""
    if isinstance(shape, dict):
        return {f"{name.rstrip('?')}?": _partly(item) for name, item in shape.items()}
    return [_partly(item) for item in shape] if isinstance(shape, list) else shape


def _answers(org: OrgRig, name: str) -> Any:
    """The sandbox's answer to the request whose answer was recorded."""
    new = {"attributes": {"type": "Contact"}, "LastName": "Lee", "Email": "lee@acme.example"}
    parts = {
        "composite_of_queries": [
            "query/?q=select count() from Account",
            "query/?q=select count() from XYZZY",
        ],
        "composite_not_found": ["sobjects/Foo"],
    }
    match name:
        case "query":
            return org.query("SELECT Id, Name FROM Account")
        case "record_count":
            return org.http.get(f"{V}/limits/recordCount?sObjects=Account").json()
        case "collections_insert":
            body = {"allOrNone": False, "records": [{"attributes": {"type": "Account"}, "Name": "Acme"}]}
            return org.http.post(f"{V}/composite/sobjects", json=body).json()
        case "collections_upsert":
            body = {"allOrNone": False, "records": [new]}
            return org.http.patch(f"{V}/composite/sobjects/Contact/Email", json=body).json()
    requests = [
        {"method": "GET", "url": f"{V}/{url}", "referenceId": f"ref{number}"}
        for number, url in enumerate(parts[name])
    ]
    return org.http.post(f"{V}/composite", json={"compositeRequest": requests}).json()


@pytest.mark.parametrize(
    "name",
    [
        "collections_insert",
        "collections_upsert",
        "composite_not_found",
        "composite_of_queries",
        "query",
        "record_count",
    ],
)
def test_answers_have_the_recorded_shape(org: OrgRig, name: str) -> None:
    org.account()
    assert parts_of(_answers(org, name)) == recorded(name)["shape"]


def test_a_refusal_reads_as_recorded(org: OrgRig) -> None:
    """The place of the caret and the words, as TestCountSObjects of CumulusCI recorded them for this very query."""
    error = org.query_error("select count() from XYZZY")
    lines = error["message"].split("\n")
    assert error["errorCode"] == "INVALID_TYPE"
    assert lines[1:4] == ["select count() from XYZZY", f"{' ' * 20}^", "ERROR at Row:1:Column:21"]
    assert lines[4].startswith(
        "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object,"
    )


@pytest.mark.parametrize("name", ["Account", "Contact"])
def test_event_schemas_have_the_recorded_order_and_types(name: str) -> None:
    """The recorded org had other custom fields, and, for Account, some fields that the sandbox leaves out."""
    features = frozenset({"person_accounts", "state_country_picklists"})
    schema = event_schema(schemas_with(features, "Salutation FirstName LastName")[name])
    ours = [each for each in avro_shape(json.loads(schema.json)) if not each[0].endswith("__c")]
    theirs = [each for each in recorded(f"{name}ChangeEvent")["shape"] if not each[0].endswith("__c")]
    assert ours == [each for each in theirs if each in ours]
    assert ours[0] == theirs[0]


# --- events that a real org sent

UI = "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"


def _written_with(name: str) -> dict[str, Any]:
    """The Avro schema that a recorded shape stands for."""
    header = json.loads(event_schema(schemas_with(frozenset(), "Salutation FirstName LastName")[name]).json)[
        "fields"
    ][0]
    fields = [_declared(field, type_) for field, type_, *_ in recorded(f"{name}ChangeEvent")["shape"][1:]]
    return {
        "type": "record",
        "name": f"{name}ChangeEvent",
        "namespace": "com.sforce.eventbus",
        "fields": [header, *fields],
    }


def _declared(name: str, type_: str) -> dict[str, Any]:
    compound = re.search(r"(\w+)\((.*)\)", type_)
    members: list[Any] = (type_[: compound.start()] if compound else type_).rstrip("| ").split(" | ")
    if compound:
        parts = [part.split(": ") for part in compound[2].split(", ")]
        inner = [{"name": part, "type": kinds.split(" | "), "default": None} for part, kinds in parts]
        members.append({"type": "record", "name": compound[1], "fields": inner})
    return {"name": name, "type": members, "default": None}


SEEN = [
    (events_seen.A_NUMBER, UI, [23, 68], ["LastModifiedDate"]),
    (events_seen.A_STREET, UI, [23], ["LastModifiedDate", "ShippingAddress.Street"]),
    (events_seen.A_PLACE_ON_THE_MAP, "", [], ["ShippingAddress.Latitude", "ShippingAddress.Longitude"]),
]


@pytest.mark.parametrize(("payload", "origin", "positions", "names"), SEEN)
def test_a_real_event_is_read(payload: str, origin: str, positions: list[int], names: list[str]) -> None:
    """As far as the header and the standard fields: the schema that is published has other custom fields."""
    schema = EventSchema(json.dumps(_written_with("Account")))
    event = schema.decode(base64.b64decode(payload))
    assert (event.entity_name, event.change_type) == ("Account", "UPDATE")
    assert [to_18(each[:15]) for each in event.record_ids] == list(event.record_ids)
    assert event.change_origin == origin
    assert event.committed_at == int(event.committed_at), "whole seconds"
    whole = [bitmap for bitmap in event.changed_bitmaps if "-" not in bitmap]
    assert [position for bitmap in whole for position in set_bits(bitmap)] == positions
    assert list(schema.field_names(event.changed_bitmaps))[: len(names)] == names
    assert (event.nulled_bitmaps, event.diff_bitmaps) == ((), ())


def test_replay_ids_have_the_form_that_was_seen() -> None:
    for text in events_seen.REPLAY_IDS:
        seen = base64.b64decode(text)
        assert replay_id(int.from_bytes(seen[:8], "big")) == seen
