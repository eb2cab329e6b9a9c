"""Killed before and after every durable write, the engine ends where the undisturbed run ends, and then rests.

Each scenario is played once undisturbed. Then it is played once for each transaction that this took, and the process
dies at that transaction; a new one takes over. In the end both systems, the links and what is shown must be the same,
the history must tell at least as much of what people had entered, and a further look at everything must write nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from tests.memory.people import ada
from tests.memory.world import World, world

from twinbook.domain.attachments import AttachmentPolicy
from twinbook.domain.policy import (
    CounterpartMissing,
    DeletedInSalesforce,
    Direction,
    MergedAway,
)
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.engine.care import controls
from twinbook.store import dirty_keys, journal, links
from twinbook.store.database import Store, Tx
from twinbook.store.outcomes import IN_STEP

T = TypeVar("T")
Act = Callable[[World], Awaitable[None]]


class Killed(BaseException):
    """The process is gone: nobody catches this."""


class MortalStore(Store):
    """A store whose process dies at its n-th transaction: `after` it was committed, or before."""

    def __init__(self, store: Store, *, at: int, after: bool) -> None:
        super().__init__(store.database, store.scope)
        self._left, self._after = at, after
        self.transactions = 0

    async def run(self, work: Callable[[Tx], T]) -> T:
        self.transactions += 1
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        result = await super().run(work)
        if self._left == 0:
            raise Killed
        return result


def person(w: World, account: str | None, name: str = "Ada", **fields: Any) -> str:
    given = {"FirstName": name, "LastName": "Lovelace", "Email": f"{name}@acme.example", "AccountId": account}
    return w.salesforce.user_creates_contact(**(given | fields))


async def linked(w: World, name: str = "Ada", **fields: Any) -> tuple[str, str]:
    """A contact that is in step: its ids."""
    here = person(w, w.linked_account(f"{name} Ltd")[0], name, **fields)
    await w.settle()
    return here, str(w.salesforce.contact(here).netsuite_id)


async def creates(w: World) -> None:
    person(w, w.linked_account()[0], Title="Countess")


async def adopts(w: World) -> None:
    account, customer = w.linked_account()
    ada(w, customer, lastName="Byron", title="Analyst")
    person(w, account, Title="Countess")


async def clashes_by_name(w: World) -> None:
    account, customer = w.linked_account()
    ada(w, customer, email="other@acme.example")
    person(w, account)


async def shares_a_mailbox(w: World) -> None:
    account, _ = w.linked_account()
    person(w, account, "Ada", Email="info@acme.example")
    person(w, account, "Grace", Email="info@acme.example")


async def changes_its_email(w: World) -> None:
    here, _ = await linked(w)
    w.salesforce.user_edits(here, {"Email": "countess@acme.example", "Title": "Countess"})


async def conflicts(w: World) -> None:
    here, there = await linked(w, Title="Analyst")
    w.salesforce.user_edits(here, {"Title": "Countess"})
    w.netsuite.user_edits(there, {"title": "Mathematician", "phone": "030 1"})


async def is_won(w: World) -> None:
    parent = w.salesforce.user_creates_account("Group")
    account = w.salesforce.user_creates_account("Prospect", ParentId=parent)
    person(w, account, "Ada")
    person(w, parent, "Grace")
    await w.settle()
    w.salesforce.user_wins(w.salesforce.user_creates_opportunity(account))


async def moves(w: World) -> None:
    here, _ = await linked(w)
    other, _ = w.linked_account("Globex")
    w.salesforce.user_edits(here, {"AccountId": other})


async def is_inherited(w: World) -> None:
    loser, _ = await linked(w)
    account = w.salesforce.contact(loser).account_id
    winner = person(w, account, "Grace", Email=None)
    await w.settle()
    w.salesforce.user_merges(winner, loser)


async def leaves_a_second_contact(w: World) -> None:
    w.configure(merged_away=MergedAway.INACTIVATE)
    winner, _ = await linked(w, "Ada")
    loser, _ = await linked(w, "Grace")
    w.salesforce.user_merges(winner, loser)


async def is_deleted_and_made_inactive(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE)
    here, _ = await linked(w)
    w.salesforce.user_deletes(here)


async def is_deleted_on_both_sides(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    here, _ = await linked(w)
    w.salesforce.user_deletes(here)


async def comes_back(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE)
    here, _ = await linked(w)
    w.salesforce.user_deletes(here)
    await w.settle()
    w.salesforce.user_undeletes(here)


async def is_created_again(w: World) -> None:
    w.configure(counterpart_missing=CounterpartMissing.RECREATE)
    _, there = await linked(w)
    w.netsuite.user_deletes(there)


async def begins_in_netsuite(w: World) -> None:
    _, customer = w.linked_account()
    ada(w, customer, title="Countess")


async def is_attached(w: World) -> None:
    w.configure(attachments=AttachmentPolicy(relations=True, roles={"Influencer": "8"}))
    w.salesforce.config = replace(w.salesforce.config, relations=True)
    here, _ = await linked(w)
    other, _ = w.linked_account("Globex")
    w.salesforce.user_gives_role(Entity.ACCOUNT_CONTACT_RELATION, here, "Influencer", AccountId=other)


async def is_chosen(w: World) -> None:
    account, customer = w.linked_account()
    first = ada(w, customer)
    ada(w, customer, firstName="Augusta")
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    here = person(w, account)
    await w.settle()
    key, now = Key(Entity.CONTACT, Side.SALESFORCE, here), w.clock.now()
    await w.store.run(lambda tx: controls.choose(tx, key, first, by="Pat", now=now))


SCENARIOS = (
    creates,
    adopts,
    clashes_by_name,
    shares_a_mailbox,
    changes_its_email,
    conflicts,
    is_won,
    moves,
    is_inherited,
    leaves_a_second_contact,
    is_deleted_and_made_inactive,
    is_deleted_on_both_sides,
    comes_back,
    is_created_again,
    begins_in_netsuite,
    is_attached,
    is_chosen,
)


async def _state(w: World) -> dict[str, object]:
    """Everything that a user could tell apart, without the ids that differ from run to run."""
    names = {item.id: item.name for item in w.netsuite.contacts}
    people = {contact.id: contact for contact in w.salesforce.contacts}
    known = await w.store.read(lambda tx: links.by_salesforce(tx, Entity.CONTACT, list(people)))
    shown = {contact.id: await w.outcome(contact.id) for contact in people.values()}
    return {
        "NetSuite": sorted(
            (
                item.name,
                item.email or "",
                str(item.fields["title"]),
                item.inactive,
                item.salesforce_id in people,
            )
            for item in w.netsuite.contacts
        ),
        "customers": sorted((item.name, item.external_id or "") for item in w.netsuite.customers),
        "Salesforce": sorted(
            (
                str(item.fields["LastName"]),
                str(item.fields["Title"]),
                str(item.fields["Phone"]),
                item.account_id or "",
            )
            for item in people.values()
        ),
        "links": sorted(
            (people[id_].fields["Email"] or "", names.get(link.netsuite_id or "", ""), link.state, link.sent)
            for id_, link in known.items()
            if link.state is not LinkState.CREATING
        ),
        "shown": sorted(
            ("in step" if told.kind in IN_STEP else told.kind.value, told.reason or "")
            for told in shown.values()
        ),
        "attached": sorted(role or "" for role in w.netsuite.attached.values()),
        "incidents": [item.code for item in await w.incidents()],
    }


async def _overwritten(w: World) -> set[tuple[str, object, object]]:
    """What the history tells of values of people that others took the place of."""
    rows = w.connection.contacts.mapping.rows
    mapped = {row.field_on(side) for row in rows for side in Side}

    def read(tx: Tx) -> set[tuple[str, object, object]]:
        changes = [change for entry in journal.since(tx, 0, limit=1000) for change in entry.changes]
        return {(c.field, c.before, c.after) for c in changes if c.field in mapped and c.before is not None}

    return await w.store.read(read)


async def _play(act: Act, w: World, *, at: int, after: bool) -> int:
    """Play the scenario and kill the process at its `at`-th transaction; how many transactions there were."""
    w.configure(direction=Direction.BOTH)
    await act(w)
    living = w.connection
    mortal = MortalStore(living.store, at=at, after=after)
    w.connection = replace(living, store=mortal)
    try:
        await w.settle()
    except Killed:
        w.connection = living
        await w.store.run(dirty_keys.release_claims)
        await w.settle()
    w.connection = living
    return mortal.transactions


async def _rests(w: World) -> None:
    """A look at everything writes nothing."""
    writes = w.netsuite.writes, w.salesforce.writes
    await w.mark(*(Key(Entity.CONTACT, Side.SALESFORCE, contact.id) for contact in w.salesforce.contacts))
    await w.mark(*(Key(Entity.CONTACT, Side.NETSUITE, contact.id) for contact in w.netsuite.contacts))
    accounts = w.salesforce._live(Entity.ACCOUNT)
    await w.mark(*(Key(Entity.ACCOUNT, Side.SALESFORCE, account.id) for account in accounts))
    await w.settle()
    assert (w.netsuite.writes, w.salesforce.writes) == writes, "not at rest"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", SCENARIOS, ids=lambda act: act.__name__)
async def test_a_kill_at_any_commit_changes_nothing_in_the_end(
    act: Act, after: bool, record_property: Callable[[str, object], None]
) -> None:
    async with world(status=True) as w:
        transactions = await _play(act, w, at=-1, after=after)
        expected, told = await _state(w), await _overwritten(w)
        await _rests(w)
    assert transactions > 2
    for at in range(1, transactions + 1):
        async with world(status=True) as w:
            await _play(act, w, at=at, after=after)
            assert await _state(w) == expected, f"killed at transaction {at}"
            assert await _overwritten(w) >= told, f"killed at transaction {at}: the history is silent"
            await _rests(w)
    record_property("crash points", {act.__name__.replace("_", " "): transactions})
