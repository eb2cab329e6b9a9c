"""The link table: which Salesforce record belongs to which NetSuite record, and what both last agreed on.

The unique indexes are the arbiter of every race: one counterpart belongs to one record, one email is being created
once at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa

from twinbook.domain.records import Entity, Fields, Link, LinkState
from twinbook.store.database import Tx
from twinbook.store.schema import link
from twinbook.store.sql import chunks


class Reservation(Enum):
    """Whether an intent could be stored, and if not, what stands in its way."""

    HELD = "held"
    COUNTERPART_TAKEN = "counterpart-taken"
    EMAIL_BUSY = "email-busy"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be created or adopted. `netsuite_id` is None for a create."""

    salesforce_id: str
    correlation_id: str
    netsuite_id: str | None = None
    email: str | None = None


def by_salesforce(tx: Tx, entity: Entity, ids: Iterable[str]) -> dict[str, Link]:
    return {found.salesforce_id: found for found in _find(tx, entity, link.c.salesforce_id, ids)}


def by_netsuite(tx: Tx, entity: Entity, ids: Iterable[str]) -> dict[str, Link]:
    """Live links by NetSuite id; tombstones are left out."""
    return {
        found.netsuite_id: found
        for found in _find(tx, entity, link.c.netsuite_id, ids)
        if found.netsuite_id is not None and found.state is not LinkState.CLOSED
    }


def reserve(tx: Tx, entity: Entity, intent: Intent, *, now: float) -> Reservation:
    """Store the intent before anything is written to a system. Repeating one's own intent is harmless."""
    obstacle = _obstacle(tx, entity, intent)
    if obstacle is not Reservation.HELD:
        return obstacle
    values = {
        "netsuite_id": intent.netsuite_id,
        "state": LinkState.CREATING,
        "correlation_id": intent.correlation_id,
        "reserved_email": intent.email,
        "updated_at": now,
    }
    mine = _mine(tx, entity, intent.salesforce_id)
    if not tx.execute(sa.update(link).where(*mine).values(values)).rowcount:
        tx.execute(
            sa.insert(link).values(
                scope=tx.scope,
                entity=entity,
                salesforce_id=intent.salesforce_id,
                agreed={},
                created_at=now,
                **values,
            )
        )
    return Reservation.HELD


def establish(
    tx: Tx,
    entity: Entity,
    salesforce_id: str,
    netsuite_id: str,
    *,
    correlation_id: str,
    now: float,
    agreed: Fields | None = None,
    salesforce_version: str = "",
    netsuite_version: str = "",
) -> None:
    """Make the pair a link, or bring the memory of an existing link up to date.

    Raises `sqlalchemy.exc.IntegrityError` when the counterpart belongs to another record: the caller reserved it
    first, so this cannot happen to a live edit.
    """
    values = {
        "netsuite_id": netsuite_id,
        "state": LinkState.LINKED,
        "correlation_id": correlation_id,
        "reserved_email": None,
        "agreed": dict(agreed or {}),
        "salesforce_version": salesforce_version,
        "netsuite_version": netsuite_version,
        "updated_at": now,
    }
    mine = _mine(tx, entity, salesforce_id)
    if not tx.execute(sa.update(link).where(*mine).values(values)).rowcount:
        tx.execute(
            sa.insert(link).values(
                scope=tx.scope, entity=entity, salesforce_id=salesforce_id, created_at=now, **values
            )
        )


def close(tx: Tx, entity: Entity, salesforce_id: str, *, now: float) -> None:
    """Turn a link into a tombstone; its counterpart is free for another record."""
    tx.execute(
        sa.update(link)
        .where(*_mine(tx, entity, salesforce_id))
        .values(state=LinkState.CLOSED, reserved_email=None, updated_at=now)
    )


def free_email(tx: Tx, entity: Entity, salesforce_id: str) -> None:
    """Let others be created with the email that an intent holds."""
    tx.execute(sa.update(link).where(*_mine(tx, entity, salesforce_id)).values(reserved_email=None))


def withdraw(tx: Tx, entity: Entity, salesforce_id: str) -> None:
    """Forget an intent that was refused before anything came of it."""
    tx.execute(sa.delete(link).where(*_mine(tx, entity, salesforce_id), link.c.state == LinkState.CREATING))


def count(tx: Tx, entity: Entity) -> int:
    live = (link.c.scope == tx.scope, link.c.entity == entity, link.c.state == LinkState.LINKED)
    return int(tx.execute(sa.select(sa.func.count()).where(*live)).scalar_one())


def _obstacle(tx: Tx, entity: Entity, intent: Intent) -> Reservation:
    others = (link.c.scope == tx.scope, link.c.entity == entity, link.c.salesforce_id != intent.salesforce_id)
    if intent.netsuite_id is not None and _exists(
        tx, *others, link.c.netsuite_id == intent.netsuite_id, link.c.state != LinkState.CLOSED
    ):
        return Reservation.COUNTERPART_TAKEN
    if intent.email is not None and _exists(tx, *others, link.c.reserved_email == intent.email):
        return Reservation.EMAIL_BUSY
    return Reservation.HELD


def _exists(tx: Tx, *where: sa.ColumnElement[bool]) -> bool:
    return bool(tx.execute(sa.select(sa.exists().where(*where))).scalar_one())


def _mine(tx: Tx, entity: Entity, salesforce_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (link.c.scope == tx.scope, link.c.entity == entity, link.c.salesforce_id == salesforce_id)


def _find(tx: Tx, entity: Entity, column: sa.Column[str], ids: Iterable[str]) -> Sequence[Link]:
    found: list[Link] = []
    for part in chunks(list(ids)):
        rows = tx.execute(
            sa.select(link).where(link.c.scope == tx.scope, link.c.entity == entity, column.in_(part))
        )
        found += [
            Link(
                row.salesforce_id,
                row.netsuite_id,
                LinkState(row.state),
                row.correlation_id,
                row.agreed,
                row.salesforce_version,
                row.netsuite_version,
            )
            for row in rows
        ]
    return found
