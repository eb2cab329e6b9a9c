"""SuiteQL of the emulated NetSuite account (netsuite.md 4)."""

# ruff: noqa: S608 (queries are what is tested)

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.sandbox_netsuite_rig import BASE, Rig, detail

from twinbook_sandbox.netsuite.suiteql_compiler import compile_query
from twinbook_sandbox.netsuite.suiteql_tables import TableCatalog
from twinbook_sandbox.netsuite.suiteql_text import take_apart

NO_COLUMN = "Invalid search query. Detailed unprocessed description follows. Search error occurred: "


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


async def test_answer_has_the_documented_shape(rig: Rig) -> None:
    acme = await rig.customer()
    id_ = await rig.contact(company=acme, email="Ada@acme.example")
    text = (
        "SELECT c.ID, c.EntityId, c.email, c.title, c.company, c.isinactive, c.lastmodifieddate, "
        "TO_CHAR(c.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS') AS Modified FROM contact c WHERE c.id > 1000 ORDER BY c.id"
    )
    answer = await rig.query(text, limit=1000, offset=0)
    assert answer.json() == {
        "links": [{"rel": "self", "href": f"{BASE}/services/rest/query/v1/suiteql?limit=1000&offset=0"}],
        "count": 1,
        "hasMore": False,
        "items": [
            {
                "links": [],
                "id": id_,
                "entityid": "Ada Lovelace",
                "email": "Ada@acme.example",
                "company": acme,
                "isinactive": "F",
                "lastmodifieddate": "10/1/2026",
                "modified": "2026-10-01 02:15:00",
            }
        ],
        "offset": 0,
        "totalResults": 1,
    }


async def test_pages(rig: Rig) -> None:
    for number in range(5):
        await rig.contact(lastName=f"L{number}")
    page = (await rig.query("SELECT lastname FROM contact ORDER BY id", limit=2, offset=2)).json()
    assert [row["lastname"] for row in page["items"]] == ["L2", "L3"]
    assert (page["count"], page["totalResults"], page["hasMore"]) == (2, 5, True)
    assert {link["rel"] for link in page["links"]} == {"self", "first", "prev", "next", "last"}
    beyond = (await rig.query("SELECT id FROM contact", limit=5, offset=10)).json()
    assert (beyond["count"], beyond["totalResults"], beyond["hasMore"]) == (0, 5, False)
    await rig.contact(lastName="L5")
    assert (await rig.query("SELECT lastname FROM contact ORDER BY id", limit=2)).json()["totalResults"] == 6
    bounded = await rig.query(
        "SELECT lastname FROM contact ORDER BY id DESC FETCH FIRST 3 ROWS ONLY", limit=2
    )
    assert [row["lastname"] for row in bounded.json()["items"]] == ["L5", "L4"]
    assert bounded.json()["totalResults"] == 3
    for paging in (
        {"limit": 1001},
        {"limit": 0},
        {"limit": 10, "offset": 5},
        {"limit": 1000, "offset": 100_000},
    ):
        assert (
            detail(await rig.query("SELECT id FROM contact", **paging))["o:errorCode"] == "INVALID_PARAMETER"
        )


async def people(rig: Rig) -> tuple[str, str, str]:
    acme = await rig.customer()
    ada = await rig.contact(company=acme, email="Ada@acme.example", title="Analyst", phone="+49 30 1234567")
    rig.clock.set(datetime(2026, 10, 2, 9, 15, 30, tzinfo=UTC))
    await rig.log_in()
    alan = await rig.contact(firstName="Alan", lastName="Türing", email="ALAN@ACME.EXAMPLE")
    return acme, ada, alan


