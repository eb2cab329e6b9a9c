"""What came of each record the last time it was looked at: exactly one row a record, with the reason and the trace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.store.database import Tx
from twinbook.store.schema import dirty, link, outcome
from twinbook.store.sql import chunks, incoming, upsert

IN_STEP = (OutcomeKind.CREATED, OutcomeKind.ADOPTED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One look at one record. `written` names what this look wrote (created, adopted, updated), None if nothing.

    `account_id` is the Salesforce account; of a NetSuite contact whose company is linked with none, that company; of an
    account the parent that it waits for. `version` and `counterpart_version` are those of the contacts that were seen.
    """

    key: Key
    kind: OutcomeKind
    reason: Reason | None = None
    detail: str = ""
    counterpart_id: str | None = None
    account_id: str | None = None
    name: str = ""
    email: str | None = None
    trace: tuple[dict[str, Any], ...] = ()
    choices: tuple[str, ...] = ()
    version: str = ""
    counterpart_version: str = ""
    written: str | None = None
    looked_at: float = 0.0
    written_at: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records stand at one outcome and reason."""

    kind: OutcomeKind
    reason: Reason | None
    number: int


def record(tx: Tx, found: Sequence[Outcome], *, looked_at: float, now: float) -> None:
    """Store the outcomes of one look; the time and kind of the last write survive looks that write nothing.

    `looked_at` is the time *before* the records were read: whatever changed after it may not have been seen.
    """
    rows = [
        {
            "scope": tx.scope,
            "entity": item.key.entity,
            "side": item.key.side,
            "record_id": item.key.id,
            "counterpart_id": item.counterpart_id,
            "account_id": item.account_id,
            "name": item.name,
            "email": item.email,
            "outcome": item.kind,
            "reason": item.reason,
            "detail": item.detail,
            "trace": list(item.trace),
            "choices": list(item.choices),
            "version": item.version,
            "counterpart_version": item.counterpart_version,
            "looked_at": looked_at,
            "written_at": now if item.written else None,
            "written": item.written,
        }
        for item in found
    ]
    keys = {column.name for column in outcome.primary_key}
    changes: dict[str, Any] = {name: incoming(name) for name in outcome.c.keys() if name not in keys}  # noqa: SIM118
    for name in ("written_at", "written"):
        changes[name] = sa.func.coalesce(incoming(name), outcome.c[name])
    upsert(tx, outcome, rows, update=changes)


def find(tx: Tx, key: Key) -> Outcome | None:
    row = tx.execute(
        sa.select(outcome).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == key.entity,
            outcome.c.side == key.side,
            outcome.c.record_id == key.id,
        )
    ).one_or_none()
    return None if row is None else _outcome(row)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look at a record saw, and what it came to."""

    version: str
    counterpart_version: str
    kind: OutcomeKind
    reason: Reason | None


def seen(tx: Tx, side: Side, contact_ids: Sequence[str]) -> dict[str, Seen]:
    """The last looks at these contacts of one side."""
    found: dict[str, Seen] = {}
    columns = (outcome.c.version, outcome.c.counterpart_version, outcome.c.outcome, outcome.c.reason)
    for part in chunks(contact_ids):
        rows = tx.execute(
            sa.select(outcome.c.record_id, *columns).where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == Entity.CONTACT,
                outcome.c.side == side,
                outcome.c.record_id.in_(part),
            )
        )
        for id_, version, counterpart, kind, reason in map(tuple, rows):
            found[id_] = Seen(version, counterpart, OutcomeKind(kind), Reason(reason) if reason else None)
    return found


def seen_again(tx: Tx, looks: Mapping[Key, tuple[str, str]]) -> None:
    """Note under which versions (its own, its counterpart's) records came to the same once more."""
    if looks:
        tx.execute(
            sa.update(outcome)
            .where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == sa.bindparam("b_entity"),
                outcome.c.side == sa.bindparam("b_side"),
                outcome.c.record_id == sa.bindparam("b_id"),
            )
            .values(version=sa.bindparam("b_own"), counterpart_version=sa.bindparam("b_other")),
            [
                {"b_entity": key.entity, "b_side": key.side, "b_id": key.id, "b_own": own, "b_other": other}
                for key, (own, other) in looks.items()
            ],
        )


