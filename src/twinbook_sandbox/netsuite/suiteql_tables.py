"""The tables SuiteQL can see, as SQLite views over the storage (netsuite.md 4.4).

The address tables (``contactaddressbook``, ``contactaddressbookentityaddress`` and those of the customer) are not in
the fact sheet: their names and columns are general knowledge of the Records Catalog, unverified, and can be
switched off (``address_tables``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.schema import FieldSpec, Kind, RecordType
from twinbook_sandbox.netsuite.storage import LOCAL_COLUMNS

INTEGRATION_USER = 17
"""The user behind all API logins; owner of private contacts that it may see."""
_VIEW_PREFIX = "suiteql_"

_CONTACT_COLUMNS = [
    "id",
    "entityId",
    "externalId",
    "firstName",
    "middleName",
    "lastName",
    "salutation",
    "title",
    "email",
    "altEmail",
    "phone",
    "homePhone",
    "mobilePhone",
    "officePhone",
    "fax",
    "company",
    "subsidiary",
    "isInactive",
    "isPrivate",
    "comments",
    "owner",
    "supervisor",
    "assistant",
    "globalSubscriptionStatus",
    "dateCreated",
    "lastModifiedDate",
]
_CUSTOMER_COLUMNS = [
    "id",
    "entityId",
    "externalId",
    "companyName",
    "isPerson",
    "firstName",
    "lastName",
    "email",
    "phone",
    "fax",
    "url",
    "comments",
    "parent",
    "entityStatus",
    "isInactive",
    "dateCreated",
    "lastModifiedDate",
]


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of a column or expression. ``target``: where a reference points."""

    kind: Kind = Kind.TEXT
    target: str | None = None

    @property
    def is_date(self) -> bool:
        """Whether its values are local dates."""
        return self.kind in (Kind.DATETIME, Kind.DATE)


