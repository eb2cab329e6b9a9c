"""The text of a SuiteQL query, taken apart into its shape and its values.

Two queries that differ only in their values have the same shape, so that a translated shape can be kept
(``suiteql_compiler``). Functions whose meaning differs between Oracle and SQLite get names of our own here, so that
the SQL parser leaves them alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from twinbook_sandbox.netsuite.dates import is_date_model
from twinbook_sandbox.netsuite.errors import NetSuiteError, invalid_parameter

MAX_IN_LIST = 1000
OWN_FUNCTIONS = frozenset(
    [
        "TO_CHAR",
        "TO_DATE",
        "TO_TIMESTAMP",
        "TRUNC",
        "REGEXP_LIKE",
        "REGEXP_SUBSTR",
        "REGEXP_REPLACE",
        "REGEXP_INSTR",
    ]
)
PREFIX = "F_"
LIST_PREFIX = "list"

_TOKEN = re.compile(
    r"""\s+ | --[^\n]* | /\*.*?\*/
      | (?P<text>'(?:[^']|'')*')
      | (?P<name>"[^"]*")
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][\w$\#]*)
      | (?P<sign><=|>=|<>|!=|\|\||\(\+\)|[-+*/%(),.=<>?;])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMPARING = frozenset(["=", "<", ">", "<=", ">=", "<>", "!="])
_REFUSED_WORDS = frozenset(["LIMIT", "TOP"])


def refused(description: str) -> NetSuiteError:
    """A query that cannot be run, in the words of netsuite.md 4.6."""
    text = f"Invalid search query. Detailed unprocessed description follows. {description}"
    return invalid_parameter("q", text)


def search_error(description: str) -> NetSuiteError:
    """A query that is not understood."""
    return refused(f"Search error occurred: {description}")


@dataclass(frozen=True, slots=True)
class Query:
    """A query as shape and values: ``:p0`` stands for a value, ``:list1`` for the JSON array of an IN list."""

    shape: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


@dataclass(slots=True)
class _Reader:
    """Walks over the tokens of one query and writes its shape."""

    tokens: list[_Token]
    params: Sequence[Any]
    position: int = 0
    params_used: int = 0
    out: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def read(self) -> Query:
        self._check_start()
        while self.position < len(self.tokens):
            self._step(self.tokens[self.position])
        if self.params_used != len(self.params):
            raise search_error("The number of parameters does not match the number of placeholders.")
        return Query(" ".join(self.out), self.values)

    def _check_start(self) -> None:
        start = next((token for token in self.tokens if token.text != "("), None)
        if start is None or start.word != "SELECT":
            raise search_error("Invalid or unsupported search.")

    def _step(self, token: _Token) -> None:
        if token.word == "IN" and self._take_list():
            return
        if token.word == "BUILTIN" and self._peek(1) == "." and self._peek(3) == "(":
            self.out.append(PREFIX + self._peek(2))
            self.position += 3
            return
        self.out.append(self._written(token))
        self.position += 1

    def _written(self, token: _Token) -> str:
        before = self.out[-1] if self.out else ""
        if token.kind == "text":
            return self._text(token, before)
        if token.text == "?":
            return self._keep(self._next_param())
        if token.kind == "number":
            return self._keep(_number(token.text)) if before in _COMPARING else token.text
        if token.word in _REFUSED_WORDS and self._peek(1).isdecimal():
            raise search_error("Invalid or unsupported search.")
        if token.word == "CURRENT_DATE":
            raise search_error("Unknown identifier 'CURRENT_DATE'.")
        if token.word in OWN_FUNCTIONS and self._peek(1) == "(":
            return PREFIX + token.word
        return token.text

    def _text(self, token: _Token, before: str) -> str:
        value = _unquoted(token.text)
        if before.upper() == "ESCAPE" or (value and is_date_model(value)):
            return token.text
        return self._keep(value or None)

    def _peek(self, ahead: int) -> str:
        index = self.position + ahead
        return self.tokens[index].text.upper() if index < len(self.tokens) else ""

    def _keep(self, value: Any, prefix: str = "p") -> str:
        name = f"{prefix}{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def _next_param(self) -> Any:
        if self.params_used >= len(self.params):
            raise search_error("The number of parameters does not match the number of placeholders.")
        self.params_used += 1
        return self.params[self.params_used - 1]

    def _take_list(self) -> bool:
        """Read ``IN (1, 'two', ?)`` whole; lists of anything but values are left as they are."""
        if self._peek(1) != "(":
            return False
        index, items = self.position + 2, []
        while index < len(self.tokens) and self.tokens[index].text != ")":
            negative = self.tokens[index].text == "-"
            index += negative
            token = self.tokens[index] if index < len(self.tokens) else _Token("other", "")
            if token.kind not in ("text", "number") and token.text != "?":
                return False
            items.append((token, negative))
            index += 1
            if index < len(self.tokens) and self.tokens[index].text == ",":
                index += 1
        if len(items) > MAX_IN_LIST:
            raise search_error(f"The IN list has more than {MAX_IN_LIST} arguments.")
        listed = [self._listed(token, negative) for token, negative in items]
        self.out += ["IN", "(", self._keep(orjson.dumps(listed).decode(), LIST_PREFIX), ")"]
        self.position = index + 1
        return True

    def _listed(self, token: _Token, negative: bool) -> Any:
        if token.text == "?":
            return self._next_param()
        if token.kind == "text":
            return _unquoted(token.text) or None
        return -_number(token.text) if negative else _number(token.text)


def take_apart(text: str, params: Sequence[Any] = ()) -> Query:
    """Shape and values of a query; :class:`NetSuiteError` for what SuiteQL refuses outright."""
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text.strip().removesuffix(";")):
        kind = match.lastgroup
        if kind == "other":
            raise search_error(f"Unexpected character '{match.group()}'.")
        if kind is not None:
            tokens.append(_Token(kind, match.group()))
    return _Reader(tokens, params).read()


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _number(text: str) -> int | float:
    """Numbers that SQLite cannot hold as integers become floats, as it would read them itself."""
    return float(text) if "." in text or len(text) > 18 else int(text)
