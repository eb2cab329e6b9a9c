"""Attachments through the engine: they follow the relations in Salesforce, and only what Twinbook attached is taken
back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.memory.world import World, world

from twinbook.domain.attachments import PRIMARY_CONTACT, AttachmentPolicy
from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side

POLICY = AttachmentPolicy(relations=True, roles={"Decision Maker": "7", "Influencer": "8"}, primary=True)
RELATION = Entity.ACCOUNT_CONTACT_RELATION
OUTAGE = TemporaryError("NETSUITE_UNAVAILABLE", "Try again.")


@pytest.fixture
async def seen() -> AsyncIterator[World]:
    async with world() as made:
        made.configure(attachments=POLICY)
        made.salesforce.config = replace(made.salesforce.config, relations=True)
        yield made


async def settled(seen: World) -> tuple[str, str, str, str]:
    """Ada at Acme, in step: her id, her NetSuite id, and Globex on both sides."""
    acme, _ = seen.linked_account("Acme")
    globex, customer = seen.linked_account("Globex")
    ada = seen.salesforce.user_creates_contact(LastName="Lovelace", Email="ada@acme.example", AccountId=acme)
    await seen.settle()
    (contact,) = seen.netsuite.contacts
    return ada, contact.id, globex, customer


def attached(seen: World) -> dict[str, str | None]:
    return {customer: role for (customer, _), role in seen.netsuite.attached.items()}


async def told(seen: World, contact: str) -> list[str]:
    return [entry.what for entry in reversed(await seen.history(contact))]


async def test_attached_role_changed_detached(seen: World) -> None:
    ada, _, globex, customer = await settled(seen)
    relation = seen.salesforce.user_gives_role(RELATION, ada, "Influencer", AccountId=globex)
    await seen.settle()
    assert attached(seen) == {customer: "8"}
    seen.salesforce.user_edits(relation, {"Roles": "Influencer;Decision Maker"})
    await seen.settle()
    assert attached(seen) == {customer: "7"}
    seen.salesforce.user_edits(relation, {"IsActive": False})
    await seen.settle()
    assert attached(seen) == {}
    assert await told(seen, ada) == ["created", "attached", "role changed", "detached"]


async def test_a_deleted_relation_detaches(seen: World) -> None:
    ada, _, globex, customer = await settled(seen)
    relation = seen.salesforce.user_gives_role(RELATION, ada, "", AccountId=globex)
    await seen.settle()
    assert attached(seen) == {customer: None}
    seen.salesforce.user_deletes(relation)
    await seen.settle()
    assert attached(seen) == {}


async def test_what_people_attached_stays(seen: World) -> None:
    ada, contact, _, customer = await settled(seen)
    seen.netsuite.attached[customer, contact] = "99"
    seen.salesforce.user_edits(ada, {"Title": "CTO"})
    await seen.settle()
    assert attached(seen) == {customer: "99"}


async def test_at_rest_nothing_is_written(seen: World) -> None:
    ada, _, globex, _ = await settled(seen)
    seen.salesforce.user_gives_role(RELATION, ada, "Influencer", AccountId=globex)
    await seen.settle()
    before = seen.netsuite.writes
    await seen.mark(Key(Entity.CONTACT, Side.SALESFORCE, ada))
    await seen.settle()
    assert seen.netsuite.writes == before


async def test_a_relation_waits_for_its_account_to_be_linked(seen: World) -> None:
    ada, *_ = await settled(seen)
    initech = seen.salesforce.user_creates_account("Initech")
    seen.salesforce.user_gives_role(RELATION, ada, "Influencer", AccountId=initech)
    await seen.settle()
    assert attached(seen) == {}
    customer = seen.netsuite.user_creates_customer("Initech", subsidiary="1")
    seen.salesforce.user_edits(initech, {"NetSuite_Id__c": customer})
    await seen.settle()
    assert attached(seen) == {customer: "8"}


async def test_the_primary_contact_at_its_own_account_and_back(seen: World) -> None:
    ada, _, _, _ = await settled(seen)
    own = seen.salesforce.contact(ada)
    role = seen.salesforce.user_gives_role(
        Entity.ACCOUNT_CONTACT_ROLE, ada, "Evaluator", AccountId=own.account_id, IsPrimary=True
    )
    await seen.settle()
    assert attached(seen) == {own.account_customer_id: PRIMARY_CONTACT}
    seen.salesforce.user_deletes(role)
    await seen.settle()
    assert attached(seen) == {own.account_customer_id: None}


async def test_an_outage_is_retried_and_never_creates_a_second_contact(seen: World) -> None:
    acme, _ = seen.linked_account("Acme")
    globex, customer = seen.linked_account("Globex")
    ada = seen.salesforce.user_creates_contact(LastName="Lovelace", Email="ada@acme.example", AccountId=acme)
    seen.salesforce.user_gives_role(RELATION, ada, "Influencer", AccountId=globex)
    seen.netsuite.fail("attach", OUTAGE, times=3)
    await seen.notice()
    await seen.drain()
    assert (await seen.outcome(ada)).written == "created"
    assert [incident.code for incident in await seen.incidents()] == ["NETSUITE_UNAVAILABLE"]
    assert seen.salesforce.contact(ada).netsuite_id == seen.netsuite.contacts[0].id
    await seen.settle()
    assert attached(seen) == {customer: "8"}
    assert seen.netsuite.calls["create_contact"] == 1
    assert await seen.incidents() == []
    assert await told(seen, ada) == ["created", "attached"]


async def test_a_lost_answer_leaves_no_attachment_behind(seen: World) -> None:
    ada, _, globex, _ = await settled(seen)
    relation = seen.salesforce.user_gives_role(RELATION, ada, "", AccountId=globex)
    seen.netsuite.lose_answer("attach")
    await seen.notice()
    await seen.drain()
    seen.salesforce.user_deletes(relation)
    await seen.settle()
    assert attached(seen) == {}


async def test_a_refusal_is_shown_and_nobody_elses_attachment_is_taken_for_ours(seen: World) -> None:
    ada, contact, globex, customer = await settled(seen)
    relation = seen.salesforce.user_gives_role(RELATION, ada, "", AccountId=globex)
    seen.netsuite.fail("attach", PermanentError("INVALID_REFERENCE", "No such role.", remedy="Correct it."))
    await seen.settle()
    outcome = await seen.outcome(ada)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, Reason.REFUSED_BY_NETSUITE)
    assert outcome.detail == "No such role. Correct it."
    seen.netsuite.attached[customer, contact] = None
    seen.salesforce.user_deletes(relation)
    await seen.settle()
    assert attached(seen) == {customer: None}
    assert (await seen.outcome(ada)).kind is OutcomeKind.UNCHANGED


@pytest.mark.parametrize(
    "settings",
    [{"attachments": AttachmentPolicy(roles=POLICY.roles)}, {"direction": Direction.NETSUITE_TO_SALESFORCE}],
)
async def test_nothing_is_attached_unless_the_settings_say_so(
    seen: World, settings: dict[str, object]
) -> None:
    ada, _, globex, _ = await settled(seen)
    seen.configure(**settings)
    seen.salesforce.user_gives_role(RELATION, ada, "Influencer", AccountId=globex)
    await seen.settle()
    assert (attached(seen), seen.netsuite.calls["attach"]) == ({}, 0)
