"""Linked pairs of which one record was found to be gone lately: what the safety valve counts.

A record stands here once however often it is looked at, so that retries do not add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.domain.records import Entity, LinkState
from twinbook.store.database import Tx
from twinbook.store.schema import link, vanished
from twinbook.store.sql import upsert


@dataclass(frozen=True, slots=True)
class Share:
    """`number` pairs lost a record, of `of` that were linked before."""

    number: int
    of: int

    def exceeds(self, percent: float) -> bool:
        return self.number * 100 > percent * self.of


def note(tx: Tx, entity: Entity, salesforce_ids: Sequence[str], *, now: float, since: float) -> Share:
    """Add pairs that lost a record, forget those seen before `since`, and count what is left."""
    tx.execute(sa.delete(vanished).where(*_of(tx, entity), vanished.c.seen_at < since))
    rows = [
        {"scope": tx.scope, "entity": entity, "salesforce_id": id_, "seen_at": now} for id_ in salesforce_ids
    ]
    upsert(tx, vanished, rows, update={"seen_at": vanished.c.seen_at})
    number = tx.execute(sa.select(sa.func.count()).where(*_of(tx, entity))).scalar_one()
    return Share(number, _once_linked(tx, entity))


def forget(tx: Tx, entity: Entity) -> None:
    """Count from zero: a person has looked at what vanished."""
    tx.execute(sa.delete(vanished).where(*_of(tx, entity)))


def _once_linked(tx: Tx, entity: Entity) -> int:
    """Links that are alive, and those that were until lately."""
    lately = sa.select(vanished.c.salesforce_id).where(*_of(tx, entity))
    counted = sa.or_(link.c.state == LinkState.LINKED, link.c.salesforce_id.in_(lately))
    statement = sa.select(sa.func.count()).where(link.c.scope == tx.scope, link.c.entity == entity, counted)
    return int(tx.execute(statement).scalar_one())


def _of(tx: Tx, entity: Entity) -> tuple[sa.ColumnElement[bool], ...]:
    return (vanished.c.scope == tx.scope, vanished.c.entity == entity)
