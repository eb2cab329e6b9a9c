"""Erasing one person's data from the store (behaviour.md 9, 10): wherever a value, a name or an email of theirs stands.

Links keep the two ids and become tombstones without values: without them the records, as long as they exist, would be
taken for new ones. What is kept bears ids only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from twinbook.domain.records import Entity, LinkState, Side
from twinbook.store.database import Tx
from twinbook.store.schema import decision, dirty, drift, incident, journal, link, outcome

# What stands in the place of a text that was erased.
ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the contacts that are theirs: ids in Salesforce and in NetSuite."""

    salesforce_ids: frozenset[str]
    netsuite_ids: frozenset[str]

    @property
    def ids(self) -> frozenset[str]:
        return self.salesforce_ids | self.netsuite_ids


def find(tx: Tx, text: str) -> Subject:
    """All contacts that have this id on either side, or this email, and those that they are or were linked with."""
    ids, name = {text.strip()}, text.strip().casefold()
    mine = (outcome.c.scope == tx.scope, outcome.c.entity == Entity.CONTACT)
    known = sa.select(outcome.c.side, outcome.c.record_id, outcome.c.counterpart_id)
    named = sa.or_(outcome.c.record_id.in_(ids), outcome.c.counterpart_id.in_(ids), outcome.c.email == name)
    found: dict[Side, set[str]] = {side: set() for side in Side}
    for row in tx.execute(known.where(*mine, named)):
        side = Side(row.side)
        found[side].add(row.record_id)
        found[side.other] |= {row.counterpart_id} - {None}
    of_link = sa.select(link.c.salesforce_id, link.c.netsuite_id).where(
        link.c.scope == tx.scope,
        link.c.entity == Entity.CONTACT,
        sa.or_(
            link.c.salesforce_id.in_(ids | found[Side.SALESFORCE]),
            link.c.netsuite_id.in_(ids | found[Side.NETSUITE]),
        ),
    )
    for row in tx.execute(of_link):
        found[Side.SALESFORCE] |= {row.salesforce_id} - {None}
        found[Side.NETSUITE] |= {row.netsuite_id} - {None}
    return Subject(frozenset(found[Side.SALESFORCE]), frozenset(found[Side.NETSUITE]))


def erase(tx: Tx, subject: Subject, *, now: float) -> dict[str, int]:
    """Erase a person's data; how many rows of each kind were changed or deleted. The caller compacts the database."""
    done = {"mentions": _erase_mentions(tx, subject)}
    done |= {
        "links": tx.execute(
            sa.update(link)
            .where(*_contacts(tx, link), _either(link.c.salesforce_id, link.c.netsuite_id, subject))
            .values(state=LinkState.CLOSED, agreed={}, sent=[], reserved_email=None, updated_at=now)
        ).rowcount,
        "history": tx.execute(
            sa.update(journal)
            .where(*_contacts(tx, journal), _either(journal.c.salesforce_id, journal.c.netsuite_id, subject))
            .values(changes=[], why=ERASED)
        ).rowcount,
        "drift": tx.execute(
            sa.delete(drift).where(
                drift.c.scope == tx.scope, _either(drift.c.salesforce_id, drift.c.netsuite_id, subject)
            )
        ).rowcount,
    }
    for name, table in (
        ("outcomes", outcome),
        ("incidents", incident),
        ("decisions", decision),
        ("queue", dirty),
    ):
        done[name] = tx.execute(
            sa.delete(table).where(*_contacts(tx, table), _of_record(table, subject))
        ).rowcount
    return done


def _erase_mentions(tx: Tx, subject: Subject) -> int:
    """Looks at others that saw this person's email, as the one of a candidate for example."""
    emails = tx.execute(
        sa.select(outcome.c.email)
        .distinct()
        .where(*_contacts(tx, outcome), _of_record(outcome, subject), outcome.c.email.is_not(None))
    ).scalars()
    number = 0
    for email in emails:
        seen = sa.func.lower(sa.cast(outcome.c.trace, sa.Text) + outcome.c.detail)
        number += tx.execute(
            sa.update(outcome)
            .where(outcome.c.scope == tx.scope, seen.contains(email, autoescape=True))
            .values(trace=[], detail=ERASED)
        ).rowcount
        told = sa.func.lower(incident.c.message)
        number += tx.execute(
            sa.update(incident)
            .where(incident.c.scope == tx.scope, told.contains(email, autoescape=True))
            .values(message=ERASED)
        ).rowcount
    return number


def _contacts(tx: Tx, table: sa.Table) -> Iterable[sa.ColumnElement[bool]]:
    return (table.c.scope == tx.scope, table.c.entity == Entity.CONTACT)


def _either(
    salesforce_id: sa.Column[str], netsuite_id: sa.Column[str], subject: Subject
) -> sa.ColumnElement[bool]:
    return sa.or_(salesforce_id.in_(subject.salesforce_ids), netsuite_id.in_(subject.netsuite_ids))


def _of_record(table: sa.Table, subject: Subject) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.and_(table.c.side == Side.SALESFORCE, table.c.record_id.in_(subject.salesforce_ids)),
        sa.and_(table.c.side == Side.NETSUITE, table.c.record_id.in_(subject.netsuite_ids)),
    )
