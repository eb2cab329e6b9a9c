"""Undoing what Twinbook wrote: shows it, and carries it out.

The engine must not write an undone value right back. So what is agreed on a restored field becomes what each side
shows then, different as they are: neither side has changed since, and only a new edit of the field travels again. What
was created or matched wrongly is left out of the sync until somebody decides otherwise.

What will be agreed is stored before anything is written, so that a crash in between never makes a restored value look
like somebody's edit. Nothing else may work on the store meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.agreement import Agreement, agreement_on, stored
from twinbook.domain.canonical import is_kept_form
from twinbook.domain.mapping import COMPANY_ROW, MappingRow
from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.ports import ContactQuery, Failed, NetSuiteWrite, Update
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    Link,
    LinkState,
    NetSuiteContact,
    SalesforceContact,
    Side,
    Value,
)
from twinbook.engine.care.undoing import Step, Subject, Undo, Undoing
from twinbook.engine.connection import Connection
from twinbook.store import decisions, journal, links
from twinbook.store.database import Tx
from twinbook.store.journal import Change, Entry, Selection

UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of one undo: `refused` says what a system had against it, empty when it is done."""

    undo: Undo
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both records as they are now."""

    salesforce: Mapping[str, SalesforceContact]
    netsuite: Mapping[str, NetSuiteContact]


class Undoer:
    """Undoes chosen entries of the journal, contact by contact."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        contacts, options = connection.contacts, connection.options
        push = {options.push_field} if options.push_field else set()
        self._undoing = Undoing(
            contacts.mapping,
            frozenset({contacts.salesforce_id_field, contacts.netsuite_id_field}),
            options.status_fields.names | push,
        )

    async def batches(self, chosen: Selection) -> AsyncIterator[list[Undo]]:
        """What would be done, in batches of contacts. It writes nothing."""
        after, size = "", self._connection.options.batch
        while True:

            def next_ids(tx: Tx, after: str = after) -> list[str]:
                return journal.records_in(tx, chosen, Entity.CONTACT, after=after, limit=size)

            ids = await self._connection.store.read(next_ids)
            if not ids:
                return
            yield [self._undoing.plan(subject) for subject in await self._subjects(chosen, ids)]
            after = ids[-1]

    async def carry_out(self, batch: Sequence[Undo], *, by: str) -> list[Carried]:
        """Undo a batch, and write it to the journal; contacts with an obstacle are left out."""
        due = [undo for undo in batch if undo.step is not Step.NOTHING]
        if not due:
            return []
        known = await self._links([undo.salesforce_id for undo in due])
        await self._expect(due, known, by=by)
        refused = await self._write(due)
        now = await self._read(
            [undo.salesforce_id for undo in due], [undo.netsuite_id for undo in due if undo.netsuite_id]
        )
        carried = [Carried(undo, refused.get(undo.salesforce_id, "")) for undo in due]
        await self._conclude(carried, known, now, by=by)
        return carried

    async def _subjects(self, chosen: Selection, ids: Sequence[str]) -> list[Subject]:
        def remembered(tx: Tx) -> tuple[dict[str, list[Entry]], set[int], dict[str, Link]]:
            return (
                journal.entries_of(tx, Entity.CONTACT, ids),
                journal.numbers_in(tx, chosen, ids),
                links.by_salesforce(tx, Entity.CONTACT, ids),
            )

        histories, numbers, known = await self._connection.store.read(remembered)
        counterparts = {
            id_: next((e.netsuite_id for e in reversed(history) if e.id in numbers and e.netsuite_id), None)
            for id_, history in histories.items()
        }
        now = await self._read(ids, [id_ for id_ in counterparts.values() if id_])
        return [
            Subject(
                id_,
                histories[id_],
                numbers,
                now.salesforce.get(id_),
                now.netsuite.get(counterparts[id_] or ""),
                known.get(id_),
            )
            for id_ in ids
        ]

    async def _read(self, ids: Sequence[str], netsuite_ids: Sequence[str]) -> _Pair:
        salesforce, netsuite = await asyncio.gather(
            self._connection.salesforce.read_contacts(ids),
            self._connection.netsuite.find_contacts(ContactQuery(ids=frozenset(netsuite_ids))),
        )
        return _Pair(salesforce, {contact.id: contact for contact in netsuite})

    async def _links(self, ids: Sequence[str]) -> dict[str, Link]:
        return await self._connection.store.read(lambda tx: links.by_salesforce(tx, Entity.CONTACT, ids))

    async def _expect(self, due: Sequence[Undo], known: Mapping[str, Link], *, by: str) -> None:
        """Before anything is written: what will be agreed, and who will be left out."""
        now = self._connection.clock.now()

        def store(tx: Tx) -> None:
            for undo in due:
                link = known.get(undo.salesforce_id)
                if undo.step is Step.RESTORE and link is not None and link.state is LinkState.LINKED:
                    agreed = self._agreed(
                        undo, link.agreed, {item.side: undo.on(item.side) for item in undo.restored}
                    )
                    links.agree(tx, Entity.CONTACT, undo.salesforce_id, agreed, now=now)
                elif undo.step is not Step.RESTORE:
                    _leave_out(tx, undo, by=by, now=now)

        await self._connection.store.run(store)

    async def _write(self, due: Sequence[Undo]) -> dict[str, str]:
        """Write both sides; why a system refused, by Salesforce id."""
        writes: dict[str, NetSuiteWrite] = {
            undo.salesforce_id: Update(undo.netsuite_id, fields)
            for undo in due
            if undo.netsuite_id and (fields := undo.on(Side.NETSUITE))
        }
        answers = await self._connection.netsuite.write_contacts(writes)
        refused = {id_: str(item.error) for id_, item in answers.items() if isinstance(item, Failed)}
        changes = {undo.salesforce_id: fields for undo in due if (fields := undo.on(Side.SALESFORCE))}
        if changes:
            results = await self._connection.salesforce.update_contacts(changes)
            refused |= {id_: str(item.error) for id_, item in results.items() if isinstance(item, Failed)}
        return refused

    async def _conclude(
        self, carried: Sequence[Carried], known: Mapping[str, Link], now: _Pair, *, by: str
    ) -> None:
        at = self._connection.clock.now()

        def store(tx: Tx) -> None:
            for item in carried:
                undo, link = item.undo, known.get(item.undo.salesforce_id)
                if undo.step is Step.RESTORE and link is not None and link.state is LinkState.LINKED:
                    agreed = self._agreed(undo, link.agreed, _fields_now(undo, now), seen=True)
                    links.agree(tx, Entity.CONTACT, undo.salesforce_id, agreed, now=at)
                elif undo.step is Step.TAKE_APART and not item.refused:
                    links.forget(tx, Entity.CONTACT, undo.salesforce_id)
            journal.append(tx, [_entry(item.undo, by) for item in carried if not item.refused], now=at)

        await self._connection.store.run(store)

    def _agreed(
        self, undo: Undo, agreed: Fields, fields: Mapping[Side, Fields], *, seen: bool = False
    ) -> Fields:
        """What is agreed once the restored fields hold `fields`. With `seen`, these were read back: a value that the
        system cannot have made of the restored one is somebody's edit, and stays one."""
        new: dict[str, Value] = dict(agreed)
        for item in undo.restored:
            row = self._undoing.row_of(item.side, item.field)
            if row is None or item.field not in fields.get(item.side, {}):
                continue
            then = agreement_on(row.key, new) or _as_shown(row, fields)
            if then is None:
                continue
            will_show = _compared(row, item.side, item.restored)
            shows = _compared(row, item.side, fields[item.side][item.field])
            kept = (
                not seen or is_kept_form(will_show, shows) or shows == _compared(row, item.side, item.shows)
            )
            half = shows if kept else will_show
            agreement = (
                replace(then, salesforce=half)
                if item.side is Side.SALESFORCE
                else replace(then, netsuite=half)
            )
            new |= _stored(row, agreement, new)
        return new


