"""What people decided about records in review. A decision is taken once: when it is carried out, it is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from twinbook.domain.mapping import ConflictPolicy
from twinbook.domain.records import Entity, Key, Side
from twinbook.domain.resolution import FieldChoice, FieldChoices, Given
from twinbook.store.database import Tx
from twinbook.store.schema import decision
from twinbook.store.sql import chunks, upsert

FIELD_BY_FIELD = "fields"
"""The choice of a person who decided about single fields only."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One of the choices that were listed with a record's outcome, and who took it."""

    choice: str
    by: str
    at: float
    fields: FieldChoices = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What was chosen, as the history tells it."""
        parts = [f"{row}: {_said(choice)}" for row, choice in self.fields.items()]
        return "; ".join(parts if self.choice == FIELD_BY_FIELD else [repr(self.choice), *parts])


def take(tx: Tx, key: Key, choice: str, *, by: str, now: float, fields: FieldChoices | None = None) -> None:
    """Decide, or decide anew."""
    row = {"scope": tx.scope, "entity": key.entity, "side": key.side, "record_id": key.id}
    chosen = {"choice": choice, "fields": {name: _stored(item) for name, item in (fields or {}).items()}}
    upsert(tx, decision, [row | chosen | {"decided_by": by, "decided_at": now}])


def of_records(tx: Tx, entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, Decision]:
    """Open decisions by record id."""
    found: dict[str, Decision] = {}
    for part in chunks(ids):
        rows = tx.execute(
            sa.select(decision).where(
                decision.c.scope == tx.scope,
                decision.c.entity == entity,
                decision.c.side == side,
                decision.c.record_id.in_(part),
            )
        )
        found |= {row.record_id: _decision(row) for row in rows}
    return found


def withdraw(tx: Tx, keys: Sequence[Key]) -> int:
    """Forget what was decided about these records; how many decisions there were."""
    gone = 0
    for key in keys:
        gone += tx.execute(
            sa.delete(decision).where(
                decision.c.scope == tx.scope,
                decision.c.entity == key.entity,
                decision.c.side == key.side,
                decision.c.record_id == key.id,
            )
        ).rowcount
    return gone


def drop(tx: Tx, key: Key, done: Decision) -> None:
    """Forget a decision that was carried out, unless somebody has decided anew meanwhile."""
    tx.execute(
        sa.delete(decision).where(
            decision.c.scope == tx.scope,
            decision.c.entity == key.entity,
            decision.c.side == key.side,
            decision.c.record_id == key.id,
            decision.c.decided_at == done.at,
        )
    )


def _decision(row: sa.Row[Any]) -> Decision:
    fields = {name: _field_choice(item) for name, item in row.fields.items()}
    return Decision(row.choice, row.decided_by, row.decided_at, fields)


def _stored(choice: FieldChoice) -> dict[str, Any]:
    return {"value": choice.value} if isinstance(choice, Given) else {"side": choice.value}


def _field_choice(item: dict[str, Any]) -> FieldChoice:
    return Given(item["value"]) if "value" in item else ConflictPolicy(item["side"])


def _said(choice: FieldChoice) -> str:
    return f"the value {choice.value!r}" if isinstance(choice, Given) else f"that of {choice}"