def search(tx: Tx, text: str, *, limit: int = 20) -> list[Outcome]:
    """Contacts whose id on either side, or whose email, is `text`."""
    rows = tx.execute(
        sa.select(outcome)
        .where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            sa.or_(
                outcome.c.record_id == text,
                outcome.c.counterpart_id == text,
                outcome.c.email == text.strip().casefold(),
            ),
        )
        .limit(limit)
    )
    return [_outcome(row) for row in rows]


def looked_at_since(tx: Tx, keys: Sequence[Key], at: float) -> set[Key]:
    """Those of the keys that were read since this time."""
    fresh: set[Key] = set()
    for part in chunks(keys):
        rows = tx.execute(
            sa.select(outcome.c.entity, outcome.c.side, outcome.c.record_id).where(
                outcome.c.scope == tx.scope,
                outcome.c.record_id.in_([key.id for key in part]),
                outcome.c.looked_at >= at,
            )
        )
        fresh |= {Key(Entity(row.entity), Side(row.side), row.record_id) for row in rows}
    return fresh & set(keys)


_SAID_GONE = {
    Side.SALESFORCE: (Reason.DELETED_IN_SALESFORCE, Reason.MERGED_AWAY),
    Side.NETSUITE: (Reason.DELETED_IN_NETSUITE,),
}


def unseen_since(tx: Tx, entity: Entity, side: Side, at: float) -> list[Key]:
    """Records that nobody has looked at since this time and that are not about to be: those with an outcome, unless
    that says that they are gone, and, of Salesforce, those with a link."""
    told = outcome.c.reason.in_(_SAID_GONE[side])
    linked = sa.select(link.c.salesforce_id).where(
        link.c.scope == tx.scope,
        link.c.entity == entity,
        link.c.state != LinkState.CLOSED,
        link.c.salesforce_id.is_not(None),
        # A pair has one key, that of its Salesforce record.
        sa.literal(side is Side.SALESFORCE),
    )
    known = sa.union(
        sa.select(outcome.c.record_id).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == entity,
            outcome.c.side == side,
            sa.or_(outcome.c.reason.is_(None), sa.not_(told)),
        ),
        linked,
    ).subquery()
    of_record = (entity, side, known.c.record_id)
    seen = sa.exists().where(*_about(tx, outcome, *of_record), outcome.c.looked_at >= at)
    queued = sa.exists().where(*_about(tx, dirty, *of_record))
    rows = tx.execute(sa.select(known.c.record_id).where(~seen, ~queued).order_by(known.c.record_id))
    return [Key(entity, side, row.record_id) for row in rows]


def last_look(tx: Tx) -> float:
    """When the latest look at any record was."""
    latest = sa.select(sa.func.max(outcome.c.looked_at)).where(outcome.c.scope == tx.scope)
    return float(tx.execute(latest).scalar() or 0.0)


def unwritten_since(tx: Tx, looked_at: float, *, limit: int = 50) -> list[Outcome]:
    """Records looked at since then whose outcome needs a word: skipped, waiting, in review or failed. Oldest first."""
    rows = tx.execute(
        sa.select(outcome)
        .where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            outcome.c.looked_at > looked_at,
            outcome.c.outcome.not_in(IN_STEP),
        )
        .order_by(outcome.c.looked_at)
        .limit(limit)
    )
    return [_outcome(row) for row in rows]


def forget(tx: Tx, keys: Sequence[Key]) -> None:
    """Records that are shown under another key from now on: a NetSuite contact under its Salesforce contact's."""
    by_kind: dict[tuple[Entity, Side], list[str]] = {}
    for key in keys:
        by_kind.setdefault((key.entity, key.side), []).append(key.id)
    for (entity, side), ids in by_kind.items():
        for part in chunks(ids):
            tx.execute(
                sa.delete(outcome).where(
                    outcome.c.scope == tx.scope,
                    outcome.c.entity == entity,
                    outcome.c.side == side,
                    outcome.c.record_id.in_(part),
                )
            )


def waiting_for_accounts(tx: Tx, account_ids: Sequence[str]) -> list[Key]:
    """Contacts that wait until one of these Salesforce accounts is linked."""
    rows = tx.execute(
        sa.select(outcome.c.side, outcome.c.record_id).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            outcome.c.reason == Reason.ACCOUNT_NOT_SYNCED,
            outcome.c.account_id.in_(account_ids),
        )
    )
    return [Key(Entity.CONTACT, Side(row.side), row.record_id) for row in rows]


