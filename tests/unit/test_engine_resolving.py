"""Deciding conflicts: for one side, field by field, or with a value that neither side has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.memory.world import World, world

from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import ConflictPolicy, ContactMapping, MappingRow, RowDirection, default_mapping
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction
from twinbook.domain.records import Entity, Key, Side
from twinbook.domain.resolution import Given, given
from twinbook.engine.care.resolving import Resolving, Wish

REVIEWED = ("Title", "MobilePhone")


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world() as made:
        rows = (
            replace(row, conflict=ConflictPolicy.REVIEW) if row.salesforce in REVIEWED else row
            for row in default_mapping().rows
        )
        made.configure(direction=Direction.BOTH, mapping=ContactMapping(tuple(rows)))
        yield made


async def in_conflict(w: World) -> tuple[str, str]:
    """Ada, whose title and mobile phone were changed on both sides: both ids."""
    account, _ = w.linked_account()
    here = w.salesforce.user_creates_contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account, Title="Analyst"
    )
    await w.settle()
    [there] = w.netsuite.contacts
    w.salesforce.user_edits(here, {"Title": "Baroness", "MobilePhone": "111"})
    w.netsuite.user_edits(there.id, {"title": "Countess", "mobilePhone": "222"})
    await w.settle()
    assert (await w.outcome(here)).kind is OutcomeKind.REVIEW
    return here, there.id


async def resolve(w: World, here: str, wish: Wish) -> list[str]:
    flaws = await Resolving(w.connection).resolve(Key(Entity.CONTACT, Side.SALESFORCE, here), wish, by="ann")
    await w.settle()
    return flaws


def shown(w: World, here: str, there: str) -> list[object]:
    ours, theirs = w.salesforce.contact(here).fields, w.netsuite.contact(there).fields
    return [ours["Title"], theirs["title"], ours["MobilePhone"], theirs["mobilePhone"]]


async def test_a_given_value_reaches_both_sides_and_the_history_says_who_and_what_was_lost(w: World) -> None:
    here, there = await in_conflict(w)
    assert (
        await resolve(w, here, Wish({"title": " Duchess "}, {"MobilePhone": ConflictPolicy.NETSUITE})) == []
    )
    assert shown(w, here, there) == ["Duchess", "Duchess", "222", "222"]
    assert (await w.outcome(here)).kind is OutcomeKind.UNCHANGED
    entry = (await w.history(here))[0]
    assert entry.who == "ann"
    assert "Title/title: the value 'Duchess'" in entry.why
    assert "MobilePhone/mobilePhone: that of netsuite" in entry.why
    assert {(item.side, item.before, item.after) for item in entry.changes if "itle" in item.field} == {
        (Side.SALESFORCE, "Baroness", "Duchess"),
        (Side.NETSUITE, "Countess", "Duchess"),
    }


async def test_a_decision_is_taken_once(w: World) -> None:
    here, there = await in_conflict(w)
    await resolve(w, here, Wish({"Title": "Duchess"}, {}, ConflictPolicy.SALESFORCE))
    w.salesforce.user_edits(here, {"Title": "Queen"})
    w.netsuite.user_edits(there, {"title": "Empress"})
    await w.settle()
    assert (await w.outcome(here)).kind is OutcomeKind.REVIEW
    assert shown(w, here, there)[:2] == ["Queen", "Empress"]


async def test_a_blank_clears_the_field_on_both_sides(w: World) -> None:
    here, there = await in_conflict(w)
    assert await resolve(w, here, Wish({"Title/title": ""}, {}, ConflictPolicy.SALESFORCE)) == []
    assert shown(w, here, there) == [None, None, "111", "111"]


async def test_the_value_of_one_side_may_be_given_in_words(w: World) -> None:
    """Only the other side is written then."""
    here, there = await in_conflict(w)
    assert await resolve(w, here, Wish({"Title": "Countess"}, {}, ConflictPolicy.SALESFORCE)) == []
    assert shown(w, here, there)[:2] == ["Countess", "Countess"]
    entry = (await w.history(here))[0]
    assert [item.side for item in entry.changes if "itle" in item.field] == [Side.SALESFORCE]


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (Wish({"Title": "x"}, {}), "MobilePhone/mobilePhone is still to be decided (Salesforce '111'"),
        (
            Wish({"Email": "x"}, {}, ConflictPolicy.NETSUITE),
            "Email is not in conflict: choose for Title/title",
        ),
        (Wish({"Title": "x"}, {"title": ConflictPolicy.NETSUITE}), "Title/title is decided twice"),
        (Wish({"Title": "x" * 200}, {}, ConflictPolicy.NETSUITE), "title has 200 characters"),
    ],
)
async def test_what_cannot_be_done_is_said_and_nothing_is_stored(w: World, wish: Wish, problem: str) -> None:
    here, there = await in_conflict(w)
    w.configure(
        netsuite_schema=await w.netsuite.describe(Entity.CONTACT),
        salesforce_schema=await w.salesforce.describe(Entity.CONTACT),
    )
    [flaw] = await resolve(w, here, wish)
    assert problem in flaw
    assert shown(w, here, there) == ["Baroness", "Countess", "111", "222"]
    assert (await w.outcome(here)).kind is OutcomeKind.REVIEW


async def test_a_value_is_not_given_to_a_field_that_goes_one_way(w: World) -> None:
    here, _ = await in_conflict(w)
    rows = (
        replace(row, direction=RowDirection.TO_NETSUITE) if row.salesforce == "Title" else row
        for row in w.connection.contacts.mapping.rows
    )
    w.configure(mapping=ContactMapping(tuple(rows)))
    [flaw] = await resolve(w, here, Wish({"Title": "Duchess"}, {}, ConflictPolicy.SALESFORCE))
    assert "one way only" in flaw


async def test_a_record_that_is_in_step_has_nothing_to_decide(w: World) -> None:
    account, _ = w.linked_account()
    here = w.salesforce.user_creates_contact(LastName="King", Email="k@acme.example", AccountId=account)
    await w.settle()
    [flaw] = await resolve(w, here, Wish({"Title": "x"}, {}))
    assert flaw == f"{here} has no field that waits for a person"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.BOOLEAN, "Yes", True),
        (Kind.BOOLEAN, "", False),
        (Kind.NUMBER, " 7 ", 7),
        (Kind.NUMBER, "", None),
        (Kind.TEXT, " 7 ", "7"),
    ],
)
def test_a_text_is_read_as_the_kind_of_its_field(kind: Kind, text: str, value: object) -> None:
    assert given(MappingRow("A__c", "custentity_a", kind), text) == Given(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "text"), [(Kind.BOOLEAN, "perhaps"), (Kind.NUMBER, "seven")])
def test_a_text_that_is_none_of_that_kind_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        given(MappingRow("A__c", "custentity_a", kind), text)
