"""Section 5 of behaviour.md through the engine, over both systems in memory: what becomes of a pair when a record is
deleted, undeleted, merged or moved. Both ends, the link table and the history are checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import permutations

import pytest
import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import (
    CounterpartMissing,
    DeletedInNetSuite,
    DeletedInSalesforce,
    Direction,
    MergedAway,
)
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Fields, Key, Link, LinkState, NetSuiteContact, Side
from twinbook.engine.care import controls
from twinbook.store.journal import Entry

SKIPPED, WAITING, REVIEW = OutcomeKind.SKIPPED, OutcomeKind.WAITING, OutcomeKind.REVIEW


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@dataclass(frozen=True, slots=True)
class Twin:
    """A linked pair: ids on both sides."""

    salesforce: str
    netsuite: str


async def twin(w: World, name: str = "Ada", account: str | None = None) -> Twin:
    """A contact that is linked and in step."""
    account = account or w.linked_account()[0]
    contact = w.salesforce.user_creates_contact(
        FirstName=name, LastName="Lovelace", Email=f"{name}@acme.example", AccountId=account
    )
    await w.settle()
    link = await linked(w, contact)
    return Twin(contact, str(link.netsuite_id))


async def linked(w: World, contact: str) -> Link:
    link = await w.link(contact)
    assert link is not None
    assert link.state is LinkState.LINKED
    return link


async def pair(w: World, contact: str) -> tuple[LinkState, str | None, Fields] | None:
    link = await w.link(contact)
    return (link.state, link.netsuite_id, link.agreed) if link else None


async def ended(w: World, contact: str, netsuite_id: str) -> None:
    """A tombstone is left."""
    link = await w.link(contact)
    assert link is not None
    assert (link.state, link.netsuite_id) == (LinkState.CLOSED, netsuite_id)


async def shown(w: World, contact: str, kind: OutcomeKind, reason: Reason | None) -> None:
    found = await w.outcome(contact)
    assert (found.kind, found.reason) == (kind, reason)


def there(w: World, netsuite_id: str) -> NetSuiteContact | None:
    return next((contact for contact in w.netsuite.contacts if contact.id == netsuite_id), None)


async def latest(w: World, contact: str) -> Entry:
    """The last thing that happened to the link; the id that is then written back to Salesforce is a line of its own."""
    return next(entry for entry in await w.history(contact) if entry.what != "written back")


async def choose(w: World, contact: str, choice: str) -> None:
    key = Key(Entity.CONTACT, Side.SALESFORCE, contact)
    now = w.clock.now()
    await w.store.run(lambda tx: controls.choose(tx, key, choice, by="ann", now=now))
    await w.settle()


async def at_rest(w: World, *contacts: str) -> None:
    """A further look writes nothing, on either side or into the history, and changes no link."""
    writes, entries = (w.netsuite.writes, w.salesforce.writes), [await w.history(c) for c in contacts]
    kept = [await pair(w, contact) for contact in contacts]
    await w.mark(*(Key(Entity.CONTACT, Side.SALESFORCE, contact) for contact in contacts))
    await w.settle()
    assert (w.netsuite.writes, w.salesforce.writes) == writes
    assert [await w.history(contact) for contact in contacts] == entries
    assert [await pair(w, contact) for contact in contacts] == kept


# Deleted in Salesforce.


async def test_deleted_in_salesforce_is_kept_in_netsuite(w: World) -> None:
    ada = await twin(w)
    before, writes = there(w, ada.netsuite), w.netsuite.writes
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    assert there(w, ada.netsuite) == before
    assert w.netsuite.writes == writes
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_SALESFORCE)
    await ended(w, ada.salesforce, ada.netsuite)
    entry = await latest(w, ada.salesforce)
    assert (entry.what, entry.who, entry.netsuite_id) == ("close", "twinbook", ada.netsuite)
    assert entry.why == (
        'DELETED_IN_SALESFORCE: the NetSuite contact is kept; deleted_in_salesforce = "keep"; '
        "changed in Salesforce"
    )
    await at_rest(w, ada.salesforce)


async def test_deleted_in_salesforce_is_inactivated_in_netsuite(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE)
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    left = there(w, ada.netsuite)
    assert left is not None
    assert left.inactive
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_SALESFORCE)
    await ended(w, ada.salesforce, ada.netsuite)
    entry = await latest(w, ada.salesforce)
    assert 'deleted_in_salesforce = "inactivate"' in entry.why
    assert [(change.field, change.before, change.after) for change in entry.changes] == [
        ("isInactive", False, True)
    ]
    await at_rest(w, ada.salesforce)


async def test_deleted_in_salesforce_is_deleted_in_netsuite(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    assert there(w, ada.netsuite) is None
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_SALESFORCE)
    await ended(w, ada.salesforce, ada.netsuite)
    entry = await latest(w, ada.salesforce)
    assert (entry.what, entry.netsuite_id) == ("delete", ada.netsuite)
    assert 'deleted_in_salesforce = "delete"' in entry.why
    await at_rest(w, ada.salesforce)


@pytest.mark.parametrize(
    ("choice", "left", "inactive"),
    [("keep", True, False), ("inactivate", True, True), ("delete", False, False)],
)
async def test_deleted_in_salesforce_is_decided_by_a_person(
    w: World, choice: str, left: bool, inactive: bool
) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.REVIEW)
    ada = await twin(w)
    writes = w.netsuite.writes
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    await shown(w, ada.salesforce, REVIEW, Reason.DELETED_IN_SALESFORCE)
    assert (await w.outcome(ada.salesforce)).choices == ("keep", "inactivate", "delete")
    assert w.netsuite.writes == writes
    await linked(w, ada.salesforce)

    await choose(w, ada.salesforce, choice)
    found = there(w, ada.netsuite)
    assert (found is not None) is left
    assert (found is not None and found.inactive) is inactive
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_SALESFORCE)
    await ended(w, ada.salesforce, ada.netsuite)
    entry = await latest(w, ada.salesforce)
    assert entry.who == "ann"
    assert entry.why.startswith(f"ann chose '{choice}'; DELETED_IN_SALESFORCE: ")
    assert "deleted_in_salesforce" not in entry.why
    await at_rest(w, ada.salesforce)


@pytest.mark.parametrize("policy", [DeletedInSalesforce.INACTIVATE, DeletedInSalesforce.DELETE])
async def test_an_edit_in_netsuite_wins_over_a_delete_in_salesforce(
    w: World, policy: DeletedInSalesforce
) -> None:
    w.configure(deleted_in_salesforce=policy)
    ada = await twin(w)
    w.netsuite.user_edits(ada.netsuite, {"title": "Countess"})
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    left = there(w, ada.netsuite)
    assert left is not None
    assert (left.inactive, left.fields["title"]) == (False, "Countess")
    await ended(w, ada.salesforce, ada.netsuite)
    assert "it was edited there since" in (await latest(w, ada.salesforce)).why


async def test_a_delete_that_netsuite_refuses_keeps_the_link_and_is_shown(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    ada = await twin(w)
    refusal = PermanentError("RECORD_IN_USE", "It has transactions.", remedy="Make it inactive instead.")
    w.netsuite.refuse(ada.netsuite, refusal)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    await shown(w, ada.salesforce, OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE)
    await linked(w, ada.salesforce)
    w.netsuite.refuse(ada.netsuite, None)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    assert there(w, ada.netsuite) is None
    await ended(w, ada.salesforce, ada.netsuite)


async def test_a_delete_whose_answer_is_lost_ends_once(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    ada = await twin(w)
    w.netsuite.lose_answer("delete_contact")
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    assert there(w, ada.netsuite) is None
    await ended(w, ada.salesforce, ada.netsuite)
    assert [entry.what for entry in await w.history(ada.salesforce)] == ["close", "created"]


async def test_a_contact_deleted_before_its_create_was_confirmed_leaves_nothing_behind(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    account, _ = w.linked_account()
    w.netsuite.lose_answer("create_contact")
    contact = w.salesforce.user_creates_contact(LastName="Hasty", Email="h@acme.example", AccountId=account)
    await w.notice()
    await w.drain()
    assert len(w.netsuite.contacts) == 1
    w.salesforce.user_deletes(contact)
    await w.settle()
    assert w.netsuite.contacts == []
    await shown(w, contact, SKIPPED, Reason.DELETED_IN_SALESFORCE)


async def test_a_contact_purged_before_it_was_looked_at_is_treated_as_deleted(w: World) -> None:
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.notice()
    w.salesforce.user_purges(ada.salesforce)
    await w.settle()
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_SALESFORCE)
    await ended(w, ada.salesforce, ada.netsuite)


# Undeleted.


async def test_undeleted_reopens_the_link_and_syncs_what_changed_meanwhile(w: World) -> None:
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    w.salesforce.user_undeletes(ada.salesforce)
    w.salesforce.user_edits(ada.salesforce, {"Title": "Countess"})
    await w.settle()
    assert (await linked(w, ada.salesforce)).netsuite_id == ada.netsuite
    found = there(w, ada.netsuite)
    assert found is not None
    assert found.fields["title"] == "Countess"
    assert len(w.netsuite.contacts) == 1
    entry = await latest(w, ada.salesforce)
    assert entry.what == "reopened"
    assert [change.field for change in entry.changes] == ["title"]
    await at_rest(w, ada.salesforce)


async def test_undeleted_with_nothing_to_write_is_told_in_the_history(w: World) -> None:
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    w.salesforce.user_undeletes(ada.salesforce)
    await w.settle()
    assert (await linked(w, ada.salesforce)).netsuite_id == ada.netsuite
    assert [entry.what for entry in await w.history(ada.salesforce)] == ["reopened", "close", "created"]


async def test_undeleted_makes_active_again_what_the_delete_made_inactive(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE)
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    w.salesforce.user_undeletes(ada.salesforce)
    await w.settle()
    found = there(w, ada.netsuite)
    assert found is not None
    assert not found.inactive
    await linked(w, ada.salesforce)
    w.netsuite.user_inactivates(ada.netsuite)
    await at_rest(w, ada.salesforce)


async def test_undeleted_after_netsuite_was_deleted_too_is_created_again(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    w.salesforce.user_undeletes(ada.salesforce)
    await w.settle()
    [new] = w.netsuite.contacts
    assert new.id != ada.netsuite
    assert (await linked(w, ada.salesforce)).netsuite_id == new.id
    assert w.salesforce.contact(ada.salesforce).netsuite_id == new.id


# Merged in Salesforce.


async def pair_of(w: World) -> tuple[str, Twin]:
    """A contact without a link, and a linked one, at the same account."""
    account, _ = w.linked_account()
    winner = w.salesforce.user_creates_contact(FirstName="Ada", LastName="King", AccountId=account)
    return winner, await twin(w, account=account)


async def one_by_one(w: World, *contacts: str) -> None:
    """Look at contacts in this order, as lanes may whatever order the events come in."""
    for contact in contacts:
        await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, contact))
        await w.drain()


@pytest.mark.parametrize("winner_first", [True, False])
async def test_the_winner_of_a_merge_inherits_the_losers_link(w: World, winner_first: bool) -> None:
    winner, ada = await pair_of(w)
    await shown(w, winner, SKIPPED, Reason.NO_EMAIL)
    w.salesforce.user_merges(winner, ada.salesforce)
    await one_by_one(w, *((winner, ada.salesforce) if winner_first else (ada.salesforce, winner)))
    await w.settle()
    [left] = w.netsuite.contacts
    assert (left.id, left.salesforce_id, left.fields["lastName"]) == (ada.netsuite, winner, "King")
    assert left.email == "Ada@acme.example"
    assert w.salesforce.contact(winner).netsuite_id == ada.netsuite
    assert (await linked(w, winner)).netsuite_id == ada.netsuite
    await ended(w, ada.salesforce, ada.netsuite)
    await shown(w, ada.salesforce, SKIPPED, Reason.MERGED_AWAY)
    entry = await latest(w, winner)
    assert (entry.what, entry.netsuite_id) == ("inherit", ada.netsuite)
    assert f"MERGED_AWAY: {ada.salesforce} was merged into it" in entry.why
    gone = await latest(w, ada.salesforce)
    assert gone.what in ("close", "handed over")
    assert "MERGED_AWAY" in gone.why
    await at_rest(w, winner, ada.salesforce)


async def test_a_winner_that_would_be_created_inherits_instead(w: World) -> None:
    account, _ = w.linked_account()
    ada = await twin(w, account=account)
    winner = w.salesforce.user_creates_contact(
        LastName="King", Email="another@acme.example", AccountId=account
    )
    w.salesforce.user_merges(winner, ada.salesforce)
    await one_by_one(w, winner, ada.salesforce)
    await w.settle()
    [left] = w.netsuite.contacts
    assert (left.id, left.salesforce_id, left.email) == (ada.netsuite, winner, "another@acme.example")


async def test_a_winner_that_waits_for_its_account_inherits_when_it_is_released(w: World) -> None:
    ada = await twin(w)
    prospect = w.salesforce.user_creates_account("Prospect")
    winner = w.salesforce.user_creates_contact(LastName="King", AccountId=prospect)
    w.salesforce.user_merges(winner, ada.salesforce)
    await w.settle()
    await shown(w, winner, WAITING, Reason.ACCOUNT_NOT_SYNCED)
    await ended(w, ada.salesforce, ada.netsuite)
    customer = w.netsuite.user_creates_customer("Prospect", subsidiary="2")
    w.salesforce.user_edits(prospect, {"NetSuite_Id__c": customer})
    await w.settle()
    [left] = w.netsuite.contacts
    assert (left.id, left.salesforce_id, left.company_id) == (ada.netsuite, winner, customer)
    assert left.fields["subsidiary"] == "2"


@pytest.mark.parametrize("winner_first", [True, False])
async def test_the_winner_keeps_its_link_and_a_second_netsuite_contact_is_for_a_person(
    w: World, winner_first: bool
) -> None:
    account, _ = w.linked_account()
    grace, ada = await twin(w, "Grace", account), await twin(w, "Ada", account)
    w.salesforce.user_merges(grace.salesforce, ada.salesforce)
    order = (grace.salesforce, ada.salesforce)
    await one_by_one(w, *(order if winner_first else reversed(order)))
    await w.settle()
    assert (await linked(w, grace.salesforce)).netsuite_id == grace.netsuite
    await shown(w, ada.salesforce, REVIEW, Reason.MERGED_AWAY)
    assert (await w.outcome(ada.salesforce)).choices == ("keep", "inactivate")
    second = there(w, ada.netsuite)
    assert second is not None
    assert not second.inactive
    await at_rest(w, grace.salesforce, ada.salesforce)


@pytest.mark.parametrize("policy", [MergedAway.KEEP, MergedAway.INACTIVATE])
@pytest.mark.parametrize("by_choice", [True, False])
async def test_a_second_netsuite_contact_is_kept_or_made_inactive(
    w: World, policy: MergedAway, by_choice: bool
) -> None:
    w.configure(merged_away=MergedAway.REVIEW if by_choice else policy)
    account, _ = w.linked_account()
    grace, ada = await twin(w, "Grace", account), await twin(w, "Ada", account)
    w.salesforce.user_merges(grace.salesforce, ada.salesforce)
    await w.settle()
    if by_choice:
        await choose(w, ada.salesforce, policy.value)
    second = there(w, ada.netsuite)
    assert second is not None
    assert second.inactive is (policy is MergedAway.INACTIVATE)
    await shown(w, ada.salesforce, SKIPPED, Reason.MERGED_AWAY)
    await ended(w, ada.salesforce, ada.netsuite)
    assert (await linked(w, grace.salesforce)).netsuite_id == grace.netsuite
    entry = await latest(w, ada.salesforce)
    assert entry.who == ("ann" if by_choice else "twinbook")
    assert (f'merged_away = "{policy}"' in entry.why) is not by_choice
    await at_rest(w, grace.salesforce, ada.salesforce)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_of_two_losers_one_is_inherited_and_the_other_is_for_a_person(
    w: World, order: tuple[int, ...]
) -> None:
    account, _ = w.linked_account()
    winner = w.salesforce.user_creates_contact(LastName="King", AccountId=account)
    first, second = await twin(w, "First", account), await twin(w, "Second", account)
    for loser in (first, second):
        w.salesforce.user_merges(winner, loser.salesforce)
    contacts = (winner, first.salesforce, second.salesforce)
    await one_by_one(w, *(contacts[n] for n in order))
    await w.settle()
    assert (await linked(w, winner)).netsuite_id == first.netsuite
    await shown(w, first.salesforce, SKIPPED, Reason.MERGED_AWAY)
    await shown(w, second.salesforce, REVIEW, Reason.MERGED_AWAY)
    assert len(w.netsuite.contacts) == 2
    await at_rest(w, *contacts)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_chain_of_merges_leads_to_the_last_winner(w: World, order: tuple[int, ...]) -> None:
    account, _ = w.linked_account()
    ada = await twin(w, account=account)
    middle = w.salesforce.user_creates_contact(LastName="Middle", AccountId=account)
    last = w.salesforce.user_creates_contact(LastName="Last", AccountId=account)
    await w.settle()
    w.salesforce.user_merges(middle, ada.salesforce)
    w.salesforce.user_merges(last, middle)
    contacts = (ada.salesforce, middle, last)
    await one_by_one(w, *(contacts[n] for n in order))
    await w.settle()
    [left] = w.netsuite.contacts
    assert (left.id, left.salesforce_id, left.fields["lastName"]) == (ada.netsuite, last, "Last")
    assert (await linked(w, last)).netsuite_id == ada.netsuite
    await at_rest(w, *contacts)


async def test_a_winner_that_comes_back_from_a_delete_keeps_its_own(w: World) -> None:
    account, _ = w.linked_account()
    grace, ada = await twin(w, "Grace", account), await twin(w, "Ada", account)
    w.salesforce.user_deletes(grace.salesforce)
    await w.settle()
    w.salesforce.user_undeletes(grace.salesforce)
    w.salesforce.user_merges(grace.salesforce, ada.salesforce)
    await one_by_one(w, ada.salesforce, grace.salesforce)
    await w.settle()
    assert (await linked(w, grace.salesforce)).netsuite_id == grace.netsuite
    await shown(w, ada.salesforce, REVIEW, Reason.MERGED_AWAY)


async def test_a_loser_that_comes_back_takes_nothing_from_the_winner(w: World) -> None:
    winner, ada = await pair_of(w)
    w.salesforce.user_merges(winner, ada.salesforce)
    await w.settle()
    w.salesforce.user_undeletes(ada.salesforce)
    w.salesforce.user_edits(ada.salesforce, {"Title": "Back"})
    await w.settle()
    assert (await linked(w, winner)).netsuite_id == ada.netsuite
    await shown(w, ada.salesforce, REVIEW, Reason.MATCH_TAKEN)
    [left] = w.netsuite.contacts
    assert left.salesforce_id == winner


async def test_a_loser_whose_winner_was_deleted_is_treated_as_deleted(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.DELETE)
    winner, ada = await pair_of(w)
    w.salesforce.user_merges(winner, ada.salesforce)
    w.salesforce.user_deletes(winner)
    await w.settle()
    assert w.netsuite.contacts == []
    await ended(w, ada.salesforce, ada.netsuite)
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_SALESFORCE)


async def test_a_link_that_moves_is_told_although_the_batch_is_cut_off(w: World) -> None:
    """The journal's line is stored with the link, not with the outcome of the batch."""
    winner, ada = await pair_of(w)
    w.salesforce.user_merges(winner, ada.salesforce)
    w.salesforce.fail("update_contacts", TemporaryError("SERVER_UNAVAILABLE", "Down."))
    await one_by_one(w, winner)
    assert (await linked(w, winner)).netsuite_id == ada.netsuite
    assert (await latest(w, winner)).what == "inherit"
    await w.settle()
    assert w.salesforce.contact(winner).netsuite_id == ada.netsuite
    whats = [entry.what for entry in await w.history(winner)]
    assert whats.count("inherit") == 1


