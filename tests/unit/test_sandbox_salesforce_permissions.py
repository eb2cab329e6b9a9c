"""The integration user may do what its permission sets say: hidden fields are nowhere, closed objects unknown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest
from tests.unit.sandbox_salesforce_rig import OrgRig, V, org_rig

from twinbook_sandbox.core.control import Action
from twinbook_sandbox.core.orders import BadOrderError
from twinbook_sandbox.pubsub.bus import EventBus
from twinbook_sandbox.pubsub.retention import Entry

HEAD = '<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata">'
ALLOWED = ("allowRead", "allowCreate", "allowEdit", "allowDelete", "viewAllRecords")


def permission_set(objects: dict[str, str], fields: dict[str, bool], *system: str) -> str:
    """`objects` maps names to letters: R, C, E, D, V (View All)."""
    parts = [HEAD]
    for name, letters in objects.items():
        flags = "".join(
            f"<{tag}>{str(letter in letters).lower()}</{tag}>"
            for tag, letter in zip(ALLOWED, "RCEDV", strict=True)
        )
        parts.append(f"<objectPermissions>{flags}<object>{name}</object></objectPermissions>")
    for name, editable in fields.items():
        flag = str(editable).lower()
        parts.append(
            f"<fieldPermissions><editable>{flag}</editable><field>{name}</field><readable>true</readable>"
            "</fieldPermissions>"
        )
    parts += [
        f"<userPermissions><enabled>true</enabled><name>{name}</name></userPermissions>" for name in system
    ]
    return "".join([*parts, "</PermissionSet>"])


READ_ONLY = permission_set({"Contact": "R"}, {"Contact.Email": False}, "ApiEnabled")


@pytest.fixture
def rig() -> Iterator[OrgRig]:
    with org_rig() as made:
        yield made


def assign(rig: OrgRig, *sets: str) -> None:
    rig.org.actions()["assign_permission_sets"]({"metadata": list(sets)})


def described(rig: OrgRig, name: str = "Contact") -> Any:
    return rig.http.get(f"{V}/sobjects/{name}/describe").json()


def test_fields_without_permission_are_absent_but_names_and_system_fields_stay(rig: OrgRig) -> None:
    assign(rig, READ_ONLY)
    fields = {field["name"]: field for field in described(rig)["fields"]}
    assert {"Id", "FirstName", "LastName", "Name", "OwnerId", "SystemModstamp", "Email"} <= fields.keys()
    assert {"Phone", "AccountId", "NetSuite_Id__c", "MailingCity", "MailingAddress"} & fields.keys() == set()
    assert (fields["Email"]["updateable"], fields["LastName"]["updateable"]) == (False, True)
    assert rig.query_error("SELECT Phone FROM Contact")["errorCode"] == "INVALID_FIELD"


def test_an_address_is_granted_as_a_whole(rig: OrgRig) -> None:
    assign(rig, READ_ONLY, permission_set({}, {"Contact.MailingAddress": True}))
    names = {field["name"] for field in described(rig)["fields"]}
    assert {"MailingAddress", "MailingStreet", "MailingCity", "MailingCountry"} <= names
    assert "OtherCity" not in names


def test_objects_without_read_are_unknown_and_so_are_relations_to_them(rig: OrgRig) -> None:
    assign(rig, READ_ONLY)
    assert rig.http.get(f"{V}/sobjects/Account/describe").status_code == 404
    assert rig.query_error("SELECT Id FROM Opportunity")["errorCode"] == "INVALID_TYPE"
    assert {child["childSObject"] for child in described(rig)["childRelationships"]} == {"Contact"}, "merges"


def test_roles_follow_what_they_connect(rig: OrgRig) -> None:
    assign(rig, permission_set({"Contact": "RV", "Opportunity": "RV", "Account": "R"}, {}, "ApiEnabled"))
    children = {child["childSObject"] for child in described(rig)["childRelationships"]}
    assert {"OpportunityContactRole", "AccountContactRole", "AccountContactRelation"} <= children
    assert rig.org.hidden_fields("OpportunityContactRole") is not None
    assert rig.org.hidden_fields("AccountContactRelation") is None, "no View All on Account"


def test_writing_what_may_only_be_read_is_refused(rig: OrgRig) -> None:
    contact = rig.contact(Email="ada@acme.example")
    assign(rig, READ_ONLY)
    closed = rig.write("PATCH", [{"id": contact, "LastName": "Lovelace"}])
    assert closed[0]["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assign(rig, READ_ONLY, permission_set({"Contact": "RE"}, {}))
    refused = rig.write("PATCH", [{"id": contact, "Email": "x@acme.example"}])
    assert refused[0]["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert rig.write("PATCH", [{"id": contact, "LastName": "Lovelace"}])[0]["success"]
    created = rig.write("POST", [{"LastName": "New"}])
    assert created[0]["errors"][0]["statusCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    gone = rig.http.delete(f"{V}/sobjects/Contact/{contact}").json()
    assert gone[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert rig.org.update("Contact", contact, {"Email": "y@acme.example"}) is None, "people are not concerned"


def test_several_sets_add_up_and_can_be_taken_away(rig: OrgRig) -> None:
    assign(rig, READ_ONLY, permission_set({"Contact": "RC"}, {"Contact.Email": True}))
    assert rig.write("POST", [{"LastName": "New", "Email": "n@acme.example"}])[0]["success"]
    rig.org.actions()["unassign_permission_sets"]({})
    assert rig.http.get(f"{V}/sobjects/Account/describe").status_code == 200


def test_without_api_enabled_every_call_is_refused(rig: OrgRig) -> None:
    assign(rig, permission_set({"Contact": "R"}, {}))
    assert rig.refusal("GET", "/sobjects/Contact/describe")[:2] == (403, "API_CURRENTLY_DISABLED")


def test_something_else_than_a_permission_set_is_refused(rig: OrgRig) -> None:
    with pytest.raises(ValueError, match="not a PermissionSet"):
        assign(rig, '<Profile xmlns="http://soap.sforce.com/2006/04/metadata"/>')
    with pytest.raises(ValueError, match="no XML"):
        assign(rig, "nonsense")


def bus_of(rig: OrgRig) -> EventBus:
    return EventBus(rig.clock, rig.org.changes, rig.org.schema_of, 1, rig.org.hidden_fields)


def bodies(bus: EventBus, entries: list[Entry]) -> list[dict[str, Any]]:
    found = []
    for entry in entries:
        assert entry.event is not None
        parsed = bus.schema(entry.event.entity).parsed
        found.append(fastavro.schemaless_reader(io.BytesIO(entry.event.payload), parsed, None))
    return found


def test_events_carry_no_value_of_a_hidden_field(rig: OrgRig) -> None:
    bus = bus_of(rig)
    start = bus.log.newest()
    assign(rig, permission_set({"Contact": "RV"}, {"Contact.Email": False}, "ApiEnabled"))
    rig.contact("Okafor", Email="n@acme.example", Phone="+44 20 7946 0000")
    entries, _ = bus.log.read(start, frozenset({"Contact"}), 10)
    [body] = bodies(bus, entries)
    assert (body["Email"], body["Phone"], body["Name"]["LastName"]) == ("n@acme.example", None, "Okafor")


def test_events_of_an_object_need_view_all(rig: OrgRig) -> None:
    bus = bus_of(rig)
    both = frozenset({"Contact", "Account"})
    assert bus.not_permitted(both) == frozenset()
    assign(rig, permission_set({"Contact": "RV", "Account": "R"}, {}, "ApiEnabled"))
    assert bus.not_permitted(both) == {"Account"}


def member(entity: str, channel: str = "ChangeEvents") -> str:
    return (
        '<PlatformEventChannelMember xmlns="http://soap.sforce.com/2006/04/metadata">'
        f"<eventChannel>{channel}</eventChannel><selectedEntity>{entity}</selectedEntity>"
        "</PlatformEventChannelMember>"
    )


def test_channel_members_select_entities_up_to_five(rig: OrgRig) -> None:
    bus = bus_of(rig)
    bus.enabled.clear()
    deploy: Action = bus.actions()["deploy_channel_members"]
    assert deploy({"metadata": [member("ContactChangeEvent"), member("AccountChangeEvent")]}) == {
        "enabled": ["Account", "Contact"]
    }
    with pytest.raises(BadOrderError, match="5 entities"):
        deploy({"metadata": [member(f"{name}ChangeEvent") for name in ("Case", "Lead", "Quote", "Order")]})
    assert bus.enabled == {"Account", "Contact"}, "all or nothing"
    with pytest.raises(ValueError, match="ChangeEvents"):
        deploy({"metadata": [member("ContactChangeEvent", "Other__chn")]})
