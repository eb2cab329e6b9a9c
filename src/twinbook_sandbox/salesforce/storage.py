"""The org's database: one SQLite connection, used synchronously, one table for each object.

Rows hold the stored forms of `values`. Text columns compare without regard to case, as SOQL does, unless the
field is case-sensitive. Besides the fields of its object a row has `_row` (its number), and for records in the
recycle bin when they were deleted and by which transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from twinbook_sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, Field, FieldType, ObjectSchema

DELETED_AT = "_deleted_at"
DELETED_IN = "_deleted_in"

Row = dict[str, Any]


class Storage:
    """Tables, rows and transactions. Every statement outside `transaction` commits by itself."""

    def __init__(self, path: str | None, objects: Iterable[ObjectSchema]) -> None:
        self._objects = tuple(objects)
        self._recycled = {each.name for each in self._objects if each.field("IsDeleted")}
        self._serials: dict[str, int] = {}
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.create_function("fold", 1, _fold, deterministic=True)
        self._db.execute("PRAGMA journal_mode=WAL" if path else "PRAGMA journal_mode=MEMORY")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS _meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        self._create_tables()

    def close(self) -> None:
        self._db.close()

    # transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All or nothing inside a transaction."""
        self._db.execute("SAVEPOINT record")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO record")
            self._db.execute("RELEASE record")
            raise
        self._db.execute("RELEASE record")

    # rows

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        columns = ",".join(f'"{name}"' for name in row)
        marks = ",".join("?" * len(row))
        self._db.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', tuple(row.values()))  # noqa: S608

    def update(self, table: str, id_: str, changes: Mapping[str, Any]) -> None:
        if changes:
            columns = ",".join(f'"{name}"=?' for name in changes)
            self._db.execute(f'UPDATE "{table}" SET {columns} WHERE "Id"=?', (*changes.values(), id_))  # noqa: S608

    def remove(self, table: str, id_: str) -> None:
        self._db.execute(f'DELETE FROM "{table}" WHERE "Id"=?', (id_,))  # noqa: S608

    def get(self, table: str, id_: str) -> Row | None:
        """The record with this 18-character id, deleted ones too."""
        rows = self.rows(f'SELECT * FROM "{table}" WHERE "Id"=?', (id_,))  # noqa: S608
        return rows[0] if rows else None

    def is_deleted(self, table: str, id_: str) -> bool | None:
        """Whether the record is in the recycle bin; None when there is no such record."""
        column = '"IsDeleted"' if self._has_recycle_bin(table) else "0"
        found = self._db.execute(f'SELECT {column} FROM "{table}" WHERE "Id"=?', (id_,)).fetchone()  # noqa: S608
        return bool(found[0]) if found else None

    def find(self, table: str, field: str, value: Any) -> list[Row]:
        """Live records whose field has this value; with a value of None, where it is empty."""
        sql = f'SELECT * FROM "{table}" WHERE "{field}" IS ?{self._live(table)} ORDER BY "Id"'  # noqa: S608
        return self.rows(sql, (value,))

    def deleted_in(self, table: str, field: str, value: str, transaction: str) -> list[Row]:
        """Records with this reference that went to the recycle bin in one transaction."""
        sql = f'SELECT * FROM "{table}" WHERE "{field}"=? AND "{DELETED_IN}"=?'  # noqa: S608
        return self.rows(sql, (value, transaction))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a SELECT by column name."""
        cursor = self._db.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run any statement, for the SOQL side."""
        return self._db.execute(sql, parameters)

    def count(self, table: str) -> int:
        """How many live records the object has."""
        sql = f'SELECT count(*) FROM "{table}" WHERE 1{self._live(table)}'  # noqa: S608
        return int(self._db.execute(sql).fetchone()[0])

    def next_serial(self, table: str) -> int:
        """A number that no record of the object has or had since the last reset; it becomes the row's `_row`."""
        if table not in self._serials:
            found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name=?", (table,)).fetchone()
            self._serials[table] = int(found[0]) if found else 0
        self._serials[table] += 1
        return self._serials[table]

    # what is no record

    def meta(self, name: str) -> str | None:
        found = self._db.execute("SELECT value FROM _meta WHERE name=?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def set_meta(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO _meta VALUES (?, ?)", (name, value))

    def clear(self) -> None:
        """Remove all records; meta values stay."""
        self._serials.clear()
        for each in self._objects:
            self._db.execute(f'DROP TABLE "{each.name}"')
        self._create_tables()

    def _live(self, table: str) -> str:
        return ' AND "IsDeleted"=0' if self._has_recycle_bin(table) else ""

    def _has_recycle_bin(self, table: str) -> bool:
        return table in self._recycled

    def _create_tables(self) -> None:
        for schema in self._objects:
            columns = ", ".join(_column(each) for each in schema.fields if each.stored)
            # AUTOINCREMENT remembers the highest number, so that a purged record's id is never given again
            self._db.execute(
                f'CREATE TABLE IF NOT EXISTS "{schema.name}" ("_row" INTEGER PRIMARY KEY AUTOINCREMENT, '
                f'"{DELETED_AT}" TEXT, "{DELETED_IN}" TEXT, {columns})'
            )
            for each in filter(_indexed, schema.fields):
                index, columns = f'"{schema.name}_{each.name}"', f'"{each.name}", "Id"'
                self._db.execute(f'CREATE INDEX IF NOT EXISTS {index} ON "{schema.name}" ({columns})')


def _indexed(field: Field) -> bool:
    refers_to_data = field.reference_to not in (None, "User")
    return field.name == "SystemModstamp" or field.unique or field.id_lookup or refers_to_data


def _column(field: Field) -> str:
    if field.type is FieldType.ID:
        return f'"{field.name}" TEXT NOT NULL UNIQUE'
    if field.type is FieldType.BOOLEAN:
        return f'"{field.name}" INTEGER NOT NULL DEFAULT {int(bool(field.default))}'
    if field.type in NUMBER_TYPES:
        return f'"{field.name}" {"REAL" if field.scale else "NUMERIC"}'
    exact = field.case_sensitive or field.type in (*ID_TYPES, FieldType.DATE, FieldType.DATETIME)
    return f'"{field.name}" TEXT{"" if exact else " COLLATE NOCASE"}'


def _fold(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text