def _leave_out(tx: Tx, undo: Undo, *, by: str, now: float) -> None:
    """Keep the engine from making it again. Two contacts that are no pair any more are left out each by itself."""
    keys = [Key(Entity.CONTACT, Side.SALESFORCE, undo.salesforce_id)]
    if undo.step is Step.TAKE_APART and undo.netsuite_id:
        keys.append(Key(Entity.CONTACT, Side.NETSUITE, undo.netsuite_id))
    for key in keys:
        decisions.take(tx, key, LEAVE_OUT, by=by, now=now)


def _stored(row: MappingRow, agreement: Agreement, agreed: dict[str, Value]) -> Fields:
    for name in [name for name in agreed if name.partition("@")[0] == row.key]:
        del agreed[name]
    return stored({row.key: agreement})


def _as_shown(row: MappingRow, fields: Mapping[Side, Fields]) -> Agreement | None:
    """What stands for an agreement on a row that never had one."""
    shown = [_compared(row, side, fields[side].get(row.field_on(side))) for side in Side if side in fields]
    return Agreement(*shown) if len(shown) == len(Side) else None


def _compared(row: MappingRow, side: Side, value: Value) -> Value:
    """Account and company are compared as customer ids, which stand in NetSuite's field."""
    return value if row is COMPANY_ROW and side is Side.NETSUITE else row.compared(side, value)


def _fields_now(undo: Undo, now: _Pair) -> dict[Side, Fields]:
    salesforce = now.salesforce.get(undo.salesforce_id)
    netsuite = now.netsuite.get(undo.netsuite_id or "")
    return {
        Side.SALESFORCE: salesforce.fields if salesforce else {},
        Side.NETSUITE: netsuite.fields if netsuite else {},
    }


def _entry(undo: Undo, by: str) -> Entry:
    numbers = ", ".join(str(number) for number in undo.entries)
    return Entry(
        UNDONE,
        Entity.CONTACT,
        undo.salesforce_id,
        undo.netsuite_id,
        f"undo of journal entry {numbers}: {undo.step}",
        by,
        tuple(Change(item.side, item.field, item.shows, item.restored) for item in undo.restored),
    )