async def test_dialect(rig: Rig) -> None:
    acme, ada, alan = await people(rig)
    cases: dict[str, list[dict[str, str]]] = {
        "SELECT id FROM contact WHERE LOWER(email) = 'ada@acme.example'": [{"id": ada}],
        "SELECT id FROM contact WHERE email = 'ada@acme.example'": [],
        "SELECT id FROM contact WHERE email LIKE 'ada%'": [],
        "SELECT id FROM contact WHERE LOWER(lastname) = 'türing'": [{"id": alan}],
        "SELECT id FROM contact WHERE entityid = 'O''Neill'": [],
        "SELECT firstname || ' ' || middlename || lastname AS n FROM contact WHERE id = " + ada: [
            {"n": "Ada Lovelace"}
        ],
        "SELECT NVL(title, 'none') AS t, COALESCE(phone, email) FROM contact WHERE title IS NULL": [
            {"t": "none", "expr2": "ALAN@ACME.EXAMPLE"}
        ],
        "SELECT id FROM contact WHERE title = ''": [],
        "SELECT COUNT(*) FROM contact": [{"expr1": "2"}],
        "SELECT company, COUNT(*) AS n FROM contact GROUP BY company ORDER BY n, company": [
            {"company": acme, "n": "1"},
            {"n": "1"},
        ],
        "SELECT SUBSTR(lastname, 1, 2) AS s, TRIM('  x ') AS t FROM contact WHERE firstname = 'Ada'": [
            {"s": "Lo", "t": "x"}
        ],
        "SELECT id FROM contact ORDER BY id DESC FETCH FIRST 1 ROWS ONLY": [{"id": alan}],
        "SELECT id FROM contact ORDER BY id OFFSET 1 ROWS FETCH NEXT 5 ROWS ONLY": [{"id": alan}],
        "SELECT id FROM contact WHERE ROWNUM <= 1 ORDER BY id DESC": [{"id": ada}],
        "SELECT id FROM (SELECT id FROM contact ORDER BY id DESC) WHERE ROWNUM < 2": [{"id": alan}],
        "SELECT c.id, k.companyname FROM contact c LEFT OUTER JOIN customer k ON k.id = c.company ORDER BY c.id": [
            {"id": ada, "companyname": "Acme GmbH"},
            {"id": alan},
        ],
        "SELECT c.id, k.companyname FROM contact c, customer k WHERE c.company = k.id(+) ORDER BY c.id": [
            {"id": ada, "companyname": "Acme GmbH"},
            {"id": alan},
        ],
        "SELECT c.id FROM contact c LEFT JOIN customer k ON k.id = c.company ORDER BY k.id, c.id": [
            {"id": ada},
            {"id": alan},
        ],
        "SELECT id FROM contact WHERE id < 99999999999999999999 AND title = 'Analyst'": [{"id": ada}],
        "SELECT BUILTIN.DF(company) AS c, BUILTIN.DF(subsidiary) AS s FROM contact WHERE id = " + ada: [
            {"c": "Acme GmbH", "s": "Parent Company"}
        ],
        "SELECT k.id FROM customer k WHERE EXISTS (SELECT 1 FROM contact c WHERE c.company = k.id)": [
            {"id": acme}
        ],
        "SELECT id FROM contact WHERE company IN (SELECT id FROM customer WHERE companyname = 'Acme GmbH')": [
            {"id": ada}
        ],
        f"SELECT id FROM contact WHERE id IN ({ada}, '{alan}', -1) ORDER BY id": [{"id": ada}, {"id": alan}],
        "SELECT CASE WHEN title IS NULL THEN 'no' ELSE 'yes' END AS t FROM contact ORDER BY id": [
            {"t": "yes"},
            {"t": "no"},
        ],
        "SELECT id FROM contact WHERE REGEXP_LIKE(firstname, '^a', 'i') AND title IS NULL": [{"id": alan}],
        "SELECT REGEXP_SUBSTR(lastname, '[a-z]+$') AS s FROM contact WHERE title IS NULL": [{"s": "ring"}],
        "SELECT x.id FROM (SELECT id, email AS mail FROM contact) x WHERE x.mail LIKE 'ALAN%'": [
            {"id": alan}
        ],
        "SELECT id FROM contact WHERE title IS NOT NULL UNION SELECT id FROM customer ORDER BY 1": [
            {"id": acme},
            {"id": ada},
        ],
        "SELECT id /* why */ FROM contact -- all\nWHERE id = " + ada + ";": [{"id": ada}],
        "SELECT DISTINCT isinactive FROM contact": [{"isinactive": "F"}],
        "SELECT name FROM contactrole WHERE id = -10": [{"name": "Primary Contact"}],
        "SELECT fullname FROM subsidiary": [{"fullname": "Parent Company"}],
        "SELECT id, name FROM CustomerStatus WHERE stage = 'LEAD' AND isinactive = 'F' ORDER BY id": [
            {"id": "6", "name": "Unqualified"},
            {"id": "7", "name": "Qualified"},
        ],
        f"SELECT type, contact FROM entity WHERE id = {ada}": [{"type": "Contact", "contact": ada}],
        f"SELECT subsidiary FROM customersubsidiaryrelationship WHERE entity = {acme}": [{"subsidiary": "1"}],
        "SELECT company, contact FROM companycontactrelationship": [{"company": acme, "contact": ada}],
    }
    for text, expected in cases.items():
        assert await rig.rows(text) == expected, text


