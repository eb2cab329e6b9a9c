"""Erasing a person: their values are gone from the whole file, and the others' are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from twinbook.domain.drift import Difference, Drift, DriftKind
from twinbook.domain.errors import PermanentError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.records import Entity, Key, LinkState, Sent, Side
from twinbook.engine.care import erasing
from twinbook.store import (
    audit,
    decisions,
    dirty_keys,
    drifts,
    erasure,
    incidents,
    journal,
    links,
    outcomes,
    sweeps,
)
from twinbook.store.database import Database, Role, Store, Tx
from twinbook.store.drifts import Found
from twinbook.store.erasure import Subject
from twinbook.store.journal import Change, Entry
from twinbook.store.links import Intent
from twinbook.store.outcomes import Outcome

NOW = 1_790_000_000.0
ADA, BOB = "0035g0000000001AAA", "0035g0000000002AAA"
SECRETS = ("ada-mail@acme.example", "Zlovelacez", "+4411122233344")
OTHERS = ("bob-mail@acme.example", "Zbabbagez")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "twinbook.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    database = Database.open_file(file, Role.OWNER)
    yield Store(database, "default")
    database.close()


def plant(tx: Tx, id_: str, netsuite_id: str, email: str, name: str, phone: str) -> None:
    """A person's values wherever the store may hold some."""
    key = Key(Entity.CONTACT, Side.SALESFORCE, id_)
    links.establish(
        tx,
        Entity.CONTACT,
        id_,
        netsuite_id,
        correlation_id=f"SFC_{id_}",
        now=NOW,
        agreed={"Phone/phone": phone},
    )
    intent = Intent(id_, f"SFC_{id_}", netsuite_id)
    links.send(tx, Entity.CONTACT, intent, [Sent("Phone/phone", Side.NETSUITE, phone, name, phone, phone)])
    trace = ({"rule": "15", "question": "?", "answer": True, "saw": [["email", email], ["name", name]]},)
    outcomes.record(
        tx,
        [Outcome(key, OutcomeKind.UPDATED, None, name, netsuite_id, "001", name, email, trace)],
        looked_at=NOW,
        now=NOW,
    )
    changes = (Change(Side.NETSUITE, "email", None, email), Change(Side.NETSUITE, "phone", phone, name))
    journal.append(
        tx, [Entry("updated", Entity.CONTACT, id_, netsuite_id, f"about {name}", changes=changes)], now=NOW
    )
    incidents.report(tx, key, PermanentError("X", f"{email} is wrong", field="email"), now=NOW, attempts=1)
    decisions.take(tx, key, "new", by="ann", now=NOW)
    dirty_keys.mark(tx, [key], cause="test", now=NOW)
    run_id = sweeps.start(tx, thorough=False, repairs=False, by="test", now=NOW)
    drift = Drift(DriftKind.DIFFERENT, "Phone", (Difference("Phone/phone", phone, None),))
    drifts.add(tx, run_id, [Found(key, drift, id_, netsuite_id, name)], now=NOW)


def planted(store: Store) -> None:
    store.run_now(lambda tx: plant(tx, ADA, "71", SECRETS[0], SECRETS[1], SECRETS[2]))
    store.run_now(lambda tx: plant(tx, BOB, "72", OTHERS[0], OTHERS[1], "+49999"))
    # Bob's look saw Ada as a candidate, and said so.
    seen = ({"rule": "15", "question": "?", "answer": True, "saw": [["candidate", SECRETS[0].upper()]]},)
    key = Key(Entity.CONTACT, Side.SALESFORCE, BOB)
    bob = Outcome(key, OutcomeKind.REVIEW, None, "x", "72", "001", OTHERS[1], OTHERS[0], seen)
    store.run_now(lambda tx: outcomes.record(tx, [bob], looked_at=NOW, now=NOW))


def on_disk(file: Path) -> bytes:
    """All that any file of the store holds, in one case."""
    return b"".join(each.read_bytes() for each in file.parent.glob(file.name + "*")).lower()


def erase(store: Store, text: str) -> dict[str, int]:
    subject = store.read_now(lambda tx: erasure.find(tx, text))
    done = store.run_now(lambda tx: erasing.erase(tx, subject, by="ann", now=NOW))
    store.database.compact()
    return done


@pytest.mark.parametrize("text", [ADA, "71", SECRETS[0], SECRETS[0].upper()])
def test_no_byte_of_a_person_is_left(store: Store, file: Path, text: str) -> None:
    planted(store)
    before = on_disk(file)
    assert all(secret.lower().encode() in before for secret in (*SECRETS, *OTHERS))
    done = erase(store, text)
    assert all(done.values()), done
    after = on_disk(file)
    assert [secret for secret in SECRETS if secret.lower().encode() in after] == []
    assert [other for other in OTHERS if other.lower().encode() not in after] == []


def test_ids_stay_so_that_nobody_is_created_twice(store: Store) -> None:
    planted(store)
    erase(store, ADA)
    known = store.read_now(lambda tx: links.by_salesforce(tx, Entity.CONTACT, [ADA]))[ADA]
    assert (known.netsuite_id, known.state, known.agreed) == ("71", LinkState.CLOSED, {})
    history = store.read_now(lambda tx: journal.history(tx, salesforce_id=ADA, netsuite_id=None))
    assert [(entry.what, entry.changes) for entry in history] == [("erased", ()), ("updated", ())]


def test_it_is_audited_without_the_person(store: Store) -> None:
    planted(store)
    erase(store, SECRETS[0])
    [act] = store.read_now(lambda tx: audit.latest(tx, limit=5))
    assert (act.who, act.what, act.about, act.connection) == ("ann", "person.erased", f"{ADA}, 71", "default")
    assert act.detail["history"] == 1


def test_nobody_is_found_by_what_nobody_has(store: Store) -> None:
    planted(store)
    assert store.read_now(lambda tx: erasure.find(tx, "nobody@acme.example")) == Subject(
        frozenset(), frozenset()
    )
