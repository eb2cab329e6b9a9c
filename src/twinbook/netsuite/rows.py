"""Rows of contacts and customers by whatever identifies them: over REST, one SuiteQL query for a batch if possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from twinbook.domain.versions import SETTLED_AFTER_S, version_seen
from twinbook.http import HttpResponse
from twinbook.netsuite.columns import Column, identifier, select_list
from twinbook.netsuite.records import RecordType
from twinbook.netsuite.suiteql import (
    TIME_FORMAT,
    Row,
    SuiteQL,
    any_of,
    id_literal,
    is_id,
    is_literal,
    literal,
)

VERSION: Final = f"TO_CHAR(c.lastmodifieddate, '{TIME_FORMAT}') AS version"

QUARTER_S: Final = 900.0
"""A quarter of an hour, in seconds."""

Keys = Mapping[str, Sequence[str]]
"""Values by the column that is compared with them; `FOLDED` ones without regard to case."""

FOLDED: Final = {
    "email": "LOWER(c.email)",
    "entityid": "LOWER(c.entityid)",
    "companyname": "LOWER(TRIM(c.companyname))",
}

_CUSTOMER_JOIN = " LEFT JOIN customer k ON k.id = c.company"
_ADDRESS_COLUMNS = (
    "b.defaultbilling",
    "a.addr1",
    "a.addr2",
    "a.addr3",
    "a.city",
    "a.state",
    "a.zip",
    "a.country",
)
_SUBSIDIARY_JOIN = " LEFT JOIN customersubsidiaryrelationship s ON s.entity = c.id AND s.isprimarysub = 'T'"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is wanted of each record: columns, and beside them id and version; for contacts also `customerid`, where
    their company is a customer."""

    record: RecordType
    columns: tuple[Column, ...]
    addresses: bool = False
    subsidiary: bool = False


class RowSource(Protocol):
    """Where the rows of records come from. `binds`: whether a write can be bound to the version in them."""

    @property
    def binds(self) -> bool: ...

    async def rows(self, shape: Shape, keys: Keys) -> Sequence[Row]:
        """Rows that match any of the keys. What no record can hold matches nothing."""
        ...


def usable(column: str, values: Iterable[str]) -> list[str]:
    """The values that a record can hold in this column, folded where case does not count, in a fixed order."""
    if column == "id":
        return sorted({value for value in values if is_id(value)})
    if column in FOLDED:
        values = {value.strip().lower() for value in values}
    return sorted({value for value in values if value and is_literal(value)})


def one_row_each(rows: Iterable[Row]) -> Iterable[Row]:
    """One row for each id: two defaults on two address lines give two rows; the billing default counts."""
    best: dict[str, Row] = {}
    for row in rows:
        if row["id"] not in best or row.get("defaultbilling") == "T":
            best[row["id"]] = row
    return best.values()


def as_read(row: Row, answer: HttpResponse) -> Row:
    """The row with its version marked where it is too young to tell of the next edit.

    The zone of these times is not documented (netsuite.md 4.5). All zones are whole quarters of an hour apart, so it is
    asked only whether the time *within its quarter* is that of the call. One version in some hundred is taken for young
    by chance, and read once more than it need be.
    """
    moment = row.get("version")
    return {**row, "version": version_seen(moment, is_open=_is_of(answer, moment))} if moment else row


def _is_of(answer: HttpResponse, moment: str) -> bool:
    """Whether a moment may be that of the call, from shortly before it was sent until shortly after its answer."""
    if answer.answered_at is None:
        return True
    changed = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    until = answer.answered_at + SETTLED_AFTER_S
    return (until - changed) % QUARTER_S <= answer.seconds + 2 * SETTLED_AFTER_S


class SuiteQLRows:
    """Rows over the REST service."""

    binds: Final = False

    def __init__(self, suiteql: SuiteQL) -> None:
        self._suiteql = suiteql

    async def rows(self, shape: Shape, keys: Keys) -> Sequence[Row]:
        terms = {
            FOLDED.get(column, f"c.{identifier(column)}"): _literals(column, values)
            for column, values in keys.items()
        }
        if not any(terms.values()):
            return ()
        select = f"SELECT {_selected(shape)} FROM {shape.record.value} c{_joins(shape)}"  # noqa: S608  (names are checked)
        found: list[Row] = []
        for where in any_of(terms):
            async for page in self._suiteql.pages(f"{select} WHERE {where} ORDER BY c.id"):
                found += (as_read(row, page.answer) for row in page.rows)
        return found


def _literals(column: str, values: Sequence[str]) -> list[str]:
    return [id_literal(value) if column == "id" else literal(value) for value in usable(column, values)]


def _selected(shape: Shape) -> str:
    parts = ["c.id", *(column.sql("c") for column in shape.columns), VERSION]
    if shape.record is RecordType.CONTACT:
        parts.append("k.id AS customerid")
    if shape.subsidiary:
        parts.append("s.subsidiary")
    return select_list((*parts, *(_ADDRESS_COLUMNS if shape.addresses else ())))


def _joins(shape: Shape) -> str:
    joins = _CUSTOMER_JOIN if shape.record is RecordType.CONTACT else ""
    joins += _SUBSIDIARY_JOIN if shape.subsidiary else ""
    return joins + (_address_join(shape.record.value) if shape.addresses else "")


def _address_join(table: str) -> str:
    """The default lines of a contact or customer; the names of the tables are unverified."""
    return (
        f" LEFT JOIN {table}addressbook b ON b.entity = c.id"
        " AND (b.defaultbilling = 'T' OR b.defaultshipping = 'T')"
        f" LEFT JOIN {table}addressbookentityaddress a ON a.nkey = b.addressbookaddress"
    )
