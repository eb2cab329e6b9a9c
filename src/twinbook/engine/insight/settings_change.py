"""What a change of settings would do: for which contacts the outcome would be another one, and which.

What stands is taken from the last looks in the store; what would be is planned with the new settings. So nothing has to
be planned twice, and nothing is written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.connection import Connection
from twinbook.engine.insight.preview import Foreseen, Preview
from twinbook.store import outcomes
from twinbook.store.database import Tx
from twinbook.store.outcomes import IN_STEP, Seen

STANDS_IN_STEP, NOT_LOOKED_AT = "in step", "not looked at"

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Changed:
    """One contact whose outcome would be another one: what stands, and what would be."""

    item: Foreseen
    before: str
    after: str


async def changes(connection: Connection) -> AsyncIterator[Changed]:
    """All contacts for which `connection`, which has the new settings, would come to something else than stands."""
    preview, waiting = Preview(connection), list[Foreseen]()
    async for item in preview.contacts():
        waiting.append(item)
        if len(waiting) == AT_ONCE:
            for changed in await _changed(connection, waiting):
                yield changed
            waiting.clear()
    if connection.contacts.direction.reaches(Side.SALESFORCE):
        async for item in preview.newcomers():
            waiting.append(item)
    for changed in await _changed(connection, waiting):
        yield changed


async def _changed(connection: Connection, items: list[Foreseen]) -> list[Changed]:
    def last_looks(tx: Tx) -> dict[Key, Seen]:
        return {
            Key(Entity.CONTACT, side, id_): seen
            for side in Side
            for id_, seen in outcomes.seen(tx, side, [item.key.id for item in items]).items()
        }

    last = await connection.store.read(last_looks)
    found = []
    for item in items:
        seen = last.get(item.key)
        before = NOT_LOOKED_AT if seen is None else _stands(seen.kind, seen.reason)
        after = _would_be(item.plan.outcome, item.plan.reason)
        if before != after:
            found.append(Changed(item, before, after))
    return found


def _stands(kind: OutcomeKind, reason: Reason | None) -> str:
    return STANDS_IN_STEP if kind in IN_STEP else _named(kind, reason)


def _would_be(kind: OutcomeKind, reason: Reason | None) -> str:
    """An update is a change of what stands, though the contact was in step: something would be written."""
    return STANDS_IN_STEP if kind is OutcomeKind.UNCHANGED else _named(kind, reason)


def _named(kind: OutcomeKind, reason: Reason | None) -> str:
    return f"{kind.value} {reason.value}" if reason else kind.value
