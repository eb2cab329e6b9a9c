"""The syntax tree of a SOQL query. Positions are 1-based columns in the text, for error messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Name:
    """A word of the query and where it stands."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Path:
    """A field, over parents if need be: `Account.Owner.Name`."""

    names: tuple[Name, ...]

    @property
    def text(self) -> str:
        return ".".join(each.text for each in self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """A function: `COUNT()`, `COUNT(Id)`, `MAX(Amount)`, `FIELDS(ALL)`."""

    function: Name
    argument: Path | None


@dataclass(frozen=True, slots=True)
class Selected:
    expression: Path | Call
    alias: str | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: `kind` is string, datetime, date, number, boolean, null or date_literal.

    `pattern` is a string as LIKE reads it, where `\\_`, `\\%` and `\\\\` are literal characters.
    """

    kind: str
    value: Any
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of = != < <= > >= LIKE."""

    left: Path | Call
    operator: str
    right: Literal


@dataclass(frozen=True, slots=True)
class InList:
    left: Path
    values: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class InQuery:
    left: Path
    query: Query
    negated: bool


@dataclass(frozen=True, slots=True)
class Includes:
    """INCLUDES and EXCLUDES on multi-select picklists; each value may be several joined by `;`."""

    left: Path
    values: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Condition


@dataclass(frozen=True, slots=True)
class Conjunction:
    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    terms: tuple[Condition, ...]


Condition = Comparison | InList | InQuery | Includes | Negation | Conjunction | Disjunction


@dataclass(frozen=True, slots=True)
class OrderItem:
    expression: Path | Call
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    select: tuple[Selected | Query, ...]
    from_: Name
    alias: str | None = None
    where: Condition | None = None
    group: tuple[Path, ...] = ()
    having: Condition | None = None
    order: tuple[OrderItem, ...] = ()
    limit: int | None = None
    offset: int | None = None
