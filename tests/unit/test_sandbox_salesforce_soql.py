"""SOQL against the emulated org: what queries find, and how wrong ones are refused (salesforce.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.sandbox_salesforce_rig import OrgRig, V, org_rig


@pytest.fixture(scope="module")
def rig() -> Iterator[OrgRig]:
    """Acme with Abel and Öman; Bolt with Baker; Cole has no account; Gone is deleted."""
    with org_rig() as rig:
        acme = rig.account("Acme", Type="Prospect", AnnualRevenue=10)
        bolt = rig.account("Bolt", Type="Other", ParentId=acme)
        rig.contact("Abel", AccountId=acme, Email="abel@example.com", Title="100%", BuyerAttributes="A;B")
        rig.contact("Öman", AccountId=acme, Title="It's", BuyerAttributes="B", MailingCity="Leeds")
        rig.clock.advance(86_400)
        rig.log_in()
        rig.contact("Baker", AccountId=bolt, Email="Baker@Example.com", Birthdate="1984-02-29")
        rig.contact("Cole", DoNotCall=True)
        rig.org.delete("Contact", rig.contact("Gone"))
        yield rig


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'ABEL'", "Abel"),
        ("LastName = 'öMAN'", "Öman"),
        ("LastName LIKE 'Ö%'", "Öman"),
        ("LastName LIKE '_bel'", "Abel"),
        ("Title LIKE '100\\%'", "Abel"),
        ("Title = 'It\\'s'", "Öman"),
        ("Email = 'baker@example.COM'", "Baker"),
        ("Email = null", "Cole Öman"),
        ("Email = ''", "Cole Öman"),
        ("Email != 'abel@example.com'", "Baker Cole Öman"),
        ("Email != null AND DoNotCall = false", "Abel Baker"),
        ("(NOT Email LIKE 'a%')", "Baker Cole Öman"),
        ("Email IN ('ABEL@example.com', null)", "Abel Cole Öman"),
        ("Email NOT IN ('abel@example.com')", "Baker Cole Öman"),
        ("LastName IN ('ÖMAN', 'cole')", "Cole Öman"),
        ("Account.Name = 'acme'", "Abel Öman"),
        ("Account.Parent.Name = 'Acme'", "Baker"),
        ("Account.Name = null", "Cole"),
        ("AccountId IN (SELECT Id FROM Account WHERE Type = 'Other')", "Baker"),
        ("AccountId NOT IN (SELECT Id FROM Account WHERE Type = 'Other')", "Abel Cole Öman"),
        ("Id IN (SELECT ContactId FROM AccountContactRelation WHERE IsDirect = true)", "Abel Baker Öman"),
        ("BuyerAttributes INCLUDES ('A;B', 'C')", "Abel"),
        ("BuyerAttributes EXCLUDES ('A')", "Baker Cole Öman"),
        ("CreatedDate = TODAY", "Baker Cole"),
        ("CreatedDate = YESTERDAY", "Abel Öman"),
        ("CreatedDate < TODAY", "Abel Öman"),
        ("CreatedDate >= LAST_N_DAYS:1", "Abel Baker Cole Öman"),
        ("SystemModstamp >= 2026-09-22T12:00:00Z", "Baker Cole"),
        ("SystemModstamp > 2026-09-22T14:00:00+02:00", ""),
        ("Birthdate < 1990-01-01", "Baker"),
        ("DoNotCall = TRUE OR LastName = 'Abel'", "Abel Cole"),
        ("(DoNotCall = TRUE OR LastName = 'Abel') AND Email != null", "Abel"),
        ("MailingCity = 'leeds'", "Öman"),
    ],
)
def test_where(rig: OrgRig, where: str, found: str) -> None:
    assert sorted(rig.names(f"SELECT LastName FROM Contact WHERE {where}")) == found.split()  # noqa: S608


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("LastName", "Abel Baker Cole Öman"),
        ("Email", "Cole Öman Abel Baker"),
        ("Email NULLS LAST", "Abel Baker Cole Öman"),
        ("Account.Name DESC NULLS LAST, LastName DESC", "Baker Öman Abel Cole"),
        ("SystemModstamp DESC, Id DESC LIMIT 2", "Cole Baker"),
        ("LastName LIMIT 2 OFFSET 1", "Baker Cole"),
    ],
)
def test_order(rig: OrgRig, order: str, found: str) -> None:
    """Selecting further fields must not disturb the order."""
    stable = order if "LIMIT" in order or "," in order else f"{order}, LastName"
    for fields in ("LastName", "Id, LastName", "Id, SystemModstamp, LastName, Email"):
        assert rig.names(f"SELECT {fields} FROM Contact ORDER BY {stable}") == found.split()  # noqa: S608


def test_record_shape(rig: OrgRig) -> None:
    (record,) = rig.query(
        "SELECT Id, Account.Name, Account.Owner.Username, MailingAddress, DoNotCall, SystemModstamp, "
        "(SELECT IsDirect, Account.Name FROM AccountContactRelations), (SELECT Id FROM ContactReports) "
        "FROM Contact WHERE LastName = 'Öman'"
    )["records"]
    assert list(record) == [
        "attributes",
        "Id",
        "Account",
        "MailingAddress",
        "DoNotCall",
        "SystemModstamp",
        "AccountContactRelations",
        "ContactReports",
    ]
    assert record["attributes"] == {"type": "Contact", "url": f"{V}/sobjects/Contact/{record['Id']}"}
    assert record["Account"]["attributes"]["type"] == "Account"
    assert record["Account"]["Owner"]["Username"] == "admin@meridian.example"
    assert record["MailingAddress"]["city"] == "Leeds"
    assert record["DoNotCall"] is False
    assert record["SystemModstamp"] == "2026-09-21T12:00:00.000+0000"
    relations = record["AccountContactRelations"]
    assert (relations["totalSize"], relations["done"]) == (1, True)
    assert relations["records"][0]["Account"]["Name"] == "Acme"
    assert record["ContactReports"] is None


def test_missing_parent_and_empty_address_are_null(rig: OrgRig) -> None:
    soql = "SELECT Account.Name, Account.Parent.Name, OtherAddress FROM Contact WHERE LastName = 'Cole'"
    (record,) = rig.query(soql)["records"]
    assert (record["Account"], record["OtherAddress"]) == (None, None)


def test_child_query_limits_apply_to_each_parent(rig: OrgRig) -> None:
    soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 1) FROM Account ORDER BY Name"
    found = rig.query(soql)["records"]
    children = {each["Name"]: [c["LastName"] for c in each["Contacts"]["records"]] for each in found}
    assert children == {"Acme": ["Öman"], "Bolt": ["Baker"]}


def test_counts_and_groups(rig: OrgRig) -> None:
    assert rig.query("SELECT COUNT() FROM Contact") == {"totalSize": 4, "done": True, "records": []}
    groups = rig.query(
        "SELECT Account.Name, COUNT(Id), COUNT_DISTINCT(Email) mails FROM Contact "
        "GROUP BY Account.Name HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC"
    )["records"]
    assert groups == [{"attributes": {"type": "AggregateResult"}, "Name": "Acme", "expr0": 2, "mails": 1}]
    (largest,) = rig.query("SELECT MAX(AnnualRevenue) FROM Account")["records"]
    assert largest["expr0"] == 10


def test_query_all_sees_the_recycle_bin(rig: OrgRig) -> None:
    soql = "SELECT LastName, IsDeleted FROM Contact WHERE IsDeleted = true"
    assert rig.query(soql)["records"] == []
    assert [each["LastName"] for each in rig.query(soql, "queryAll")["records"]] == ["Gone"]


@pytest.mark.parametrize(
    ("soql", "code", "problem"),
    [
        ("SELECT foo FROM Contact", "INVALID_FIELD", "No such column 'foo' on entity 'Contact'."),
        ("SELECT Id FROM Foo", "INVALID_TYPE", "sObject type 'Foo' is not supported."),
        (
            "SELECT Foo.Name FROM Contact",
            "INVALID_FIELD",
            "Didn't understand relationship 'Foo' in field path.",
        ),
        (
            "SELECT Id, (SELECT Id FROM Foos) FROM Contact",
            "INVALID_TYPE",
            "Didn't understand relationship 'Foos'",
        ),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FORM Contact", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact WHERE Name='a\\x'", "MALFORMED_QUERY", "Invalid string literal"),
        (
            "SELECT Id FROM Contact WHERE Email = null AND Name = 'a' OR Name = 'b'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id, id FROM Contact", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        (
            "SELECT Id FROM Contact WHERE LastName = 5",
            "INVALID_FIELD",
            "value of filter criterion for field 'LastName' must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE Id LIKE 'a%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        (
            "SELECT Id FROM Contact WHERE CreatedDate = SOMEDAY",
            "MALFORMED_QUERY",
            "unexpected token: 'SOMEDAY'",
        ),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT LastName, COUNT(Id) FROM Contact", "MALFORMED_QUERY", "must be grouped or aggregated"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset"),
        ("", "MALFORMED_QUERY", "may not be null or empty"),
    ],
)
def test_errors(rig: OrgRig, soql: str, code: str, problem: str) -> None:
    error = rig.query_error(soql)
    assert error["errorCode"] == code
    assert problem in error["message"]


def test_errors_mark_the_place(rig: OrgRig) -> None:
    lines = rig.query_error("SELECT Id FROM Foo")["message"].split("\n")
    assert lines[1:4] == ["SELECT Id FROM Foo", "               ^", "ERROR at Row:1:Column:16"]


def test_fields_function(rig: OrgRig) -> None:
    (record,) = rig.query("SELECT FIELDS(ALL) FROM Contact WHERE LastName = 'Abel' LIMIT 1")["records"]
    assert {"Email", "NetSuite_Id__c", "MailingAddress"} <= record.keys()
    custom = rig.query("SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1")["records"][0]
    assert all(name.endswith("__c") for name in custom if name != "attributes")


def test_injection_stays_a_literal(rig: OrgRig) -> None:
    assert rig.names("SELECT LastName FROM Contact WHERE LastName = 'x\\' OR LastName != \\''") == []
    assert rig.query_error("SELECT Id FROM Contact WHERE LastName = 'x'; DROP TABLE Contact")[
        "errorCode"
    ] == ("MALFORMED_QUERY")