async def test_an_inheritance_that_was_cut_off_is_carried_on(w: World) -> None:
    winner, ada = await pair_of(w)
    w.salesforce.user_merges(winner, ada.salesforce)
    down = TemporaryError("SERVICE_UNAVAILABLE", "Down for maintenance.")
    w.netsuite.fail("update_contact", down, times=2)
    await one_by_one(w, winner)
    held = await w.link(winner)
    assert held is not None
    assert (held.state, held.netsuite_id) == (LinkState.CREATING, ada.netsuite)
    await ended(w, ada.salesforce, ada.netsuite)
    assert (await latest(w, ada.salesforce)).what == "handed over"
    await w.settle()
    assert (await linked(w, winner)).netsuite_id == ada.netsuite
    assert [item.salesforce_id for item in w.netsuite.contacts] == [winner]


# Moved to another account.


async def test_moved_to_a_linked_account_changes_company_and_subsidiary(w: World) -> None:
    ada = await twin(w)
    customer = w.netsuite.user_creates_customer("Globex", subsidiary="2")
    globex = w.salesforce.user_creates_account("Globex", NetSuite_Id__c=customer)
    await w.settle()
    w.salesforce.user_edits(ada.salesforce, {"AccountId": globex})
    await w.settle()
    [left] = w.netsuite.contacts
    assert (left.id, left.company_id, left.fields["subsidiary"]) == (ada.netsuite, customer, "2")
    changes = {change.field: change.after for change in (await latest(w, ada.salesforce)).changes}
    assert (changes["company"], changes["subsidiary"]) == (customer, "2")
    await at_rest(w, ada.salesforce)