async def test_dates_are_in_the_company_s_zone(rig: Rig) -> None:
    _, ada, alan = await people(rig)
    cases: dict[str, list[str]] = {
        "lastmodifieddate >= TO_TIMESTAMP('2026-10-01 02:15:00','YYYY-MM-DD HH24:MI:SS')": [ada, alan],
        "lastmodifieddate > TO_TIMESTAMP('2026-10-01 02:15:00','YYYY-MM-DD HH24:MI:SS')": [alan],
        "lastmodifieddate >= TO_DATE('2026-10-02','YYYY-MM-DD')": [alan],
        "lastmodifieddate < '10/2/2026'": [ada],
        "lastmodifieddate BETWEEN '10/1/2026' AND '10/2/2026'": [ada],
        "lastmodifieddate > SYSDATE - 1": [alan],
        "lastmodifieddate > SYSDATE - 25/24": [ada, alan],
        "TRUNC(lastmodifieddate) = TO_DATE('10/01/2026','MM/DD/YYYY')": [ada],
        "TO_CHAR(lastmodifieddate, 'HH24') = '02' AND TO_CHAR(lastmodifieddate, 'DD-MON-YY') = '02-OCT-26'": [
            alan
        ],
    }
    for condition, expected in cases.items():
        found = await rig.rows(f"SELECT id FROM contact WHERE {condition} ORDER BY id")
        assert [row["id"] for row in found] == expected, condition
    (newest,) = await rig.rows(
        "SELECT MAX(lastmodifieddate) AS raw, "
        "TO_CHAR(MAX(lastmodifieddate),'YYYY-MM-DD\"T\"HH24:MI:SS') AS at FROM contact"
    )
    assert newest == {"raw": "10/2/2026", "at": "2026-10-02T02:15:30"}


async def test_zone_and_format_can_be_switched(rig: Rig) -> None:
    id_ = await rig.contact()
    rig.switches.company_time_zone = "Asia/Kolkata"
    rig.switches.suiteql_date_format = "DD.MM.YYYY"
    shown = "id, datecreated, TO_CHAR(datecreated, 'YYYY-MM-DD HH24:MI:SS') AS t"
    text = f"SELECT {shown} FROM contact WHERE datecreated >= '01.10.2026'"
    assert await rig.rows(text) == [{"id": id_, "datecreated": "01.10.2026", "t": "2026-10-01 14:45:00"}]
    assert (await rig.get("contact", id_))["dateCreated"] == "2026-10-01T09:15:00Z"


async def test_clock_going_back_an_hour_is_ambiguous_as_in_reality(rig: Rig) -> None:
    rig.clock.set(datetime(2026, 11, 1, 9, 10, tzinfo=UTC))  # 01:10 PST, after 01:30 PDT has passed
    await rig.log_in()
    await rig.contact()
    since = "TO_TIMESTAMP('2026-11-01 01:30:00','YYYY-MM-DD HH24:MI:SS')"
    assert await rig.rows(f"SELECT id FROM contact WHERE lastmodifieddate >= {since}") == []


async def test_star_has_every_documented_column(rig: Rig) -> None:
    await people(rig)
    star = await rig.rows("SELECT * FROM contact WHERE title = 'Analyst'")
    assert star[0]["entitytitle"] == "Acme GmbH : Ada Lovelace"
    assert star[0]["custentity_twinbook_locked"] == "F"
    assert await rig.rows("SELECT c.* FROM contact c WHERE c.title = 'Analyst'") == star


