"""Behaviour.md section 3, row by row: a NetSuite contact on its way to Salesforce."""

from __future__ import annotations

from typing import Any

import pytest
from tests.memory.domain_views import (
    ACCOUNT,
    ADA,
    CLOSED_GATE,
    OPEN_GATE,
    candidate,
    decided_by,
    linked_view,
    netsuite,
    policy,
    rules_seen,
    salesforce,
    salesforce_candidate,
)

from twinbook.domain.ids import contact_key
from twinbook.domain.plan import Action, Candidate, ContactPlan, ContactView, OutcomeKind
from twinbook.domain.planner import plan_contact
from twinbook.domain.policy import ContactPolicy, Direction, SharedEmail
from twinbook.domain.ports import FieldMeta
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Side
from twinbook.domain.rules import Rule

DIRECTIONS = [Direction.BOTH, Direction.NETSUITE_TO_SALESFORCE]


def seen(**overrides: Any) -> ContactView:
    return ContactView(**({"gate": OPEN_GATE, "netsuite": netsuite()} | overrides))


def both(**overrides: Any) -> ContactPolicy:
    return policy(**({"direction": Direction.BOTH} | overrides))


def ends(plan: ContactPlan, outcome: OutcomeKind, reason: Reason, row: str) -> None:
    assert (plan.outcome, plan.reason, decided_by(plan)) == (outcome, reason, row)
    assert (plan.action, plan.netsuite_changes, plan.salesforce_changes) == (Action.NOTHING, {}, {})


def test_row_0_the_default_direction_skips_it() -> None:
    ends(plan_contact(seen(), policy()), OutcomeKind.SKIPPED, Reason.DIRECTION_OFF, "NS 0 direction")


def test_row_1_deleted_without_a_link_is_skipped() -> None:
    plan = plan_contact(seen(netsuite=None), both())
    ends(plan, OutcomeKind.SKIPPED, Reason.DELETED_IN_NETSUITE, "NS 1 deleted")


