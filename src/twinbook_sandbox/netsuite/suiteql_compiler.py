"""From a SuiteQL shape (``suiteql_text``) to SQLite: names are checked, Oracle's ways are rewritten.

The parser and generator are sqlglot's. What the two databases do differently and sqlglot leaves to its caller is
here: dates as typed values, ROWNUM, text joined with NULL, old outer joins, BUILTIN.DF, the tables as views.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.transforms import eliminate_join_marks

from twinbook_sandbox.netsuite.dates import sqlite_strftime
from twinbook_sandbox.netsuite.schema import Kind
from twinbook_sandbox.netsuite.suiteql_tables import DATE, TEXT, Column, Table
from twinbook_sandbox.netsuite.suiteql_text import LIST_PREFIX, PREFIX, refused, search_error

MAX_ROWS = 100_000
_ENTITIES = ("contact", "customer")
_IDENTITY_FORMAT = "%Y-%m-%d %H:%M:%S"
_DATE_FUNCTIONS = frozenset(["F_TO_DATE", "F_TO_TIMESTAMP", "F_SYSDATE", "F_ADD_DAYS", "F_PARSE_DATE"])
_NEVER_NULL = frozenset(["id", "lastmodifieddate", "datecreated", "recordid", "deleteddate", "nkey"])
_PASSING = (exp.Alias, exp.Paren, exp.Max, exp.Min, exp.Coalesce)
"""Expressions that have the type of what they hold."""
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run: ``sql`` takes ``:page`` and ``:skip`` besides the shape's values."""

    sql: str
    count_sql: str
    keys: tuple[str, ...]
    date_columns: tuple[int, ...]
    """Positions of results that are dates, to be shown in the account's format."""


def compile_query(shape: str, tables: Mapping[str, Table]) -> Compiled:
    """Translate a shape for an account with these tables; :class:`NetSuiteError` if it cannot be."""
    try:
        tree = sqlglot.parse_one(shape, read="oracle")
    except SqlglotError as error:
        raise search_error("Invalid or unsupported search.") from error
    if not isinstance(tree, exp.Select | exp.SetOperation):
        raise search_error("Invalid or unsupported search.")
    if tree.find(exp.With) or tree.find(exp.Subquery, exp.Select) is None:
        raise search_error("Invalid or unsupported search.")
    eliminated = _without_join_marks(tree)
    names = _Names(tables)
    names.resolve(eliminated)
    columns = names.projections(eliminated)
    rewritten = _Rewriter(tables).rewrite(eliminated)
    return _finish(rewritten, columns)


def _without_join_marks(tree: exp.Expr) -> exp.Expr:
    """``a = b(+)`` as an outer join; sqlglot checks by assertions what cannot be one."""
    if not any(column.args.get("join_mark") for column in tree.find_all(exp.Column)):
        return tree
    try:
        return eliminate_join_marks(tree)
    except (AssertionError, KeyError) as error:
        raise search_error("Invalid use of the outer join operator (+).") from error


def _finish(tree: exp.Expr, columns: dict[str, Column]) -> Compiled:
    sql = tree.sql(dialect="sqlite")
    plain = isinstance(tree, exp.Select) and not any(
        tree.args.get(part) for part in ("limit", "offset", "distinct", "group", "having")
    )
    counted = tree.copy()
    counted.set("order", None)
    if plain and not any(one.find(exp.AggFunc) for one in tree.expressions):
        counted.set("expressions", [exp.Literal.number(1)])
    inner = counted.sql(dialect="sqlite")
    limited = tree.args.get("limit") or tree.args.get("offset")
    paged = f"SELECT * FROM ({sql})" if limited else sql  # noqa: S608 - our own SQL
    return Compiled(
        sql=f"{paged} LIMIT :page OFFSET :skip",
        count_sql=f"SELECT COUNT(*) FROM (SELECT * FROM ({inner}) LIMIT {MAX_ROWS})",  # noqa: S608 - our own SQL
        keys=tuple(columns),
        date_columns=tuple(index for index, column in enumerate(columns.values()) if column.is_date),
    )


