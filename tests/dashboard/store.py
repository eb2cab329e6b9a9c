"""Stores with something in them, made in seconds: contacts of all outcomes, their history, open incidents.

Rows are inserted as the engine would leave them, from a seed, so that each run shows the same people.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from twinbook.domain.reasons import CATALOGUE, OutcomeKind, Reason
from twinbook.domain.records import Entity, LinkState, Side
from twinbook.store.database import Database, Tx
from twinbook.store.incidents import shape_of
from twinbook.store.outcomes import IN_STEP
from twinbook.store.schema import dirty, incident, journal, link, outcome

NOW = 1_764_000_000.0
DAY = 86_400.0
BATCH = 5_000

GIVEN = (
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Frances",
    "Ken",
    "Margaret",
    "Niklaus",
    "Radia",
    "Tim",
)
FAMILY = (
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Knuth",
    "Allen",
    "Hamilton",
    "Müller",
    "Cerf",
    "O'Neil",
)
COMPANIES = ["acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "cyberdyne"]

# Of a hundred contacts, as an installation in good order has them.
SHARES: tuple[tuple[OutcomeKind, Reason | None, int], ...] = (
    (OutcomeKind.UNCHANGED, None, 52),
    (OutcomeKind.UPDATED, None, 15),
    (OutcomeKind.CREATED, None, 8),
    (OutcomeKind.ADOPTED, None, 5),
    (OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED, 8),
    (OutcomeKind.SKIPPED, Reason.NO_EMAIL, 3),
    (OutcomeKind.SKIPPED, Reason.ROLE_FILTER, 3),
    (OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH, 2),
    (OutcomeKind.REVIEW, Reason.CONFLICT, 1),
    (OutcomeKind.REVIEW, Reason.OTHER_COMPANY, 1),
    (OutcomeKind.FAILED, Reason.FIELD_TOO_LONG, 1),
    (OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE, 1),
)
DETAILS = {
    Reason.FIELD_TOO_LONG: "entityTitle holds 96 characters, NetSuite takes 83",
    Reason.REFUSED_BY_NETSUITE: "The field email must be an address",
    Reason.AMBIGUOUS_MATCH: "2 NetSuite contacts have this email",
    Reason.CONFLICT: "Phone was changed on both sides",
}
CHOICES = {
    Reason.AMBIGUOUS_MATCH: ["4711", "4712", "new"],
    Reason.CONFLICT: ["salesforce", "netsuite"],
    Reason.OTHER_COMPANY: ["4711", "new"],
}


@dataclass(frozen=True, slots=True)
class Somebody:
    """One contact of the store that is being made."""

    number: int
    kind: OutcomeKind
    reason: Reason | None
    name: str
    email: str | None
    looked_at: float

    @property
    def salesforce_id(self) -> str:
        return f"003gK{self.number:010d}QAA"

    @property
    def netsuite_id(self) -> str | None:
        linked = self.kind in IN_STEP or self.reason in (Reason.CONFLICT, Reason.FIELD_TOO_LONG)
        return str(10_000 + self.number) if linked else None


def fill(
    database: Database, contacts: int, *, scope: str = "default", seed: int = 1, now: float = NOW
) -> None:
    """Put so many contacts into a store, with a history of up to 10,000 entries and an incident for each failure."""
    everybody = people(contacts, seed=seed, now=now)
    while some := list(islice(everybody, BATCH)):
        database.run_now(scope, lambda tx, some=some: _insert(tx, some, now=now))


def people(contacts: int, *, seed: int, now: float) -> Iterator[Somebody]:
    chance = random.Random(seed)
    cells = [(kind, reason) for kind, reason, share in SHARES for _ in range(share)]
    for number in range(contacts):
        kind, reason = chance.choice(cells)
        given, family = chance.choice(GIVEN), chance.choice(FAMILY)
        plain = family.lower().replace("ü", "ue").replace("'", "")
        email = f"{given.lower()}.{plain}{number}@{chance.choice(COMPANIES)}.example"
        # The latest looks are dense, the older ones lie further apart.
        looked_at = now - 30 * DAY * chance.random() ** 3
        yield Somebody(
            number, kind, reason, f"{given} {family}", None if reason is Reason.NO_EMAIL else email, looked_at
        )


def _insert(tx: Tx, some: list[Somebody], *, now: float) -> None:
    tx.execute(sa.insert(outcome), [_outcome(tx.scope, item) for item in some])
    linked = [_link(tx.scope, item) for item in some if item.netsuite_id]
    if linked:
        tx.execute(sa.insert(link), linked)
    entries = [_entry(tx.scope, item) for item in some if _written(item)]
    if some[0].number < 10_000 and entries:
        tx.execute(sa.insert(journal), entries)
    failed = [_incident(tx.scope, item) for item in some if item.kind is OutcomeKind.FAILED]
    if failed:
        tx.execute(sa.insert(incident), failed)
    queued = [_key(tx.scope, item) for item in some[:40]]
    if some[0].number == 0:
        tx.execute(sa.insert(dirty), queued)


def _written(item: Somebody) -> OutcomeKind | None:
    return item.kind if item.kind in IN_STEP and item.kind is not OutcomeKind.UNCHANGED else None


def _outcome(scope: str, item: Somebody) -> dict[str, Any]:
    written = _written(item)
    question = "Does it hold one of the roles that are synced?"
    saw = {"roles": "Decision Maker"}
    trace = [{"rule": "8 role-filter", "question": question, "answer": item.reason is None, "saw": saw}]
    return {
        "scope": scope,
        "entity": Entity.CONTACT,
        "side": Side.SALESFORCE,
        "record_id": item.salesforce_id,
        "counterpart_id": item.netsuite_id,
        "account_id": f"001gK{item.number % 997:010d}QAA",
        "name": item.name,
        "email": item.email,
        "outcome": item.kind,
        "reason": item.reason,
        "detail": DETAILS.get(item.reason, "") if item.reason else "",
        "trace": trace,
        "choices": CHOICES.get(item.reason, []) if item.reason else [],
        "looked_at": item.looked_at,
        "written_at": item.looked_at if written else None,
        "written": written,
    }


def _link(scope: str, item: Somebody) -> dict[str, Any]:
    return {
        "scope": scope,
        "entity": Entity.CONTACT,
        "salesforce_id": item.salesforce_id,
        "netsuite_id": item.netsuite_id,
        "state": LinkState.LINKED,
        "correlation_id": item.salesforce_id,
        "agreed": {"FirstName/firstName": item.name.split()[0], "Email/email": item.email},
        "created_at": item.looked_at,
        "updated_at": item.looked_at,
    }


def _entry(scope: str, item: Somebody) -> dict[str, Any]:
    change = {"side": Side.NETSUITE, "field": "title", "before": "Engineer", "after": "Senior engineer"}
    return {
        "at": item.looked_at,
        "scope": scope,
        "entity": Entity.CONTACT,
        "salesforce_id": item.salesforce_id,
        "netsuite_id": item.netsuite_id,
        "what": item.kind,
        "why": "The title was changed in Salesforce.",
        "who": "twinbook",
        "changes": [change],
        "duration_ms": 300.0 + item.number % 900,
        "run_id": None,
    }


def _incident(scope: str, item: Somebody) -> dict[str, Any]:
    assert item.reason is not None
    return {
        "scope": scope,
        "entity": Entity.CONTACT,
        "side": Side.SALESFORCE,
        "record_id": item.salesforce_id,
        "kind": "failed",
        "code": item.reason,
        "field": "entityTitle" if item.reason is Reason.FIELD_TOO_LONG else None,
        "message": DETAILS[item.reason],
        "shape": shape_of(DETAILS[item.reason]),
        "remedy": CATALOGUE[item.reason].remedy,
        "attempts": 1,
        "opened_at": item.looked_at,
        "seen_at": item.looked_at,
    }


def _key(scope: str, item: Somebody) -> dict[str, Any]:
    return {
        "scope": scope,
        "entity": Entity.CONTACT,
        "side": Side.SALESFORCE,
        "record_id": item.salesforce_id,
        "group_id": item.salesforce_id,
        "priority": 0,
        "due_at": item.looked_at,
        "seq": 1,
        "attempts": 0,
        "cause": "change event",
        "marked_at": item.looked_at,
    }
