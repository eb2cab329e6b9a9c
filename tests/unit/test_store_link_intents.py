"""Whose intent goes first: contacts of both sides that are about to be linked stand in each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from twinbook.domain.ids import contact_key, netsuite_contact_key
from twinbook.domain.records import Entity, LinkState
from twinbook.store import links
from twinbook.store.database import Database, Tx
from twinbook.store.links import Intent, Reservation
from twinbook.store.schema import link

HERE, OTHER = "0035g0000000001AAA", "0035g0000000002AAA"
THERE, FURTHER = "4711", "4712"


@pytest.fixture
def tx() -> Iterator[Tx]:
    database = Database.open_memory()
    with database._writing.engine.begin() as connection:
        yield Tx(connection, "default")
    database.close()


def from_salesforce(here: str = HERE, there: str | None = None, email: str | None = None) -> Intent:
    return Intent(here, contact_key(here), there, email)


def from_netsuite(there: str = THERE, here: str | None = None, email: str | None = None) -> Intent:
    return Intent(here, netsuite_contact_key(there), there, email)


def reserve(tx: Tx, intent: Intent) -> Reservation:
    return links.reserve(tx, Entity.CONTACT, intent, now=1.0)


def establish(tx: Tx, here: str = HERE, there: str = THERE) -> None:
    links.establish(tx, Entity.CONTACT, here, there, correlation_id=contact_key(here), now=2.0)


@pytest.mark.parametrize(
    ("first", "second", "obstacle"),
    [
        (from_salesforce(), from_netsuite(here=HERE), Reservation.RECORD_BUSY),
        (from_netsuite(here=HERE), from_salesforce(), Reservation.RECORD_BUSY),
        (from_salesforce(there=THERE), from_netsuite(here=HERE), Reservation.RECORD_BUSY),
        (from_salesforce(there=THERE), from_netsuite(), Reservation.COUNTERPART_TAKEN),
        (from_netsuite(), from_salesforce(there=THERE), Reservation.COUNTERPART_TAKEN),
        (from_netsuite(email="a@x"), from_salesforce(email="a@x"), Reservation.EMAIL_BUSY),
        (from_netsuite(email="a@x"), from_netsuite(FURTHER, email="a@x"), Reservation.EMAIL_BUSY),
        (from_salesforce(email="a@x"), from_netsuite(email="a@x"), Reservation.EMAIL_BUSY),
        (from_netsuite(email="a@x"), from_netsuite(FURTHER, email="b@x"), Reservation.HELD),
        (from_netsuite(), from_salesforce(), Reservation.HELD),
    ],
)
def test_of_two_intents_one_goes_first(tx: Tx, first: Intent, second: Intent, obstacle: Reservation) -> None:
    assert reserve(tx, first) is Reservation.HELD
    assert reserve(tx, second) is obstacle
    assert reserve(tx, first) is Reservation.HELD, "repeating one's own intent is harmless"


def test_a_linked_contact_is_nobody_to_be_adopted(tx: Tx) -> None:
    establish(tx)
    assert reserve(tx, from_netsuite(FURTHER, here=HERE)) is Reservation.RECORD_BUSY
    assert reserve(tx, from_salesforce(OTHER, there=THERE)) is Reservation.COUNTERPART_TAKEN
    anew = from_salesforce()
    assert reserve(tx, anew) is Reservation.RECORD_BUSY, "whoever plans that has not seen the link"
    assert reserve(tx, replace(anew, replaces=THERE)) is Reservation.HELD, "its own contact is created anew"


def test_a_tombstone_stands_in_nobodys_way(tx: Tx) -> None:
    establish(tx)
    links.close(tx, Entity.CONTACT, HERE, now=3.0)
    assert reserve(tx, from_netsuite(FURTHER, here=HERE)) is Reservation.HELD
    establish(tx, HERE, FURTHER)
    assert tx.execute(link.select()).one().netsuite_id == FURTHER


def test_an_intent_learns_its_salesforce_contact(tx: Tx) -> None:
    reserve(tx, from_netsuite())
    assert links.by_netsuite(tx, Entity.CONTACT, [THERE]) == {}
    assert links.concluded(tx, Entity.CONTACT, [THERE]) == {}
    assert reserve(tx, from_netsuite(here=HERE)) is Reservation.HELD
    establish(tx)
    [row] = tx.execute(link.select()).all()
    assert (row.salesforce_id, row.netsuite_id, row.state) == (HERE, THERE, LinkState.LINKED)
    assert links.concluded(tx, Entity.CONTACT, [THERE])[THERE].salesforce_id == HERE


def test_of_a_link_and_a_tombstone_the_link_counts(tx: Tx) -> None:
    establish(tx)
    links.close(tx, Entity.CONTACT, HERE, now=3.0)
    assert links.concluded(tx, Entity.CONTACT, [THERE])[THERE].state is LinkState.CLOSED
    establish(tx, OTHER, THERE)
    assert links.concluded(tx, Entity.CONTACT, [THERE])[THERE].salesforce_id == OTHER


def test_giving_up_forgets_only_intents_that_began_in_netsuite(tx: Tx) -> None:
    reserve(tx, from_netsuite(THERE, here=HERE))
    reserve(tx, from_salesforce(OTHER, there=FURTHER))
    links.give_up(tx, Entity.CONTACT, [THERE, FURTHER])
    assert [row.salesforce_id for row in tx.execute(link.select())] == [OTHER]
    establish(tx, HERE, THERE)
    links.give_up(tx, Entity.CONTACT, [THERE])
    assert links.concluded(tx, Entity.CONTACT, [THERE]).keys() == {THERE}
