"""What happens in NetSuite to contacts that are linked, through the engine, over both systems in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.memory.people import ada
from tests.memory.world import World, world

from twinbook.domain.mapping import ConflictPolicy, ContactMapping, default_mapping
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import DeletedInSalesforce, Direction
from twinbook.domain.reasons import Reason

FROM_NETSUITE = [Direction.BOTH, Direction.NETSUITE_TO_SALESFORCE]


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world(status=True) as made:
        made.configure(direction=Direction.BOTH)
        yield made


@pytest.mark.parametrize("direction", FROM_NETSUITE)
async def test_an_edit_of_a_linked_contact_arrives_and_its_echo_writes_nothing(
    w: World, direction: Direction
) -> None:
    w.configure(direction=direction)
    _, customer = w.linked_account()
    there = ada(w, customer)
    await w.settle()
    [here] = w.salesforce.contacts
    w.netsuite.user_edits(there, {"title": "Countess", "email": None})
    await w.settle()
    assert w.salesforce.contact(here.id).fields["Title"] == "Countess"
    assert w.salesforce.contact(here.id).fields["Email"] is None, "clearing on purpose travels"
    writes = w.netsuite.writes, w.salesforce.writes
    await w.mark((await w.outcome(here.id)).key)
    await w.settle()
    assert (w.netsuite.writes, w.salesforce.writes) == writes


async def test_edits_of_different_fields_on_both_sides_both_arrive(w: World) -> None:
    _, customer = w.linked_account()
    there = ada(w, customer)
    await w.settle()
    [here] = w.salesforce.contacts
    w.netsuite.user_edits(there, {"title": "Countess"})
    w.salesforce.user_edits(here.id, {"Phone": "030 1234567"})
    await w.settle()
    assert w.salesforce.contact(here.id).fields["Title"] == "Countess"
    assert w.netsuite.contact(there).fields["phone"] == "030 1234567"


async def test_the_loser_of_a_conflict_is_in_the_history(w: World) -> None:
    _, customer = w.linked_account()
    there = ada(w, customer, title="Analyst")
    await w.settle()
    [here] = w.salesforce.contacts
    w.netsuite.user_edits(there, {"title": "Countess"})
    w.salesforce.user_edits(here.id, {"Title": "Baroness"})
    await w.settle()
    assert w.netsuite.contact(there).fields["title"] == "Baroness"
    assert w.salesforce.contact(here.id).fields["Title"] == "Baroness"
    changes = [change for entry in await w.history(here.id) for change in entry.changes]
    assert ("title", "Countess", "Baroness") in [(item.field, item.before, item.after) for item in changes]


async def test_a_conflict_for_a_person_is_a_review_with_both_values(w: World) -> None:
    rows = (
        replace(row, conflict=ConflictPolicy.REVIEW) if row.salesforce == "Title" else row
        for row in default_mapping().rows
    )
    w.configure(mapping=ContactMapping(tuple(rows)))
    _, customer = w.linked_account()
    there = ada(w, customer, title="Analyst")
    await w.settle()
    [here] = w.salesforce.contacts
    w.netsuite.user_edits(there, {"title": "Countess", "fax": "030 5554433"})
    w.salesforce.user_edits(here.id, {"Title": "Baroness"})
    await w.settle()
    found = await w.outcome(here.id)
    assert (found.kind, found.reason) == (OutcomeKind.REVIEW, Reason.CONFLICT)
    assert "Countess" in found.detail
    assert "Baroness" in found.detail
    assert w.salesforce.contact(here.id).fields["Fax"] == "030 5554433", "the other fields go on"
    assert (w.salesforce.contact(here.id).fields["Title"], w.netsuite.contact(there).fields["title"]) == (
        "Baroness",
        "Countess",
    )
    w.netsuite.user_edits(there, {"title": "Baroness"})
    await w.settle()
    assert (await w.outcome(here.id)).kind is OutcomeKind.UNCHANGED


@pytest.mark.parametrize("direction", list(Direction))
async def test_the_delete_of_a_linked_contact_is_noticed_in_every_direction(
    w: World, direction: Direction
) -> None:
    account, _ = w.linked_account()
    here = w.salesforce.user_creates_contact(LastName="King", Email="ada@acme.example", AccountId=account)
    await w.settle()
    w.configure(direction=direction)
    w.netsuite.user_deletes(w.netsuite.contacts[0].id)
    await w.settle()
    found = await w.outcome(here)
    assert (found.kind, found.reason) == (OutcomeKind.REVIEW, Reason.COUNTERPART_MISSING)
    assert w.netsuite.contacts == []


async def test_contacts_merged_in_netsuite_leave_a_review_for_the_loser(w: World) -> None:
    account, _ = w.linked_account()
    ids = [
        w.salesforce.user_creates_contact(LastName=name, Email=f"{name}@a.example", AccountId=account)
        for name in ("King", "Byron")
    ]
    await w.settle()
    winner, loser = (w.salesforce.contact(id_).netsuite_id or "" for id_ in ids)
    w.netsuite.user_merges(winner, loser)
    await w.settle()
    assert (await w.outcome(ids[1])).reason is Reason.COUNTERPART_MISSING
    assert (await w.outcome(ids[0])).kind is OutcomeKind.UNCHANGED


async def test_in_the_default_direction_an_edit_in_netsuite_costs_nothing(w: World) -> None:
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    account, _ = w.linked_account()
    w.salesforce.user_creates_contact(LastName="King", Email="ada@acme.example", AccountId=account)
    await w.settle()
    w.salesforce.calls.clear()
    w.netsuite.calls.clear()
    w.netsuite.user_edits(w.netsuite.contacts[0].id, {"title": "Countess"})
    await w.notice_netsuite()
    await w.drain()
    assert w.salesforce.calls.total() == 0
    assert set(w.netsuite.calls) == {"changes_since"}, "the polls themselves"


async def test_in_the_default_direction_an_unlocked_contact_is_taken_up_again(w: World) -> None:
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    account, _ = w.linked_account()
    here = w.salesforce.user_creates_contact(LastName="King", Email="ada@acme.example", AccountId=account)
    await w.settle()
    [there] = w.netsuite.contacts
    w.netsuite.user_edits(there.id, {"custentity_twinbook_locked": True})
    w.salesforce.user_edits(here, {"Title": "Countess"})
    await w.settle()
    assert (await w.outcome(here)).reason is Reason.LOCKED
    w.netsuite.user_edits(there.id, {"custentity_twinbook_locked": False})
    await w.settle()
    assert w.netsuite.contact(there.id).fields["title"] == "Countess"


async def test_a_contact_whose_salesforce_half_was_deleted_is_not_created_anew_by_an_edit(w: World) -> None:
    w.configure(deleted_in_salesforce=DeletedInSalesforce.KEEP)
    _, customer = w.linked_account()
    there = ada(w, customer)
    await w.settle()
    [here] = w.salesforce.contacts
    w.salesforce.user_deletes(here.id)
    await w.settle()
    w.netsuite.user_edits(there, {"title": "Countess"})
    await w.settle()
    assert w.salesforce.contacts == []
    assert (await w.outcome(here.id)).reason is Reason.DELETED_IN_SALESFORCE
    w.salesforce.user_undeletes(here.id)
    await w.settle()
    assert w.salesforce.contact(here.id).fields["Title"] == "Countess"


async def test_a_move_to_another_linked_company_moves_the_salesforce_contact(w: World) -> None:
    _, customer = w.linked_account()
    account, other = w.linked_account("Other")
    there = ada(w, customer)
    await w.settle()
    [here] = w.salesforce.contacts
    w.netsuite.user_edits(there, {"company": other})
    await w.settle()
    assert w.salesforce.contact(here.id).account_id == account
    assert w.netsuite.contact(there).company_id == other
