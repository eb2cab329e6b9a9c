"""From SOQL text to its syntax tree. Errors are those of the org: MALFORMED_QUERY with the place marked."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.soql import syntax as s

LONGEST_QUERY = 100_000
LONGEST_STRING = 4_000
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "_",
    "%": "%",
}
_OPERATORS = {"<>": "!="}
_MARKED_LENGTH = 40


class SoqlSyntax(Transformer[Token, s.Query]):
    """Builds the syntax tree from the parse tree."""

    NAME = staticmethod(lambda token: s.Name(str(token), token.line, token.column))

    def path(self, names: list[s.Name]) -> s.Path:
        return s.Path(tuple(names))

    def call(self, parts: list[Any]) -> s.Call:
        return s.Call(parts[0], parts[1])

    def alias(self, parts: list[s.Name]) -> str:
        return parts[0].text

    def selected(self, parts: list[Any]) -> s.Selected:
        return s.Selected(parts[0], parts[1].text if parts[1] else None)

    def child_query(self, parts: list[s.Query]) -> s.Query:
        return parts[0]

    select_list = tuple
    group = tuple
    order = tuple
    literal_list = tuple

    @v_args(inline=True)
    def where(self, condition: s.Condition) -> s.Condition:
        return condition

    having = where

    @v_args(inline=True)
    def negation(self, inner: s.Condition) -> s.Condition:
        return s.Negation(inner)

    def conjunction(self, terms: list[s.Condition]) -> s.Condition:
        return s.Conjunction(tuple(terms))

    def disjunction(self, terms: list[s.Condition]) -> s.Condition:
        return s.Disjunction(tuple(terms))

    @v_args(inline=True)
    def comparison(self, left: s.Path | s.Call, operator: Token, right: s.Literal) -> s.Condition:
        return s.Comparison(left, _OPERATORS.get(operator, operator.upper()), right)

    @v_args(inline=True)
    def in_list(self, left: s.Path, _operator: Token, values: tuple[s.Literal, ...]) -> s.Condition:
        return s.InList(left, values, negated=False)

    @v_args(inline=True)
    def not_in_list(self, left: s.Path, _operator: Token, values: tuple[s.Literal, ...]) -> s.Condition:
        return s.InList(left, values, negated=True)

    @v_args(inline=True)
    def in_query(self, left: s.Path, _operator: Token, query: s.Query) -> s.Condition:
        return s.InQuery(left, query, negated=False)

    @v_args(inline=True)
    def not_in_query(self, left: s.Path, _operator: Token, query: s.Query) -> s.Condition:
        return s.InQuery(left, query, negated=True)

    @v_args(inline=True)
    def multi_membership(self, left: s.Path, operator: Token, values: tuple[s.Literal, ...]) -> s.Condition:
        return s.Includes(left, values, negated=operator.upper() == "EXCLUDES")

    @v_args(inline=True)
    def order_item(
        self, expression: s.Path | s.Call, direction: Token | None, place: Token | None
    ) -> s.OrderItem:
        descending = direction is not None and direction.upper() == "DESC"
        return s.OrderItem(expression, descending, place is not None and place.upper() == "LAST")

    @v_args(inline=True)
    def limit(self, number: Token) -> int:
        return int(number)

    offset = limit

    def usage(self, _parts: list[Any]) -> None:
        return None

    def query(self, parts: list[Any]) -> s.Query:
        select, from_, alias, where, group, having, order, limit, offset, _usage = parts
        return s.Query(select, from_, alias, where, group or (), having, order or (), limit, offset)

    @v_args(inline=True)
    def string(self, token: Token) -> s.Literal:
        return _text_literal(token[1:-1])

    @v_args(inline=True)
    def number(self, token: Token) -> s.Literal:
        return s.Literal("number", float(token) if "." in token else int(token))

    @v_args(inline=True)
    def boolean(self, token: Token) -> s.Literal:
        return s.Literal("boolean", token.lower() == "true")

    @v_args(inline=True)
    def null(self, _token: Token) -> s.Literal:
        return s.Literal("null", None)

    @v_args(inline=True)
    def datetime(self, token: Token) -> s.Literal:
        return s.Literal("datetime", str(token))

    @v_args(inline=True)
    def date(self, token: Token) -> s.Literal:
        return s.Literal("date", str(token))

    @v_args(inline=True)
    def date_literal(self, token: Token) -> s.Literal:
        return s.Literal("date_literal", token.upper())


def _text_literal(text: str) -> s.Literal:
    if len(text) > LONGEST_STRING:
        raise ApiError(
            "MALFORMED_QUERY", f"string literal is too long: more than {LONGEST_STRING} characters"
        )
    if "\\" not in text:
        return s.Literal("string", text, text)
    value = _ESCAPE.sub(lambda match: _resolve(text, match.group(1)), text)
    pattern = _ESCAPE.sub(lambda match: _keep_for_like(text, match.group(1)), text)
    return s.Literal("string", value, pattern)


def _resolve(text: str, code: str) -> str:
    if len(code) > 1:
        return chr(int(code[1:], 16))
    if code not in _ESCAPED:
        raise ApiError("MALFORMED_QUERY", f"Invalid string literal '{text}'. Illegal character sequence")
    return _ESCAPED[code]


def _keep_for_like(text: str, code: str) -> str:
    return f"\\{code}" if code in ("_", "%", "\\") else _resolve(text, code)


@cache
def _parser() -> Lark:
    grammar = FilePath(__file__).with_name("grammar.lark").read_text()
    return Lark(grammar, start="query", parser="lalr", maybe_placeholders=True)


def parse(text: str) -> s.Query:
    """The syntax tree of a query. Raises ApiError(MALFORMED_QUERY)."""
    if len(text) > LONGEST_QUERY:
        raise ApiError("QUERY_TOO_COMPLICATED", f"SOQL statements cannot be longer than {LONGEST_QUERY}")
    try:
        return SoqlSyntax().transform(_parser().parse(text))
    except UnexpectedInput as error:
        raise _malformed(text, error) from None
    except VisitError as error:
        raise error.orig_exc from None


def _malformed(text: str, error: UnexpectedInput) -> ApiError:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        return marked("MALFORMED_QUERY", text, error.line, error.column, f"unexpected token: '{error.token}'")
    if isinstance(error, UnexpectedToken):
        return ApiError("MALFORMED_QUERY", "unexpected token: '<EOF>'")
    found = text[error.pos_in_stream] if error.pos_in_stream is not None else "<EOF>"
    return marked("MALFORMED_QUERY", text, error.line, error.column, f"unexpected token: '{found}'")


def marked(code: str, query: str, line: int, column: int, problem: str) -> ApiError:
    """An error that shows the line of the query around the place, with a caret under it."""
    text = query.split("\n")[line - 1]
    start = max(0, column - 1 - _MARKED_LENGTH)
    excerpt = text[start : column - 1 + _MARKED_LENGTH]
    caret = " " * (column - 1 - start) + "^"
    return ApiError(code, f"\n{excerpt}\n{caret}\nERROR at Row:{line}:Column:{column}\n{problem}")
