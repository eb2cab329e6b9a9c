"""Undoing what Twinbook wrote: shows it, and carries it out.

The engine must not write an undone value right back. So what is agreed on a restored field becomes what each side
shows then, different as they are: neither side has changed since, and only a new edit of the field travels again. What
was created or matched wrongly is left out of the sync until somebody decides otherwise.

What will be agreed is stored before anything is written, so that a crash in between never makes a restored value look
like somebody's edit. Nothing else may work on the store meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.agreement import Agreement, agreement_on, stored
from twinbook.domain.canonical import is_kept_form
from twinbook.domain.mapping import COMPANY_ROW, MappingRow
from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.ports import Failed, NetSuiteWrite, Update
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    Link,
    LinkState,
    Side,
    Value,
)
from twinbook.engine.care.pairs import Here, Pairs, There
from twinbook.engine.care.undoing import NOTHING_WRITTEN, Step, Subject, Undo
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

    salesforce: Mapping[str, Here]
    netsuite: Mapping[str, There]


class Undoer:
    """Undoes chosen entries of the journal, pair by pair: contacts, or accounts with their customers."""

    def __init__(self, connection: Connection, pairs: Pairs) -> None:
        self._connection = connection
        self._pairs = pairs
        self._undoing = pairs.undoing()

    async def batches(self, chosen: Selection) -> AsyncIterator[list[Undo]]:
        """What would be done, in batches. It writes nothing."""
        after, size = "", self._connection.options.batch
        while True:

            def next_ids(tx: Tx, after: str = after) -> list[str]:
                return journal.records_in(tx, chosen, self._pairs.entity, after=after, limit=size)

            ids = await self._connection.store.read(next_ids)
            if not ids:
                return
            planned = [self._undoing.plan(subject) for subject in await self._subjects(chosen, ids)]
            # That an account was seen to be linked is told in the journal, and is nothing to be undone.
            gates = self._undoing.opens_gate
            yield [undo for undo in planned if not (gates and undo.obstacle == NOTHING_WRITTEN)]
            after = ids[-1]

    async def carry_out(self, batch: Sequence[Undo], *, by: str) -> list[Carried]:
        """Undo a batch, and write it to the journal; pairs with an obstacle are left out."""
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
                journal.entries_of(tx, self._pairs.entity, ids),
                journal.numbers_in(tx, chosen, ids),
                links.by_salesforce(tx, self._pairs.entity, ids),
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
        return _Pair(*await self._pairs.read(ids, netsuite_ids))

    async def _links(self, ids: Sequence[str]) -> dict[str, Link]:
        entity = self._pairs.entity
        return await self._connection.store.read(lambda tx: links.by_salesforce(tx, entity, ids))

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
                    links.agree(tx, self._pairs.entity, undo.salesforce_id, agreed, now=now)
                elif undo.step is not Step.RESTORE:
                    self._leave_out(tx, undo, by=by, now=now)

        await self._connection.store.run(store)

    async def _write(self, due: Sequence[Undo]) -> dict[str, str]:
        """Write both sides; why a system refused, by Salesforce id."""
        writes: dict[str, NetSuiteWrite] = {
            undo.salesforce_id: Update(undo.netsuite_id, fields)
            for undo in due
            if undo.netsuite_id and (fields := undo.on(Side.NETSUITE))
        }
        answers = await self._pairs.write_netsuite(writes)
        refused = {id_: str(item.error) for id_, item in answers.items() if isinstance(item, Failed)}
        changes = {undo.salesforce_id: fields for undo in due if (fields := undo.on(Side.SALESFORCE))}
        if changes:
            results = await self._pairs.write_salesforce(changes)
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
                    links.agree(tx, self._pairs.entity, undo.salesforce_id, agreed, now=at)
                elif undo.step is Step.TAKE_APART and not item.refused:
                    links.forget(tx, self._pairs.entity, undo.salesforce_id)
            journal.append(tx, [self._entry(item.undo, by) for item in carried if not item.refused], now=at)

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

    def _leave_out(self, tx: Tx, undo: Undo, *, by: str, now: float) -> None:
        """Keep the engine from making it again. Two contacts that are no pair any more are left out each by itself."""
        entity = self._pairs.entity
        keys = [Key(entity, Side.SALESFORCE, undo.salesforce_id)]
        if entity is Entity.CONTACT and undo.step is Step.TAKE_APART and undo.netsuite_id:
            keys.append(Key(entity, Side.NETSUITE, undo.netsuite_id))
        for key in keys:
            decisions.take(tx, key, LEAVE_OUT, by=by, now=now)

    def _entry(self, undo: Undo, by: str) -> Entry:
        numbers = ", ".join(str(number) for number in undo.entries)
        return Entry(
            UNDONE,
            self._pairs.entity,
            undo.salesforce_id,
            undo.netsuite_id,
            f"undo of journal entry {numbers}: {undo.step}",
            by,
            tuple(Change(item.side, item.field, item.shows, item.restored) for item in undo.restored),
        )


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
