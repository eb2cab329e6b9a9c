"""What a person decided about fields that both sides changed, where the mapping leaves that to a person.

A whole conflict may be decided for one side, or field by field: one side's value, or a third one that both get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import ConflictPolicy, MappingRow
from twinbook.domain.records import Value

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0", ""})


@dataclass(frozen=True, slots=True)
class Given:
    """A value that a person gave, as Salesforce shows it; None clears the field on both sides."""

    value: Value


FieldChoice = ConflictPolicy | Given
FieldChoices = Mapping[str, FieldChoice]
"""By the key of the mapping row."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """`otherwise` decides all fields that `fields` does not name; None leaves them undecided."""

    otherwise: ConflictPolicy | None = None
    fields: FieldChoices = field(default_factory=dict)

    @classmethod
    def of(cls, chosen: str | None, fields: FieldChoices) -> Resolution:
        """From what was chosen for the record, which may be a word that has nothing to do with conflicts."""
        return cls(next((policy for policy in ConflictPolicy if policy == chosen), None), fields)

    def on(self, row: MappingRow) -> FieldChoice | None:
        return self.fields.get(row.key, self.otherwise)


def given(row: MappingRow, text: str) -> Given:
    """The value that a text means for this field. Raises ValueError that says what is wrong with it."""
    stripped = text.strip()
    if row.kind is Kind.BOOLEAN:
        if stripped.casefold() not in _TRUE | _FALSE:
            raise ValueError(f"{text!r} is neither true nor false")
        return Given(stripped.casefold() in _TRUE)
    if row.kind is Kind.NUMBER and stripped:
        try:
            number = float(stripped)
        except ValueError:
            raise ValueError(f"{text!r} is no number") from None
        return Given(int(number) if number.is_integer() else number)
    return Given(stripped or None)
