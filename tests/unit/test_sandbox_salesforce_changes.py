"""What the org tells of its commits, and what deletion, undelete, purge and merge do (salesforce.md 3)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.sandbox_salesforce_rig import NOON, OrgRig, V, org_rig

from twinbook_sandbox.core.control import SiteError


@pytest.fixture
def rig() -> Iterator[OrgRig]:
    with org_rig() as rig:
        yield rig


def test_create_tells_all_values(rig: OrgRig) -> None:
    contact = rig.contact(Email="n@example.com", DoNotCall=True)
    (change,) = rig.changes
    assert (change.entity, change.change_type, change.record_ids) == ("Contact", "CREATE", (contact,))
    assert change.fields["LastName"] == "Okafor"
    assert change.fields["DoNotCall"] is True
    assert change.fields["Phone"] is None
    assert change.fields["CreatedDate"] == "2026-09-21T12:00:00.000+0000"
    assert not {"Name", "MailingAddress", "Id", "IsDeleted", "SystemModstamp"} & change.fields.keys()
    assert (change.committed_at, change.sequence_number) == (NOON, 1)
    assert change.origin == "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"


def test_update_tells_what_changed(rig: OrgRig) -> None:
    contact = rig.contact(Phone="1", Title="Head")
    rig.changes.clear()
    rig.clock.advance(5)
    headers = {"Sforce-Call-Options": "client=Twin"}
    body = {"Phone": None, "Title": "Head", "MailingCity": "Leeds"}
    rig.http.patch(f"{V}/sobjects/Contact/{contact}", json=body, headers=headers)
    (change,) = rig.changes
    assert change.fields == {
        "Phone": None,
        "MailingCity": "Leeds",
        "LastModifiedDate": "2026-09-21T12:00:05.000+0000",
        "LastModifiedById": rig.org.credentials()["user_id"],
    }
    assert change.origin == "com/salesforce/api/rest/67.0;client=Twin"
    assert change.user_id == rig.org.credentials()["user_id"]


def test_same_user_again_is_not_told(rig: OrgRig) -> None:
    contact = rig.contact()
    rig.changes.clear()
    rig.org.update("Contact", contact, {"Phone": "1"})
    assert rig.changes[0].fields.keys() == {"Phone", "LastModifiedDate"}


def test_update_without_a_change_by_switch(rig: OrgRig) -> None:
    contact = rig.contact()
    rig.changes.clear()
    rig.org.update("Contact", contact, {"LastName": "Okafor"})
    assert rig.changes[0].fields.keys() == {"LastModifiedDate"}
    rig.org.switches.noop_update_fires_event = False
    rig.org.update("Contact", contact, {"LastName": "Okafor"})
    assert len(rig.changes) == 1


def test_same_change_on_several_records_is_one_change(rig: OrgRig) -> None:
    ids = [rig.contact(str(n)) for n in range(3)]
    rig.changes.clear()
    rig.write(
        "PATCH", [{"id": ids[0], "Title": "A"}, {"id": ids[1], "Title": "B"}, {"id": ids[2], "Title": "A"}]
    )
    assert [(c.record_ids, c.fields["Title"], c.sequence_number) for c in rig.changes] == [
        ((ids[0], ids[2]), "A", 1),
        ((ids[1],), "B", 2),
    ]
    assert len({change.transaction_key for change in rig.changes}) == 1


def test_chunks_of_types_are_transactions_by_switch(rig: OrgRig) -> None:
    records = [
        {"attributes": {"type": "Account"}, "Name": "A"},
        {"attributes": {"type": "Contact"}, "LastName": "B"},
    ]
    for apart in (True, False):
        rig.org.switches.transaction_per_type_chunk = apart
        rig.changes.clear()
        rig.http.post(f"{V}/composite/sobjects", json={"records": records})
        assert len({change.transaction_key for change in rig.changes}) == (2 if apart else 1)


def test_refused_records_tell_nothing(rig: OrgRig) -> None:
    rig.write("POST", [{"LastName": "Good"}, {"LastName": "Bad", "Email": "bad"}])
    assert [change.fields["LastName"] for change in rig.changes] == ["Good"]
    rig.changes.clear()
    rig.write("POST", [{"LastName": "Good"}, {"LastName": "Bad", "Email": "bad"}], allOrNone=True)
    assert rig.changes == []
    assert rig.org.count("Contact") == 1


def test_commit_numbers_grow(rig: OrgRig) -> None:
    for n in range(3):
        rig.contact(str(n))
    numbers = [change.commit_number for change in rig.changes]
    assert numbers == sorted(set(numbers))


def test_delete_takes_children_along_and_undelete_brings_them_back(rig: OrgRig) -> None:
    account = rig.account()
    contact = rig.contact(AccountId=account)
    earlier = rig.contact("Earlier", AccountId=account)
    rig.org.delete("Contact", earlier)
    rig.changes.clear()
    rig.org.delete("Account", account)
    assert {(c.entity, c.change_type) for c in rig.changes} == {
        ("Account", "DELETE"),
        ("Contact", "DELETE"),
        ("AccountContactRelation", "DELETE"),
    }
    assert all(change.fields == {} for change in rig.changes)
    rig.changes.clear()
    rig.org.actions()["undelete"]({"type": "Account", "id": account})
    told = {c.entity: c for c in rig.changes}
    assert told["Contact"].change_type == "UNDELETE"
    assert told["Contact"].record_ids == (contact,)
    assert told["Contact"].fields["LastName"] == "Okafor"
    assert rig.ids("SELECT Id FROM Contact") == [contact]


def test_purge_tells_nothing(rig: OrgRig) -> None:
    contact = rig.contact()
    rig.org.delete("Contact", contact)
    rig.changes.clear()
    rig.org.actions()["purge"]({"type": "Contact", "id": contact})
    assert rig.changes == []
    assert rig.org.read("Contact", contact) is None
    assert rig.ids("SELECT Id FROM Contact", "queryAll") == []


def test_recycle_bin_empties_by_age(rig: OrgRig) -> None:
    old, young = rig.contact("Old"), rig.contact("Young")
    rig.org.delete("Contact", old)
    rig.clock.advance(16 * 86_400)
    rig.log_in()
    rig.org.delete("Contact", young)
    assert rig.org.actions()["empty_recycle_bin"]({}) == {"purged": 1}
    assert rig.ids("SELECT Id FROM Contact", "queryAll") == [young]


def test_merge_marks_losers_and_moves_children(rig: OrgRig) -> None:
    account = rig.account()
    master = rig.contact("Master", AccountId=account)
    loser = rig.contact("Loser", AccountId=account, NetSuite_Id__c="9")
    report = rig.contact("Report", ReportsToId=loser)
    fields = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-01", "AccountId": account}
    deal = rig.org.insert("Opportunity", fields)
    role = rig.org.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": loser})
    rig.changes.clear()
    rig.org.actions()["merge"](
        {"type": "Contact", "master": master, "losers": [loser], "fields": {"Title": "T"}}
    )
    told = {(c.entity, c.change_type, c.record_ids[0]) for c in rig.changes}
    assert {("Contact", "UPDATE", master), ("Contact", "DELETE", loser)} <= told
    assert ("OpportunityContactRole", "UPDATE", role) in told
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE LastName IN ('Master', 'Loser')"
    found = rig.query(soql, "queryAll")["records"]
    assert {each["Id"]: (each["IsDeleted"], each["MasterRecordId"]) for each in found} == {
        master: (False, None),
        loser: (True, master),
    }
    assert rig.org.read("Contact", report)["ReportsToId"] == master  # type: ignore[index]
    relations = rig.org.list("AccountContactRelation", {"AccountId": account}, 10, 0)
    assert [each["ContactId"] for each in relations] == [master]
    with pytest.raises(SiteError, match="recycle bin"):
        rig.org.actions()["undelete"]({"type": "Contact", "id": loser})


@pytest.mark.parametrize("fires", [True, False])
def test_account_merge_moves_contacts(rig: OrgRig, fires: bool) -> None:
    rig.org.switches.account_merge_fires_contact_events = fires
    master, loser = rig.account("Master"), rig.account("Loser")
    contact = rig.contact(AccountId=loser)
    rig.changes.clear()
    rig.org.actions()["merge"]({"type": "Account", "master": master, "losers": [loser]})
    assert rig.org.read("Contact", contact)["AccountId"] == master  # type: ignore[index]
    assert any(c.entity == "Contact" and c.fields["AccountId"] == master for c in rig.changes) is fires
    relations = rig.org.list("AccountContactRelation", {"ContactId": contact}, 10, 0)
    assert [(each["AccountId"], each["IsDirect"]) for each in relations] == [(master, True)]


def test_reset_forgets_data_and_keeps_credentials(rig: OrgRig) -> None:
    login = rig.org.credentials()
    first = rig.contact()
    rig.org.reset()
    assert rig.ids("SELECT Id FROM Contact", "queryAll") == []
    assert rig.org.credentials() == login
    assert rig.query("SELECT COUNT() FROM User")["totalSize"] == 4
    assert rig.contact() == first