def _known(node: exp.Expr) -> Column:
    """What is known of an expression after names were resolved."""
    if isinstance(node, exp.Column):
        found: Column = node.meta.get("column", TEXT)
        return found
    if isinstance(node, _PASSING):
        return _known(node.this)
    if isinstance(node, exp.Case):
        branches = node.args.get("ifs") or []
        return _known(branches[0].args["true"]) if branches else TEXT
    if isinstance(node, exp.CurrentTimestamp) or (
        isinstance(node, exp.Anonymous) and node.name.upper() in _DATE_FUNCTIONS
    ):
        return DATE
    if isinstance(node, exp.Anonymous) and node.name.upper() == "F_TRUNC":
        return _known(node.expressions[0])
    if isinstance(node, exp.Add | exp.Sub):
        return _known(node.this)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
        return _known(node.this.expressions[0])
    return TEXT


def _is_rownum(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Column) and not node.table and node.name.upper() == "ROWNUM"


class _Names:
    """Finds what each name stands for, and writes it on the column nodes (``meta["column"]``)."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._results: dict[int, dict[str, Column]] = {}

    def resolve(self, tree: exp.Expr) -> None:
        """Check all tables and columns, and write out ``*``."""
        for table in tree.find_all(exp.Table):
            if table.name.lower() not in self._tables:
                raise refused(f"Invalid search type: {table.name}.")
        for number, derived in enumerate(tree.find_all(exp.Subquery)):
            if isinstance(derived.parent, exp.From | exp.Join) and not derived.alias:
                derived.set("alias", exp.TableAlias(this=exp.to_identifier(f"derived{number}")))
        for scope in traverse_scope(tree):
            if isinstance(scope.expression, exp.Select):
                self._resolve_select(scope, scope.expression)

    def projections(self, tree: exp.Expr) -> dict[str, Column]:
        """The result columns of a query: lower-case keys, and what each holds."""
        query = tree
        while isinstance(query, exp.SetOperation | exp.Subquery):
            query = query.this
        named: dict[str, Column] = {}
        for index, one in enumerate(query.expressions):
            name = one.alias or (one.name if isinstance(one, exp.Column) else "")
            key = (name or f"expr{index + 1}").lower()
            repeats = sum(key == other.partition("_")[0] for other in named) if key in named else 0
            named[f"{key}_{repeats - 1}" if repeats else key] = _known(one)
        return named

    def _resolve_select(self, scope: Scope, select: exp.Select) -> None:
        self._write_out_stars(scope, select)
        aliases = {one.alias.lower() for one in select.expressions if one.alias}
        for column in _own_columns(select):
            if not _is_rownum(column) and not isinstance(column.this, exp.Star):
                self._resolve_column(scope, column, aliases)
        self._results[id(scope)] = self.projections(select)

    def _resolve_column(self, scope: Scope, column: exp.Column, aliases: set[str]) -> None:
        name, table = column.name.lower(), column.table.lower()
        around: Scope | None = scope
        while around is not None:
            for alias, source in around.sources.items():
                columns = self._columns(source)
                if table in ("", alias.lower()) and name in columns:
                    column.meta["column"] = columns[name]
                    if not (name in aliases and column.find_ancestor(exp.Order)):
                        column.set("table", exp.to_identifier(alias))
                    return
                if table == alias.lower():
                    text = f"Field '{column.name}' for record '{_name(source)}' was not found."
                    raise search_error(f"{text} Reason: NOT_EXISTS - Field does not exist.")
            around = around.parent
        if not table and name in aliases and column.find_ancestor(exp.Order, exp.Group, exp.Having):
            return
        known = ", ".join(f"{alias}={_name(source)}" for alias, source in scope.sources.items())
        unknown = column.table or column.name
        raise search_error(f"Unknown identifier '{unknown}'. Available identifiers are: {{{known}}}.")

    def _columns(self, source: exp.Expr | Scope) -> Mapping[str, Column]:
        if isinstance(source, Scope):
            return self._results.get(id(source)) or self.projections(source.expression)
        return self._tables[source.name.lower()].columns

    def _write_out_stars(self, scope: Scope, select: exp.Select) -> None:
        written: list[exp.Expr] = []
        for one in select.expressions:
            is_star = isinstance(one, exp.Star) or (
                isinstance(one, exp.Column) and isinstance(one.this, exp.Star)
            )
            if not is_star:
                written.append(one)
                continue
            of = one.table.lower() if isinstance(one, exp.Column) else ""
            for alias, source in scope.sources.items():
                if of in ("", alias.lower()):
                    written += [exp.column(name, table=alias) for name in self._columns(source)]
        select.set("expressions", written)


def _own_columns(select: exp.Select) -> list[exp.Column]:
    """The columns of a select without those of selects within it."""
    return [column for column in select.find_all(exp.Column) if column.parent_select is select]


def _name(source: exp.Expr | Scope) -> str:
    return "subquery" if isinstance(source, Scope) else source.name.lower()


class _Rewriter:
    """Rewrites a resolved tree for SQLite, from the leaves up."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    def rewrite(self, tree: exp.Expr) -> exp.Expr:
        """The whole tree."""
        root = tree
        for node in reversed(list(tree.bfs())):
            new = self._rewritten(node)
            if new is not node:
                if node is root:
                    root = new
                else:
                    node.replace(new)
        return root

    def _rewritten(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Anonymous) and node.name.upper().startswith(PREFIX):
            return _function(node)
        if _is_rownum(node):
            return sqlglot.parse_one("ROW_NUMBER() OVER ()", read="sqlite")
        for kind, rewrite in _REWRITES:
            if isinstance(node, kind):
                return rewrite(node)
        return node

    def _table(self, node: exp.Table) -> exp.Expr:
        alias = node.alias or node.name
        return exp.to_table(self._tables[node.name.lower()].view).as_(alias, table=True)


