"""Erasing one person's data, and keeping a note of it that says nothing about the person but the ids."""

from __future__ import annotations

from twinbook.domain.records import Entity
from twinbook.store import audit, erasure, journal
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.erasure import Subject
from twinbook.store.journal import Entry

WHAT = "erased"


def erase(tx: Tx, subject: Subject, *, by: str, now: float) -> dict[str, int]:
    """Erase the data in one transaction with its lines in history and audit; how much of each kind."""
    done = erasure.erase(tx, subject, now=now)
    entries = [
        Entry(WHAT, Entity.CONTACT, id_, None, "a person's data was erased on request", who=by)
        for id_ in sorted(subject.salesforce_ids)
    ]
    journal.append(tx, entries, now=now)
    act = Act(by, "person.erased", ", ".join(sorted(subject.ids)), tx.scope, dict(done))
    audit.note(tx, act, now=now)
    return done