async def test_parameters(rig: Rig) -> None:
    _, ada, alan = await people(rig)
    text = "SELECT id FROM contact WHERE firstname = ? AND id IN (?, ?)"
    assert await rig.rows(text, ["Ada", int(ada), alan]) == [{"id": ada}]
    assert detail(await rig.query(text, ["Ada"]))["o:errorCode"] == "INVALID_PARAMETER"
    assert detail(await rig.query(text, ["Ada", 1, 2, 3]))["o:errorCode"] == "INVALID_PARAMETER"
    rig.switches.suiteql_params = False
    assert "Invalid content in the request body" in detail(await rig.query(text, ["Ada", 1, 2]))["detail"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "SELECT foo FROM contact",
            NO_COLUMN + "Unknown identifier 'foo'. Available identifiers are: {contact=contact}.",
        ),
        (
            "SELECT x.id FROM contact c",
            NO_COLUMN + "Unknown identifier 'x'. Available identifiers are: {c=contact}.",
        ),
        (
            "SELECT c.foo FROM contact c",
            NO_COLUMN + "Field 'foo' for record 'contact' was not found. Reason: ",
        ),
        ("SELECT id FROM contact WHERE foo = 1", NO_COLUMN + "Unknown identifier 'foo'"),
        ("SELECT id FROM contact ORDER BY foo", NO_COLUMN + "Unknown identifier 'foo'"),
        (
            "SELECT id FROM contact c WHERE EXISTS (SELECT 1 FROM customer k WHERE k.id = c.foo)",
            NO_COLUMN + "Field 'foo'",
        ),
        ("SELECT name_key FROM contact", NO_COLUMN + "Unknown identifier 'name_key'"),
        (
            "SELECT id FROM widget",
            "Invalid search query. Detailed unprocessed description follows. Invalid search type: widget.",
        ),
        (
            "SELECT id FROM sqlite_master",
            "Invalid search query. Detailed unprocessed description follows. Invalid search type",
        ),
        ("SELECT id FROM contact LIMIT 5", NO_COLUMN),
        ("SELECT TOP 5 id FROM contact", NO_COLUMN),
        ("WITH a AS (SELECT id FROM contact) SELECT id FROM a", NO_COLUMN),
        ("SELECT id FROM (WITH a AS (SELECT id FROM contact) SELECT id FROM a)", NO_COLUMN),
        ("DELETE FROM contact", NO_COLUMN),
        ("SELECT id FROM contact; DELETE FROM contact", NO_COLUMN),
        ("SELECT id FROM contact WHERE (", NO_COLUMN),
        ("SELECT [id] FROM contact", NO_COLUMN),
        ("SELECT id FROM contact WHERE lastmodifieddate > CURRENT_DATE", NO_COLUMN),
        (
            "SELECT id FROM contact WHERE lastmodifieddate > 'yesterday'",
            NO_COLUMN + "Invalid date 'yesterday'",
        ),
        (
            "SELECT id FROM contact WHERE lastmodifieddate > TO_DATE('x','YYYY-MM-DD')",
            NO_COLUMN + "Invalid date 'x'",
        ),
        (
            "SELECT id FROM contact WHERE id(+) = 5 AND EXISTS (SELECT 1 FROM customer k WHERE k.id(+) = 1)",
            NO_COLUMN,
        ),
        ("SELECT id FROM pragma_table_info('entity')", "Invalid search query."),
        ("SELECT nonsense(id) FROM contact", NO_COLUMN),
        ("SELECT load_extension('x') FROM contact", NO_COLUMN),
        (
            "SELECT id FROM contact WHERE id IN (" + ",".join(map(str, range(1001))) + ")",
            NO_COLUMN + "The IN list",
        ),
        ("'unclosed", NO_COLUMN),
        ("SELECT 'unclosed FROM contact", NO_COLUMN),
    ],
)
async def test_what_is_refused(rig: Rig, text: str, told: str) -> None:
    await rig.contact()
    refused = detail(await rig.query(text))
    assert refused["status"] == 400 and refused["o:errorCode"] == "INVALID_PARAMETER"
    assert refused["o:errorQueryParam"] == "q"
    assert refused["detail"].startswith(told)


