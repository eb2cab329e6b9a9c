"""Which customers Twinbook has attached NetSuite contacts to, and with which role. Nobody else's attachments."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from twinbook.store.database import Tx
from twinbook.store.schema import attachment
from twinbook.store.sql import chunks, upsert


def made(tx: Tx, contact_ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Roles by customer, by NetSuite contact; contacts without an attachment are absent."""
    found: dict[str, dict[str, str | None]] = {}
    for part in chunks(contact_ids):
        rows = tx.execute(
            sa.select(attachment)
            .where(attachment.c.scope == tx.scope, attachment.c.contact_id.in_(part))
            .order_by(attachment.c.customer_id)
        )
        for row in rows:
            found.setdefault(row.contact_id, {})[row.customer_id] = row.role_id
    return found


def remember(tx: Tx, contact_id: str, customer_id: str, role_id: str | None, *, now: float) -> None:
    row = {
        "scope": tx.scope,
        "contact_id": contact_id,
        "customer_id": customer_id,
        "role_id": role_id,
        "attached_at": now,
    }
    upsert(tx, attachment, [row])


def forget(tx: Tx, contact_id: str, customer_id: str) -> None:
    tx.execute(
        sa.delete(attachment).where(
            attachment.c.scope == tx.scope,
            attachment.c.contact_id == contact_id,
            attachment.c.customer_id == customer_id,
        )
    )
