"""The field mapping: which Salesforce field corresponds with which NetSuite field, and what governs the pair.

NetSuite names are those of the REST record service (netsuite.md 2.2). The default address line of a NetSuite contact
is flattened by its adapter to `address.street` (addr1 to addr3, joined by line ends), `address.city`, `address.state`,
`address.zip` and `address.country` (ISO 3166 alpha-2).

What ties a pair to its surroundings is not mapped but set by the planner: `company` from the account, `subsidiary`
from the customer, `entityId` from the name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from twinbook.domain.canonical import Kind, canonical, spelled_for_netsuite, spelled_for_salesforce
from twinbook.domain.records import Side, Value
from twinbook.domain.rules import Evaluation, Expression, Facts, compiled


class RowDirection(StrEnum):
    """Which way the values of a row may travel."""

    TO_NETSUITE = "->"
    TO_SALESFORCE = "<-"
    BOTH = "<->"

    def reaches(self, side: Side) -> bool:
        return self is RowDirection.BOTH or (side is Side.NETSUITE) is (self is RowDirection.TO_NETSUITE)


class ConflictPolicy(StrEnum):
    """Whose value counts when both sides changed a field, or when both have one at the first sync."""

    SALESFORCE = "salesforce"
    NETSUITE = "netsuite"
    REVIEW = "review"


class Overflow(StrEnum):
    """What happens to a value that is longer than its target field."""

    ERROR = "error"
    TRUNCATE = "truncate"


SET_BY_PLANNER = frozenset({"Id", "AccountId", "id", "company", "subsidiary", "entityId", "externalId"})

_ALWAYS = Evaluation(True)

Lookup = tuple[tuple[Value, Value], ...]
"""Pairs of a Salesforce value and its NetSuite value."""


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One field pair. `key` is its stable name: in agreed values, in the history and in messages.

    `when`          an expression; while it is false the row is left alone
    `create_only`   written when the counterpart is created, never afterwards
    `ignore_blank`  a blank on the giving side never erases
    `default`       written instead of a blank
    `lookup`        a table of (Salesforce value, NetSuite value); values that are not in it pass unchanged
    `expression`    the giving side's value, computed; for one-way rows, whose giving field may then be left out

    Raises ValueError that names the row and the problem.
    """

    salesforce: str = ""
    netsuite: str = ""
    kind: Kind = Kind.TEXT
    direction: RowDirection = RowDirection.BOTH
    conflict: ConflictPolicy = ConflictPolicy.SALESFORCE
    when: str | None = None
    create_only: bool = False
    ignore_blank: bool = False
    default: Value = None
    lookup: Lookup = ()
    expression: str | None = None
    on_overflow: Overflow = Overflow.ERROR
    key: str = field(init=False, compare=False, repr=False)
    _when: Expression | None = field(init=False, default=None, compare=False, repr=False)
    _expression: Expression | None = field(init=False, default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.salesforce or '='}/{self.netsuite or '='}")
        owner = f"mapping row {self.key!r}"
        problem = self._problem()
        if problem:
            raise ValueError(f"{owner}: {problem}")
        if self.when:
            object.__setattr__(self, "_when", compiled(f"{owner}, when", self.when))
        if self.expression:
            object.__setattr__(self, "_expression", compiled(f"{owner}, expression", self.expression))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(item for item in (self._when, self._expression) if item is not None)

    def field_on(self, side: Side) -> str:
        return self.salesforce if side is Side.SALESFORCE else self.netsuite

    def computes(self, side: Side) -> bool:
        """Whether this side's value is computed and not read from a field."""
        return self._expression is not None and not self.direction.reaches(side)

    def applies(self, facts: Facts) -> Evaluation:
        """The `when` clause; rows without one always apply."""
        return _ALWAYS if self._when is None else self._when.evaluate(facts)

    def computed(self, facts: Facts) -> Evaluation | None:
        """The computed value of the giving side, None for rows without an expression."""
        return None if self._expression is None else self._expression.evaluate(facts)

    def compared(self, side: Side, value: Value) -> Value:
        """The canonical value in which both sides are compared: NetSuite's values, Salesforce's for `<-` rows."""
        space = Side.SALESFORCE if self.direction is RowDirection.TO_SALESFORCE else Side.NETSUITE
        return canonical(self.kind, value if side is space else self._looked_up(value, space))

    def written(self, target: Side, value: Value) -> Value:
        """What is sent to `target` for the other side's `value`."""
        if canonical(self.kind, value) is None:
            return self.default
        translated = self._looked_up(value, target)
        spelled = spelled_for_netsuite if target is Side.NETSUITE else spelled_for_salesforce
        return spelled(self.kind, translated)

    def _looked_up(self, value: Value, target: Side) -> Value:
        if not self.lookup:
            return value
        given = canonical(self.kind, value)
        for salesforce, netsuite in self.lookup:
            source, result = (salesforce, netsuite) if target is Side.NETSUITE else (netsuite, salesforce)
            if canonical(self.kind, source) == given:
                return result
        return value

    def _problem(self) -> str | None:
        if self.expression and self.direction is RowDirection.BOTH:
            return 'a computed field goes one way only: set direction to "->" or "<-"'
        needs = [side for side in Side if not (self.expression and not self.direction.reaches(side))]
        missing = [side for side in needs if not self.field_on(side)]
        if missing:
            return f"it names no {missing[0]} field"
        if self.direction is RowDirection.BOTH and not self._lookup_is_one_to_one():
            return "a lookup of a two-way row must not name a value twice on one side"
        return None

    def _lookup_is_one_to_one(self) -> bool:
        given, results = ({canonical(self.kind, pair[at]) for pair in self.lookup} for at in (0, 1))
        return len(given) == len(results) == len(self.lookup)


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Rows that are merged together. Raises ValueError when two rows are the same, write the same field, or one writes
    a field that Twinbook sets itself."""

    rows: tuple[MappingRow, ...]

    RESERVED: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        reserved = {name for row in self.rows for name in (row.salesforce, row.netsuite)} & self.RESERVED
        if reserved:
            raise ValueError(f"mapping: {sorted(reserved)[0]} is set by Twinbook itself and cannot be mapped")
        for side in Side:
            targets = [row.field_on(side) for row in self.rows if row.direction.reaches(side)]
            twice = {name for name in targets if targets.count(name) > 1}
            if twice:
                raise ValueError(
                    f"mapping: two rows write the {side} field {sorted(twice)[0]}; keep one of them"
                )
        keys = [row.key for row in self.rows]
        repeated = {key for key in keys if keys.count(key) > 1}
        if repeated:
            raise ValueError(f"mapping: the row {sorted(repeated)[0]} is there twice; keep one of them")

    def row(self, key: str) -> MappingRow | None:
        return next((row for row in self.rows if row.key == key), None)


@dataclass(frozen=True, slots=True)
class ContactMapping(FieldMap):
    """The rows for contacts."""

    RESERVED: ClassVar[frozenset[str]] = SET_BY_PLANNER

    @property
    def salesforce_fields(self) -> frozenset[str]:
        """The Salesforce fields to read; `Account.<field>` for fields of the account."""
        mapped = {row.salesforce for row in self.rows if row.salesforce}
        named = (item.salesforce_fields for row in self.rows for item in row.expressions)
        return frozenset(mapped | ALWAYS_READ).union(*named)

    @property
    def netsuite_fields(self) -> frozenset[str]:
        """The NetSuite fields to read."""
        mapped = {row.netsuite for row in self.rows if row.netsuite}
        named = (item.netsuite_fields for row in self.rows for item in row.expressions)
        return frozenset(mapped | NAME_PARTS_SET | {"subsidiary"}).union(*named)


ALWAYS_READ = frozenset({"Email", "FirstName", "LastName"})
"""Salesforce fields that matching and messages need, mapped or not."""

NAME_PARTS = ("firstName", "middleName", "lastName")
"""The NetSuite fields that make up the contact's name, in order (netsuite.md 2.4)."""

