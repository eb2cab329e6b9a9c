"""The ``q`` parameter of collections: a small grammar, turned into SQL over stored columns (netsuite.md 2.7).

Text compares without regard to case, as saved searches do (unverified); dates are in the session's date format.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError

from twinbook_sandbox.netsuite.dates import parse_account_date
from twinbook_sandbox.netsuite.errors import NetSuiteError, invalid_parameter
from twinbook_sandbox.netsuite.schema import TEXT_KINDS, FieldSpec, Kind, RecordType
from twinbook_sandbox.netsuite.storage import LOCAL_COLUMNS
from twinbook_sandbox.netsuite.switches import DateFormat

GRAMMAR = r"""
?start: either
?either: both ("OR"i both)*         -> either
?both: factor ("AND"i factor)*      -> both
?factor: "(" either ")" | condition
condition: FIELD EMPTY              -> empty
         | FIELD (TEXTUAL|NUMERIC|TEMPORAL) values -> compare
values: "[" value ("," value)* "]" | value
value: QUOTED | BARE
FIELD: /[A-Za-z_][A-Za-z0-9_]*/
EMPTY.2: /EMPTY(_NOT)?\b/i
TEXTUAL.2: /(IS|CONTAIN|START_WITH|END_?WITH)(_NOT)?\b/i
NUMERIC.2: /(ANY_OF|BETWEEN|WITHIN|EQUAL|(GREATER|LESS)(_OR_EQUAL)?)(_NOT)?\b/i
TEMPORAL.2: /((ON_OR_)?(AFTER|BEFORE)|ON)(_NOT)?\b/i
QUOTED: /"[^"]*"/
BARE: /[^\s()\[\],"]+/
%ignore /\s+/
"""

_COMPARISONS = {
    "EQUAL": "=",
    "GREATER": ">",
    "GREATER_OR_EQUAL": ">=",
    "LESS": "<",
    "LESS_OR_EQUAL": "<=",
}
_DATE_COMPARISONS = {"ON": "=", "AFTER": ">", "BEFORE": "<", "ON_OR_AFTER": ">=", "ON_OR_BEFORE": "<="}
_PATTERNS = {"CONTAIN": ("%", "%"), "START_WITH": ("", "%"), "END_WITH": ("%", ""), "ENDWITH": ("%", "")}
_NUMBER_KINDS = (Kind.INTEGER, Kind.NUMBER, Kind.REF)
_DATE_KINDS = (Kind.DATE, Kind.DATETIME)


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL for a WHERE clause with its values in order."""

    sql: str
    values: tuple[Any, ...] = ()


EVERYTHING = Condition("1")


class FilterParser:
    """Reads ``q`` texts. One parser serves all record types."""

    def __init__(self) -> None:
        self._lark = Lark(GRAMMAR, parser="lalr", lexer="contextual", maybe_placeholders=False)

    def parse(self, text: str, kind: RecordType, date_format: DateFormat) -> Condition:
        """The condition a ``q`` text states; :class:`NetSuiteError` (``INVALID_PARAMETER``) if it is none."""
        try:
            tree = self._lark.parse(text)
            condition: Condition = _ToSql(kind.fields, date_format).transform(tree)
        except VisitError as error:
            if isinstance(error.orig_exc, NetSuiteError):
                raise error.orig_exc from None
            raise
        except LarkError as error:
            raise invalid_parameter("q", f"Invalid query filter. {str(error).splitlines()[0]}") from error
        return condition


class _ToSql(Transformer[Token, Condition]):
    """Builds conditions from the leaves up."""

    def __init__(self, fields: Mapping[str, FieldSpec], date_format: DateFormat) -> None:
        super().__init__()
        self._fields = fields
        self._date_format = date_format

    def either(self, parts: list[Condition]) -> Condition:
        return _joined(" OR ", parts)

    def both(self, parts: list[Condition]) -> Condition:
        return _joined(" AND ", parts)

    def value(self, tokens: list[Token]) -> str:
        return str(tokens[0]).strip('"')

    def values(self, values: list[str]) -> list[str]:
        return values

    def empty(self, parts: list[Token]) -> Condition:
        field = self._field(parts[0])
        return Condition(f"{field.column} IS {'NOT ' if parts[1].upper().endswith('_NOT') else ''}NULL")

    def compare(self, parts: list[Any]) -> Condition:
        field, operator, values = self._field(parts[0]), parts[1].upper(), parts[2]
        name = operator.removesuffix("_NOT")
        condition = self._builder(field, name)(field, name, values)
        if operator == name:
            return condition
        return Condition(f"NOT COALESCE({condition.sql}, 0)", condition.values)

    def _field(self, token: Token) -> FieldSpec:
        field = self._fields.get(str(token))
        if field is None or field.computed:
            raise invalid_parameter("q", f"Invalid query filter. Field '{token}' does not exist.")
        return field

    def _builder(self, field: FieldSpec, name: str) -> "Callable[[FieldSpec, str, list[str]], Condition]":
        if field.kind is Kind.BOOL and name == "IS":
            return _checkbox
        if field.kind in _NUMBER_KINDS and (name in _COMPARISONS or name in ("ANY_OF", "BETWEEN", "WITHIN")):
            return _number
        if field.kind in _DATE_KINDS and (name in _DATE_COMPARISONS or name in ("BETWEEN", "WITHIN")):
            return self._date
        if field.kind in (*TEXT_KINDS, Kind.ENUM) and (name == "IS" or name in _PATTERNS):
            return _text
        raise invalid_parameter(
            "q", f"Invalid query filter. Operator {name} does not suit the field '{field.name}'."
        )

    def _date(self, field: FieldSpec, name: str, values: list[str]) -> Condition:
        column = f"SUBSTR({LOCAL_COLUMNS.get(field.column, field.column)}, 1, 10)"
        days = tuple(self._day(one) for one in values)
        if name in ("BETWEEN", "WITHIN"):
            return Condition(f"{column} BETWEEN ? AND ?", _two(days, name))
        return Condition(f"{column} {_DATE_COMPARISONS[name]} ?", (_one(days, name),))

    def _day(self, text: str) -> str:
        try:
            return parse_account_date(text, self._date_format)[:10]
        except ValueError as error:
            raise invalid_parameter("q", f"Invalid query filter. {error}") from error


def _joined(word: str, parts: list[Condition]) -> Condition:
    sql = word.join(part.sql for part in parts)
    values = tuple(value for part in parts for value in part.values)
    return Condition(f"({sql})", values)


def _checkbox(_field: FieldSpec, name: str, values: list[str]) -> Condition:
    word = str(_one(values, name)).lower()
    if word not in ("true", "false"):
        raise invalid_parameter("q", f"Invalid query filter. {word} is neither true nor false.")
    return Condition(f"COALESCE({_field.column}, 'F') = ?", ("T" if word == "true" else "F",))


def _number(field: FieldSpec, name: str, values: list[str]) -> Condition:
    try:
        numbers = tuple(float(one) if "." in one or len(one) > 18 else int(one) for one in values)
    except ValueError as error:
        raise invalid_parameter("q", f"Invalid query filter. {field.name} needs numbers.") from error
    if name == "ANY_OF":
        return Condition(f"{field.column} IN ({', '.join('?' * len(numbers))})", numbers)
    if name in ("BETWEEN", "WITHIN"):
        return Condition(f"{field.column} BETWEEN ? AND ?", _two(numbers, name))
    return Condition(f"{field.column} {_COMPARISONS[name]} ?", (_one(numbers, name),))


def _text(field: FieldSpec, name: str, values: list[str]) -> Condition:
    text = str(_one(values, name)).lower()
    if name == "IS":
        return Condition(f"LOWER({field.column}) = ?", (text,))
    before, after = _PATTERNS[name]
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Condition(f"LOWER({field.column}) LIKE ? ESCAPE '\\'", (f"{before}{plain}{after}",))


def _one(values: Any, name: str) -> Any:
    if len(values) != 1:
        raise invalid_parameter("q", f"Invalid query filter. Operator {name} takes one value.")
    return values[0]


def _two(values: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    if len(values) != 2:
        raise invalid_parameter("q", f"Invalid query filter. Operator {name} takes two values.")
    return values
