"""Moving a store: all rows of one database into another, of whatever kind, and both compared row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Database, Tx
from twinbook.store.schema import metadata

# Rows that are held in memory at a time.
PAGE = 2000
# Rows of tables without a scope of their own belong to all; the transaction's is not looked at.
EVERY_SCOPE = ""


class NotEmptyError(Exception):
    """There is something in the store that was to be filled."""


class NotTheSameError(Exception):
    """After copying, the two stores differ: the copy is not to be used."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows of a table were copied, and found to be the same."""

    table: str
    rows: int


def copy(source: Database, target: Database, *, told: Callable[[Copied], None]) -> list[Copied]:
    """Copy everything in one transaction, then compare. Nobody may work on the two meanwhile.

    Raises `NotEmptyError` before anything is written, `NotTheSameError` when the comparison fails; the target is
    left as it was in both cases.
    """
    return source.read_now(
        EVERY_SCOPE, lambda read: target.run_now(EVERY_SCOPE, lambda write: _copy(read, write, told))
    )


def _copy(source: Tx, target: Tx, told: Callable[[Copied], None]) -> list[Copied]:
    filled = [table.name for table in metadata.sorted_tables if _count(target, table)]
    if filled:
        raise NotEmptyError(f"the target holds rows already (in {', '.join(filled)})")
    copied = []
    for table in metadata.sorted_tables:
        for page in _pages(source, table):
            target.execute(sa.insert(table), page)
        _number_on(target, table)
        copied.append(Copied(table.name, _compare(source, target, table)))
        told(copied[-1])
    return copied


def _compare(source: Tx, target: Tx, table: sa.Table) -> int:
    """Row by row in the order of the key; how many there are."""
    number = 0
    for ours, theirs in zip_longest(_rows(source, table), _rows(target, table)):
        if ours != theirs:
            raise NotTheSameError(f"row {number + 1} of {table.name} is not the same in both stores")
        number += 1
    return number


def _rows(tx: Tx, table: sa.Table) -> Iterator[dict[str, Any]]:
    for page in _pages(tx, table):
        yield from page


def _pages(tx: Tx, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """All rows by keyset, so that a store of any size is copied in constant memory. The order is that of bytes on both
    kinds of database."""
    keys = [_in_bytes(tx, column) for column in table.primary_key]
    after: list[Any] | None = None
    while True:
        statement = sa.select(table).order_by(*keys).limit(PAGE)
        if after is not None:
            statement = statement.where(sa.tuple_(*keys) > sa.tuple_(*after))
        page = [dict(row) for row in tx.execute(statement).mappings()]
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = [page[-1][column.name] for column in table.primary_key]


def _in_bytes(tx: Tx, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """SQLite compares text by its bytes; PostgreSQL by the rules of a language, unless told otherwise."""
    textual = isinstance(column.type, sa.Text) and tx.db.dialect.name == "postgresql"
    return sa.collate(column, "C") if textual else column


def _count(tx: Tx, table: sa.Table) -> int:
    return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _number_on(tx: Tx, table: sa.Table) -> None:
    """PostgreSQL counts on from its own sequence, not from the highest number that was given."""
    key = table.autoincrement_column
    if tx.db.dialect.name != "postgresql" or key is None:
        return
    highest = tx.execute(sa.select(sa.func.max(key))).scalar()
    sequence = sa.func.pg_get_serial_sequence(table.name, key.name)
    tx.execute(sa.select(sa.func.setval(sequence, highest or 1, highest is not None)))
