"""The link table: which Salesforce record belongs to which NetSuite record, and what both last agreed on.

The unique indexes are the arbiter of every race: one counterpart belongs to one record, one email is being created
once at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

import sqlalchemy as sa

from twinbook.domain.ids import netsuite_contact_key
from twinbook.domain.records import Entity, Fields, Link, LinkState, Sent, Side
from twinbook.store.database import Tx
from twinbook.store.schema import link
from twinbook.store.sql import chunks

TOLD = ""
"""Stands for the claim of what was sent once the history tells of it."""


class Reservation(Enum):
    """Whether an intent could be stored, and if not, what stands in its way."""

    HELD = "held"
    RECORD_BUSY = "record-busy"
    COUNTERPART_TAKEN = "counterpart-taken"
    EMAIL_BUSY = "email-busy"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be created or adopted. The id of a record that is yet to be created is None.

    `correlation_id` says whose intent it is: one that began with the Salesforce contact and one that began with the
    NetSuite contact stand in each other's way, even about the same pair. `replaces` is the NetSuite record of the link
    that it takes the place of: one that was linked since it was looked at is not to be linked by what was seen before.
    """

    salesforce_id: str | None
    correlation_id: str
    netsuite_id: str | None = None
    email: str | None = None
    replaces: str | None = None


def by_salesforce(tx: Tx, entity: Entity, ids: Iterable[str]) -> dict[str, Link]:
    return {found.salesforce_id: found for found in _find(tx, entity, link.c.salesforce_id, ids)}


def by_netsuite(tx: Tx, entity: Entity, ids: Iterable[str]) -> dict[str, Link]:
    """Live links by NetSuite id; tombstones are left out, and intents that know no Salesforce record yet."""
    return {
        found.netsuite_id: found
        for found in _find(tx, entity, link.c.netsuite_id, ids)
        if found.netsuite_id and found.salesforce_id and found.state is not LinkState.CLOSED
    }


def concluded(tx: Tx, entity: Entity, netsuite_ids: Iterable[str]) -> dict[str, Link]:
    """Links by NetSuite id, and tombstones of records that have no link; the latest where there are several."""
    found = [item for item in _find(tx, entity, link.c.netsuite_id, netsuite_ids) if item.netsuite_id]
    ends = {item.netsuite_id: item for item in found if item.state is LinkState.CLOSED}
    live = {item.netsuite_id: item for item in found if item.state is LinkState.LINKED}
    return {id_: item for id_, item in (ends | live).items() if id_ is not None}


@dataclass(frozen=True, slots=True)
class Known:
    """What a sweep compares of a link. `id` is its number in the table, `version` that of the side asked about."""

    id: int
    salesforce_id: str
    netsuite_id: str | None
    state: LinkState
    version: str


def known(tx: Tx, side: Side, contact_ids: Sequence[str]) -> dict[str, Known]:
    """The links and tombstones of contacts by their ids on one side; of several with one NetSuite id the live one."""
    own, version = (
        (link.c.salesforce_id, link.c.salesforce_version)
        if side is Side.SALESFORCE
        else (link.c.netsuite_id, link.c.netsuite_version)
    )
    found: dict[str, Known] = {}
    for part in chunks(contact_ids):
        rows = tx.execute(
            sa.select(own, link.c.id, link.c.salesforce_id, link.c.netsuite_id, link.c.state, version).where(
                link.c.scope == tx.scope,
                link.c.entity == Entity.CONTACT,
                own.in_(part),
            )
        )
        for own_id, number, salesforce_id, netsuite_id, state, seen in map(tuple, rows):
            # Not asked of the database, which would then walk the whole index of Salesforce ids.
            if salesforce_id is not None and (state != LinkState.CLOSED or own_id not in found):
                found[own_id] = Known(number, salesforce_id, netsuite_id, LinkState(state), seen)
    return found


