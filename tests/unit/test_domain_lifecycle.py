"""Behaviour.md section 5: deletes and merges under all policies, and every combination of what is left of a pair."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from tests.memory.domain_views import (
    ADA,
    BOB,
    CLOSED_GATE,
    PERSON,
    agreed_on,
    candidate,
    link,
    linked_view,
    netsuite,
    paused,
    policy,
    salesforce,
    view,
)

from twinbook.domain.ids import contact_key
from twinbook.domain.plan import Action, ContactPlan, ContactView, OutcomeKind
from twinbook.domain.planner import may_inherit, plan_contact
from twinbook.domain.policy import (
    CounterpartMissing,
    DeletedInNetSuite,
    DeletedInSalesforce,
    Direction,
    MergedAway,
)
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Link, LinkState, NetSuiteContact, SalesforceContact, Side

DELETED = salesforce(netsuite_id="4711", deleted=True)
LOSER = salesforce(netsuite_id="4711", deleted=True, merged_into=BOB)
EDITED = salesforce(netsuite_id="4711", fields={"Title": "Countess"})
EDITED_TWIN = netsuite(salesforce_id=ADA, fields={"title": "Countess"})
SECOND = link("5000", salesforce_id=BOB)
TOMBSTONE = link(state=LinkState.CLOSED)


def writes(plan: ContactPlan) -> bool:
    return bool(plan.netsuite_changes or plan.salesforce_changes or plan.action is Action.DELETE)


def deleted(**overrides: Any) -> ContactView:
    return linked_view(**({"salesforce": DELETED} | overrides))


# Deleted in Salesforce.


@pytest.mark.parametrize("contact", [DELETED, None])
def test_deleted_in_salesforce_keeps_the_netsuite_contact(contact: SalesforceContact | None) -> None:
    plan = plan_contact(deleted(salesforce=contact), policy())
    assert (plan.action, plan.outcome) == (Action.CLOSE, OutcomeKind.SKIPPED)
    assert plan.reason is Reason.DELETED_IN_SALESFORCE
    assert not writes(plan)


def test_deleted_in_salesforce_inactivate() -> None:
    plan = plan_contact(deleted(), policy(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE))
    assert (plan.action, plan.reason) == (Action.CLOSE, Reason.DELETED_IN_SALESFORCE)
    assert plan.netsuite_changes == {"isInactive": True}


def test_deleted_in_salesforce_delete() -> None:
    plan = plan_contact(deleted(), policy(deleted_in_salesforce=DeletedInSalesforce.DELETE))
    assert (plan.action, plan.target, plan.counterpart_id) == (Action.DELETE, Side.NETSUITE, "4711")
    assert plan.reason is Reason.DELETED_IN_SALESFORCE


def test_deleted_in_salesforce_review() -> None:
    asks = policy(deleted_in_salesforce=DeletedInSalesforce.REVIEW)
    plan = plan_contact(deleted(), asks)
    assert (plan.action, plan.outcome) == (Action.NOTHING, OutcomeKind.REVIEW)
    assert plan.choices == ("keep", "inactivate", "delete")
    assert plan_contact(deleted(chosen="delete"), asks).action is Action.DELETE
    assert plan_contact(deleted(chosen="keep"), asks).action is Action.CLOSE


@pytest.mark.parametrize("choice", [DeletedInSalesforce.INACTIVATE, DeletedInSalesforce.DELETE])
@pytest.mark.parametrize(
    ("overrides", "settings"),
    [
        ({"netsuite": EDITED_TWIN}, {}),
        ({"netsuite": netsuite(salesforce_id=ADA, locked=True)}, {}),
        ({}, {"test_mode": True}),
        ({}, {"direction": Direction.NETSUITE_TO_SALESFORCE}),
    ],
    ids=["edited since", "locked", "test mode", "other direction"],
)
def test_the_delete_is_not_carried_over(
    choice: DeletedInSalesforce, overrides: dict[str, Any], settings: dict[str, Any]
) -> None:
    plan = plan_contact(deleted(**overrides), policy(deleted_in_salesforce=choice, **settings))
    assert plan.action is Action.CLOSE
    assert not writes(plan)
    assert plan.detail.startswith("the NetSuite contact is kept: ")


@pytest.mark.parametrize("choice", [DeletedInSalesforce.INACTIVATE, DeletedInSalesforce.DELETE])
def test_nothing_is_written_while_paused(choice: DeletedInSalesforce) -> None:
    plan = plan_contact(paused(deleted()), policy(deleted_in_salesforce=choice))
    assert (plan.action, plan.outcome, plan.reason) == (Action.NOTHING, OutcomeKind.WAITING, Reason.PAUSED)


def test_a_create_that_was_never_confirmed_is_found_and_deleted() -> None:
    creating = link(None, state=LinkState.CREATING, agreed={})
    orphan = candidate("77", external_id=contact_key(ADA))
    seen = deleted(netsuite=None, link=creating, candidates=(orphan,))
    plan = plan_contact(seen, policy(deleted_in_salesforce=DeletedInSalesforce.DELETE))
    assert (plan.action, plan.counterpart_id) == (Action.DELETE, "77")


# Undeleted.


def test_undeleted_reopens_the_link() -> None:
    plan = plan_contact(linked_view(link=TOMBSTONE), policy())
    assert (plan.action, plan.outcome, plan.counterpart_id) == (Action.SYNC, OutcomeKind.UNCHANGED, "4711")
    assert plan.agreed == agreed_on(PERSON)


def test_undeleted_syncs_what_changed_meanwhile() -> None:
    plan = plan_contact(linked_view(link=TOMBSTONE, salesforce=EDITED), policy())
    assert plan.netsuite_changes == {"title": "Countess"}


def test_undeleted_after_netsuite_was_deleted_too_is_created_again() -> None:
    plan = plan_contact(linked_view(link=TOMBSTONE, netsuite=None), policy())
    assert plan.action is Action.CREATE


def test_undeleted_does_not_take_a_contact_that_belongs_to_somebody_else_by_now() -> None:
    plan = plan_contact(linked_view(link=TOMBSTONE, netsuite=netsuite(salesforce_id=BOB)), policy())
    assert plan.reason is Reason.MATCH_TAKEN


def test_undeleted_makes_active_again_what_the_delete_made_inactive() -> None:
    ended = plan_contact(deleted(), policy(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE))
    inactive = netsuite(salesforce_id=ADA, inactive=True)
    seen = linked_view(link=replace(TOMBSTONE, agreed=ended.agreed), netsuite=inactive)
    plan = plan_contact(seen, policy())
    assert (plan.action, plan.netsuite_changes) == (Action.SYNC, {"isInactive": False})
    assert plan.agreed == agreed_on(PERSON)


def test_undeleted_leaves_inactive_what_a_person_made_inactive() -> None:
    inactive = netsuite(salesforce_id=ADA, inactive=True)
    ended = plan_contact(
        deleted(netsuite=inactive), policy(deleted_in_salesforce=DeletedInSalesforce.INACTIVATE)
    )
    assert (ended.action, ended.netsuite_changes) == (Action.CLOSE, {})
    plan = plan_contact(linked_view(link=TOMBSTONE, netsuite=inactive), policy())
    assert (plan.action, plan.netsuite_changes) == (Action.SYNC, {})


# Stopped by a safety valve.


@pytest.mark.parametrize("salesforce_side", [DELETED, EDITED, LOSER, None])
@pytest.mark.parametrize("netsuite_side", [EDITED_TWIN, None])
def test_a_safety_stop_holds_everything(
    salesforce_side: SalesforceContact | None, netsuite_side: NetSuiteContact | None
) -> None:
    seen = linked_view(salesforce=salesforce_side, netsuite=netsuite_side, stopped=True)
    plan = plan_contact(seen, policy(deleted_in_salesforce=DeletedInSalesforce.DELETE))
    assert (plan.action, plan.outcome, plan.reason) == (
        Action.NOTHING,
        OutcomeKind.WAITING,
        Reason.SAFETY_STOP,
    )
    assert not writes(plan)


# Merged in Salesforce.


def test_only_a_contact_without_a_link_may_inherit() -> None:
    asked = [view(), view(salesforce=salesforce(fields={"Email": None})), view(chosen="new")]
    assert all(may_inherit(plan_contact(seen, policy())) for seen in asked)
    not_asked = [linked_view(), view(gate=CLOSED_GATE), deleted()]
    assert not any(may_inherit(plan_contact(seen, policy())) for seen in not_asked)


def test_the_winner_without_a_link_inherits_the_losers() -> None:
    lost = link("4711", salesforce_id=BOB)
    seen = view(
        merged_link=lost, candidates=(candidate("4711", linked_to=BOB, fields={"title": "Countess"}),)
    )
    plan = plan_contact(seen, policy())
    assert (plan.action, plan.outcome, plan.counterpart_id) == (Action.INHERIT, OutcomeKind.ADOPTED, "4711")
    assert plan.netsuite_changes == {"custentity_twinbook_sf_id": ADA}
    assert plan.salesforce_changes == {"NetSuite_Id__c": "4711"}


def test_the_winner_with_a_link_keeps_it() -> None:
    plan = plan_contact(linked_view(merged_link=link("5000", salesforce_id=BOB)), policy())
    assert (plan.action, plan.outcome) == (Action.SYNC, OutcomeKind.UNCHANGED)


def test_a_lost_inheritance_leads_to_matching() -> None:
    plan = plan_contact(view(merged_link=link("4711", salesforce_id=BOB)), policy())
    assert plan.action is Action.CREATE


@pytest.mark.parametrize(
    "winner", [None, link("4711", salesforce_id=BOB), link(None, state=LinkState.CREATING)]
)
def test_the_losers_link_goes_over_to_the_winner(winner: Link | None) -> None:
    plan = plan_contact(deleted(salesforce=LOSER, winner_link=winner), policy())
    assert (plan.action, plan.outcome, plan.reason) == (
        Action.CLOSE,
        OutcomeKind.SKIPPED,
        Reason.MERGED_AWAY,
    )
    assert not writes(plan)


def test_a_second_netsuite_contact_is_for_a_person() -> None:
    plan = plan_contact(deleted(salesforce=LOSER, winner_link=SECOND), policy())
    assert (plan.action, plan.outcome, plan.reason) == (
        Action.NOTHING,
        OutcomeKind.REVIEW,
        Reason.MERGED_AWAY,
    )
    assert plan.choices == ("keep", "inactivate")


@pytest.mark.parametrize(
    ("choice", "changes"), [(MergedAway.KEEP, {}), (MergedAway.INACTIVATE, {"isInactive": True})]
)
def test_a_second_netsuite_contact_by_setting_or_choice(choice: MergedAway, changes: dict[str, bool]) -> None:
    second = deleted(salesforce=LOSER, winner_link=SECOND)
    by_setting = plan_contact(second, policy(merged_away=choice))
    by_choice = plan_contact(replace(second, chosen=choice.value), policy())
    for plan in (by_setting, by_choice):
        assert (plan.action, plan.reason) == (Action.CLOSE, Reason.MERGED_AWAY)
        assert plan.netsuite_changes == changes


# Deleted in NetSuite.

GONE = linked_view(netsuite=None)


@pytest.mark.parametrize(
    ("settings", "action", "reason"),
    [
        ({}, Action.NOTHING, Reason.COUNTERPART_MISSING),
        ({"counterpart_missing": CounterpartMissing.RECREATE}, Action.CREATE, None),
        ({"counterpart_missing": CounterpartMissing.REMATCH}, Action.CREATE, None),
        ({"deleted_in_netsuite": DeletedInNetSuite.RECREATE}, Action.CREATE, None),
        ({"deleted_in_netsuite": DeletedInNetSuite.CLOSE}, Action.CLOSE, Reason.DELETED_IN_NETSUITE),
        ({"deleted_in_netsuite": DeletedInNetSuite.DELETE}, Action.NOTHING, Reason.COUNTERPART_MISSING),
    ],
)
def test_deleted_in_netsuite(settings: dict[str, Any], action: Action, reason: Reason | None) -> None:
    plan = plan_contact(GONE, policy(**settings))
    assert (plan.action, plan.reason) == (action, reason)


def test_rematch_adopts_another_contact() -> None:
    seen = replace(GONE, candidates=(candidate("9"),))
    plan = plan_contact(seen, policy(counterpart_missing=CounterpartMissing.REMATCH))
    assert (plan.action, plan.counterpart_id) == (Action.ADOPT, "9")


def test_recreate_does_not_look_for_another_contact() -> None:
    seen = replace(GONE, candidates=(candidate("9"),))
    plan = plan_contact(seen, policy(counterpart_missing=CounterpartMissing.RECREATE))
    assert (plan.action, plan.counterpart_id) == (Action.CREATE, None)


def test_recreate_makes_no_twin_of_a_contact_that_carries_the_id() -> None:
    """The winner of a merge in NetSuite took over the id of the contact that vanished."""
    seen = replace(GONE, candidates=(candidate("4712", salesforce_id=ADA, email="other@acme.example"),))
    plan = plan_contact(seen, policy(counterpart_missing=CounterpartMissing.RECREATE))
    assert (plan.action, plan.counterpart_id) == (Action.ADOPT, "4712")
    chosen = plan_contact(replace(seen, chosen="new"), policy())
    assert chosen.action is Action.CREATE, "a person knows better"


def test_recreate_obeys_create_off() -> None:
    plan = plan_contact(GONE, policy(counterpart_missing=CounterpartMissing.RECREATE, create=False))
    assert plan.reason is Reason.CREATE_DISABLED


@pytest.mark.parametrize(
    ("chosen", "action"), [("new", Action.CREATE), ("9", Action.ADOPT), ("close", Action.CLOSE)]
)
def test_a_person_decides_on_a_missing_counterpart(chosen: str, action: Action) -> None:
    seen = replace(GONE, candidates=(candidate("9"),), chosen=chosen)
    assert plan_contact(seen, policy()).action is action


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.NETSUITE_TO_SALESFORCE])
def test_a_salesforce_contact_is_deleted_only_if_the_setting_and_the_direction_say_so(
    direction: Direction,
) -> None:
    says_so = policy(deleted_in_netsuite=DeletedInNetSuite.DELETE, direction=direction)
    plan = plan_contact(GONE, says_so)
    assert (plan.action, plan.target, plan.counterpart_id) == (Action.DELETE, Side.SALESFORCE, ADA)
    assert plan_contact(GONE, policy(direction=direction)).action is Action.NOTHING


@pytest.mark.parametrize("choice", [DeletedInNetSuite.CLOSE, DeletedInNetSuite.DELETE])
def test_an_edit_in_salesforce_wins_over_a_delete_in_netsuite(choice: DeletedInNetSuite) -> None:
    edited = replace(GONE, salesforce=EDITED)
    plan = plan_contact(edited, policy(deleted_in_netsuite=choice, direction=Direction.BOTH))
    assert plan.action is Action.CREATE


def test_closed_by_setting_stays_closed() -> None:
    seen = replace(GONE, link=TOMBSTONE)
    closes = policy(deleted_in_netsuite=DeletedInNetSuite.CLOSE)
    plan = plan_contact(seen, closes)
    assert (plan.action, plan.outcome, plan.reason) == (
        Action.NOTHING,
        OutcomeKind.SKIPPED,
        Reason.DELETED_IN_NETSUITE,
    )
    assert plan_contact(replace(seen, chosen="new"), closes).action is Action.CREATE


# Everything that can be left of a pair.

SALESFORCE_STATES = {
    "absent": None,
    "present": salesforce(netsuite_id="4711"),
    "deleted": DELETED,
    "merged": LOSER,
}
NETSUITE_STATES = {"absent": None, "present": netsuite(salesforce_id=ADA)}
LINK_STATES = {
    "none": None,
    "creating": link(None, state=LinkState.CREATING, agreed={}),
    "linked": link(),
    "closed": TOMBSTONE,
}
CHOICES = list(product(Direction, DeletedInSalesforce, DeletedInNetSuite, CounterpartMissing, MergedAway))


@pytest.mark.parametrize("memory", LINK_STATES.values(), ids=LINK_STATES.keys())
@pytest.mark.parametrize("there", NETSUITE_STATES.values(), ids=NETSUITE_STATES.keys())
@pytest.mark.parametrize("here", SALESFORCE_STATES.values(), ids=SALESFORCE_STATES.keys())
def test_every_state_of_a_pair_has_one_harmless_answer(
    here: SalesforceContact | None, there: NetSuiteContact | None, memory: Link | None
) -> None:
    for direction, in_salesforce, in_netsuite, missing, merged in CHOICES:
        settings = policy(
            direction=direction,
            deleted_in_salesforce=in_salesforce,
            deleted_in_netsuite=in_netsuite,
            counterpart_missing=missing,
            merged_away=merged,
        )
        seen = linked_view(salesforce=here, netsuite=there, link=memory)
        plan = plan_contact(seen, settings)
        alive = here is not None and not here.deleted
        assert (plan.reason is None) == (plan.outcome.value in {"created", "adopted", "updated", "unchanged"})
        if plan.action is Action.DELETE:
            assert memory is not None
            survivor_is_netsuite = plan.target is Side.NETSUITE
            assert (there is not None and not alive) if survivor_is_netsuite else (alive and there is None)
        if plan.action is Action.CREATE:
            assert (here is None) or (there is None)
            assert alive or here is None
        if plan.action in (Action.SYNC, Action.ADOPT):
            assert alive
            assert there is not None
        if not alive and plan.action not in (Action.CREATE, Action.DELETE):
            assert set(plan.netsuite_changes) <= {"isInactive"}
            assert not plan.salesforce_changes
        quiet = plan_contact(paused(seen), settings)
        assert not writes(quiet)
