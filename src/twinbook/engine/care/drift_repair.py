"""Putting right what a sweep only reported, because a person asks for it."""

from __future__ import annotations

from collections.abc import Collection

from twinbook.domain.drift import DriftKind
from twinbook.store import dirty_keys, drifts
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Priority

AT_ONCE = 1000


def repair(
    tx: Tx,
    run_id: int,
    *,
    kinds: Collection[DriftKind] = (),
    record_ids: Collection[str] = (),
    by: str,
    now: float,
) -> int:
    """Have up to a thousand findings of a sweep looked at, all or only some; how many, 0 when none is left."""
    found = drifts.to_queue(tx, run_id, limit=AT_ONCE, kinds=kinds, record_ids=record_ids)
    keys = [key for _, key in found]
    dirty_keys.mark(tx, keys, cause=f"{by} asked to put drift right", now=now, priority=Priority.RETRY)
    drifts.queued(tx, [number for number, _ in found], by=by, now=now)
    return len(found)
