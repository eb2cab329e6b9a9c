"""The rows of the emulated account, in SQLite: one table of entities, one of list items, and what hangs on them.

Contacts and customers share the table ``entity`` as they share ids, external ids and custom fields in NetSuite
(netsuite.md 2.3). Dates are stored twice, in UTC and in the company's zone; the SuiteQL views show the latter.
One connection, used synchronously from the event loop: a transaction never waits.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from twinbook_sandbox.netsuite.schema import (
    CUSTOMER_STATUSES,
    DEFAULT_CUSTOM_FIELDS,
    LIST_ITEMS,
    CustomField,
    Kind,
    RecordType,
    sql_type,
    stored_columns,
)
from twinbook_sandbox.netsuite.times import Calendar

Row = sqlite3.Row
Value = str | int | float | None
FIRST_ENTITY_ID = 1001
LOCAL_COLUMNS = {"datecreated": "datecreated_local", "lastmodifieddate": "lastmodifieddate_local"}

_TABLES = """
CREATE TABLE IF NOT EXISTS listitem (
  type TEXT NOT NULL, id INTEGER NOT NULL, externalid TEXT, name TEXT NOT NULL, isinactive TEXT NOT NULL DEFAULT 'F',
  parent INTEGER, stage TEXT, PRIMARY KEY (type, id), UNIQUE (type, externalid));
CREATE TABLE IF NOT EXISTS address (
  nkey INTEGER PRIMARY KEY AUTOINCREMENT, entity INTEGER NOT NULL, internalid INTEGER NOT NULL, label TEXT,
  defaultbilling TEXT NOT NULL DEFAULT 'F', defaultshipping TEXT NOT NULL DEFAULT 'F',
  isresidential TEXT NOT NULL DEFAULT 'F', addressee TEXT, attention TEXT, addr1 TEXT, addr2 TEXT, addr3 TEXT,
  city TEXT, state TEXT, zip TEXT, country TEXT, addrphone TEXT, override TEXT NOT NULL DEFAULT 'F',
  externalid TEXT, UNIQUE (entity, internalid));
