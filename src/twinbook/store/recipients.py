"""Whom to tell what: people by an apprise address, programs by a webhook. The scope of a transaction plays no part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import recipient


class Kind(StrEnum):
    """`people` are told in words when something needs them, a `webhook` what came of every record."""

    PEOPLE = "people"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Recipient:
    """`shown` is what may be read of the address; `sealed` is the address, encrypted. `rules` and `told` are what
    `twinbook.notify.due` makes of them. `dropped`: so many deliveries did not fit into the queue."""

    id: int
    kind: Kind
    name: str
    shown: str
    sealed: str
    rules: Mapping[str, Any]
    told: Mapping[str, Any]
    dropped: int
    created_at: float


def add(
    tx: Tx, kind: Kind, *, name: str, shown: str, sealed: str, rules: Mapping[str, Any], now: float
) -> int:
    row = {"kind": kind, "name": name, "shown": shown, "sealed": sealed, "rules": dict(rules)}
    made = tx.execute(sa.insert(recipient).values(row | {"told": {}, "dropped": 0, "created_at": now}))
    key = made.inserted_primary_key
    assert key is not None  # noqa: S101 - an insert of one row has one
    return int(key[0])


def change(
    tx: Tx, recipient_id: int, *, name: str, shown: str, sealed: str, rules: Mapping[str, Any]
) -> None:
    """What was told and what waits stays."""
    row = {"name": name, "shown": shown, "sealed": sealed, "rules": dict(rules)}
    tx.execute(sa.update(recipient).where(recipient.c.id == recipient_id).values(row))


def everybody(tx: Tx, kind: Kind | None = None) -> list[Recipient]:
    wanted = sa.select(recipient).order_by(recipient.c.id)
    if kind is not None:
        wanted = wanted.where(recipient.c.kind == kind)
    return [_recipient(row) for row in tx.execute(wanted)]


def by_id(tx: Tx, recipient_id: int) -> Recipient | None:
    row = tx.execute(sa.select(recipient).where(recipient.c.id == recipient_id)).one_or_none()
    return None if row is None else _recipient(row)


def note_told(tx: Tx, recipient_id: int, told: Mapping[str, Any]) -> None:
    tx.execute(sa.update(recipient).where(recipient.c.id == recipient_id).values(told=dict(told)))


def remove(tx: Tx, recipient_id: int) -> None:
    """With all that is yet to be sent there."""
    tx.execute(sa.delete(recipient).where(recipient.c.id == recipient_id))


def _recipient(row: sa.Row[Any]) -> Recipient:
    return Recipient(
        row.id,
        Kind(row.kind),
        row.name,
        row.shown,
        row.sealed,
        row.rules,
        row.told,
        row.dropped,
        row.created_at,
    )
