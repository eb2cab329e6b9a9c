"""Letting go of history: what is too old goes, in batches; what is of the present stays."""

from __future__ import annotations

import pytest

from twinbook.domain.errors import PermanentError
from twinbook.domain.records import Entity, Key, Side
from twinbook.store import drifts, incidents, journal, retention, runs, sweeps
from twinbook.store.database import Database, Store, Tx
from twinbook.store.journal import Entry
from twinbook.store.retention import DAY, Retention
from twinbook.store.runs import RunKind

NOW = 1_790_000_000.0
CONTACT = Key(Entity.CONTACT, Side.SALESFORCE, "0035g0000000001AAA")


@pytest.fixture
def store() -> Store:
    return Store(Database.open_memory(), "default")


KEPT = Retention(journal_days=10, incident_days=10, run_days=10, drift_days=5)


def prune(store: Store) -> int:
    number = 0
    while deleted := store.run_now(lambda tx: retention.prune(tx, KEPT, now=NOW)):
        assert deleted <= retention.AT_ONCE
        number += deleted
    return number


def test_history_that_is_too_old_goes_in_batches(store: Store) -> None:
    def fill(tx: Tx) -> None:
        entry = Entry("updated", Entity.CONTACT, CONTACT.id, "77", "test")
        journal.append(tx, [entry] * 2500, now=NOW - 11 * DAY)
        journal.append(tx, [entry] * 3, now=NOW - 9 * DAY)

    store.run_now(fill)
    assert prune(store) == 2500
    history = store.read_now(lambda tx: journal.history(tx, salesforce_id=CONTACT.id, netsuite_id=None))
    assert len(history) == 3


def test_open_errors_stay_however_old(store: Store) -> None:
    other = Key(Entity.CONTACT, Side.SALESFORCE, "0035g0000000002AAA")

    def fill(tx: Tx) -> None:
        for key in (CONTACT, other):
            incidents.report(tx, key, PermanentError("X", "no"), now=NOW - 99 * DAY, attempts=1)
        incidents.close(tx, [other], by="success", now=NOW - 98 * DAY)

    store.run_now(fill)
    assert prune(store) == 1
    assert [item.key for item in store.read_now(incidents.open_ones)] == [CONTACT]


def test_sweeps_go_with_their_drift_and_unfinished_runs_stay(store: Store) -> None:
    def fill(tx: Tx) -> int:
        old = sweeps.start(tx, thorough=False, repairs=True, by="test", now=NOW - 6 * DAY)
        runs.finish(tx, runs.by_id(tx, old), now=NOW - 6 * DAY)
        runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=NOW - 99 * DAY)
        return old

    old = store.run_now(fill)
    assert prune(store) == 1
    assert store.read_now(lambda tx: sweeps.by_id(tx, old)) is None
    assert store.read_now(lambda tx: drifts.tally(tx, old)) == {}
    assert len(store.read_now(runs.unfinished)) == 1