CONDITIONS: list[tuple[str, OutcomeKind, Reason, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("NS 2 paused", OutcomeKind.WAITING, Reason.PAUSED, {"paused": True}, {}, {}),
    ("NS 3 no-company", OutcomeKind.SKIPPED, Reason.NO_COMPANY, {}, {"company_id": None}, {}),
    (
        "NS 4 not-a-customer",
        OutcomeKind.SKIPPED,
        Reason.NOT_A_CUSTOMER,
        {},
        {"company_is_customer": False},
        {},
    ),
    (
        "NS 5 customer-not-linked",
        OutcomeKind.WAITING,
        Reason.ACCOUNT_NOT_SYNCED,
        {"gate": CLOSED_GATE},
        {},
        {},
    ),
    (
        "NS 6 rule never",
        OutcomeKind.SKIPPED,
        Reason.RULE,
        {},
        {},
        {"rules": (Rule("never", "contact.FirstName == 'Nobody'"),)},
    ),
    ("NS 6 locked", OutcomeKind.SKIPPED, Reason.LOCKED, {}, {"locked": True}, {}),
    ("NS 6 test-mode", OutcomeKind.SKIPPED, Reason.TEST_MODE, {}, {}, {"test_mode": True}),
    ("NS 8 no-email", OutcomeKind.SKIPPED, Reason.NO_EMAIL, {}, {"fields": {"email": None}}, {}),
    ("NS 9 create-off", OutcomeKind.SKIPPED, Reason.CREATE_DISABLED, {}, {}, {"create": False}),
]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("position", range(len(CONDITIONS)), ids=[item[0] for item in CONDITIONS])
def test_rows_2_to_9_in_order(position: int, direction: Direction) -> None:
    """Each row decides alone, and with all later conditions true as well."""
    row, outcome, reason, *_ = CONDITIONS[position]
    for conditions in (CONDITIONS[position : position + 1], CONDITIONS[position:]):
        of_view: dict[str, Any] = {}
        of_contact: dict[str, Any] = {}
        of_policy: dict[str, Any] = {"direction": direction}
        for *_, views, contacts, policies in conditions:
            of_view |= views
            of_contact |= contacts
            of_policy |= policies
        plan = plan_contact(seen(**({"netsuite": netsuite(**of_contact)} | of_view)), policy(**of_policy))
        ends(plan, outcome, reason, row)


def test_row_6_update_off_skips_linked_contacts() -> None:
    plan = plan_contact(linked_view(), policy(direction=Direction.NETSUITE_TO_SALESFORCE, update=False))
    ends(plan, OutcomeKind.SKIPPED, Reason.UPDATE_DISABLED, "NS 6 update-off")


def test_row_6_rules_see_the_contact_as_it_would_be_in_salesforce() -> None:
    passes = Rule(
        "passes", "contact.FirstName == 'Ada' && contact.LeadSource == null && account.Name == 'Acme'"
    )
    assert plan_contact(seen(), both(rules=(passes,))).action is Action.CREATE


def test_row_7_linked_is_merged() -> None:
    edited = linked_view(netsuite=netsuite(salesforce_id=ADA, fields={"title": "Countess"}))
    plan = plan_contact(edited, policy(direction=Direction.NETSUITE_TO_SALESFORCE))
    assert (plan.action, plan.outcome) == (Action.SYNC, OutcomeKind.UPDATED)
    assert plan.salesforce_changes == {"Title": "Countess"}
    assert decided_by(plan) == "NS 7 linked"


@pytest.mark.parametrize(
    "twin",
    [
        salesforce_candidate(netsuite_id="4711", fields={"Email": "other@x.example"}),
        salesforce_candidate(fields={"Email": "other@x.example"}),
    ],
)
def test_row_7_a_lost_link_is_found_again(twin: Any) -> None:
    contact = netsuite(external_id=contact_key(ADA))
    plan = plan_contact(seen(netsuite=contact, salesforce_candidates=(twin,)), both())
    assert (plan.action, plan.counterpart_id, plan.target) == (Action.ADOPT, ADA, Side.SALESFORCE)


def test_row_9_none_creates() -> None:
    plan = plan_contact(seen(), both())
    assert (plan.action, plan.outcome, plan.target) == (Action.CREATE, OutcomeKind.CREATED, Side.SALESFORCE)
    assert plan.salesforce_changes == {
        "FirstName": "Ada",
        "LastName": "Lovelace",
        "Email": "ada@acme.example",
        "AccountId": ACCOUNT,
        "NetSuite_Id__c": "4711",
    }
    assert plan.netsuite_changes == {}


def test_row_9_one_is_adopted() -> None:
    plan = plan_contact(seen(salesforce_candidates=(salesforce_candidate(),)), both())
    assert (plan.action, plan.counterpart_id, plan.target) == (Action.ADOPT, ADA, Side.SALESFORCE)
    assert plan.salesforce_changes == {"NetSuite_Id__c": "4711"}
    assert plan.netsuite_changes == {"custentity_twinbook_sf_id": ADA}


def test_row_9_several_are_for_a_person() -> None:
    several = (salesforce_candidate(id="003A"), salesforce_candidate(id="003B"))
    plan = plan_contact(seen(salesforce_candidates=several), both())
    ends(plan, OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH, "NS 9 several")
    assert plan.choices == ("003A", "003B", "new")
    assert plan_contact(seen(salesforce_candidates=several, chosen="003B"), both()).counterpart_id == "003B"
    assert plan_contact(seen(salesforce_candidates=several, chosen="new"), both()).action is Action.CREATE


def test_row_9_what_a_person_is_asked_in_section_2_is_not_settled_from_here() -> None:
    """Row 18 asks a person which of two is the counterpart: neither takes it by being looked at first."""
    two = {
        "salesforce_candidates": (salesforce_candidate(),),
        "candidates": (candidate("4711"), candidate("4712")),
    }
    plan = plan_contact(seen(**two), both())
    ends(plan, OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH, "NS 9 contested")
    assert plan.choices == (ADA, "new")
    assert plan_contact(seen(**two, chosen=ADA), both()).counterpart_id == ADA
    one_way = plan_contact(seen(**two), both(direction=Direction.NETSUITE_TO_SALESFORCE))
    assert one_way.action is Action.ADOPT, "section 2 says nothing here"


@pytest.mark.parametrize(
    "no_rival",
    [
        candidate("4712", linked_to="003ELSE"),
        candidate("4712", company_id="661"),
        candidate("4712", inactive=True),
    ],
)
def test_row_9_who_is_no_rival(no_rival: Candidate) -> None:
    view = seen(salesforce_candidates=(salesforce_candidate(),), candidates=(candidate("4711"), no_rival))
    assert plan_contact(view, both()).action is Action.ADOPT


def test_row_9_an_inactive_one_does_not_take_it_from_an_active_one() -> None:
    view = seen(
        netsuite=netsuite(inactive=True),
        salesforce_candidates=(salesforce_candidate(),),
        candidates=(candidate("4711", inactive=True), candidate("4712")),
    )
    ends(plan_contact(view, both()), OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH, "NS 9 contested")


def test_row_9_linked_elsewhere_is_for_a_person() -> None:
    taken = (salesforce_candidate(linked_to="9999"),)
    plan = plan_contact(seen(salesforce_candidates=taken), both())
    ends(plan, OutcomeKind.REVIEW, Reason.MATCH_TAKEN, "NS 9 taken")
    shared = plan_contact(seen(salesforce_candidates=taken), both(shared_email=SharedEmail.CREATE))
    assert shared.action is Action.CREATE


def test_row_9_looks_at_that_account_only() -> None:
    plan = plan_contact(seen(salesforce_candidates=(salesforce_candidate(account_id="001OTHER"),)), both())
    assert plan.action is Action.CREATE


def test_row_10_values_are_checked_before_salesforce_refuses_them() -> None:
    schema = {"LastName": FieldMeta("LastName", "string", required=True)}
    plan = plan_contact(seen(netsuite=netsuite(fields={"lastName": None})), both(salesforce_schema=schema))
    assert (plan.outcome, plan.reason) == (OutcomeKind.FAILED, Reason.REQUIRED_FIELD_MISSING)


def test_a_linked_contact_goes_through_section_2_both_ways() -> None:
    plan = plan_contact(linked_view(salesforce=salesforce(is_person_account=True)), both())
    assert plan.reason is Reason.PERSON_ACCOUNT
    assert not any(rule.startswith("NS") for rule in rules_seen(plan))
