"""A query as SQL on the org's tables, with the shape in which its rows become records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any, Literal

from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.schema import Field, FieldType, ObjectSchema
from twinbook_sandbox.salesforce.soql import syntax as s
from twinbook_sandbox.salesforce.soql.conditions import Conditions, Sql, aggregate_sql
from twinbook_sandbox.salesforce.soql.scope import Column, Scope, find_object

LARGEST_OFFSET = 2000
Kind = Literal["records", "aggregate", "count"]
"""Of a query: count, when only the number of rows is wanted."""
_MOST_FIELDS_ROWS = 200


@dataclass(slots=True)
class Shape:
    """How a row becomes a record: its entity, the index of its id, and its members by name.

    A member is the index of a value, with the field behind it; the indices of an address's parts; the shape
    of a parent; or a child query.
    """

    entity: str
    id_index: int
    values: dict[str, tuple[int, Field]] = field(default_factory=dict)
    addresses: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    parents: dict[str, Shape] = field(default_factory=dict)
    children: dict[str, Statement] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def named(self, name: str) -> None:
        if name not in self.order:
            self.order.append(name)


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled query. `columns` are SQL expressions; the rest are the clauses with their parameters.

    `names` are those of the selected values: the columns of an aggregate, the paths of records.
    """

    kind: Kind
    entity: str
    table: str
    columns: tuple[str, ...]
    names: tuple[str, ...]
    from_: str
    where: str
    parameters: tuple[Any, ...]
    group: str
    order: str
    limit: int | None
    offset: int
    shape: Shape | None
    parent_field: str | None = None
    """Of a child query: its reference to the parent."""


@dataclass(slots=True)
class Selection:
    """What a query selects: SQL expressions, and the names of the selected values as a CSV header has them."""

    kind: Kind
    columns: list[str]
    names: list[str] = field(default_factory=list)
    shape: Shape | None = None


