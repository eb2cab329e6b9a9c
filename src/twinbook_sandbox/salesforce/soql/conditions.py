"""WHERE and HAVING as SQL. SOQL knows true and false only: what compares with null is false, or true for `!=`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.ids import normalise
from twinbook_sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, Field, FieldType
from twinbook_sandbox.salesforce.soql import syntax as s
from twinbook_sandbox.salesforce.soql.dates import span_of
from twinbook_sandbox.salesforce.soql.scope import Column, Scope
from twinbook_sandbox.salesforce.times import datetime_text, parse_datetime

Sql = tuple[str, list[Any]]
_KINDS: dict[FieldType, tuple[str, ...]] = {
    FieldType.BOOLEAN: ("boolean",),
    FieldType.DATE: ("date", "date_literal"),
    FieldType.DATETIME: ("datetime", "date_literal"),
}
_TYPE_NAMES = {FieldType.DATETIME: "dateTime", FieldType.INT: "int"}


class Conditions:
    """Turns the conditions of one query into SQL; inner queries are left to `inner`."""

    def __init__(self, scope: Scope, today: date, inner: Callable[[s.Query], Sql]) -> None:
        self._scope = scope
        self._today = today
        self._inner = inner

    def sql(self, condition: s.Condition) -> Sql:
        """SQL of a condition and its parameters. Raises ApiError."""
        match condition:
            case s.Comparison():
                return self._comparison(condition)
            case s.InList():
                return self._in_list(condition)
            case s.InQuery():
                return self._in_query(condition)
            case s.Includes():
                return self._includes(condition)
            case s.Negation(inner):
                sql, parameters = self.sql(inner)
                return f"NOT coalesce(({sql}), 0)", parameters
            case s.Conjunction(terms):
                return self._joined(" AND ", terms)
            case s.Disjunction(terms):
                return self._joined(" OR ", terms)

    def _joined(self, word: str, terms: tuple[s.Condition, ...]) -> Sql:
        parts = [self.sql(term) for term in terms]
        parameters = [each for _, values in parts for each in values]
        return f"({word.join(sql for sql, _ in parts)})", parameters

    def _column(self, path: s.Path) -> Column:
        column = self._scope.column(path)
        if not column.field.filterable:
            problem = f"field '{column.field.name}' can not be filtered in a query call"
            raise self._scope.error("INVALID_FIELD", path.names[-1], problem)
        return column

    def _comparison(self, condition: s.Comparison) -> Sql:
        left, operator, literal = condition.left, condition.operator, condition.right
        if isinstance(left, s.Call):
            return f"{aggregate_sql(self._scope, left)[0]} {operator} ?", [literal.value]
        column = self._column(left)
        if operator == "LIKE":
            return self._like(column, left, literal)
        if literal.kind == "date_literal":
            return self._date_literal(column, left, operator, literal)
        value = self.value(column.field, left.names[-1], literal)
        if value is None:
            return self._null(column, left, operator)
        sql, mark = _case_blind(column, value)
        if operator == "!=":
            return f"{sql} IS NOT {mark}", [value]
        return f"{sql} {operator} {mark}", [value]

    def _null(self, column: Column, path: s.Path, operator: str) -> Sql:
        if operator not in ("=", "!="):
            raise self._scope.error(
                "MALFORMED_QUERY", path.names[-1], f"null cannot be compared by {operator}"
            )
        return f"{column.sql} IS {'NOT ' if operator == '!=' else ''}NULL", []

    def _like(self, column: Column, path: s.Path, literal: s.Literal) -> Sql:
        if column.field.type in (*ID_TYPES, *NUMBER_TYPES, *_KINDS):
            problem = f"invalid operator on {_type_name(column.field)} field"
            raise self._scope.error("INVALID_QUERY_FILTER_OPERATOR", path.names[-1], problem)
        self._check_kind(column.field, path.names[-1], literal)
        sql, mark = (column.sql, "?") if literal.pattern.isascii() else (f"fold({column.sql})", "fold(?)")
        return f"{sql} LIKE {mark} ESCAPE '\\'", [literal.pattern]

    def _date_literal(self, column: Column, path: s.Path, operator: str, literal: s.Literal) -> Sql:
        self._check_kind(column.field, path.names[-1], literal)
        first, after = (_edge(column.field, day) for day in span_of(literal.value, self._today))
        sql = column.sql
        return {
            "=": (f"({sql} >= ? AND {sql} < ?)", [first, after]),
            "!=": (f"({sql} IS NULL OR {sql} < ? OR {sql} >= ?)", [first, after]),
            "<": (f"{sql} < ?", [first]),
            "<=": (f"{sql} < ?", [after]),
            ">": (f"{sql} >= ?", [after]),
            ">=": (f"{sql} >= ?", [first]),
        }[operator]

    def _in_list(self, condition: s.InList) -> Sql:
        column = self._column(condition.left)
        values = [self.value(column.field, condition.left.names[-1], each) for each in condition.values]
        present = [each for each in values if each is not None]
        exact = all(_case_blind(column, each)[1] == "?" for each in present)
        if not exact:
            present = [str(each).casefold() for each in present]
        subject = column.sql if exact else f"fold({column.sql})"
        listed = f"{subject} IN (SELECT value FROM json_each(?))"  # noqa: S608
        nulls = f"{column.sql} IS NULL"
        if None in values:
            listed = f"({listed} OR {nulls})"
        sql = f"NOT coalesce({listed}, 0)" if condition.negated else listed
        return sql, [json.dumps(present)]

    def _in_query(self, condition: s.InQuery) -> Sql:
        column = self._column(condition.left)
        if column.field.type not in ID_TYPES:
            problem = "semi-joins are allowed on id and reference fields only"
            raise self._scope.error("MALFORMED_QUERY", condition.left.names[-1], problem)
        inner, parameters = self._inner(condition.query)
        sql = f"{column.sql} IN ({inner})"
        return (f"NOT coalesce({sql}, 0)" if condition.negated else sql), parameters

    def _includes(self, condition: s.Includes) -> Sql:
        column = self._column(condition.left)
        if column.field.type is not FieldType.MULTIPICKLIST:
            problem = "INCLUDES and EXCLUDES are for multi-select picklists"
            raise self._scope.error("INVALID_QUERY_FILTER_OPERATOR", condition.left.names[-1], problem)
        parameters: list[Any] = []
        choices = []
        for literal in condition.values:
            needed = [each.strip() for each in str(literal.value).split(";")]
            choices.append(" AND ".join([f"instr(lower(';' || {column.sql} || ';'), ?)"] * len(needed)))
            parameters += [f";{each.lower()};" for each in needed]
        sql = "(" + " OR ".join(f"({each})" for each in choices) + ")"
        return (f"NOT coalesce({sql}, 0)" if condition.negated else sql), parameters

    def value(self, field: Field, name: s.Name, literal: s.Literal) -> Any:
        """The stored form of a literal that a field is compared with. Raises ApiError when it does not fit."""
        if literal.kind == "null":
            return None
        self._check_kind(field, name, literal)
        if literal.kind == "boolean":
            return int(literal.value)
        if literal.kind == "datetime":
            return datetime_text(parse_datetime(literal.value))
        if literal.kind == "date_literal":
            return _edge(field, span_of(literal.value, self._today)[0])
        if field.type in ID_TYPES and literal.value:
            return self._id(name, literal.value)
        return literal.value if literal.value != "" else None

    def _id(self, name: s.Name, text: str) -> str:
        id_ = normalise(text)
        if id_ is None:
            raise self._scope.error("INVALID_QUERY_FILTER_OPERATOR", name, f"invalid ID field: {text}")
        return id_

    def _check_kind(self, field: Field, name: s.Name, literal: s.Literal) -> None:
        fits = _KINDS.get(field.type) or (("number",) if field.type in NUMBER_TYPES else ("string",))
        if literal.kind in (*fits, "null"):
            return
        quotes = "should be enclosed in quotes" if "string" in fits else "should not be enclosed in quotes"
        problem = f"value of filter criterion for field '{field.name}' must be of type {_type_name(field)} and {quotes}"
        raise self._scope.error("INVALID_FIELD", name, problem)


def _type_name(field: Field) -> str:
    if field.type in _TYPE_NAMES:
        return _TYPE_NAMES[field.type]
    if field.type in NUMBER_TYPES:
        return "double"
    if field.type in ID_TYPES:
        return "ID"
    return str(field.type) if field.type in _KINDS else "string"


def _edge(field: Field, day: date) -> str:
    if field.type is FieldType.DATE:
        return day.isoformat()
    return datetime_text(datetime.combine(day, time(), UTC))


def _case_blind(column: Column, value: Any) -> tuple[str, str]:
    """The two sides of a comparison. The column's collation folds ASCII; other letters need a function."""
    exact = column.field.case_sensitive or not isinstance(value, str) or value.isascii()
    return (column.sql, "?") if exact else (f"fold({column.sql})", "fold(?)")


_AGGREGATES = {
    "count": "count({})",
    "count_distinct": "count(DISTINCT {})",
    "min": "min({})",
    "max": "max({})",
    "sum": "sum({})",
    "avg": "avg({})",
}


def aggregate_sql(scope: Scope, call: s.Call) -> tuple[str, Column | None]:
    """SQL of an aggregate function, and its field. Raises ApiError."""
    name = call.function.text.lower()
    if name not in _AGGREGATES:
        problem = f"unexpected token: '{call.function.text}'"
        raise scope.error("MALFORMED_QUERY", call.function, problem)
    if call.argument is None:
        if name != "count":
            raise ApiError("MALFORMED_QUERY", f"{call.function.text} needs a field")
        return "count(*)", None
    column = scope.column(call.argument)
    return _AGGREGATES[name].format(column.sql), column
