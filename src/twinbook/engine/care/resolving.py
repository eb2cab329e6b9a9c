"""Deciding a conflict: for one side as a whole, or field by field, also with a value that neither side has.

What is decided is tried on the planner before it is stored. So a value that one of the systems would refuse, or a field
that is left open, is told to the person who decides and not to whoever reads the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.account_planner import plan_account
from twinbook.domain.mapping import ConflictPolicy, FieldMap, MappingRow
from twinbook.domain.plan import (
    AccountPlan,
    AccountView,
    ContactPlan,
    ContactView,
    FieldDecision,
    FieldVerdict,
)
from twinbook.domain.planner import plan_contact
from twinbook.domain.records import Entity, Key
from twinbook.domain.resolution import FieldChoice, FieldChoices, given
from twinbook.domain.why import both_values
from twinbook.engine.accounts.gather import AccountGatherer
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import Gatherer
from twinbook.store import decisions, dirty_keys
from twinbook.store.database import Tx
from twinbook.store.decisions import FIELD_BY_FIELD


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants: `values` by field as they were typed, `sides` by field, `otherwise` for the others. A field
    is named by either system's name, or by both as `Title/title`."""

    values: Mapping[str, str]
    sides: Mapping[str, ConflictPolicy]
    otherwise: ConflictPolicy | None = None


class Resolving:
    """Checks and stores what is decided about the conflicts of one record."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def resolve(self, key: Key, wish: Wish, *, by: str) -> list[str]:
        """Decide; what is wrong with the wish, empty when it was stored. Raises what the ports raise."""
        view = await self._view(key)
        if view is None:
            return [f"{key.id} is not there any more"]
        open_ = _undecided(self._plan(view, None, {}))
        if not open_:
            return [f"{key.id} has no field that waits for a person"]
        fields, flaws = self._read(key.entity, wish, open_)
        if not flaws:
            flaws = _flaws_of(self._plan(view, wish.otherwise, fields))
        if not flaws:
            await self._store(key, wish.otherwise, fields, by=by)
        return flaws

    async def _view(self, key: Key) -> ContactView | AccountView | None:
        if key.entity is Entity.ACCOUNT:
            account = (await AccountGatherer(self._connection).consider([key.id])).get(key.id)
            return account.view if account else None
        contact = (await Gatherer(self._connection).consider([key.id])).get(key.id)
        return contact.view if contact else None

    def _plan(
        self, view: ContactView | AccountView, chosen: str | None, fields: FieldChoices
    ) -> ContactPlan | AccountPlan:
        if isinstance(view, AccountView):
            return plan_account(replace(view, chosen=chosen, resolved=fields), self._connection.accounts)
        return plan_contact(replace(view, chosen=chosen, resolved=fields), self._connection.contacts)

    def _read(
        self, entity: Entity, wish: Wish, open_: Sequence[FieldDecision]
    ) -> tuple[dict[str, FieldChoice], list[str]]:
        """The wish by mapping row, and what cannot be understood of it."""
        connection, choices, flaws = self._connection, dict[str, FieldChoice](), list[str]()
        mapping: FieldMap = (
            connection.accounts.mapping if entity is Entity.ACCOUNT else connection.contacts.mapping
        )
        rows = [row for item in open_ if (row := mapping.row(item.row)) is not None]
        for name, wanted in (*wish.sides.items(), *wish.values.items()):
            row = _named(rows, name)
            if row is None:
                flaws.append(f"{name} is not in conflict: choose for {', '.join(row.key for row in rows)}")
            elif row.key in choices:
                flaws.append(f"{row.key} is decided twice")
            elif isinstance(wanted, ConflictPolicy):
                choices[row.key] = wanted
            else:
                try:
                    choices[row.key] = given(row, wanted)
                except ValueError as problem:
                    flaws.append(f"{row.key}: {problem}")
        return choices, flaws

    async def _store(
        self, key: Key, otherwise: ConflictPolicy | None, fields: FieldChoices, *, by: str
    ) -> None:
        now = self._connection.clock.now()

        def store(tx: Tx) -> None:
            decisions.take(tx, key, otherwise or FIELD_BY_FIELD, by=by, now=now, fields=fields)
            dirty_keys.mark(tx, [key], cause="a person decided", now=now)

        await self._connection.store.run(store)
        self._connection.wake.ring()


def _named(rows: Sequence[MappingRow], name: str) -> MappingRow | None:
    wanted = name.strip().casefold()
    return next(
        (
            row
            for row in rows
            if wanted in {part.casefold() for part in (row.key, row.salesforce, row.netsuite)}
        ),
        None,
    )


def _undecided(plan: ContactPlan | AccountPlan) -> list[FieldDecision]:
    return [item for item in plan.decisions if item.verdict is FieldVerdict.CONFLICT_REVIEW]


def _flaws_of(plan: ContactPlan | AccountPlan) -> list[str]:
    if plan.error is not None:
        return [f"{plan.detail or plan.error.message}. {plan.error.remedy}".strip()]
    return [
        f"{item.row} is still to be decided ({both_values(item)}): {item.why}" for item in _undecided(plan)
    ]
