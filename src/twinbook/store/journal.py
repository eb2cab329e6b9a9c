"""The append-only history: what Twinbook wrote, why, on whose behalf, with the values before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.domain.records import Entity, Side, Value
from twinbook.store.database import Tx
from twinbook.store.schema import journal

TWINBOOK = "twinbook"


@dataclass(frozen=True, slots=True)
class Change:
    """One field on one side. `before` is None when the field was empty or the record new.

    `source` is the side whose value was written, None where no side's was: an id, a status, a value that a person gave.
    `saved_by` is who had saved the source's record last, as far as that system tells; `seen_at` (epoch seconds) is when
    Twinbook noticed. `lost` says that `before` was somebody's value, which lost a conflict.
    """

    side: Side
    field: str
    before: Value
    after: Value
    source: Side | None = None
    saved_by: str | None = None
    seen_at: float | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a pair. `why` is a plain sentence, `who` is `twinbook` or a person."""

    what: str
    entity: Entity
    salesforce_id: str | None
    netsuite_id: str | None
    why: str
    who: str = TWINBOOK
    changes: tuple[Change, ...] = ()
    duration_ms: float | None = None
    run_id: int | None = None
    at: float = 0.0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """Some entries of the journal: one by its number, those of a run, or those since a time (epoch seconds)."""

    entry_id: int | None = None
    run_id: int | None = None
    since: float | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        wanted = (
            (journal.c.id.__eq__, self.entry_id),
            (journal.c.run_id.__eq__, self.run_id),
            (journal.c.at.__ge__, self.since),
        )
        return [clause(value) for clause, value in wanted if value is not None]


def append(tx: Tx, entries: Sequence[Entry], *, now: float) -> None:
    if not entries:
        return
    tx.execute(
        sa.insert(journal),
        [
            {
                "at": now,
                "scope": tx.scope,
                "entity": entry.entity,
                "salesforce_id": entry.salesforce_id,
                "netsuite_id": entry.netsuite_id,
                "what": entry.what,
                "why": entry.why,
                "who": entry.who,
                "changes": [_stored(item) for item in entry.changes],
                "duration_ms": entry.duration_ms,
                "run_id": entry.run_id,
            }
            for entry in entries
        ],
    )


def history(tx: Tx, *, salesforce_id: str | None, netsuite_id: str | None, limit: int = 50) -> list[Entry]:
    """The latest entries of a pair, newest first."""
    ids = [
        column == value
        for column, value in (
            (journal.c.salesforce_id, salesforce_id),
            (journal.c.netsuite_id, netsuite_id),
        )
        if value
    ]
    if not ids:
        return []
    return _select(tx, journal.c.scope == tx.scope, sa.or_(*ids), limit=limit)


def by_id(tx: Tx, entry_id: int) -> Entry | None:
    found = _select(tx, journal.c.scope == tx.scope, journal.c.id == entry_id, limit=1)
    return found[0] if found else None


def since(tx: Tx, entry_id: int, *, limit: int = 200) -> list[Entry]:
    """Entries after `entry_id`, oldest first: for people who watch."""
    rows = tx.execute(
        sa.select(journal)
        .where(journal.c.scope == tx.scope, journal.c.id > entry_id)
        .order_by(journal.c.id)
        .limit(limit)
    )
    return [_entry(row) for row in rows]


def records_in(tx: Tx, chosen: Selection, entity: Entity, *, after: str, limit: int) -> list[str]:
    """Salesforce ids of the records that the chosen entries are about, in their order, starting after `after`."""
    rows = tx.execute(
        sa.select(journal.c.salesforce_id)
        .distinct()
        .where(journal.c.scope == tx.scope, journal.c.entity == entity, journal.c.salesforce_id > after)
        .where(*chosen.clauses())
        .order_by(journal.c.salesforce_id)
        .limit(limit)
    )
    return [row.salesforce_id for row in rows]


def entries_of(tx: Tx, entity: Entity, salesforce_ids: Sequence[str]) -> dict[str, list[Entry]]:
    """Everything in the journal about these records, oldest first."""
    rows = tx.execute(
        sa.select(journal)
        .where(
            journal.c.scope == tx.scope,
            journal.c.entity == entity,
            journal.c.salesforce_id.in_(salesforce_ids),
        )
        .order_by(journal.c.id)
    )
    found: dict[str, list[Entry]] = {}
    for row in rows:
        found.setdefault(row.salesforce_id, []).append(_entry(row))
    return found


def numbers_in(tx: Tx, chosen: Selection, salesforce_ids: Sequence[str]) -> set[int]:
    """The numbers of the chosen entries about these records."""
    rows = tx.execute(
        sa.select(journal.c.id)
        .where(journal.c.scope == tx.scope, journal.c.salesforce_id.in_(salesforce_ids))
        .where(*chosen.clauses())
    )
    return {row.id for row in rows}


def last_id(tx: Tx) -> int:
    return tx.execute(sa.select(sa.func.max(journal.c.id)).where(journal.c.scope == tx.scope)).scalar() or 0


def _select(tx: Tx, *where: sa.ColumnElement[bool], limit: int) -> list[Entry]:
    rows = tx.execute(sa.select(journal).where(*where).order_by(journal.c.id.desc()).limit(limit))
    return [_entry(row) for row in rows]


def _stored(change: Change) -> dict[str, Any]:
    """What is not known is left out: most rows of a large journal are short."""
    row = {"side": change.side, "field": change.field, "before": change.before, "after": change.after}
    known = {
        "source": change.source,
        "saved_by": change.saved_by,
        "seen_at": change.seen_at,
        "lost": change.lost,
    }
    return row | {name: value for name, value in known.items() if value}


def _change(row: dict[str, Any]) -> Change:
    source = row.get("source")
    return Change(
        Side(row["side"]),
        row["field"],
        row["before"],
        row["after"],
        Side(source) if source else None,
        row.get("saved_by"),
        row.get("seen_at"),
        row.get("lost", False),
    )


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(
        what=row.what,
        entity=Entity(row.entity),
        salesforce_id=row.salesforce_id,
        netsuite_id=row.netsuite_id,
        why=row.why,
        who=row.who,
        changes=tuple(_change(item) for item in row.changes),
        duration_ms=row.duration_ms,
        run_id=row.run_id,
        at=row.at,
        id=row.id,
    )