def netsuite_contacts_waiting_for(tx: Tx, customer_ids: Sequence[str]) -> list[Key]:
    """NetSuite contacts that wait until one of these customers is linked with an account."""
    rows = tx.execute(
        sa.select(outcome.c.record_id).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            outcome.c.side == Side.NETSUITE,
            outcome.c.reason == Reason.ACCOUNT_NOT_SYNCED,
            outcome.c.account_id.in_(customer_ids),
        )
    )
    return [Key(Entity.CONTACT, Side.NETSUITE, row.record_id) for row in rows]


def out_of_step(tx: Tx, salesforce_ids: Sequence[str]) -> set[str]:
    """Those of the Salesforce contacts that were not simply in step when they were last looked at."""
    found: set[str] = set()
    for part in chunks(salesforce_ids):
        rows = tx.execute(
            sa.select(outcome.c.record_id).where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == Entity.CONTACT,
                outcome.c.side == Side.SALESFORCE,
                outcome.c.record_id.in_(part),
                outcome.c.outcome.not_in(IN_STEP),
            )
        )
        found |= {row.record_id for row in rows}
    return found


def keys_with_reason(tx: Tx, reason: Reason) -> list[Key]:
    rows = tx.execute(
        sa.select(outcome.c.entity, outcome.c.side, outcome.c.record_id).where(
            outcome.c.scope == tx.scope, outcome.c.reason == reason
        )
    )
    return [Key(Entity(row.entity), Side(row.side), row.record_id) for row in rows]


def with_reasons(tx: Tx, keys: Sequence[Key], reasons: Collection[Reason]) -> set[Key]:
    """Those of the keys whose last outcome has one of these reasons."""
    found: set[Key] = set()
    for part in chunks(keys):
        rows = tx.execute(
            sa.select(outcome.c.entity, outcome.c.side, outcome.c.record_id).where(
                outcome.c.scope == tx.scope,
                outcome.c.record_id.in_([key.id for key in part]),
                outcome.c.reason.in_(list(reasons)),
            )
        )
        found |= {Key(Entity(row.entity), Side(row.side), row.record_id) for row in rows}
    return found & set(keys)


def of_account(tx: Tx, account_ids: Sequence[str]) -> list[Key]:
    """The contacts that belonged to these accounts when they were last looked at."""
    rows = tx.execute(
        sa.select(outcome.c.entity, outcome.c.side, outcome.c.record_id).where(
            outcome.c.scope == tx.scope,
            outcome.c.entity == Entity.CONTACT,
            outcome.c.account_id.in_(account_ids),
        )
    )
    return [Key(Entity(row.entity), Side(row.side), row.record_id) for row in rows]


def accounts_below(tx: Tx, parent_ids: Sequence[str]) -> dict[str, list[Key]]:
    """The accounts that wait for each of these parents to be linked; parents for which none waits are absent."""
    found: dict[str, list[Key]] = {}
    for part in chunks(parent_ids):
        rows = tx.execute(
            sa.select(outcome.c.account_id, outcome.c.side, outcome.c.record_id).where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == Entity.ACCOUNT,
                outcome.c.reason == Reason.PARENT_NOT_SYNCED,
                outcome.c.account_id.in_(part),
            )
        )
        for row in rows:
            found.setdefault(row.account_id, []).append(Key(Entity.ACCOUNT, Side(row.side), row.record_id))
    return found