async def test_moved_to_an_account_that_is_not_linked_waits_with_its_link(w: World) -> None:
    ada = await twin(w)
    before = there(w, ada.netsuite)
    prospect = w.salesforce.user_creates_account("Prospect")
    await w.settle()
    writes = w.netsuite.writes
    w.salesforce.user_edits(ada.salesforce, {"AccountId": prospect, "Title": "Countess"})
    await w.settle()
    await shown(w, ada.salesforce, WAITING, Reason.ACCOUNT_NOT_SYNCED)
    assert (await linked(w, ada.salesforce)).netsuite_id == ada.netsuite
    assert (there(w, ada.netsuite), w.netsuite.writes) == (before, writes)

    customer = w.netsuite.user_creates_customer("Prospect", subsidiary="2")
    w.salesforce.user_edits(prospect, {"NetSuite_Id__c": customer})
    await w.settle()
    [left] = w.netsuite.contacts
    assert (left.id, left.company_id, left.fields["title"]) == (ada.netsuite, customer, "Countess")


# Gone from NetSuite.


async def test_deleted_in_netsuite_is_for_a_person(w: World) -> None:
    ada = await twin(w)
    w.netsuite.user_deletes(ada.netsuite)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    await shown(w, ada.salesforce, REVIEW, Reason.COUNTERPART_MISSING)
    assert (await w.outcome(ada.salesforce)).choices == ("new", "close")
    assert w.netsuite.contacts == []
    assert (await linked(w, ada.salesforce)).netsuite_id == ada.netsuite
    await at_rest(w, ada.salesforce)


