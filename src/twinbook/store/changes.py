"""Outcomes that changed, queued for the webhooks: ids and codes, one message a batch and webhook."""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.store import deliveries, outcomes, recipients
from twinbook.store.database import Tx
from twinbook.store.outcomes import Outcome
from twinbook.store.recipients import Kind

EVENT = "outcome.changed"


def announce(tx: Tx, found: Sequence[Outcome], *, now: float) -> None:
    """Queue what is about to be stored, as far as it differs from what stands. Costs one look where nobody listens."""
    if not found or not (listening := recipients.everybody(tx, Kind.WEBHOOK)):
        return
    before = outcomes.kinds(tx, [item.key for item in found])
    changed = [
        {
            "entity": item.key.entity,
            "side": item.key.side,
            "id": item.key.id,
            "counterpart_id": item.counterpart_id,
            "outcome": item.kind,
            "reason": item.reason,
            "before": before.get(item.key, (None, None))[0],
            "reason_before": before.get(item.key, (None, None))[1],
        }
        for item in found
        if item.written or before.get(item.key) != (item.kind, item.reason)
    ]
    if changed:
        for webhook in listening:
            content = {"event": EVENT, "connection": tx.scope, "at": now, "records": changed}
            deliveries.put(tx, webhook.id, content, now=now)
