"""What an administrator of the org has set up: validation rules, and locks that other work holds on records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twinbook_sandbox.salesforce.errors import Problem, refuse


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses records of an object whose field has the forbidden value, with the administrator's text."""

    entity: str
    field: str
    forbidden: Any
    message: str


@dataclass(slots=True)
class AdminRules:
    """All rules and locks. A lock makes the next so many writes to a record fail."""

    validation: list[ValidationRule] = field(default_factory=list)
    locks: dict[str, int] = field(default_factory=dict)

    def clear(self) -> None:
        self.validation.clear()
        self.locks.clear()

    def broken_by(self, entity: str, row: Mapping[str, Any]) -> list[Problem]:
        """The validation rules that a record about to be saved breaks."""
        return [
            Problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, (rule.field,))
            for rule in self.validation
            if rule.entity == entity and row.get(rule.field) == rule.forbidden
        ]

    def take_lock(self, id_: str) -> None:
        """Raises RefusedError(UNABLE_TO_LOCK_ROW) while the record is locked by other work."""
        left = self.locks.get(id_, 0)
        if left <= 0:
            return
        self.locks[id_] = left - 1
        raise refuse(
            "UNABLE_TO_LOCK_ROW",
            f"unable to obtain exclusive access to this record or 1 records: {id_}",
        )