def _function(node: exp.Anonymous) -> exp.Expr:
    name, arguments = node.name.upper(), node.expressions
    if name == "F_DF" and len(arguments) == 1:
        return _display_text(arguments[0])
    if name == "F_TO_CHAR":
        return _to_char(arguments)
    if name in ("F_TO_DATE", "F_TO_TIMESTAMP"):
        return exp.func("F_PARSE_DATE" if len(arguments) == 2 else "F_ACCOUNT_DATE", *arguments)
    if name == "F_TRUNC" and len(arguments) == 1:
        if _known(arguments[0]).is_date:
            day = exp.func(
                "SUBSTR", arguments[0], exp.Literal.number(1), exp.Literal.number(10), dialect="sqlite"
            )
            return exp.DPipe(this=day, expression=exp.Literal.string(" 00:00:00"))
        return exp.cast(arguments[0], "INT")
    if name.startswith(("F_REGEXP_", "F_SYSDATE", "F_PARSE", "F_ACCOUNT", "F_ADD", "F_ENUM", "F_FORMAT")):
        return node
    raise search_error(f"Invalid or unsupported function {name.removeprefix('F_')}.")


def _to_char(arguments: list[exp.Expr]) -> exp.Expr:
    value = arguments[0]
    if len(arguments) == 1:
        return exp.func("F_ACCOUNT_DATE_TEXT", value) if _known(value).is_date else exp.cast(value, "TEXT")
    model = arguments[1]
    directives = sqlite_strftime(model.name) if isinstance(model, exp.Literal) else None
    if directives == _IDENTITY_FORMAT:
        return value
    if directives is not None:
        return exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string(directives), value])
    return exp.func("F_FORMAT_DATE", value, model)


def _display_text(value: exp.Expr) -> exp.Expr:
    column = _known(value)
    if column.kind is Kind.ENUM:
        return exp.func("F_ENUM", exp.Literal.string(column.target or ""), value)
    if column.kind is not Kind.REF:
        return value
    if column.target in _ENTITIES:
        sql = "(SELECT entityid FROM main.entity AS df WHERE df.id = :value)"
    else:
        sql = f"(SELECT name FROM main.listitem AS df WHERE df.type = '{column.target}' AND df.id = :value)"  # noqa: S608
    named = sqlglot.parse_one(sql, read="sqlite")
    for placeholder in list(named.find_all(exp.Placeholder)):
        placeholder.replace(value.copy())
    return named


def _joined_text(node: exp.DPipe) -> exp.Expr:
    """Oracle joins NULL as an empty text, and an empty text is NULL."""
    empty = exp.Literal.string("")
    sides = [exp.func("COALESCE", side, empty.copy()) for side in (node.this, node.expression)]
    return exp.func("NULLIF", exp.DPipe(this=sides[0], expression=sides[1]), empty.copy())


def _in_list(node: exp.In) -> exp.Expr:
    values = node.expressions
    if len(values) == 1 and isinstance(values[0], exp.Placeholder) and values[0].name.startswith(LIST_PREFIX):
        listed = sqlglot.parse_one(f"SELECT value FROM json_each(:{values[0].name})", read="sqlite")  # noqa: S608
        return exp.In(this=node.this, query=exp.Subquery(this=listed))
    if _known(node.this).is_date:
        node.set("expressions", [_as_date(value) for value in values])
    return node


