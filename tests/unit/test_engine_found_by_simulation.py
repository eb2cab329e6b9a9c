"""What the simulation found, in as few steps as it takes. Each of these was a seed that failed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.memory.people import ada
from tests.memory.world import World, world

from twinbook.domain.errors import PermanentError
from twinbook.domain.ids import contact_key
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import CounterpartMissing, Direction
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.store import decisions, runs
from twinbook.store.runs import RunKind, RunState


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world(status=True) as made:
        made.configure(direction=Direction.BOTH)
        yield made


async def a_pair_that_was_edited_in_netsuite(w: World) -> tuple[str, str]:
    """Their ids. NetSuite shows another title than both sides agreed on."""
    account, _ = w.linked_account()
    here = w.salesforce.user_creates_contact(
        LastName="Lovelace", Email="ada@acme.example", AccountId=account, Title="Analyst"
    )
    await w.settle()
    [there] = w.netsuite.contacts
    w.netsuite.user_edits(there.id, {"title": "Countess"})
    return here, there.id


async def test_a_run_that_is_restarted_while_it_ends_goes_on(w: World) -> None:
    """A gap in the events was told just when the listing before it came to its end: nothing would have been listed."""
    now = w.clock.now()
    run_id = await w.store.run(lambda tx: runs.start(tx, RunKind.RELIST, Entity.CONTACT, by="test", now=now))
    [ending] = await w.store.run(runs.unfinished)
    await w.store.run(lambda tx: runs.restart(tx, RunKind.RELIST, Entity.CONTACT, by="a gap", now=now))
    await w.store.run(lambda tx: runs.finish(tx, ending, now=now))
    assert (await w.store.run(lambda tx: runs.by_id(tx, run_id))).state is RunState.LISTING


async def test_a_pair_that_was_found_from_salesforce_is_shown_once(w: World) -> None:
    """What was shown of the NetSuite contact alone, and its incident, end with the link."""
    account, customer = w.linked_account()
    there = ada(w, customer)
    w.salesforce.refuse(there, PermanentError("VALIDATION", "not today", remedy="Wait."))
    await w.settle()
    alone = await w.outcome_in_netsuite(there)
    assert alone is not None
    assert alone.kind is OutcomeKind.FAILED
    assert len(await w.incidents()) == 1
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    await w.settle()
    assert (await w.outcome(here)).counterpart_id == there
    assert await w.outcome_in_netsuite(there) is None
    assert await w.incidents() == []


async def test_a_link_that_is_given_up_is_told_before_anything_takes_its_place(w: World) -> None:
    """The intent to create another contact takes the place of the link: were the process killed now, nothing else
    would remember it."""
    w.configure(counterpart_missing=CounterpartMissing.RECREATE)
    account, _ = w.linked_account()
    here = w.salesforce.user_creates_contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    await w.settle()
    [old] = w.netsuite.contacts
    w.netsuite.user_deletes(old.id)
    w.netsuite.throttle("create_contact")
    await w.notice()
    await w.drain()
    link = await w.link(here)
    assert link is not None
    assert link.state is LinkState.CREATING
    given_up = (await w.history(here))[0]
    assert (given_up.what, given_up.netsuite_id) == ("given up", old.id)
    assert 'counterpart_missing = "recreate"' in given_up.why
    await w.settle()
    assert [entry.what for entry in await w.history(here)] == ["created", "given up", "created"]


async def test_an_edit_wins_over_our_own_older_value_that_nobody_had_noted_down(w: World) -> None:
    """NetSuite's first edit reached Salesforce, then the process died. The second edit in NetSuite stands against our
    own write of the first one, which is nobody's edit."""
    here, there = await a_pair_that_was_edited_in_netsuite(w)
    w.salesforce.lose_answer("update_contacts")
    await w.notice()
    await w.drain()
    assert w.salesforce.contact(here).fields["Title"] == "Countess", "it arrived, but nobody answered"
    w.netsuite.user_edits(there, {"title": "Mathematician"})
    await w.settle()
    assert w.salesforce.contact(here).fields["Title"] == "Mathematician"
    assert w.netsuite.contact(there).fields["title"] == "Mathematician"


async def test_what_was_written_before_a_kill_is_told_by_the_next_look(w: World) -> None:
    here, there = await a_pair_that_was_edited_in_netsuite(w)
    w.salesforce.user_edits(here, {"Title": "Mathematician", "Phone": "030 1"})
    w.netsuite.lose_answer("update_contact")
    await w.notice()
    await w.drain()
    await w.settle()
    assert w.netsuite.contact(there).fields["title"] == "Mathematician"
    told = [change for entry in await w.history(here) for change in entry.changes]
    assert ("title", "Countess", "Mathematician") in [(item.field, item.before, item.after) for item in told]


async def test_an_adoption_by_name_tells_what_it_wrote_over(w: World) -> None:
    """NetSuite refused the name, and the bearer of it turned out to be the same person."""
    account, customer = w.linked_account()
    ada(w, customer, email=None, title="Analyst")
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account, Title="Countess"
    )
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    await w.settle()
    [adopted] = await w.history(here)
    assert adopted.what == "adopted"
    assert ("title", "Analyst", "Countess") in [(c.field, c.before, c.after) for c in adopted.changes]


async def test_a_new_contact_that_was_created_without_an_answer_is_not_written_over(w: World) -> None:
    """A person chooses to create it; it was created before, and has been edited since."""
    w.configure(direction=Direction.SALESFORCE_TO_NETSUITE)
    account, customer = w.linked_account()
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )
    there = ada(w, customer, external_id=contact_key(here), firstName="Augusta", phone="030 1")
    key, now = Key(Entity.CONTACT, Side.SALESFORCE, here), w.clock.now()
    await w.store.run(lambda tx: decisions.take(tx, key, "new", by="Pat", now=now))
    await w.settle()
    assert (await w.outcome(here)).written == "adopted"
    [told] = await w.history(here)
    assert ("firstName", "Augusta", "Ada") in [(c.field, c.before, c.after) for c in told.changes]
    assert w.netsuite.contact(there).fields["phone"] == "030 1"


async def test_what_several_looks_wrote_that_were_cut_off_is_told_of_each(w: World) -> None:
    """The second one wrote over what the first one had written: the first one's line was missing for good."""
    here, there = await a_pair_that_was_edited_in_netsuite(w)
    for title in ("Mathematician", "Poet"):
        w.salesforce.user_edits(here, {"Title": title})
        w.netsuite.lose_answer("update_contact")
        await w.notice()
        await w.drain()
        assert w.netsuite.contact(there).fields["title"] == title, "it arrived, but nobody answered"
        w.clock.at += 600
    await w.settle()
    told = [change for entry in await w.history(here) for change in entry.changes]
    told_of = [(item.before, item.after) for item in told if item.field == "title"]
    assert {("Countess", "Mathematician"), ("Mathematician", "Poet")} <= set(told_of)
    assert len(told_of) == len(set(told_of)), "each is told once"
