"""Expressions that administrators write, in CEL (the Common Expression Language): qualification rules, `when` clauses
and computed fields.

An expression sees `contact` (its Salesforce fields), `account` (`Id`, `Name`, `NetSuiteId`, and any further field that
the contact query read as `Account.<field>`), `roles` (a list of texts) and, in field mappings, `netsuite` (the NetSuite
fields). Salesforce fields that an expression names are read by the adapters (`Expression.salesforce_fields`).

Text and logic that is wrong for every record is refused at construction. What goes wrong for one record (a field that
is empty, a type that does not fit) is a value: the evaluation says so in words that name the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twinbook.domain.records import Fields, Value

if TYPE_CHECKING:
    from cel import Context, Program

_ROOTS = frozenset({"contact", "account", "roles", "netsuite"})
_TEXT_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_BRACKET_FIELD = re.compile(r"\b(contact|account|netsuite)\[\s*['\"]([\w.]+)['\"]\s*\]")
_DOTTED_FIELD = re.compile(r"\b(contact|account|netsuite)\.(\w+(?:\.\w+)*)(?!\w*\()")
_LOOP_VARIABLE = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*(\w+)\s*,")


@dataclass(frozen=True, slots=True)
class Facts:
    """What an expression may look at."""

    contact: Fields
    account: Fields = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    netsuite: Fields = field(default_factory=dict)

    def value(self, reference: str) -> tuple[bool, object]:
        """Whether `reference` ("contact.Email", "roles") is known, and its value."""
        if reference == "roles":
            return True, sorted(self.roles)
        root, _, name = reference.partition(".")
        record: Fields = getattr(self, root)
        return name in record, record.get(name)

    def context(self) -> dict[str, object]:
        return {
            "contact": _nested(self.contact),
            "account": _nested(self.account),
            "roles": sorted(self.roles),
            "netsuite": _nested(self.netsuite),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an expression came to for one record. With `error`, `value` means nothing."""

    value: Value = None
    error: str | None = None
    saw: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Raises ValueError with the problem when `text` cannot be understood."""

    text: str
    references: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _program: Program = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        import cel  # a second of import time that installations without expressions need not pay

        program = cel.compile(self.text)
        _refuse_unknown_names(self.text, program.variables())
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "references", _references(self.text, program.variables()))

    @property
    def salesforce_fields(self) -> frozenset[str]:
        """The fields of the Salesforce contact it needs, `Account.<field>` for those of the account."""
        own = {name.removeprefix("contact.") for name in self.references if name.startswith("contact.")}
        accounts = {name.removeprefix("account.") for name in self.references if name.startswith("account.")}
        return frozenset(own | {f"Account.{name}" for name in accounts - set(ACCOUNT_ATTRIBUTES)})

    @property
    def netsuite_fields(self) -> frozenset[str]:
        names = (name for name in self.references if name.startswith("netsuite."))
        return frozenset(name.removeprefix("netsuite.") for name in names)

    def evaluate(self, facts: Facts) -> Evaluation:
        saw = tuple((name, _shown(facts, name)) for name in self.references)
        try:
            value = self._program.execute(_cel_context(facts))
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as problem:
            return Evaluation(error=self._explain(facts, problem), saw=saw)
        if value is not None and not isinstance(value, str | bool | int | float):
            return Evaluation(error=f"it gives a {type(value).__name__}, not a single value", saw=saw)
        return Evaluation(value, saw=saw)

    def _explain(self, facts: Facts, problem: Exception) -> str:
        """An empty or unread field is nearly always the cause, and CEL's own message never names it."""
        unknown = [name for name in self.references if not facts.value(name)[0]]
        if unknown:
            return (
                f"{', '.join(unknown)} is not known: no such field, or the integration user may not read it"
            )
        empty = [name for name in self.references if facts.value(name)[1] is None]
        if empty:
            return f"{', '.join(empty)} is empty: test it first, as in `{empty[0]} != null && …`"
        return str(problem).splitlines()[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a record passes a rule. A rule that could not be worked out does not let the record pass."""

    rule: str
    text: str
    passed: bool
    error: str | None = None
    saw: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named qualification rule. Raises ValueError that names the rule when its expression cannot be understood."""

    name: str
    expression: str
    _compiled: Expression = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError(f"the rule `{self.expression}` has no name: give it one, it is shown to people")
        object.__setattr__(self, "_compiled", compiled(f"rule {self.name!r}", self.expression))

    @property
    def salesforce_fields(self) -> frozenset[str]:
        return self._compiled.salesforce_fields

    def check(self, facts: Facts) -> Verdict:
        outcome = self._compiled.evaluate(facts)
        error = outcome.error
        if error is None and not isinstance(outcome.value, bool):
            error = f"it gives {outcome.value!r}, but a rule must be true or false"
        return Verdict(self.name, self.expression, outcome.value is True and not error, error, outcome.saw)


ACCOUNT_ATTRIBUTES = ("Id", "Name", "NetSuiteId")
"""What every view knows of the account, without reading further fields."""


def compiled(owner: str, text: str) -> Expression:
    """Compile `text`, or raise a ValueError that says whose expression it is and what is wrong with it."""
    try:
        return Expression(text)
    except ValueError as problem:
        raise ValueError(f"{owner}: {problem}") from None


def _refuse_unknown_names(text: str, variables: Sequence[str]) -> None:
    loops = set(_LOOP_VARIABLE.findall(text))
    unknown = sorted(set(variables) - _ROOTS - loops)
    if unknown:
        raise ValueError(f"unknown name {unknown[0]!r} in `{text}`: use {', '.join(sorted(_ROOTS))}")


def _references(text: str, variables: Sequence[str]) -> tuple[str, ...]:
    """The facts that an expression names, in the order of the alphabet."""
    bracketed = {f"{root}.{name}" for root, name in _BRACKET_FIELD.findall(text)}
    plain = _TEXT_LITERAL.sub("''", text)
    dotted = {f"{root}.{name}" for root, name in _DOTTED_FIELD.findall(plain)}
    roles = {"roles"} if "roles" in variables else set()
    return tuple(sorted(bracketed | dotted | roles))


def _nested(fields: Fields) -> dict[str, object]:
    """CEL has no dots in names: "address.city" is reached as `netsuite.address.city`."""
    tree: dict[str, object] = {}
    for name, value in fields.items():
        *parents, leaf = name.split(".")
        node: dict[str, Any] = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return tree


def _shown(facts: Facts, reference: str) -> str:
    known, value = facts.value(reference)
    if not known:
        return "(unknown)"
    if isinstance(value, list):
        return ", ".join(value) or "(none)"
    return "(empty)" if value is None else str(value)


def _cel_context(facts: Facts) -> Context:
    """The text functions of cel-go's standard extension, which the parser itself does not ship."""
    import cel
    from cel import stdlib

    functions: Mapping[str, Any] = {
        "lowerAscii": stdlib.lower_ascii,
        "upperAscii": stdlib.upper_ascii,
        "trim": stdlib.trim,
        "replace": stdlib.replace,
        "split": stdlib.split,
        "join": stdlib.join,
        "substring": stdlib.substring,
    }
    return cel.Context(facts.context(), dict(functions))