def _ordered(node: exp.Ordered) -> exp.Ordered:
    """Columns that are never NULL need no word about NULLs, which would keep SQLite from using an index."""
    column, select = node.this, node.find_ancestor(exp.Select)
    source = select.args.get("from_") if select else None
    if isinstance(column, exp.Column) and source is not None:
        own = column.table in (
            "",
            source.this.alias_or_name,
        )  # not of a table that may have no match in a join
        if own and column.name.lower() in _NEVER_NULL:
            node.set("nulls_first", not node.args.get("desc"))
    return node


def _between(node: exp.Between) -> exp.Expr:
    if _known(node.this).is_date:
        for bound in ("low", "high"):
            node.set(bound, _as_date(node.args[bound]))
    return node


def _compared(node: exp.Binary) -> exp.Expr:
    left, right = node.this, node.expression
    if _known(left).is_date:
        node.set("expression", _as_date(right))
    elif _known(right).is_date:
        node.set("this", _as_date(left))
    return node


def _as_date(node: exp.Expr) -> exp.Expr:
    """A text next to a date is read in the account's format (netsuite.md 4.5)."""
    if isinstance(node, exp.Placeholder) or (isinstance(node, exp.Literal) and node.is_string):
        return exp.func("F_ACCOUNT_DATE", node.copy())
    return node


def _moved_date(node: exp.Binary) -> exp.Expr:
    if not _known(node.this).is_date:
        return node
    days = node.expression.copy()
    return exp.func(
        "F_ADD_DAYS", node.this.copy(), exp.Neg(this=exp.paren(days)) if isinstance(node, exp.Sub) else days
    )


def _limit_by_rownum(select: exp.Select) -> exp.Expr:
    """``WHERE ROWNUM <= n`` keeps the first n rows before they are ordered."""
    where = select.args.get("where")
    parts = (
        list(where.this.flatten())
        if where and isinstance(where.this, exp.And)
        else [where.this]
        if where
        else []
    )
    bounds = [part for part in parts if _bounds_rownum(part)]
    if not bounds:
        return select
    rest = [part for part in parts if not _bounds_rownum(part)]
    select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)
    bound = bounds[0].expression.copy()
    limit = exp.Sub(this=bound, expression=exp.Literal.number(1)) if isinstance(bounds[0], exp.LT) else bound
    order = select.args.get("order")
    if order is None:
        select.set("limit", exp.Limit(expression=limit))
        return select
    return _ordered_after(select, order, limit)


def _bounds_rownum(node: exp.Expr) -> bool:
    if not isinstance(node, exp.LTE | exp.LT | exp.EQ):
        return False
    numbering = isinstance(node.this, exp.Window) and isinstance(node.this.this, exp.RowNumber)
    return numbering or _is_rownum(node.this)


def _ordered_after(select: exp.Select, order: exp.Order, limit: exp.Expr) -> exp.Expr:
    names = [one.alias_or_name or f"expr{index}" for index, one in enumerate(select.expressions)]
    shown = [exp.alias_(one.unalias(), f"p{index}") for index, one in enumerate(select.expressions)]
    keys = [exp.alias_(one.this.copy(), f"o{index}") for index, one in enumerate(order.expressions)]
    ordered = [one.copy() for one in order.expressions]
    for index, one in enumerate(ordered):
        one.set("this", exp.column(f"o{index}"))
    select.set("expressions", shown + keys)
    select.set("order", None)
    select.set("limit", exp.Limit(expression=limit))
    outer = exp.select(*[exp.alias_(exp.column(f"p{index}"), name) for index, name in enumerate(names)])
    return outer.from_(select.subquery("numbered")).order_by(*ordered)


_REWRITES: tuple[tuple[type[exp.Expr], Callable[[Any], exp.Expr]], ...] = (
    (exp.CurrentTimestamp, lambda _: exp.func("F_SYSDATE")),
    (exp.DPipe, _joined_text),
    (exp.In, _in_list),
    (exp.Ordered, _ordered),
    (exp.Select, _limit_by_rownum),
    (exp.Add, _moved_date),
    (exp.Sub, _moved_date),
    (exp.Between, _between),
    *((comparison, _compared) for comparison in _COMPARISONS),
)
"""What is rewritten by its type alone."""