@pytest.mark.parametrize(
    "settings",
    [
        {"counterpart_missing": CounterpartMissing.RECREATE},
        {"deleted_in_netsuite": DeletedInNetSuite.RECREATE},
        {},
    ],
)
async def test_deleted_in_netsuite_is_created_again(w: World, settings: dict[str, object]) -> None:
    w.configure(**settings)
    ada = await twin(w)
    w.netsuite.user_deletes(ada.netsuite)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    if not settings:
        await choose(w, ada.salesforce, "new")
    [new] = w.netsuite.contacts
    assert new.id != ada.netsuite
    assert (new.salesforce_id, new.external_id) == (ada.salesforce, f"SFC_{ada.salesforce}")
    assert (await linked(w, ada.salesforce)).netsuite_id == new.id
    assert w.salesforce.contact(ada.salesforce).netsuite_id == new.id
    entry = await latest(w, ada.salesforce)
    assert f"COUNTERPART_MISSING: it takes the place of {ada.netsuite}" in entry.why
    assert entry.who == ("twinbook" if settings else "ann")
    for name, value in settings.items():
        assert f'{name} = "{value}"' in entry.why
    await at_rest(w, ada.salesforce)


@pytest.mark.parametrize("by_choice", [True, False])
async def test_deleted_in_netsuite_is_matched_again(w: World, by_choice: bool) -> None:
    if not by_choice:
        w.configure(counterpart_missing=CounterpartMissing.REMATCH)
    account, customer = w.linked_account()
    ada = await twin(w, account=account)
    other = w.netsuite.user_creates_contact(
        firstName="Ada L.", email="ada@acme.example", company=customer, subsidiary="1"
    )
    w.netsuite.user_deletes(ada.netsuite)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    if by_choice:
        assert (await w.outcome(ada.salesforce)).choices == ("new", other, "close")
        await choose(w, ada.salesforce, other)
    [left] = w.netsuite.contacts
    assert (left.id, left.salesforce_id) == (other, ada.salesforce)
    assert (await linked(w, ada.salesforce)).netsuite_id == other
    assert f"it takes the place of {ada.netsuite}" in (await latest(w, ada.salesforce)).why