class Compiler:
    """Compiles the queries of one user at one moment."""

    def __init__(
        self, text: str, objects: Mapping[str, ObjectSchema], today: date, *, with_deleted: bool
    ) -> None:
        self._text = text
        self._objects = objects
        self._today = today
        self._with_deleted = with_deleted
        self._counter = count()

    def compile(self, query: s.Query) -> Statement:
        """The statement of a whole query. Raises ApiError."""
        return self._statement(query, find_object(self._text, self._objects, query.from_), None)

    def _statement(self, query: s.Query, schema: ObjectSchema, parent: Field | None) -> Statement:
        scope = self._scope(schema, query.alias)
        selection = self._selection(scope, query)
        where, parameters = self._where(scope, query.where)
        group, group_parameters = self._group(scope, query)
        order = self._order(scope, query, selection)
        return Statement(
            kind=selection.kind,
            entity=schema.name,
            table=scope.table,
            columns=tuple(selection.columns),
            names=tuple(selection.names),
            from_=scope.from_sql,
            where=where,
            parameters=(*parameters, *group_parameters),
            group=group,
            order=order,
            limit=query.limit,
            offset=_offset(query),
            shape=selection.shape,
            parent_field=parent.name if parent else None,
        )

    def _selection(self, scope: Scope, query: s.Query) -> Selection:
        if _only_count(query):
            return Selection("count", ["count(*)"])
        if query.group or any(isinstance(each, s.Selected) and _is_aggregate(each) for each in query.select):
            return self._aggregates(scope, query)
        return self._records(scope, query)

    def _scope(self, schema: ObjectSchema, alias: str | None) -> Scope:
        return Scope(self._text, self._objects, schema, alias, f"t{next(self._counter)}", self._counter)

    def _where(self, scope: Scope, condition: s.Condition | None) -> Sql:
        live = not self._with_deleted and scope.schema.field("IsDeleted") is not None
        clauses = [f'{scope.table}."IsDeleted"=0'] if live else []
        parameters: list[Any] = []
        if condition is not None:
            sql, parameters = Conditions(scope, self._today, self._inner).sql(condition)
            clauses.append(sql)
        return " AND ".join(clauses) or "1", parameters

    def _inner(self, query: s.Query) -> Sql:
        """A semi-join's query: one field, whose empty values do not count."""
        schema = find_object(self._text, self._objects, query.from_)
        scope = self._scope(schema, query.alias)
        only = query.select[0]
        if len(query.select) != 1 or isinstance(only, s.Query) or not isinstance(only.expression, s.Path):
            raise scope.error("MALFORMED_QUERY", query.from_, "a semi-join selects exactly one field")
        column = scope.column(only.expression)
        where, parameters = self._where(scope, query.where)
        sql = f"SELECT {column.sql} FROM {scope.from_sql} WHERE {where} AND {column.sql} IS NOT NULL"  # noqa: S608
        return sql, parameters

    # what is selected

    def _records(self, scope: Scope, query: s.Query) -> Selection:
        root = Shape(scope.schema.name, 0)
        selection = Selection("records", [f'{scope.table}."Id"'], shape=root)
        for each in query.select:
            if isinstance(each, s.Query):
                self._add_child(scope, root, each)
                continue
            for column in self._selected(scope, query, each):
                if column.path in selection.names:
                    raise ApiError("MALFORMED_QUERY", f"duplicate field selected: {column.path}")
                selection.names.append(column.path)
                _add_column(selection.columns, root, column)
        return selection

    def _selected(self, scope: Scope, query: s.Query, selected: s.Selected) -> list[Column]:
        expression = selected.expression
        if isinstance(expression, s.Path):
            return [scope.column(expression)]
        which = expression.argument.text.upper() if expression.argument else ""
        if expression.function.text.upper() != "FIELDS" or which not in ("ALL", "STANDARD", "CUSTOM"):
            problem = f"unexpected token: '{expression.function.text}'"
            raise scope.error("MALFORMED_QUERY", expression.function, problem)
        if which != "STANDARD" and not 0 < (query.limit or 0) <= _MOST_FIELDS_ROWS:
            problem = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_FIELDS_ROWS}"
            raise ApiError("MALFORMED_QUERY", problem)
        wanted = [f for f in scope.schema.fields if which == "ALL" or f.custom == (which == "CUSTOM")]
        return [Column(scope.table, scope.schema, each, ()) for each in wanted]

    def _add_child(self, scope: Scope, root: Shape, query: s.Query) -> None:
        name = query.from_.text
        for schema in self._objects.values():
            for each in schema.references():
                if each.reference_to == scope.schema.name and (each.plural or "").lower() == name.lower():
                    root.children[each.plural or ""] = self._statement(query, schema, each)
                    root.named(each.plural or "")
                    return
        problem = f"Didn't understand relationship '{name}' in FROM part of query call."
        raise scope.error("INVALID_TYPE", query.from_, problem)

    def _aggregates(self, scope: Scope, query: s.Query) -> Selection:
        selection, unnamed = Selection("aggregate", []), count()
        grouped = {scope.column(each).sql for each in query.group}
        for each in query.select:
            if isinstance(each, s.Query):
                raise scope.error("MALFORMED_QUERY", each.from_, "child queries cannot be grouped")
            if isinstance(each.expression, s.Call):
                selection.columns.append(aggregate_sql(scope, each.expression)[0])
                selection.names.append(each.alias or f"expr{next(unnamed)}")
                continue
            column = scope.column(each.expression)
            if column.sql not in grouped:
                problem = f"Field must be grouped or aggregated: {column.field.name}"
                raise scope.error("MALFORMED_QUERY", each.expression.names[-1], problem)
            selection.columns.append(column.sql)
            selection.names.append(each.alias or column.field.name)
        return selection

    # the clauses behind WHERE

    def _group(self, scope: Scope, query: s.Query) -> Sql:
        if not query.group:
            return "", []
        sql = "GROUP BY " + ", ".join(scope.column(each).sql for each in query.group)
        if query.having is None:
            return sql, []
        having, parameters = Conditions(scope, self._today, self._inner).sql(query.having)
        return f"{sql} HAVING {having}", parameters

    def _order(self, scope: Scope, query: s.Query, selection: Selection) -> str:
        parts = []
        grouped = selection.kind == "aggregate"
        aliases = dict(zip(selection.names, selection.columns, strict=True)) if grouped else {}
        for item in query.order:
            if isinstance(item.expression, s.Call):
                sql = aggregate_sql(scope, item.expression)[0]
            elif item.expression.text in aliases:
                sql = aliases[item.expression.text]
            else:
                column = scope.column(item.expression)
                if not column.field.filterable:
                    problem = f"field '{column.field.name}' can not be sorted in a query call"
                    raise scope.error("MALFORMED_QUERY", item.expression.names[-1], problem)
                sql = column.sql
            direction = "DESC" if item.descending else "ASC"
            parts.append(f"{sql} {direction} NULLS {'LAST' if item.nulls_last else 'FIRST'}")
        return f"ORDER BY {', '.join(parts)}" if parts else ""


def _is_aggregate(selected: s.Selected) -> bool:
    return isinstance(selected.expression, s.Call) and selected.expression.function.text.upper() != "FIELDS"


def _only_count(query: s.Query) -> bool:
    only = query.select[0]
    if len(query.select) != 1 or isinstance(only, s.Query) or not isinstance(only.expression, s.Call):
        return False
    return only.expression.function.text.upper() == "COUNT" and only.expression.argument is None


def _offset(query: s.Query) -> int:
    if (query.offset or 0) > LARGEST_OFFSET:
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {LARGEST_OFFSET}")
    return query.offset or 0


def _add_column(columns: list[str], root: Shape, column: Column) -> None:
    shape = root
    for parent in column.parents:
        shape.named(parent.relationship)
        if parent.relationship not in shape.parents:
            columns.append(f'{parent.table}."Id"')
            shape.parents[parent.relationship] = Shape(parent.schema.name, len(columns) - 1)
        shape = shape.parents[parent.relationship]
    shape.named(column.field.name)
    if column.field.type is FieldType.ADDRESS:
        shape.addresses[column.field.name] = _add_address(columns, column)
    else:
        columns.append(column.sql)
        shape.values[column.field.name] = (len(columns) - 1, column.field)


def _add_address(columns: list[str], column: Column) -> tuple[tuple[str, int], ...]:
    indices = []
    for part in column.schema.parts_of(column.field.name):
        columns.append(f'{column.table}."{part.name}"')
        name = part.part or part.name
        indices.append((name[0].lower() + name[1:], len(columns) - 1))
    return tuple(sorted(indices))