def live_after(tx: Tx, salesforce_id: str, *, limit: int, until: float) -> list[tuple[int, str]]:
    """Linked contacts after a Salesforce id, in the database's order of these: each with the link's number. Those that
    became links later than `until` are left out."""
    rows = tx.execute(
        sa.select(link.c.id, link.c.salesforce_id)
        .where(
            link.c.scope == tx.scope,
            link.c.entity == Entity.CONTACT,
            link.c.state == LinkState.LINKED,
            link.c.salesforce_id > salesforce_id,
            link.c.created_at <= until,
        )
        .order_by(link.c.salesforce_id)
        .limit(limit)
    )
    return [(row.id, row.salesforce_id) for row in rows]


def seen_again(tx: Tx, looks: Mapping[str, tuple[Link, str, str]]) -> None:
    """Note under which versions contacts were found in step once more, by Salesforce id: the link as it was then, and
    the versions of both sides. A link that has changed meanwhile is left alone."""
    if looks:
        tx.execute(
            sa.update(link)
            .where(
                link.c.scope == tx.scope,
                link.c.entity == Entity.CONTACT,
                link.c.salesforce_id == sa.bindparam("b_id"),
                link.c.salesforce_version == sa.bindparam("b_was_salesforce"),
                link.c.netsuite_version == sa.bindparam("b_was_netsuite"),
                link.c.state == LinkState.LINKED,
            )
            .values(
                salesforce_version=sa.bindparam("b_salesforce"), netsuite_version=sa.bindparam("b_netsuite")
            ),
            [
                {
                    "b_id": id_,
                    "b_was_salesforce": then.salesforce_version,
                    "b_was_netsuite": then.netsuite_version,
                    "b_salesforce": salesforce,
                    "b_netsuite": netsuite,
                }
                for id_, (then, salesforce, netsuite) in looks.items()
            ],
        )


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
    if intent.netsuite_id is not None:
        # It may have been stored before its Salesforce record was known.
        give_up(tx, entity, [intent.netsuite_id])
    mine = _mine(tx, entity, intent.salesforce_id)
    if intent.salesforce_id is None or not tx.execute(sa.update(link).where(*mine).values(values)).rowcount:
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
    sent: Sequence[Sent] = (),
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
        "sent": _rows(sent),
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


def close(tx: Tx, entity: Entity, salesforce_id: str, *, now: float, agreed: Fields | None = None) -> None:
    """Turn a link into a tombstone; its counterpart is free for another record. The tombstone keeps what was agreed,
    or the values given."""
    values: dict[str, Any] = {
        "state": LinkState.CLOSED,
        "reserved_email": None,
        "sent": [],
        "updated_at": now,
    }
    if agreed:
        values["agreed"] = dict(agreed)
    tx.execute(sa.update(link).where(*_mine(tx, entity, salesforce_id)).values(values))


def release(tx: Tx, entity: Entity, salesforce_ids: Sequence[str]) -> None:
    """Let go of what the intents of these records hold: a counterpart, or an email. What came of them is found by the
    ids it carries; that something may have been created is still remembered."""
    for part in chunks(salesforce_ids):
        intents = (
            link.c.scope == tx.scope,
            link.c.entity == entity,
            link.c.salesforce_id.in_(part),
            link.c.state == LinkState.CREATING,
        )
        # Asked in this way, or SQLite walks the whole index of NetSuite ids for it.
        holds = sa.func.coalesce(link.c.netsuite_id, "") != ""
        tx.execute(sa.delete(link).where(*intents, holds))
        tx.execute(sa.update(link).where(*intents).values(reserved_email=None))


def withdraw(tx: Tx, entity: Entity, salesforce_id: str) -> None:
    """Forget an intent that was refused before anything came of it."""
    tx.execute(sa.delete(link).where(*_mine(tx, entity, salesforce_id), link.c.state == LinkState.CREATING))


def forget(tx: Tx, entity: Entity, salesforce_id: str) -> None:
    """Drop a link without a tombstone, as if the two records had never been one pair: somebody said so."""
    tx.execute(sa.delete(link).where(*_mine(tx, entity, salesforce_id)))


def agree(tx: Tx, entity: Entity, salesforce_id: str, agreed: Fields, *, now: float) -> None:
    """Replace what a pair has agreed on, without looking at the pair anew."""
    mine = _mine(tx, entity, salesforce_id)
    tx.execute(sa.update(link).where(*mine).values(agreed=dict(agreed), sent=[], updated_at=now))


