"""Change events of the sandbox: schemas, bitmaps and payloads, against salesforce.md 3.2 to 3.10 and 10."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest

from twinbook_sandbox.pubsub.avro import EventSchema, event_name, event_schema
from twinbook_sandbox.pubsub.bitmaps import bitmap, bitmaps
from twinbook_sandbox.pubsub.events import encode
from twinbook_sandbox.salesforce.changes import Change
from twinbook_sandbox.salesforce.objects import schemas_with
from twinbook_sandbox.salesforce.schema import Feature, Field, FieldType, ObjectSchema

FEATURES = frozenset({Feature.PERSON_ACCOUNTS, Feature.STATE_COUNTRY_PICKLISTS})
OBJECTS = schemas_with(FEATURES, "Salutation FirstName LastName")
ID = "0035g00000QwErTAAV"


def change(change_type: str = "UPDATE", *, entity: str = "Contact", **fields: Any) -> Change:
    return Change(
        entity=entity,
        change_type=change_type,
        record_ids=(ID,),
        fields=fields,
        user_id="0055g00000XyZabAAF",
        origin="com/salesforce/api/soap/66.0;client=SfdcInternalAPI/",
        transaction_key="0004b1c2-77aa-4d2e-0b1c-9f3e21d0a7f5",
        sequence_number=1,
        commit_number=1190000456789,
        committed_at=datetime.fromtimestamp(1790000123.4, UTC),
    )


def decoded(payload: bytes, schema: EventSchema) -> dict[str, Any]:
    record = fastavro.schemaless_reader(
        io.BytesIO(payload), fastavro.parse_schema(json.loads(schema.json)), None
    )
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([23], "0x800000"),
        ([11, 22], "0x400800"),
        ([22], "0x400000"),
        ([5, 6, 7, 10, 24, 26, 29, 30], "0x650004E0"),
        ([6, 8, 17, 18, 29, 31], "0xA0060140"),
        ([7, 8], "0x0180"),
        ([23, 68], "0x100000000000800000"),
        ([0], "0x01"),
        ([40, 26], "0x010004000000"),
    ],
)
def test_bitmap_vectors(positions: Iterable[int], expected: str) -> None:
    assert bitmap(positions) == expected


@pytest.mark.parametrize(
    ("top_level", "parts", "expected"),
    [
        ([23], {6: [0]}, ["0x800000", "6-0x01"]),
        ([], {6: [7, 8]}, ["6-0x0180"]),
        ([22], {4: [0]}, ["0x400000", "4-0x01"]),
        ([5, 6, 7, 10, 24, 26, 29, 30], {7: [1, 2], 4: [4]}, ["0x650004E0", "4-0x10", "7-0x06"]),
        ([], {}, []),
    ],
)
def test_bitmap_lists(top_level: list[int], parts: dict[int, list[int]], expected: list[str]) -> None:
    assert bitmaps(top_level, parts) == expected


def test_contact_schema_has_the_documented_order_and_types() -> None:
    schema = json.loads(event_schema(OBJECTS["Contact"]).json)
    fields = {field["name"]: field for field in schema["fields"]}
    assert (schema["namespace"], schema["name"]) == ("com.sforce.eventbus", "ContactChangeEvent")
    names = list(fields)
    assert " ".join(names[:7]) == (
        "ChangeEventHeader AccountId IsPersonAccount Name OtherAddress MailingAddress Phone"
    )
    assert [names.index(name) for name in ("Email", "LastModifiedDate", "BuyerAttributes")] == [13, 26, 39]
    assert names[40] == "NetSuite_Id__c"
    assert fields["Email"] == {
        "name": "Email",
        "type": ["null", "string"],
        "doc": "Data:Email",
        "default": None,
    }
    assert fields["Birthdate"]["type"] == ["null", "long"]
    assert fields["NetSuite_Id__c"]["doc"].startswith("Data:Text:00N")
    assert fields["MailingAddress"]["type"] == ["null", "Address"]
    assert fields["OtherAddress"]["type"][1]["name"] == "Address"
    assert " ".join(part["name"] for part in fields["OtherAddress"]["type"][1]["fields"]) == (
        "Street City State PostalCode Country StateCode CountryCode Latitude Longitude GeocodeAccuracy"
    )
    assert not {"Id", "IsDeleted", "SystemModstamp", "MasterRecordId"} & set(names)


def test_header_fields_in_wire_order() -> None:
    header = json.loads(event_schema(OBJECTS["Contact"]).json)["fields"][0]
    assert header["doc"] == "Data:ComplexValueType"
    assert " ".join(field["name"] for field in header["type"]["fields"]) == (
        "entityName recordIds changeType changeOrigin transactionKey sequenceNumber commitTimestamp commitNumber "
        "commitUser nulledFields diffFields changedFields"
    )
    change_type = header["type"]["fields"][2]["type"]
    assert [change_type["symbols"].index(symbol) for symbol in ("CREATE", "UPDATE", "GAP_OVERFLOW")] == [
        0,
        1,
        8,
    ]


def test_schema_id_follows_the_content() -> None:
    before = event_schema(OBJECTS["Contact"])
    contact = OBJECTS["Contact"]
    added = Field(name="Extra__c", label="Extra", type=FieldType.STRING, field_id="00N5g00000Extra")
    after = event_schema(
        ObjectSchema(contact.name, contact.label, contact.label_plural, "003", (*contact.fields, added))
    )
    assert len(before.id) == len(after.id) == 22
    assert event_schema(contact).id == before.id != after.id


def test_event_names_of_standard_and_custom_objects() -> None:
    assert event_name("Contact") == "ContactChangeEvent"
    assert event_name("NetSuite_Link__c") == "NetSuite_Link__ChangeEvent"


def test_the_composed_example() -> None:
    """salesforce.md 3.10."""
    schema = event_schema(OBJECTS["Contact"])
    event = decoded(
        encode(
            change(
                LastName="Okafor",
                MailingStreet="12 Quay Rd",
                Phone=None,
                Email="n.okafor@example.com",
                LastModifiedDate="2026-09-21T14:15:23.000+0000",
                SystemModstamp="2026-09-21T14:15:23.000+0000",
            ),
            schema,
        ),
        schema,
    )
    modified = int(datetime(2026, 9, 21, 14, 15, 23, tzinfo=UTC).timestamp() * 1000)
    assert event.pop("ChangeEventHeader") == {
        "entityName": "Contact",
        "recordIds": [ID],
        "changeType": "UPDATE",
        "changeOrigin": "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/",
        "transactionKey": "0004b1c2-77aa-4d2e-0b1c-9f3e21d0a7f5",
        "sequenceNumber": 1,
        "commitTimestamp": 1790000123000,
        "commitNumber": 1190000456789,
        "commitUser": "0055g00000XyZabAAF",
        "nulledFields": ["0x40"],
        "diffFields": [],
        "changedFields": ["0x04002040", "3-0x04", "5-0x01"],
    }
    assert event.pop("Name") == {"Salutation": None, "FirstName": None, "LastName": "Okafor"}
    mailing = event.pop("MailingAddress")
    assert {name: value for name, value in mailing.items() if value is not None} == {"Street": "12 Quay Rd"}
    given = {name: value for name, value in event.items() if value is not None}
    assert given == {"Email": "n.okafor@example.com", "LastModifiedDate": modified}


def test_a_nulled_part_of_a_compound_field() -> None:
    schema = event_schema(OBJECTS["Contact"])
    event = decoded(encode(change(MailingCity=None, FirstName=None, LastName="Ek"), schema), schema)
    header = event["ChangeEventHeader"]
    assert header["nulledFields"] == ["3-0x02", "5-0x02"]
    assert header["changedFields"] == ["3-0x06", "5-0x02"]
    assert event["MailingAddress"]["City"] is None


def test_the_parents_own_bit_on_demand() -> None:
    schema = event_schema(OBJECTS["Contact"])
    event = decoded(encode(change(MailingCity="Oslo"), schema, parent_bit=True), schema)
    assert event["ChangeEventHeader"]["changedFields"] == ["0x20", "5-0x02"]


def test_create_carries_all_values_and_no_bitmaps() -> None:
    schema = event_schema(OBJECTS["Contact"])
    fields = dict.fromkeys(schema.places) | {
        "LastName": "Ek",
        "Birthdate": "1980-02-29",
        "DoNotCall": True,
        "MailingLatitude": 59,
    }
    event = decoded(encode(change("CREATE", **fields), schema), schema)
    header = event["ChangeEventHeader"]
    assert (header["changedFields"], header["nulledFields"], header["diffFields"]) == ([], [], [])
    assert event["Name"]["LastName"] == "Ek"
    assert event["Birthdate"] == 320630400000
    assert event["DoNotCall"] is True
    assert event["MailingAddress"]["Latitude"] == 59.0
    assert event["OtherAddress"] is None


@pytest.mark.parametrize("change_type", ["DELETE", "GAP_UPDATE", "GAP_OVERFLOW"])
def test_events_without_values(change_type: str) -> None:
    schema = event_schema(OBJECTS["Contact"])
    event = decoded(encode(change(change_type), schema), schema)
    assert event.pop("ChangeEventHeader")["changeType"] == change_type
    assert set(event.values()) == {None}


def test_an_accounts_name_is_a_text_or_a_persons() -> None:
    schema = event_schema(OBJECTS["Account"])
    company = decoded(encode(change(entity="Account", Name="Acme"), schema), schema)
    assert company["Name"] == "Acme"
    person = decoded(encode(change(entity="Account", LastName="Ek", Name="Ek"), schema), schema)
    assert person["Name"] == {"Salutation": None, "FirstName": None, "LastName": "Ek"}
    assert person["ChangeEventHeader"]["changedFields"] == ["0x02", "1-0x04"]


def test_bare_avro_by_hand() -> None:
    """The first bytes of a payload, assembled after the reminders in salesforce.md 10."""
    payload = encode(change("DELETE"), event_schema(OBJECTS["Contact"]))
    expected = (
        b"\x0eContact"  # length 7, zig-zag
        + b"\x02\x24" + ID.encode() + b"\x00"  # one block of one item of 18 characters, end of the array
        + b"\x04"  # enum index 2: DELETE
    )  # fmt: skip
    assert payload.startswith(expected)