TEXT = Column()
NUMBER = Column(Kind.INTEGER)
DATE = Column(Kind.DATETIME)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: ``sql`` is the query behind its view, ``permission`` the key that lets a role see it."""

    name: str
    columns: Mapping[str, Column]
    sql: str
    permission: str

    @property
    def view(self) -> str:
        """Name of the SQLite view."""
        return _VIEW_PREFIX + self.name


class TableCatalog:
    """Keeps the views in step with the account's schema and switches."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._storage = records.storage
        self._key: tuple[object, ...] = ()
        self.tables: dict[str, Table] = {}

    def refresh(self) -> bool:
        """Rebuild the views if anything they rest on has changed; returns whether it had."""
        switches = self._records.switches
        key = (
            self._storage.schema_version,
            switches.oneworld,
            switches.relation_table,
            tuple(switches.relation_columns),
            switches.company_is_a_relation,
            switches.address_tables,
            switches.deletedrecord_type,
        )
        if key == self._key:
            return False
        for table in self.tables.values():
            self._storage.execute(f"DROP VIEW IF EXISTS {table.view}")
        self.tables = {table.name: table for table in self._build()}
        for table in self.tables.values():
            self._storage.execute(f"CREATE TEMP VIEW {table.view} AS {table.sql}")
        self._key = key
        return True

    def _build(self) -> list[Table]:
        tables = [self._contact(), self._customer(), _entity(), *_lists(), self._deleted(), self._relation()]
        if self._records.switches.oneworld:
            tables += [_subsidiary(), _customer_subsidiary()]
        if self._records.switches.address_tables:
            tables += [table for name in ("contact", "customer") for table in _addresses(name)]
        return tables

    def _contact(self) -> Table:
        # "+" keeps SQLite from choosing the index on the type, which half of the rows share.
        visible = f"+e.type = 'contact' AND (e.isprivate = 'F' OR e.owner = {INTEGRATION_USER})"
        title = (
            "COALESCE((SELECT k.entityid || ' : ' FROM entity k WHERE k.id = e.company), '') || e.entityid"
        )
        return self._entity_table("contact", _CONTACT_COLUMNS, title, visible)

    def _customer(self) -> Table:
        title = "COALESCE((SELECT k.entityid || ' : ' FROM entity k WHERE k.id = e.parent), '') || e.entityid"
        return self._entity_table("customer", _CUSTOMER_COLUMNS, title, "+e.type = 'customer'")

    def _entity_table(self, name: str, wanted: list[str], title: str, condition: str) -> Table:
        kind: RecordType = self._records.kind(name)
        chosen = [kind.fields[one] for one in wanted if one in kind.fields]
        chosen += [spec for spec in kind.fields.values() if spec.custom]
        columns = {spec.column: Column(spec.kind, spec.target) for spec in chosen}
        shown = [f"{_local(spec)} AS {spec.column}" for spec in chosen]
        sql = f"SELECT {', '.join(shown)}, {title} AS entitytitle FROM entity e WHERE {condition}"  # noqa: S608
        return Table(name, {**columns, "entitytitle": TEXT}, sql, kind.permission)

    def _deleted(self) -> Table:
        letters = {"Contact": "Contact", "contact": "contact", "CONTACT": "CONTACT"}
        contact = letters[self._records.switches.deletedrecord_type]
        customer = "Customer" if contact == "Contact" else "customer" if contact == "contact" else "CUSTOMER"
        columns = dict.fromkeys(["name", "type", "scriptid", "context"], TEXT)
        columns |= {
            name: Column(Kind.BOOL) for name in ("iscustomlist", "iscustomrecord", "iscustomtransaction")
        }
        columns |= {"recordid": NUMBER, "recordtypeid": NUMBER, "deleteddate": DATE}
        columns["deletedby"] = Column(Kind.REF, "employee")
        sql = f"""
            SELECT recordid, name, CASE type WHEN 'contact' THEN -6 ELSE -2 END AS recordtypeid,
              CASE type WHEN 'contact' THEN '{contact}' ELSE '{customer}' END AS type, type AS scriptid,
              deleteddate_local AS deleteddate, deletedby, context, 'F' AS iscustomlist, 'F' AS iscustomrecord,
              'F' AS iscustomtransaction
            FROM deleted WHERE listed = 'T'"""  # noqa: S608 - values of a closed list
        return Table("deletedrecord", columns, sql, "ADMI_DELETEDRECORD")

    def _relation(self) -> Table:
        switches = self._records.switches
        company, contact, role = switches.relation_columns
        columns = {
            company: Column(Kind.REF, "customer"),
            contact: Column(Kind.REF, "contact"),
            role: Column(Kind.REF, "contactRole"),
        }
        sql = f"SELECT company AS {company}, contact AS {contact}, role AS {role} FROM relation"  # noqa: S608
        if switches.company_is_a_relation:
            sql += """ UNION ALL SELECT e.company, e.id, NULL FROM entity e WHERE e.type = 'contact'
                AND e.company IS NOT NULL AND NOT EXISTS
                (SELECT 1 FROM relation r WHERE r.company = e.company AND r.contact = e.id)"""
        return Table(switches.relation_table.lower(), columns, sql, "LIST_CONTACT")


def _local(spec: FieldSpec) -> str:
    """The expression for a stored column; dates become local times."""
    if spec.column in LOCAL_COLUMNS:
        return f"e.{LOCAL_COLUMNS[spec.column]}"
    if spec.kind is Kind.DATETIME:
        return f"LOCAL_TIME(e.{spec.column})"
    return f"e.{spec.column} || ' 00:00:00'" if spec.kind is Kind.DATE else f"e.{spec.column}"