async def test_endless_query_is_given_up(
    rig: Rig, many: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    many(2000)
    monkeypatch.setattr("twinbook_sandbox.netsuite.suiteql.MAX_QUERY_S", 0.0)
    told = detail(await rig.query("SELECT COUNT(*) FROM contact a, contact b, contact c"))
    assert "took more than" in told["detail"]
    monkeypatch.undo()
    assert await rig.rows("SELECT COUNT(*) AS n FROM contact") == [{"n": "2000"}]


async def test_request_rules(rig: Rig) -> None:
    url = "/services/rest/query/v1/suiteql"
    told = detail(await rig.http.post(url, json={"q": "SELECT id FROM contact"}))
    assert told["o:errorCode"] == "INVALID_HEADER" and told["o:errorHeader"] == "Prefer"
    transient = {"Prefer": "transient"}
    assert detail(await rig.http.post(url, json={}, headers=transient))["o:errorQueryParam"] == "q"
    assert (
        detail(await rig.http.post(url, json={"q": "x", "p": []}, headers=transient))["o:errorCode"]
        == "INVALID_CONTENT"
    )
    assert (await rig.http.get(url, headers=transient)).status_code == 405
    rig.switches.role_permissions = {"REPO_ANALYTICS": "NONE"}
    assert detail(await rig.query("SELECT id FROM contact"))["status"] == 403


async def test_table_without_permission_is_not_found(rig: Rig) -> None:
    text = "SELECT c.id FROM contact c JOIN customer k ON k.id = c.company"
    assert await rig.rows(text) == []
    rig.switches.role_permissions = {"LIST_CUSTJOB": "NONE"}
    assert detail(await rig.query(text))["detail"] == NO_COLUMN + "Record 'customer' was not found."
    assert await rig.rows("SELECT id FROM contact") == []
    rig.switches.role_permissions = {"ADMI_DELETEDRECORD": "NONE"}
    assert (
        "Record 'deletedrecord' was not found."
        in detail(await rig.query("SELECT recordid FROM deletedrecord"))["detail"]
    )
    rig.switches.role_permissions = {}
    assert await rig.rows(text) == []


async def test_address_tables(rig: Rig) -> None:
    address = {"addr1": "Hauptstr. 5", "city": "Berlin", "zip": "10115", "country": {"id": "DE"}}
    id_ = await rig.contact(addressBook={"items": [{"defaultBilling": True, "addressBookAddress": address}]})
    text = (
        "SELECT c.id, b.label, b.defaultbilling, a.addr1, a.city, a.country FROM contact c "
        "LEFT JOIN contactaddressbook b ON b.entity = c.id "
        "LEFT JOIN contactaddressbookentityaddress a ON a.nkey = b.addressbookaddress"
    )
    expected = {
        "id": id_,
        "label": "Hauptstr. 5",
        "defaultbilling": "T",
        "addr1": "Hauptstr. 5",
        "city": "Berlin",
        "country": "DE",
    }
    assert await rig.rows(text) == [expected]
    assert await rig.rows("SELECT entity FROM customeraddressbook") == []
    rig.switches.address_tables = False
    assert "Invalid search type: contactaddressbook" in detail(await rig.query(text))["detail"]


async def test_relation_table_by_switch(rig: Rig) -> None:
    acme = await rig.customer()
    await rig.contact(company=acme)
    rig.switches.company_is_a_relation = False
    assert await rig.rows("SELECT contact FROM companycontactrelationship") == []
    rig.switches.relation_table = "companycontactmap"
    rig.switches.relation_columns = ["company_id", "contact_id", "contactrole_id"]
    rig.switches.company_is_a_relation = True
    assert [row["company_id"] for row in await rig.rows("SELECT * FROM companycontactmap")] == [acme]
    assert (await rig.query("SELECT contact FROM companycontactrelationship")).status_code == 400


@pytest.fixture
def many(rig: Rig) -> Callable[[int], None]:
    def insert(count: int) -> None:
        storage = rig.account.storage
        rows = [(f"L{n}", f"l{n}", f"L{n}@x.example") for n in range(count)]
        columns = "entityid, name_key, email, type, isinactive, isprivate, datecreated, "
        columns += "lastmodifieddate, datecreated_local, lastmodifieddate_local"
        utc, local = "'2026-10-01T09:15:00Z'", "'2026-10-01 02:15:00'"
        same = f"'contact', 'F', 'F', {utc}, {utc}, {local}, {local}"
        sql = f"INSERT INTO entity ({columns}) VALUES (?, ?, ?, {same})"
        with storage.transaction():
            storage.connection.executemany(sql, rows)

    return insert


async def test_a_query_ends_at_a_hundred_thousand_rows(rig: Rig, many: Callable[[int], None]) -> None:
    many(100_001)
    page: dict[str, Any] = (
        await rig.query("SELECT id FROM contact ORDER BY id", limit=1000, offset=99_000)
    ).json()
    assert (page["count"], page["totalResults"], page["hasMore"]) == (1000, 100_000, False)
    keyset = f"SELECT id FROM contact WHERE id > {page['items'][-1]['id']} ORDER BY id"
    assert len(await rig.rows(keyset)) == 1


@pytest.mark.parametrize(
    "condition",
    [
        "LOWER(email) IN ('l7@x.example')",
        "LOWER(TRIM(email)) IN ('l7@x.example')",
        "externalid IN ('A', 'B')",
        "custentity_twinbook_sf_id IN ('A')",
        "id IN (1007)",
        "LOWER(entityid) = 'l7'",
        "id IN (1007) OR LOWER(email) IN ('l8@x.example') OR externalid IN ('A')",
        "lastmodifieddate >= TO_TIMESTAMP('2027-10-01 09:00:00','YYYY-MM-DD HH24:MI:SS')",
    ],
)
async def test_usual_lookups_use_an_index(rig: Rig, many: Callable[[int], None], condition: str) -> None:
    """Otherwise a data set of real size would make every call slow."""
    many(10)
    query = take_apart(f"SELECT id FROM contact WHERE {condition}")
    catalog = TableCatalog(rig.account.records)
    catalog.refresh()
    sql = compile_query(query.shape, catalog.tables).sql
    plan = rig.account.storage.rows(f"EXPLAIN QUERY PLAN {sql}", {**query.values, "page": 10, "skip": 0})
    assert not any(step["detail"].startswith("SCAN e") for step in plan), [step["detail"] for step in plan]
