"""The one statement that SQLite and PostgreSQL spell through different constructs: insert or update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from twinbook.store.database import Tx

T = TypeVar("T")

# SQLite allows 32,766 parameters in a statement, PostgreSQL 65,535.
IDS_PER_STATEMENT = 1000


def upsert(
    tx: Tx,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    *,
    update: dict[str, Any] | None = None,
    keys: Sequence[sa.Column[Any]] = (),
) -> None:
    """Insert rows; where the primary key (or `keys`, which are unique together) exists, set the given columns, or all
    that the rows carry.

    `update` values may refer to the stored row by `table.c` and to the new one by `incoming(column)`.
    """
    if not rows:
        return
    make = postgresql.insert if tx.db.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    names = [column.name for column in keys or table.primary_key]
    changes = update or {name: incoming(name) for name in rows[0] if name not in names}
    tx.execute(statement.on_conflict_do_update(index_elements=names, set_=changes), list(rows))


def incoming(column: str) -> sa.ColumnClause[Any]:
    """The value that the conflicting insert would have stored."""
    return sa.literal_column(f"excluded.{column}")


def chunks(items: Sequence[T], size: int = IDS_PER_STATEMENT) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
