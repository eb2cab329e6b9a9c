"""Taking over the links of another product: its id fields are read on both sides, and pairs that name each other there
become Twinbook's own.

Where Twinbook's fields are others than the product's, the ids are copied into them, never over an id that stands
there already. The product's own fields are left as they are, so that a way back stays open.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.pairing import Bearer, Finding, Verdict
from twinbook.domain.ports import Failed, Update, WriteResult
from twinbook.domain.records import Entity, Fields, Side
from twinbook.engine.care.rebuild import Rebuild
from twinbook.engine.connection import Connection
from twinbook.engine.insight.survey import registers
from twinbook.store import journal
from twinbook.store.journal import Change, Entry


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of a batch: the pairs that are links now, and those whose ids could not be written, with why."""

    linked: tuple[Finding, ...] = ()
    refused: tuple[tuple[Finding, str], ...] = ()


class Adoption:
    """Reads the links of `source`, whose ports look at the other product's fields, into `connection`."""

    def __init__(self, connection: Connection, source: Connection, product: str) -> None:
        self._connection = connection
        self._rebuild = Rebuild(connection, source)
        self._product = product
        theirs, ours = source.contacts, connection.contacts
        self._fields = {Side.SALESFORCE: ours.salesforce_id_field, Side.NETSUITE: ours.netsuite_id_field}
        self._copies = self._fields != {
            Side.SALESFORCE: theirs.salesforce_id_field,
            Side.NETSUITE: theirs.netsuite_id_field,
        }

    async def batches(self) -> AsyncIterator[list[Finding]]:
        """All findings, accounts first. Nothing is written anywhere."""
        async for batch in self._rebuild.batches():
            yield await self._with_own_ids(batch)

    async def take_over(self, batch: Sequence[Finding], *, by: str) -> TakenOver:
        """Write the ids that are missing from Twinbook's own fields, then store the links. May be repeated."""
        pairs = [item for item in batch if item.verdict is Verdict.CONSISTENT]
        refused = await self._copy_ids(pairs, by=by) if self._copies and pairs else {}
        linked = await self._rebuild.restore(
            [item for item in pairs if _salesforce(item) not in refused],
            by=by,
            why=f"taken over from {self._product}",
        )
        told = ((item, refused[_salesforce(item)]) for item in pairs if _salesforce(item) in refused)
        return TakenOver(tuple(linked), tuple(told))

    async def _with_own_ids(self, batch: Sequence[Finding]) -> list[Finding]:
        """A pair that Twinbook's own fields contradict is no longer consistent."""
        pairs = [item for item in batch if item.verdict is Verdict.CONSISTENT]
        if not self._copies or not pairs:
            return list(batch)
        borne = await self._borne(pairs)
        return [_checked(item, borne) if item.verdict is Verdict.CONSISTENT else item for item in batch]

    async def _borne(self, pairs: Sequence[Finding]) -> dict[tuple[Side, str], Bearer]:
        """What Twinbook's own fields say of these records."""
        found: dict[tuple[Side, str], Bearer] = {}
        for entity in {item.entity for item in pairs}:
            mine = [item for item in pairs if item.entity is entity]
            for side, register in registers(self._connection, entity).items():
                ids = [str(_id_on(side, item)) for item in mine]
                found |= {(side, bearer.id): bearer for bearer in await register.read(ids)}
        return found

    async def _copy_ids(self, pairs: Sequence[Finding], *, by: str) -> dict[str, str]:
        """Write to both sides what is missing there; why pairs were refused, by their Salesforce ids."""
        borne = await self._borne(pairs)
        refused: dict[str, str] = {}
        for entity in (Entity.ACCOUNT, Entity.CONTACT):
            mine = [item for item in pairs if item.entity is entity]
            for side in (Side.NETSUITE, Side.SALESFORCE):
                missing = [i for i in mine if _salesforce(i) not in refused and _lacks(side, i, borne)]
                refused |= await self._write(entity, side, missing, by=by)
        return refused

    async def _write(
        self, entity: Entity, side: Side, items: Sequence[Finding], *, by: str
    ) -> dict[str, str]:
        if not items:
            return {}
        field = self._fields[side]
        changes: dict[str, Fields] = {
            str(_id_on(side, item)): {field: _id_on(side.other, item)} for item in items
        }
        results = await self._send(entity, side, changes)
        refused: dict[str, str] = {}
        written = []
        for item in items:
            result = results.get(str(_id_on(side, item)))
            if isinstance(result, Failed):
                refused[_salesforce(item)] = str(result.error)
            else:
                written.append(item)
        entries = [
            Entry(
                "id written",
                entity,
                item.salesforce_id,
                item.netsuite_id,
                f"taken over from {self._product}",
                by,
                (Change(side, field, None, _id_on(side.other, item)),),
            )
            for item in written
        ]
        now = self._connection.clock.now()
        await self._connection.store.run(lambda tx: journal.append(tx, entries, now=now))
        return refused

    async def _send(self, entity: Entity, side: Side, changes: dict[str, Fields]) -> dict[str, WriteResult]:
        salesforce, netsuite = self._connection.salesforce, self._connection.netsuite
        if side is Side.SALESFORCE:
            update = salesforce.update_contacts if entity is Entity.CONTACT else salesforce.update_accounts
            return dict(await update(changes))
        write = netsuite.write_contacts if entity is Entity.CONTACT else netsuite.write_customers
        results = dict(await write({id_: Update(id_, fields) for id_, fields in changes.items()}))
        for result in results.values():
            if isinstance(result, Failed) and result.of_call:
                raise result.error
        return results


def _checked(item: Finding, borne: dict[tuple[Side, str], Bearer]) -> Finding:
    for side in Side:
        bearer = borne.get((side, str(_id_on(side, item))))
        others = bearer.names - {str(_id_on(side.other, item))} if bearer else frozenset()
        if others:
            why = f"Twinbook's own field on the {side} record names {' and '.join(sorted(others))}"
            return replace(item, verdict=Verdict.CONTRADICTORY, why=why)
    return item


def _lacks(side: Side, item: Finding, borne: dict[tuple[Side, str], Bearer]) -> bool:
    bearer = borne.get((side, str(_id_on(side, item))))
    return bearer is not None and not bearer.names


def _salesforce(item: Finding) -> str:
    return str(item.salesforce_id)


def _id_on(side: Side, item: Finding) -> str | None:
    return item.salesforce_id if side is Side.SALESFORCE else item.netsuite_id
