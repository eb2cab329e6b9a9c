"""What a person may ask of a running connection. Everything here only writes to the store; the engine notices."""

from __future__ import annotations

from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.store import decisions, dirty_keys, flows, incidents, journal, links, outcomes, vanished
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import BY_HAND, Priority
from twinbook.store.incidents import Incident
from twinbook.store.journal import Entry


def pause(tx: Tx, *, by: str, now: float) -> None:
    """From now on every contact and account waits with PAUSED; changes are still taken in."""
    flows.set_paused(tx, True, by=by, now=now)


def resume(tx: Tx, *, by: str, now: float) -> int:
    """Go on after a pause, and look again at everything that waited; the number of records. What a safety valve
    holds stays held: see `confirm`."""
    flows.set_paused(tx, False, by=by, now=now)
    waiting = outcomes.keys_with_reason(tx, Reason.PAUSED)
    dirty_keys.mark(tx, waiting, cause="resumed", now=now, priority=Priority.RETRY)
    return len(waiting)


def confirm(tx: Tx, *, by: str, now: float) -> int:
    """Go on after a safety stop: a person has looked at what vanished, and it is worked off by the settings. The
    number of records that waited."""
    why = flows.state(tx).stopped_why or ""
    flows.confirm(tx)
    vanished.forget(tx, Entity.CONTACT)
    waiting = outcomes.keys_with_reason(tx, Reason.SAFETY_STOP)
    dirty_keys.mark(tx, waiting, cause=f"confirmed by {by}", now=now, priority=Priority.RETRY)
    journal.append(tx, [Entry("confirmed", Entity.CONTACT, None, None, why, who=by)], now=now)
    return len(waiting)


def choose(tx: Tx, key: Key, choice: str, *, by: str, now: float) -> None:
    """Take one of the choices that were listed with a record. Raises `ValueError` when it is none of them."""
    found = outcomes.find(tx, key)
    choices = found.choices if found else ()
    if not choices:
        raise ValueError(f"there is nothing to choose for {key.id}")
    if choice not in choices:
        raise ValueError(f"{choice!r} is none of the choices for {key.id}: {', '.join(choices)}")
    decisions.take(tx, key, choice, by=by, now=now)
    dirty_keys.mark(tx, [key], cause="a person decided", now=now)


def leave_out(tx: Tx, key: Key, *, by: str, now: float) -> None:
    """Keep one record out of the sync, linked or not, until somebody takes it in again."""
    decisions.take(tx, key, LEAVE_OUT, by=by, now=now)
    _note(tx, key, f"{by} left it out of the sync", by=by, now=now)


def take_in(tx: Tx, key: Key, *, by: str, now: float) -> None:
    """Forget what was decided about one record: the settings alone say what becomes of it."""
    decisions.withdraw(tx, [key])
    _note(tx, key, f"{by} took back what was decided", by=by, now=now)


def push(tx: Tx, key: Key, *, now: float) -> None:
    """Look at one record at once. For an account this is the trigger *by hand*."""
    dirty_keys.mark(tx, [key], cause=BY_HAND, now=now)


def key_of(tx: Tx, text: str) -> Key | None:
    """The contact that a NetSuite id is linked to; the NetSuite contact itself where one was seen without a link."""
    found = links.by_netsuite(tx, Entity.CONTACT, [text]).get(text)
    if found is not None:
        return Key(Entity.CONTACT, Side.SALESFORCE, found.salesforce_id)
    alone = Key(Entity.CONTACT, Side.NETSUITE, text)
    return alone if outcomes.find(tx, alone) else None


def _note(tx: Tx, key: Key, why: str, *, by: str, now: float) -> None:
    here, there = (key.id, None) if key.side is Side.SALESFORCE else (None, key.id)
    journal.append(tx, [Entry("decided", key.entity, here, there, why, by)], now=now)
    dirty_keys.mark(tx, [key], cause=f"decided by {by}", now=now)


def retry(tx: Tx, chosen: list[Incident], *, now: float) -> None:
    """Try the records of these incidents again at once; success closes them."""
    keys = [item.key for item in chosen]
    dirty_keys.mark(tx, keys, cause="retried by hand", now=now)


def open_incidents(tx: Tx, ids: list[int]) -> list[Incident]:
    """The open incidents with these numbers, or all of them when none is named."""
    found = incidents.open_ones(tx, limit=100_000)
    return [item for item in found if item.id in ids] if ids else found