def _entity() -> Table:
    columns = {"id": NUMBER, "lastmodifieddate": DATE}
    columns |= dict.fromkeys(("entityid", "externalid", "type", "firstname", "lastname", "email"), TEXT)
    columns |= {"contact": Column(Kind.REF, "contact"), "customer": Column(Kind.REF, "customer")}
    sql = f"""
        SELECT id, entityid, externalid, CASE type WHEN 'contact' THEN 'Contact' ELSE 'CustJob' END AS type,
          firstname, lastname, email, CASE type WHEN 'contact' THEN id END AS contact,
          CASE type WHEN 'customer' THEN id END AS customer, lastmodifieddate_local AS lastmodifieddate
        FROM entity WHERE isprivate IS NOT 'T' OR owner = {INTEGRATION_USER}"""  # noqa: S608 - a constant
    return Table("entity", columns, sql, "LIST_FIND")


def _lists() -> list[Table]:
    columns = {"id": NUMBER, "name": TEXT, "isinactive": Column(Kind.BOOL)}
    plain = "SELECT id, name, isinactive{more} FROM listitem WHERE type = '{type}'"
    return [
        Table("contactrole", columns, plain.format(more="", type="contactRole"), "LIST_CONTACTROLE"),
        Table("contactcategory", columns, plain.format(more="", type="contactCategory"), "ADMI_CRMLIST"),
        Table(
            "customerstatus",
            {**columns, "stage": TEXT},
            plain.format(more=", stage", type="customerStatus"),
            "LIST_CUSTJOB",
        ),
    ]


def _subsidiary() -> Table:
    columns = {"id": NUMBER, "name": TEXT, "fullname": TEXT, "isinactive": Column(Kind.BOOL)}
    columns["parent"] = Column(Kind.REF, "subsidiary")
    sql = """
        SELECT id, name, isinactive, parent, (
          WITH RECURSIVE up (name, parent, depth) AS (
            SELECT s.name, s.parent, 0 UNION ALL
            SELECT a.name || ' : ' || up.name, a.parent, depth + 1 FROM up
            JOIN listitem a ON a.type = 'subsidiary' AND a.id = up.parent WHERE depth < 10)
          SELECT name FROM up ORDER BY depth DESC LIMIT 1) AS fullname
        FROM listitem s WHERE type = 'subsidiary'"""
    return Table("subsidiary", columns, sql, "LIST_SUBSIDIARY")


def _customer_subsidiary() -> Table:
    columns = {"id": NUMBER, "isprimarysub": Column(Kind.BOOL)}
    columns |= {"entity": Column(Kind.REF, "customer"), "subsidiary": Column(Kind.REF, "subsidiary")}
    sql = """
        SELECT id * 100 AS id, id AS entity, subsidiary, 'T' AS isprimarysub FROM entity
          WHERE type = 'customer' AND subsidiary IS NOT NULL
        UNION ALL
        SELECT customer * 100 + subsidiary, customer, subsidiary, 'F' FROM secondary_subsidiary"""
    return Table("customersubsidiaryrelationship", columns, sql, "LIST_CUSTJOB")


def _addresses(name: str) -> tuple[Table, Table]:
    """The two address tables of contact or customer: lines, and the addresses behind them (unverified)."""
    flags = {"defaultbilling": Column(Kind.BOOL), "defaultshipping": Column(Kind.BOOL)}
    lines = {"entity": Column(Kind.REF, name), "internalid": NUMBER, "label": TEXT, **flags}
    of_type = (
        f"FROM address a WHERE EXISTS (SELECT 1 FROM entity e WHERE e.id = a.entity AND e.type = '{name}')"  # noqa: S608
    )
    permission = "LIST_CONTACT" if name == "contact" else "LIST_CUSTJOB"
    texts = ["addr1", "addr2", "addr3", "city", "state", "zip", "addressee", "attention", "addrphone"]
    addresses = {"nkey": NUMBER, **dict.fromkeys(texts, TEXT), "country": Column(Kind.ENUM, "country")}
    return (
        Table(
            f"{name}addressbook",
            {**lines, "addressbookaddress": NUMBER},
            f"SELECT {', '.join(lines)}, nkey AS addressbookaddress {of_type}",
            permission,
        ),
        Table(
            f"{name}addressbookentityaddress",
            addresses,
            f"SELECT {', '.join(addresses)} {of_type}",
            permission,
        ),
    )