@pytest.mark.parametrize("by_choice", [True, False])
async def test_deleted_in_netsuite_ends_the_link(w: World, by_choice: bool) -> None:
    if not by_choice:
        w.configure(deleted_in_netsuite=DeletedInNetSuite.CLOSE)
    ada = await twin(w)
    w.netsuite.user_deletes(ada.netsuite)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    if by_choice:
        await choose(w, ada.salesforce, "close")
    await shown(w, ada.salesforce, SKIPPED, Reason.DELETED_IN_NETSUITE)
    await ended(w, ada.salesforce, ada.netsuite)
    assert not w.salesforce.contact(ada.salesforce).deleted
    assert w.netsuite.contacts == []


async def test_an_edit_in_salesforce_wins_over_a_delete_in_netsuite(w: World) -> None:
    w.configure(deleted_in_netsuite=DeletedInNetSuite.CLOSE)
    ada = await twin(w)
    w.netsuite.user_deletes(ada.netsuite)
    w.salesforce.user_edits(ada.salesforce, {"Title": "Countess"})
    await w.settle()
    [new] = w.netsuite.contacts
    assert (new.fields["title"], new.salesforce_id) == ("Countess", ada.salesforce)
    assert (await linked(w, ada.salesforce)).netsuite_id == new.id


async def test_a_salesforce_contact_is_deleted_only_when_the_setting_says_so(w: World) -> None:
    w.configure(deleted_in_netsuite=DeletedInNetSuite.DELETE, direction=Direction.BOTH)
    ada = await twin(w)
    w.netsuite.user_deletes(ada.netsuite)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    assert w.salesforce.contact(ada.salesforce).deleted
    await ended(w, ada.salesforce, ada.netsuite)
    entry = next(item for item in await w.history(ada.salesforce) if item.what == "delete")
    assert 'deleted_in_netsuite = "delete"' in entry.why
    await at_rest(w, ada.salesforce)


