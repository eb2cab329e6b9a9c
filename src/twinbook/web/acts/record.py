"""What people do to one record, each with its line in the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinbook.domain.records import Entity, Key
from twinbook.engine.care import controls
from twinbook.engine.care.holding import held
from twinbook.engine.care.pairs import AccountPairs, ContactPairs
from twinbook.engine.care.resolving import Resolving, Wish
from twinbook.engine.care.undo import Carried, Undoer
from twinbook.engine.care.undoing import Undo
from twinbook.engine.connection import Connection
from twinbook.store import audit, journal
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.journal import Selection
from twinbook.web.access.principal import Principal
from twinbook.web.asking import must
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Fault, NotFound, Problem


async def push(dashboard: Dashboard, who: Principal, connection: str, key: Key) -> None:
    """Have it looked at now."""
    await _store(dashboard, who, connection, key, "pushed", lambda tx, now: controls.push(tx, key, now=now))


async def leave_out(dashboard: Dashboard, who: Principal, connection: str, key: Key) -> None:
    """Keep it out of the sync until it is taken in again."""

    def work(tx: Tx, now: float) -> None:
        controls.leave_out(tx, key, by=who.login, now=now)

    await _store(dashboard, who, connection, key, "left-out", work)


async def take_in(dashboard: Dashboard, who: Principal, connection: str, key: Key) -> None:
    """Take back what was decided about it."""

    def work(tx: Tx, now: float) -> None:
        controls.take_in(tx, key, by=who.login, now=now)

    await _store(dashboard, who, connection, key, "taken-in", work)


async def choose(dashboard: Dashboard, who: Principal, connection: str, key: Key, choice: str) -> None:
    """Take one of the choices that there are. Raises `Problem` where it is none of them any more."""

    def work(tx: Tx, now: float) -> None:
        controls.choose(tx, key, choice, by=who.login, now=now)

    try:
        await _store(dashboard, who, connection, key, "chosen", work, choice=choice)
    except ValueError as flaw:
        fault = Fault("choice", f"{str(flaw)[:1].upper()}{str(flaw)[1:]}.")
        raise Problem(409, "This choice is not there", "Look at the record anew.", faults=[fault]) from None


async def resolve(dashboard: Dashboard, who: Principal, connection: str, key: Key, wish: Wish) -> list[str]:
    """Decide the fields in conflict; what is wrong with the wish, empty when it was stored."""
    flaws = await must(dashboard, connection, lambda live: Resolving(live).resolve(key, wish, by=who.login))
    if not flaws:
        fields = sorted({*wish.sides, *wish.values})
        await _store(dashboard, who, connection, key, "resolved", lambda _tx, _now: None, fields=fields)
    return flaws


async def preview_undo(dashboard: Dashboard, connection: str, key: Key, entry: int) -> Undo:
    """What undoing one entry of its history would do. Raises `NotFound` for an entry that is not about it."""
    await _must_be_about(dashboard, connection, key, entry)
    return await must(dashboard, connection, lambda live: _planned(live, key, entry))


async def undo(dashboard: Dashboard, who: Principal, connection: str, key: Key, entry: int) -> Carried:
    """Undo one entry of its history, while no lane works on the pair. Raises `Problem` where there is nothing to do
    any more."""
    await _must_be_about(dashboard, connection, key, entry)
    carried = await must(dashboard, connection, lambda live: _undone(live, key, entry, by=who.login))
    if carried is None:
        raise Problem(
            409, "There is nothing to undo any more", "The record was changed since. Look at it anew."
        )
    await _store(
        dashboard,
        who,
        connection,
        key,
        "undone",
        lambda _tx, _now: None,
        entry=entry,
        refused=bool(carried.refused),
    )
    return carried


async def _planned(live: Connection, key: Key, entry: int) -> Undo:
    async for batch in _undoer(live, key).batches(Selection(entry)):
        return batch[0]
    raise NotFound("entry")


async def _undone(live: Connection, key: Key, entry: int, *, by: str) -> Carried | None:
    async with held(live, key, cause=f"undone by {by}"):
        planned = await _planned(live, key, entry)
        carried = await _undoer(live, key).carry_out([planned], by=by)
        return carried[0] if carried else None


def _undoer(live: Connection, key: Key) -> Undoer:
    pairs = ContactPairs(live) if key.entity is Entity.CONTACT else AccountPairs(live)
    return Undoer(live, pairs)


async def _must_be_about(dashboard: Dashboard, connection: str, key: Key, entry: int) -> None:
    found = await dashboard.read(lambda tx: journal.by_id(tx, entry), connection)
    if (
        found is None
        or found.entity is not key.entity
        or key.id not in (found.salesforce_id, found.netsuite_id)
    ):
        raise NotFound("entry")


async def _store(
    dashboard: Dashboard,
    who: Principal,
    connection: str,
    key: Key,
    what: str,
    work: Callable[[Tx, float], None],
    **detail: Any,
) -> None:
    """Do it, with its line in the audit, and have the lanes look."""
    now = dashboard.now()

    def both(tx: Tx) -> None:
        work(tx, now)
        about = f"{key.entity} {key.id}"
        audit.note(tx, Act(who.login, f"record.{what}", about, connection, detail), now=now)

    await dashboard.write(both, connection)
    dashboard.ring(connection)
