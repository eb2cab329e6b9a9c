"""Editing the values of one record for a person, in the system where they are wrong, so that it syncs again.

What was typed is checked against the limits of both systems before it is written, and against what the record shows
by then: an edit that somebody made meanwhile is never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twinbook.domain.account_planner import plan_account
from twinbook.domain.canonical import plain_text
from twinbook.domain.checks import problems
from twinbook.domain.mapping import MappingRow
from twinbook.domain.plan import AccountPlan, AccountView, ContactPlan, ContactView
from twinbook.domain.planner import plan_contact
from twinbook.domain.ports import Failed, Update, WriteResult
from twinbook.domain.records import Entity, Fields, Key, Side, Value
from twinbook.domain.resolution import given
from twinbook.engine.accounts.gather import AccountGatherer
from twinbook.engine.care.holding import held
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import Gatherer
from twinbook.engine.contacts.netsuite_gather import NetSuiteGatherer
from twinbook.store import journal
from twinbook.store.journal import Change, Entry


@dataclass(frozen=True, slots=True)
class Edit:
    """New values by field, as they were typed, and what these fields showed then."""

    values: Mapping[str, str]
    shown: Mapping[str, str]

    @property
    def changed(self) -> dict[str, str]:
        return {name: text for name, text in self.values.items() if text.strip() != self.shown.get(name, "")}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an edit would come to. `written` is what each system would get; nothing where there are `flaws`."""

    edit: Edit
    flaws: tuple[str, ...] = ()
    written: Mapping[Side, Fields] = field(default_factory=dict)


