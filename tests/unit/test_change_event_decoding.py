"""Decoding of change events against hand-assembled bytes and the vectors of salesforce.md 3.4 and 10."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinbook.salesforce.change_events import EventSchema, UndecodableEventError, set_bits

TEXTS = {"type": "array", "items": "string"}
HEADER = {
    "name": "ChangeEventHeader",
    "doc": "Data:ComplexValueType",
    "type": {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": TEXTS},
            {
                "name": "changeType",
                "type": {
                    "type": "enum",
                    "name": "ChangeType",
                    "symbols": ["CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_UPDATE", "GAP_OVERFLOW"],
                },
            },
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            {"name": "nulledFields", "type": TEXTS},
            {"name": "diffFields", "type": TEXTS},
            {"name": "changedFields", "type": TEXTS},
        ],
    },
}


def text(name: str) -> dict[str, Any]:
    return {"name": name, "type": ["null", "string"], "default": None}


def record(name: str, *parts: str) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [text(part) for part in parts]}


ADDRESS = record("Address", "Street", "City", "State", "PostalCode", "Country")
NAME = record("PersonName", "Salutation", "FirstName", "LastName")

# The order of salesforce.md 3.3 up to Description, and on from LastModifiedDate with one custom field.
CONTACT_FIELDS: list[dict[str, Any]] = [
    HEADER,
    text("AccountId"),
    text("IsPersonAccount"),
    {"name": "Name", "type": ["null", NAME], "default": None},
    {"name": "OtherAddress", "type": ["null", ADDRESS], "default": None},
    {"name": "MailingAddress", "type": ["null", "Address"], "default": None},
    *map(text, ["Phone", "Fax", "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone", "ReportsToId"]),
    *map(text, ["Email", "Title", "Department", "AssistantName", "LeadSource", "Birthdate", "Description"]),
    *(text(f"Filler{number}") for number in range(20, 26)),
    text("LastModifiedDate"),
    *(text(f"Filler{number}") for number in range(27, 40)),
    text("NetSuite_Id__c"),
]


def schema(fields: list[dict[str, Any]] = CONTACT_FIELDS) -> EventSchema:
    document = {"type": "record", "name": "ContactChangeEvent", "namespace": "com.sforce.eventbus"}
    return EventSchema(json.dumps(document | {"fields": fields}))


def zigzag(value: int) -> bytes:
    """An Avro int or long (salesforce.md 10)."""
    value, out = (value << 1) ^ (value >> 63), bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def string(value: str) -> bytes:
    return zigzag(len(value.encode())) + value.encode()


def strings(*values: str) -> bytes:
    return (zigzag(len(values)) + b"".join(map(string, values)) if values else b"") + b"\x00"


def payload(change_type: int, ids: list[str], changed: list[str], nulled: list[str] | None = None) -> bytes:
    """A header by hand; what stands behind it must not matter."""
    return b"".join(
        [
            string("Contact"),
            strings(*ids),
            zigzag(change_type),
            string("com/salesforce/api/rest/67.0;client=twinbook"),
            string("0004b1c2-77aa-4d2e-0b1c-9f3e21d0a7f5"),
            zigzag(3),
            zigzag(1790000123000),
            zigzag(1190000456789),
            string("0055g00000XyZabAAF"),
            strings(*(nulled or [])),
            strings(),
            strings(*changed),
            b"\xff\xff rubbish",
        ]
    )


@pytest.mark.parametrize(
    ("bitmap", "positions"),
    [
        ("0x800000", [23]),
        ("0x400800", [11, 22]),
        ("0x400000", [22]),
        ("0x650004E0", [5, 6, 7, 10, 24, 26, 29, 30]),
        ("0xA0060140", [6, 8, 17, 18, 29, 31]),
        ("0x0180", [7, 8]),
        ("0x100000000000800000", [23, 68]),
        ("0x01", [0]),
        ("0x", None),
    ],
)
def test_bitmap_vectors(bitmap: str, positions: list[int] | None) -> None:
    if positions is None:
        with pytest.raises(ValueError, match="invalid literal"):
            set_bits(bitmap)
    else:
        assert set_bits(bitmap) == positions


@pytest.mark.parametrize(
    ("bitmaps", "names"),
    [
        (["0x04002000", "3-0x04"], ["Email", "LastModifiedDate", "Name.LastName"]),
        (["0x04000000", "5-0x03"], ["LastModifiedDate", "MailingAddress.Street", "MailingAddress.City"]),
        (["0x04000020", "5-0x02"], ["MailingAddress", "LastModifiedDate", "MailingAddress.City"]),
        (["0x40"], ["Phone"]),
        (["0x010004000000"], ["LastModifiedDate", "NetSuite_Id__c"]),
        (["4-0x01"], ["OtherAddress.Street"]),
        (["0x04002040", "3-0x04", "5-0x01"], None),
        ([], []),
    ],
)
def test_names_of_changed_fields(bitmaps: list[str], names: list[str] | None) -> None:
    expected = names or (
        ["Phone", "Email", "LastModifiedDate", "Name.LastName", "MailingAddress.Street"] if bitmaps else []
    )
    assert schema().field_names(bitmaps) == tuple(expected)


def test_names_follow_the_schema_of_the_event() -> None:
    shifted = schema([HEADER, text("Inserted1"), *CONTACT_FIELDS[1:]])
    assert shifted.field_names(["0x04002000", "4-0x04"]) == ("ReportsToId", "Filler25", "Name.LastName")


def test_a_compound_field_that_may_be_a_text() -> None:
    name = record("Switchable_PersonName", "Salutation", "FirstName", "LastName")
    for union in (["null", "string", name], ["string", name], name):
        accounts = schema([HEADER, {"name": "Name", "type": union}])
        assert accounts.field_names(["0x02"]) == ("Name",)
        assert accounts.field_names(["1-0x06"]) == ("Name.FirstName", "Name.LastName")


def test_a_compound_type_may_be_referred_to_by_its_full_name() -> None:
    fields = [
        HEADER,
        {"name": "BillingAddress", "type": ["null", ADDRESS]},
        {"name": "ShippingAddress", "type": ["null", "com.sforce.eventbus.Address"]},
    ]
    assert schema(fields).field_names(["2-0x02"]) == ("ShippingAddress.City",)


@pytest.mark.parametrize(
    "bitmap", ["0x", "40", "0xZZ", "3-40", "x-0x01", "6-0x01", "3-0x80", "900-0x01", "0x" + "F" * 20]
)
def test_bitmaps_that_fit_no_field(bitmap: str) -> None:
    with pytest.raises(UndecodableEventError):
        schema().field_names([bitmap])


def test_the_header_of_an_update() -> None:
    event = schema().decode(payload(1, ["0035g00000QwErTAAV"], ["0x04002040", "3-0x04"], ["0x40"]))
    assert (event.entity_name, event.change_type, event.record_ids) == (
        "Contact",
        "UPDATE",
        ("0035g00000QwErTAAV",),
    )
    assert event.committed_at == 1790000123.0
    assert (event.commit_number, event.commit_user) == (1190000456789, "0055g00000XyZabAAF")
    assert event.change_origin.endswith(";client=twinbook")
    assert (event.transaction_key, event.sequence_number) == ("0004b1c2-77aa-4d2e-0b1c-9f3e21d0a7f5", 3)
    assert schema().field_names(event.nulled_bitmaps) == ("Phone",)
    assert event.changed_bitmaps == ("0x04002040", "3-0x04")
    assert event.names_its_records


@pytest.mark.parametrize(
    ("change_type", "ids", "named"),
    [
        (2, ["0035g00000QwErTAAV"], True),
        (4, ["0035g00000QwErTAAV", "0035500001H9cakAAB"], True),
        (5, ["000000000000000AAA"], False),
        (1, ["003*"], False),
        (4, ["003*"], False),
    ],
)
def test_which_events_name_their_records(change_type: int, ids: list[str], named: bool) -> None:
    assert schema().decode(payload(change_type, ids, [])).names_its_records is named


def test_enum_indices_come_from_the_schema() -> None:
    header = json.loads(json.dumps(HEADER))
    header["type"]["fields"][2]["type"]["symbols"] = ["DELETE", "CREATE"]
    assert schema([header]).decode(payload(1, ["0035g00000QwErTAAV"], [])).change_type == "CREATE"


@pytest.mark.parametrize("broken", [b"", b"\x0eContact", payload(77, [], []), b"\x01" * 40])
def test_payloads_that_cannot_be_read(broken: bytes) -> None:
    with pytest.raises(UndecodableEventError):
        schema().decode(broken)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[]",
        "{}",
        '{"type": "record", "name": "A", "fields": []}',
        '{"fields": [{"name": "A", "type": "none"}]}',
    ],
)
def test_schemas_that_cannot_be_read(broken: str) -> None:
    with pytest.raises(UndecodableEventError):
        EventSchema(broken)