async def test_a_delete_that_salesforce_refuses_keeps_the_link(w: World) -> None:
    w.configure(deleted_in_netsuite=DeletedInNetSuite.DELETE, direction=Direction.BOTH)
    ada = await twin(w)
    w.netsuite.user_deletes(ada.netsuite)
    w.salesforce.refuse(ada.salesforce, PermanentError("DELETE_FAILED", "It has open cases."))
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    assert not w.salesforce.contact(ada.salesforce).deleted
    await shown(w, ada.salesforce, OutcomeKind.FAILED, Reason.REFUSED_BY_SALESFORCE)
    await linked(w, ada.salesforce)


# Decisions of people.


async def test_a_choice_that_was_not_offered_is_refused(w: World) -> None:
    ada = await twin(w)
    key = Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce)
    with pytest.raises(ValueError, match="nothing to choose"):
        await w.store.run(lambda tx: controls.choose(tx, key, "delete", by="ann", now=0.0))
    w.netsuite.user_deletes(ada.netsuite)
    await w.mark(key)
    await w.settle()
    with pytest.raises(ValueError, match="new, close"):
        await w.store.run(lambda tx: controls.choose(tx, key, "delete", by="ann", now=0.0))


async def test_a_decision_waits_out_a_failure_and_is_taken_once(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.REVIEW)
    ada = await twin(w)
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    w.netsuite.refuse(ada.netsuite, PermanentError("RECORD_IN_USE", "It has transactions."))
    await choose(w, ada.salesforce, "delete")
    await shown(w, ada.salesforce, OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE)
    w.netsuite.refuse(ada.netsuite, None)
    await w.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada.salesforce))
    await w.settle()
    assert there(w, ada.netsuite) is None
    assert (await latest(w, ada.salesforce)).who == "ann"

    w.salesforce.user_undeletes(ada.salesforce)
    await w.settle()
    w.salesforce.user_deletes(ada.salesforce)
    await w.settle()
    await shown(w, ada.salesforce, REVIEW, Reason.DELETED_IN_SALESFORCE)