CREATE TABLE IF NOT EXISTS relation (
  company INTEGER NOT NULL, contact INTEGER NOT NULL, role INTEGER, PRIMARY KEY (company, contact)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relation_contact ON relation (contact);
CREATE TABLE IF NOT EXISTS secondary_subsidiary (
  customer INTEGER NOT NULL, subsidiary INTEGER NOT NULL, PRIMARY KEY (customer, subsidiary)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deleted (
  recordid INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT, deleteddate TEXT NOT NULL,
  deleteddate_local TEXT NOT NULL, deletedby INTEGER, context TEXT, listed TEXT NOT NULL DEFAULT 'T',
  snapshot TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deleted_at ON deleted (deleteddate_local);
CREATE TABLE IF NOT EXISTS customfield (
  script_id TEXT PRIMARY KEY, label TEXT NOT NULL, kind TEXT NOT NULL, max_length INTEGER, applies_to TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS credential (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_ENTITY_INDEXES = """
CREATE UNIQUE INDEX IF NOT EXISTS entity_externalid ON entity (externalid);
CREATE INDEX IF NOT EXISTS entity_name ON entity (name_key, company);
CREATE INDEX IF NOT EXISTS entity_entityid ON entity (entityid);
CREATE INDEX IF NOT EXISTS entity_company ON entity (company);
CREATE INDEX IF NOT EXISTS entity_parent ON entity (parent);
CREATE INDEX IF NOT EXISTS entity_supervisor ON entity (supervisor);
CREATE INDEX IF NOT EXISTS entity_assistant ON entity (assistant);
CREATE INDEX IF NOT EXISTS entity_email ON entity (email);
CREATE INDEX IF NOT EXISTS entity_email_lower ON entity (LOWER(email));
CREATE INDEX IF NOT EXISTS entity_email_trim ON entity (LOWER(TRIM(email)));
CREATE INDEX IF NOT EXISTS entity_name_lower ON entity (LOWER(entityid));
CREATE INDEX IF NOT EXISTS entity_companyname_lower ON entity (LOWER(companyname));
CREATE INDEX IF NOT EXISTS entity_companyname_trim ON entity (LOWER(TRIM(companyname)));
CREATE INDEX IF NOT EXISTS entity_modified ON entity (lastmodifieddate_local, id);
CREATE INDEX IF NOT EXISTS entity_type ON entity (type, id);
"""
"""Indexes on LOWER(...) use the Unicode LOWER that the connection registers (suiteql_functions)."""

_DATA_TABLES = ("entity", "listitem", "address", "relation", "secondary_subsidiary", "deleted", "customfield")


def open_database(path: str | None) -> sqlite3.Connection:
    """A connection for one account: to a file, or to a database in memory if there is no path."""
    connection = sqlite3.connect(path or ":memory:", isolation_level=None, cached_statements=512)
    connection.row_factory = sqlite3.Row
    connection.create_function("LOWER", 1, _lower, deterministic=True)
    connection.create_function("UPPER", 1, _upper, deterministic=True)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA case_sensitive_like = ON;"
    )
    return connection


class Storage:
    """Reads and writes rows. Rules of NetSuite are none of its business."""

    def __init__(self, connection: sqlite3.Connection, calendar: Calendar) -> None:
        self.connection = connection
        self._calendar = calendar
        self._depth = 0
        self.schema_version = 0
        """Grows whenever custom fields change; what is derived from them compares it."""
        connection.create_function("LOCAL_TIME", 1, _unless_none(calendar.local))
        connection.executescript(_TABLES)
        # What the views filter by stands first: SQLite reads a row from its start.
        named = sorted(stored_columns().items(), key=lambda column: column[0] not in ("isprivate", "owner"))
        columns = ", ".join(f"{name} {kind}" for name, kind in named)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entity (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, "
            f"{columns}, name_key TEXT, datecreated_local TEXT, lastmodifieddate_local TEXT, "
            "locked INTEGER NOT NULL DEFAULT 0, referenced INTEGER NOT NULL DEFAULT 0)"
        )
        connection.executescript(_ENTITY_INDEXES)
        if not self.rows("SELECT 1 FROM listitem LIMIT 1"):
            self._fill()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. A transaction within a transaction is part of the outer one."""
        if self._depth == 0:
            self.connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            if self._depth == 1:
                self.connection.execute("ROLLBACK")
            raise
        else:
            if self._depth == 1:
                self.connection.execute("COMMIT")
        finally:
            self._depth -= 1

    def reset(self) -> None:
        """Empty data and the default lists and custom fields; credentials stay."""
        with self.transaction():
            deployed = self.custom_fields()
            for table in _DATA_TABLES:
                self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this module
            for one in deployed:
                self.drop_custom_field(one.script_id)
            self._fill()

    def _fill(self) -> None:
        with self.transaction():
            items: list[tuple[str, int, str, str | None]] = [
                (kind, id_, name, None) for kind, rows in LIST_ITEMS.items() for id_, name in rows.items()
            ]
            items += [("customerStatus", id_, name, stage) for id_, name, stage in CUSTOMER_STATUSES]
            self.connection.executemany(
                "INSERT INTO listitem (type, id, name, stage) VALUES (?, ?, ?, ?)", items
            )
            for one in DEFAULT_CUSTOM_FIELDS:
                self.add_custom_field(one)
            self.connection.execute("DELETE FROM sqlite_sequence")
            self.connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('entity', ?)", (FIRST_ENTITY_ID - 1,)
            )
            self._set("zone", self._calendar.zone)

    # --- any table

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """All rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """The first row of a query."""
        found: Row | None = self.connection.execute(sql, values).fetchone()
        return found

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or ``None``."""
        row = self.row(sql, values)
        return row[0] if row else None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement."""
        return self.connection.execute(sql, values)

    # --- records

    def get(self, kind: RecordType, id_: int) -> Row | None:
        """One record by id."""
        return self.row(f"SELECT * FROM {kind.table} WHERE id = ? AND type = ?", (id_, kind.name))  # noqa: S608

    def insert(self, kind: RecordType, values: Mapping[str, Value]) -> int:
        """Add a record; returns its id."""
        row: dict[str, Value] = {**values, **self._local(values), "type": kind.name}
        if kind.table == "listitem":
            row["id"] = 1 + self.value("SELECT MAX(0, MAX(id)) FROM listitem WHERE type = ?", (kind.name,))
        marks = ", ".join("?" * len(row))
        cursor = self.execute(
            f"INSERT INTO {kind.table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 - schema names
            list(row.values()),
        )
        listed = row.get("id")
        return int(listed if listed is not None else cursor.lastrowid or 0)

    def update(self, kind: RecordType, id_: int, values: Mapping[str, Value]) -> None:
        """Change some columns of a record."""
        if values:
            row = {**values, **self._local(values)}
            sets = ", ".join(f"{name} = ?" for name in row)
            sql = f"UPDATE {kind.table} SET {sets} WHERE id = ? AND type = ?"  # noqa: S608 - schema names
            self.execute(sql, [*row.values(), id_, kind.name])

    def remove(self, kind: RecordType, id_: int) -> None:
        """Take a record out."""
        self.execute(f"DELETE FROM {kind.table} WHERE id = ? AND type = ?", (id_, kind.name))  # noqa: S608

    def _local(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {
            local: self._calendar.local(str(values[utc]))
            for utc, local in LOCAL_COLUMNS.items()
            if utc in values
        }

    # --- custom fields

    def custom_fields(self) -> list[CustomField]:
        """The deployed custom entity fields."""
        return [
            CustomField(
                row["script_id"],
                row["label"],
                Kind(row["kind"]),
                row["max_length"],
                tuple(orjson.loads(row["applies_to"])),
            )
            for row in self.rows("SELECT * FROM customfield ORDER BY script_id")
        ]

    def add_custom_field(self, one: CustomField) -> None:
        """Deploy a field; text fields get an index, as lookups by them are common."""
        values = (
            one.script_id,
            one.label,
            one.kind.value,
            one.max_length,
            orjson.dumps(one.applies_to).decode(),
        )
        self.execute("INSERT INTO customfield VALUES (?, ?, ?, ?, ?)", values)
        self.execute(f"ALTER TABLE entity ADD COLUMN {one.script_id} {sql_type(one.spec())}")
        if one.kind is Kind.TEXT:
            self.execute(f"CREATE INDEX entity_{one.script_id} ON entity ({one.script_id})")
        if one.kind is Kind.BOOL:
            self.execute(f"UPDATE entity SET {one.script_id} = 'F'")  # noqa: S608 - checked name
        self.schema_version += 1

    def drop_custom_field(self, script_id: str) -> None:
        """Remove a field with all its values."""
        for view in self.rows("SELECT name FROM sqlite_temp_master WHERE type = 'view'"):
            self.execute(f"DROP VIEW {view['name']}")
        self.execute("DELETE FROM customfield WHERE script_id = ?", (script_id,))
        self.execute(f"DROP INDEX IF EXISTS entity_{script_id}")
        self.execute(f"ALTER TABLE entity DROP COLUMN {script_id}")
        self.schema_version += 1

    # --- small things to keep

    def follow_zone(self) -> None:
        """Recompute local dates if the company's zone was switched."""
        if self.value("SELECT value FROM setting WHERE name = 'zone'") == self._calendar.zone:
            return
        with self.transaction():
            for utc, local in LOCAL_COLUMNS.items():
                self.execute(f"UPDATE entity SET {local} = LOCAL_TIME({utc})")  # noqa: S608 - names of this module
            self.execute("UPDATE deleted SET deleteddate_local = LOCAL_TIME(deleteddate)")
            self._set("zone", self._calendar.zone)

    def credentials(self) -> dict[str, str]:
        """Keys and secrets that outlive a restart."""
        return {row["name"]: row["value"] for row in self.rows("SELECT name, value FROM credential")}

    def keep_credential(self, name: str, value: str) -> None:
        """Store a key or secret."""
        self.execute("INSERT OR REPLACE INTO credential VALUES (?, ?)", (name, value))

    def _set(self, name: str, value: str) -> None:
        self.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))


def _unless_none(function: Callable[[str], str]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else function(text)


def _lower(text: Any) -> str | None:
    return None if text is None else str(text).lower()


def _upper(text: Any) -> str | None:
    return None if text is None else str(text).upper()