def send(tx: Tx, entity: Entity, intent: Intent, sent: Sequence[Sent]) -> None:
    """Remember what is about to be written to a pair, in place of what was before, until the history tells of it."""
    mine = (
        _mine(tx, entity, intent.salesforce_id)
        if intent.salesforce_id is not None
        else (
            link.c.scope == tx.scope,
            link.c.entity == entity,
            link.c.correlation_id == intent.correlation_id,
        )
    )
    tx.execute(sa.update(link).where(*mine).values(sent=_rows(sent)))


def told(tx: Tx, entity: Entity, salesforce_ids: Sequence[str]) -> None:
    """The history tells by now what was written to these. It is remembered all the same until both sides agree."""
    for id_, found in by_salesforce(tx, entity, salesforce_ids).items():
        sent = [replace(item, by=TOLD) for item in found.sent]
        tx.execute(sa.update(link).where(*_mine(tx, entity, id_)).values(sent=_rows(sent)))


def forget_sent(tx: Tx, entity: Entity, salesforce_ids: Sequence[str]) -> None:
    """Both sides agree on what was written to these, and the history tells of it."""
    for part in chunks(salesforce_ids):
        mine = (link.c.scope == tx.scope, link.c.entity == entity, link.c.salesforce_id.in_(part))
        tx.execute(sa.update(link).where(*mine).values(sent=[]))


def cut_off(tx: Tx, entity: Entity, netsuite_ids: Iterable[str]) -> dict[str, tuple[Sent, ...]]:
    """What was about to be written for intents that began with these NetSuite records."""
    found = _find(tx, entity, link.c.netsuite_id, netsuite_ids)
    return {item.netsuite_id: item.sent for item in found if item.netsuite_id and item.sent}


def give_up(tx: Tx, entity: Entity, netsuite_ids: Sequence[str]) -> None:
    """Forget the intents that began with these NetSuite records. What came of them is found by the ids it carries."""
    for part in chunks(netsuite_ids):
        tx.execute(
            sa.delete(link).where(
                link.c.scope == tx.scope,
                link.c.entity == entity,
                link.c.netsuite_id.in_(part),
                link.c.correlation_id.in_([netsuite_contact_key(id_) for id_ in part]),
                link.c.state == LinkState.CREATING,
            )
        )


def count(tx: Tx, entity: Entity) -> int:
    live = (link.c.scope == tx.scope, link.c.entity == entity, link.c.state == LinkState.LINKED)
    return int(tx.execute(sa.select(sa.func.count()).where(*live)).scalar_one())


def _rows(sent: Sequence[Sent]) -> list[dict[str, Any]]:
    return [asdict(item) for item in sent]


def _obstacle(tx: Tx, entity: Entity, intent: Intent) -> Reservation:
    others = (
        link.c.scope == tx.scope,
        link.c.entity == entity,
        link.c.correlation_id != intent.correlation_id,
    )
    live = link.c.state != LinkState.CLOSED
    if intent.salesforce_id is not None and _exists(
        tx, *others, live, link.c.salesforce_id == intent.salesforce_id
    ):
        return Reservation.RECORD_BUSY
    unseen = link.c.netsuite_id.is_distinct_from(intent.replaces)
    if intent.salesforce_id is not None and _exists(
        tx, *_mine(tx, entity, intent.salesforce_id), link.c.state == LinkState.LINKED, unseen
    ):
        return Reservation.RECORD_BUSY
    if intent.netsuite_id is not None and _exists(
        tx, *others, live, link.c.netsuite_id == intent.netsuite_id
    ):
        return Reservation.COUNTERPART_TAKEN
    if intent.email is not None and _exists(tx, *others, link.c.reserved_email == intent.email):
        return Reservation.EMAIL_BUSY
    return Reservation.HELD


def _exists(tx: Tx, *where: sa.ColumnElement[bool]) -> bool:
    return bool(tx.execute(sa.select(sa.exists().where(*where))).scalar_one())


def _mine(tx: Tx, entity: Entity, salesforce_id: str | None) -> tuple[sa.ColumnElement[bool], ...]:
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
                tuple(Sent(**{**item, "side": Side(item["side"])}) for item in row.sent),
            )
            for row in rows
        ]
    return found