class Editing:
    """Writes what a person typed to the record of `key`, on the side on which it lives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, key: Key) -> list[MappingRow]:
        """The mapped fields of that side that may be typed: neither computed nor of the account."""
        policy = self._connection.contacts if key.entity is Entity.CONTACT else self._connection.accounts
        return [
            row
            for row in policy.mapping.rows
            if row.field_on(key.side)
            and not row.computes(key.side)
            and not row.field_on(key.side).startswith("Account.")
        ]

    async def edit(self, key: Key, edit: Edit, *, by: str) -> list[str]:
        """Write, note it in the history, and look at the record again; what is wrong, empty when it is written.

        Raises what the ports raise, and `TemporaryError` while a lane works on the account.
        """
        if not edit.changed:
            return ["no value was changed"]
        async with held(self._connection, key, cause=f"edited by {by}"):
            view = (await self._views([key])).get(key)
            before = _fields(key.side, view)
            if view is None or before is None:
                return [f"{key.id} is not there any more"]
            changes, flaws = self._read(key, edit, before)
            flaws = flaws or self._refusals(key, view, changes)
            if not flaws:
                flaws = await self._write(key, changes)
            if not flaws:
                await self._note(key, before, changes, by=by)
            return flaws

    async def foresee(
        self, keys: Sequence[Key], name: str, retype: Callable[[str], str]
    ) -> dict[Key, Foreseen]:
        """What it would come to if the same was done to one field of many records, ≤ 200. Nothing is written; records
        that are not there any more are left out."""
        views: dict[Key, ContactView | AccountView] = {}
        for kind in {(key.entity, key.side) for key in keys}:
            views |= await self._views([key for key in keys if (key.entity, key.side) == kind])
        return {
            key: self._foreseen(key, view, before, name, retype)
            for key, view in views.items()
            if (before := _fields(key.side, view)) is not None
        }

    def _foreseen(
        self,
        key: Key,
        view: ContactView | AccountView,
        before: Fields,
        name: str,
        retype: Callable[[str], str],
    ) -> Foreseen:
        shown = plain_text(before.get(name)) or ""
        edit = Edit({name: retype(shown)}, {name: shown})
        if not edit.changed:
            return Foreseen(edit, ("it would stay as it is",))
        changes, flaws = self._read(key, edit, before)
        flaws = flaws or self._refusals(key, view, changes)
        if flaws:
            return Foreseen(edit, tuple(flaws))
        plan = self._planned(key, view, changes)
        there = plan.netsuite_changes if key.side is Side.SALESFORCE else plan.salesforce_changes
        return Foreseen(edit, (), {key.side: changes, key.side.other: there})

    async def _views(self, keys: Sequence[Key]) -> dict[Key, ContactView | AccountView]:
        """Records of one kind and side, both sides of each as they are now."""
        first, by_id = keys[0], {key.id: key for key in keys}
        gatherer: AccountGatherer | Gatherer | NetSuiteGatherer
        if first.entity is Entity.ACCOUNT:
            gatherer = AccountGatherer(self._connection)
        elif first.side is Side.SALESFORCE:
            gatherer = Gatherer(self._connection)
        else:
            gatherer = NetSuiteGatherer(self._connection)
        considered = await gatherer.consider(list(by_id))
        return {by_id[id_]: found.view for id_, found in considered.items()}

    def _read(self, key: Key, edit: Edit, before: Fields) -> tuple[dict[str, Value], list[str]]:
        rows = {row.field_on(key.side): row for row in self.rows(key)}
        changes: dict[str, Value] = {}
        flaws: list[str] = []
        for name, text in edit.changed.items():
            if name not in rows:
                flaws.append(f"{name} is not a field that can be edited here")
            elif (plain_text(before.get(name)) or "") != edit.shown.get(name, ""):
                flaws.append(f"{name} was changed since you opened it; it shows {before.get(name)!r} now")
            else:
                try:
                    changes[name] = given(rows[name], text).value
                except ValueError as problem:
                    flaws.append(f"{name}: {problem}")
        return changes, flaws

    def _refusals(self, key: Key, view: ContactView | AccountView, changes: Fields) -> list[str]:
        """What this side would refuse, and what the other one would refuse of what follows."""
        policy = self._connection.contacts if key.entity is Entity.CONTACT else self._connection.accounts
        schema = policy.salesforce_schema if key.side is Side.SALESFORCE else policy.netsuite_schema
        found = problems(key.side, changes, schema, self.rows(key), creating=False)
        if found:
            return [error.message for error in found]
        plan = self._planned(key, view, changes)
        return [plan.error.message] if plan.error is not None else []

    def _planned(
        self, key: Key, view: ContactView | AccountView, changes: Fields
    ) -> ContactPlan | AccountPlan:
        if isinstance(view, AccountView):
            account = replace(view.account, fields={**view.account.fields, **changes})
            return plan_account(replace(view, account=account), self._connection.accounts)
        if key.side is Side.SALESFORCE and view.salesforce is not None:
            contact = replace(view.salesforce, fields={**view.salesforce.fields, **changes})
            return plan_contact(replace(view, salesforce=contact), self._connection.contacts)
        assert view.netsuite is not None  # noqa: S101 - `edit` has looked
        there = replace(view.netsuite, fields={**view.netsuite.fields, **changes})
        return plan_contact(replace(view, netsuite=there), self._connection.contacts)

    async def _write(self, key: Key, changes: Fields) -> list[str]:
        salesforce, netsuite = self._connection.salesforce, self._connection.netsuite
        if key.side is Side.NETSUITE:
            results = await netsuite.write_contacts({key.id: Update(key.id, changes)})
        elif key.entity is Entity.ACCOUNT:
            results = await salesforce.update_accounts({key.id: changes})
        else:
            results = await salesforce.update_contacts({key.id: changes})
        result: WriteResult | None = results.get(key.id)
        return [result.error.message] if isinstance(result, Failed) else []

    async def _note(self, key: Key, before: Fields, changes: Fields, *, by: str) -> None:
        here, there = (key.id, None) if key.side is Side.SALESFORCE else (None, key.id)
        written = tuple(Change(key.side, name, before.get(name), value) for name, value in changes.items())
        entry = Entry(
            "edited", key.entity, here, there, f"{by} corrected it in {key.side.system}", by, written
        )
        now = self._connection.clock.now()
        await self._connection.store.run(lambda tx: journal.append(tx, [entry], now=now))


def _fields(side: Side, view: ContactView | AccountView | None) -> Fields | None:
    if isinstance(view, AccountView):
        return view.account.fields
    record = None if view is None else view.salesforce if side is Side.SALESFORCE else view.netsuite
    return record.fields if record is not None else None