def with_choices(tx: Tx, *, limit: int = 1000) -> list[Outcome]:
    """Records about which a person can choose, in the order of their last look."""
    none = sa.cast(outcome.c.choices, sa.Text) == "[]"
    rows = tx.execute(
        sa.select(outcome)
        .where(outcome.c.scope == tx.scope, ~none)
        .order_by(outcome.c.looked_at)
        .limit(limit)
    )
    return [_outcome(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: behind the record that was looked at then."""

    looked_at: float
    side: Side
    record_id: str


def of_reason(
    tx: Tx,
    entity: Entity,
    kind: OutcomeKind,
    reason: Reason,
    *,
    limit: int,
    after: Place | None = None,
    until: float | None = None,
) -> list[Outcome]:
    """Records at one outcome and reason, the oldest look first; with `until`, only those looked at by then."""
    order = (outcome.c.looked_at, outcome.c.side, outcome.c.record_id)
    chosen = sa.select(outcome).where(
        outcome.c.scope == tx.scope,
        outcome.c.entity == entity,
        outcome.c.outcome == kind,
        outcome.c.reason == reason,
    )
    if after is not None:
        there = (sa.literal(after.looked_at), sa.literal(after.side.value), sa.literal(after.record_id))
        chosen = chosen.where(sa.tuple_(*order) > sa.tuple_(*there))
    if until is not None:
        chosen = chosen.where(outcome.c.looked_at <= until)
    return [_outcome(row) for row in tx.execute(chosen.order_by(*order).limit(limit))]


def tally(tx: Tx, entity: Entity = Entity.CONTACT) -> list[Tally]:
    """Counts by outcome and reason, the largest first."""
    number = sa.func.count().label("number")
    rows = tx.execute(
        sa.select(outcome.c.outcome, outcome.c.reason, number)
        .where(outcome.c.scope == tx.scope, outcome.c.entity == entity)
        .group_by(outcome.c.outcome, outcome.c.reason)
        .order_by(number.desc())
    )
    return [
        Tally(OutcomeKind(row.outcome), Reason(row.reason) if row.reason else None, row.number)
        for row in rows
    ]


def looks_since(tx: Tx, entity: Entity, at: float, cells: Sequence[Tally]) -> int:
    """How many records were looked at since then. `cells` name all outcomes and reasons that there are: each is a part
    of the index."""

    def one(cell: Tally) -> int:
        mine = (
            outcome.c.scope == tx.scope,
            outcome.c.entity == entity,
            outcome.c.outcome == cell.kind,
            outcome.c.reason.is_(None) if cell.reason is None else outcome.c.reason == cell.reason,
            outcome.c.looked_at >= at,
        )
        return int(tx.execute(sa.select(sa.func.count()).where(*mine)).scalar_one())

    return sum(map(one, cells))


def _about(
    tx: Tx, table: sa.Table, entity: Entity, side: Side, record_id: sa.ColumnElement[str]
) -> tuple[sa.ColumnElement[bool], ...]:
    """A table's row about a record, in a query about several."""
    return (
        table.c.scope == tx.scope,
        table.c.entity == entity,
        table.c.side == side,
        table.c.record_id == record_id,
    )


def _outcome(row: sa.Row[Any]) -> Outcome:
    return Outcome(
        key=Key(Entity(row.entity), Side(row.side), row.record_id),
        kind=OutcomeKind(row.outcome),
        reason=Reason(row.reason) if row.reason else None,
        detail=row.detail,
        counterpart_id=row.counterpart_id,
        account_id=row.account_id,
        name=row.name,
        email=row.email,
        trace=tuple(row.trace),
        choices=tuple(row.choices),
        version=row.version,
        counterpart_version=row.counterpart_version,
        written=row.written,
        looked_at=row.looked_at,
        written_at=row.written_at,
    )


def waiting_for_people(tx: Tx) -> dict[str, int]:
    """How many records wait for a person, by reason."""
    mine = (outcome.c.scope == tx.scope, outcome.c.outcome == OutcomeKind.REVIEW)
    rows = tx.execute(sa.select(outcome.c.reason, sa.func.count()).where(*mine).group_by(outcome.c.reason))
    return {reason: number for reason, number in map(tuple, rows) if reason}


def names(tx: Tx, keys: Sequence[Key]) -> dict[Key, str]:
    """What these records are called, where that is known."""
    found: dict[Key, str] = {}
    for entity, side in {(key.entity, key.side) for key in keys}:
        ids = [key.id for key in keys if (key.entity, key.side) == (entity, side)]
        for part in chunks(ids):
            rows = tx.execute(
                sa.select(outcome.c.record_id, outcome.c.name).where(
                    outcome.c.scope == tx.scope,
                    outcome.c.entity == entity,
                    outcome.c.side == side,
                    outcome.c.record_id.in_(part),
                )
            )
            found |= {Key(entity, side, row.record_id): row.name for row in rows}
    return found


def kinds(tx: Tx, keys: Sequence[Key]) -> dict[Key, tuple[str, str | None]]:
    """What stands for these records now: outcome and reason."""
    found: dict[Key, tuple[str, str | None]] = {}
    columns = (outcome.c.entity, outcome.c.side, outcome.c.record_id, outcome.c.outcome, outcome.c.reason)
    for part in chunks(keys):
        rows = tx.execute(
            sa.select(*columns).where(
                outcome.c.scope == tx.scope, outcome.c.record_id.in_({key.id for key in part})
            )
        )
        for entity, side, id_, kind, reason in map(tuple, rows):
            found[Key(Entity(entity), Side(side), id_)] = (kind, reason)
    return found