# Accounts merged, parents changed.


async def merged_accounts(w: World) -> tuple[str, str]:
    """A winner without a customer, whose opportunities are won, and the loser's customer."""
    loser, customer = w.linked_account("Acme")
    await twin(w, "Ada", loser)
    winner = w.salesforce.user_creates_account("Globex")
    await w.settle()
    w.salesforce.user_creates_opportunity(loser, won=True)
    w.salesforce.user_merges(winner, loser)
    return winner, customer


@pytest.mark.parametrize("winner_first", [True, False])
async def test_the_winner_of_an_account_merge_gets_no_second_customer(w: World, winner_first: bool) -> None:
    winner, customer = await merged_accounts(w)
    loser = next(key for key in await gone_accounts(w) if key.id != winner)
    keys = [Key(Entity.ACCOUNT, Side.SALESFORCE, winner), loser]
    for key in keys if winner_first else reversed(keys):
        await w.mark(key)
        await w.drain()
    await w.settle()
    assert [item.id for item in w.netsuite.customers] == [customer]
    assert w.salesforce.account(winner).netsuite_id == customer
    assert [item.company_id for item in w.netsuite.contacts] == [customer]


async def gone_accounts(w: World) -> list[Key]:
    found = await w.salesforce.changes_since(Entity.ACCOUNT, "0")
    return [key for key in found.keys if w.salesforce.account(key.id).deleted]