NAME_PARTS_SET = frozenset(NAME_PARTS)

COMPANY_ROW = MappingRow("AccountId", "company")
"""Account and company of a pair, compared as NetSuite customer ids. The planner decides it with the mapped rows."""


def default_mapping() -> ContactMapping:
    """The default map of behaviour.md section 4.

    OtherPhone has no namesake in NetSuite; `officePhone` is the phone field that is left. Department has no standard
    field there and is off until somebody maps it to a custom one.
    """
    return ContactMapping(
        (
            MappingRow("Salutation", "salutation"),
            MappingRow("FirstName", "firstName"),
            MappingRow("MiddleName", "middleName"),
            MappingRow("LastName", "lastName"),
            MappingRow("Title", "title"),
            MappingRow("Email", "email", Kind.EMAIL),
            MappingRow("Phone", "phone", Kind.PHONE),
            MappingRow("MobilePhone", "mobilePhone", Kind.PHONE),
            MappingRow("HomePhone", "homePhone", Kind.PHONE),
            MappingRow("OtherPhone", "officePhone", Kind.PHONE),
            MappingRow("Fax", "fax", Kind.PHONE),
            MappingRow("Description", "comments"),
            MappingRow("MailingStreet", "address.street", Kind.STREET),
            MappingRow("MailingCity", "address.city"),
            MappingRow("MailingState", "address.state", Kind.STATE),
            MappingRow("MailingPostalCode", "address.zip"),
            MappingRow("MailingCountry", "address.country", Kind.COUNTRY),
        )
    )