async def test_contacts_of_both_merged_accounts_are_looked_at_again(w: World) -> None:
    globex, customer = w.linked_account("Globex")
    grace = await twin(w, "Grace", globex)
    acme, _ = w.linked_account("Acme")
    ada = await twin(w, "Ada", acme)
    looks = [(await w.outcome(item.salesforce)).looked_at for item in (ada, grace)]
    w.clock.at += 60
    w.salesforce.user_merges(globex, acme)
    # No event tells of the contacts that were moved along (salesforce.md 3.6).
    await w.mark(Key(Entity.ACCOUNT, Side.SALESFORCE, acme))
    await w.drain()
    assert [item.company_id for item in w.netsuite.contacts] == [customer, customer]
    again = [(await w.outcome(item.salesforce)).looked_at for item in (ada, grace)]
    assert all(now > before for now, before in zip(again, looks, strict=True))


async def test_contacts_of_an_account_with_another_parent_are_looked_at_again(w: World) -> None:
    parent, _ = w.linked_account("Holding")
    account, _ = w.linked_account("Acme")
    ada = await twin(w, "Ada", account)
    before = (await w.outcome(ada.salesforce)).looked_at
    w.clock.at += 60
    w.salesforce.user_edits(account, {"ParentId": parent})
    await w.settle()
    assert (await w.outcome(ada.salesforce)).looked_at > before
    w.clock.at += 60
    moved = (await w.outcome(ada.salesforce)).looked_at
    w.salesforce.user_edits(account, {"Name": "Acme Ltd"})
    await w.settle()
    assert (await w.outcome(ada.salesforce)).looked_at == moved
