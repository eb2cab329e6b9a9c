"""Behaviour.md section 2, row by row. The name of a test is the row that it is about.

That the *first* row that applies decides is proved for each neighbouring pair: with both conditions true, the earlier
row decides, and the later one is not even looked at.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from tests.memory.domain_views import (
    ADA,
    BOB,
    CLOSED_GATE,
    PERSON,
    agreed_on,
    candidate,
    decided_by,
    link,
    linked_view,
    netsuite,
    policy,
    rules_seen,
    salesforce,
    view,
)

from twinbook.domain.ids import contact_key
from twinbook.domain.plan import Action, ContactPlan, ContactView, Gate, OutcomeKind
from twinbook.domain.planner import plan_contact
from twinbook.domain.policy import (
    ContactPolicy,
    MatchScope,
    OtherCompany,
    SharedEmail,
    WithoutAccount,
)
from twinbook.domain.reasons import Reason
from twinbook.domain.records import LinkState, Side
from twinbook.domain.rules import Rule

NEVER_TRUE = Rule("never", "contact.FirstName == 'Nobody'")


def ends(plan: ContactPlan, outcome: OutcomeKind, reason: Reason, row: str) -> None:
    """It ends at this row, for this reason, and nothing is written."""
    assert (plan.outcome, plan.reason, decided_by(plan)) == (outcome, reason, row)
    assert plan.action is Action.NOTHING
    assert not plan.netsuite_changes
    assert not plan.salesforce_changes


def test_row_2_paused_waits() -> None:
    ends(plan_contact(view(paused=True), policy()), OutcomeKind.WAITING, Reason.PAUSED, "2 paused")


def test_row_3_person_account_is_skipped() -> None:
    plan = plan_contact(view(salesforce=salesforce(is_person_account=True)), policy())
    ends(plan, OutcomeKind.SKIPPED, Reason.PERSON_ACCOUNT, "3 person-account")


def test_row_4_no_account_is_skipped() -> None:
    homeless = view(gate=Gate(None), salesforce=salesforce(account_id=None))
    ends(plan_contact(homeless, policy()), OutcomeKind.SKIPPED, Reason.NO_ACCOUNT, "4 no-account")


def test_row_4_setting_sync_creates_without_company() -> None:
    homeless = view(gate=Gate(None), salesforce=salesforce(account_id=None))
    plan = plan_contact(homeless, policy(contacts_without_account=WithoutAccount.SYNC))
    assert plan.action is Action.CREATE
    assert "company" not in plan.netsuite_changes


def test_row_5_account_not_linked_waits() -> None:
    plan = plan_contact(view(gate=CLOSED_GATE), policy())
    ends(plan, OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED, "5 account-not-linked")
    assert ("account", "Acme") in plan.trace[-1].saw


def test_row_6_role_filter_skips_contacts_without_the_role() -> None:
    plan = plan_contact(
        view(salesforce=salesforce(roles=frozenset({"Legal"}))), policy(role_filter={"Billing"})
    )
    ends(plan, OutcomeKind.SKIPPED, Reason.ROLE_FILTER, "6 role-filter")


@pytest.mark.parametrize("wanted", [frozenset(), frozenset({"billing"}), frozenset({"Billing", "Sales"})])
def test_row_6_role_filter_lets_the_others_pass(wanted: frozenset[str]) -> None:
    plan = plan_contact(view(salesforce=salesforce(roles=frozenset({"Billing"}))), policy(role_filter=wanted))
    assert plan.action is Action.CREATE


def test_row_7_rule_skips_and_says_which_and_why() -> None:
    rule = Rule("only-vip", "contact.FirstName != null && contact.FirstName == 'Bea'")
    plan = plan_contact(view(), policy(rules=(Rule("all", "true"), rule)))
    ends(plan, OutcomeKind.SKIPPED, Reason.RULE, "7 rule only-vip")
    assert ("contact.FirstName", "Ada") in plan.trace[-1].saw
    assert "only-vip" in plan.detail
    assert rule.expression in plan.detail


def test_row_7_rule_that_fails_keeps_out_and_says_so() -> None:
    plan = plan_contact(view(), policy(rules=(Rule("titled", "contact.Title.startsWith('Dr')"),)))
    ends(plan, OutcomeKind.SKIPPED, Reason.RULE, "7 rule titled")
    assert "contact.Title is empty" in plan.detail


def test_row_8_test_mode_lets_only_tagged_contacts_pass() -> None:
    ends(plan_contact(view(), policy(test_mode=True)), OutcomeKind.SKIPPED, Reason.TEST_MODE, "8 test-mode")
    tagged = salesforce(fields={"Description": "hello [twinbook-test]"})
    assert plan_contact(view(salesforce=tagged), policy(test_mode=True)).action is Action.CREATE


def test_row_9_counterpart_missing_is_for_a_person() -> None:
    gone = linked_view(netsuite=None, candidates=(candidate("9"),))
    plan = plan_contact(gone, policy())
    ends(plan, OutcomeKind.REVIEW, Reason.COUNTERPART_MISSING, "9 counterpart-missing")
    assert {"new", "9", "close"} <= set(plan.choices)


def test_row_10_locked_is_skipped() -> None:
    plan = plan_contact(linked_view(netsuite=netsuite(locked=True)), policy())
    ends(plan, OutcomeKind.SKIPPED, Reason.LOCKED, "10 locked")


def test_row_11_update_off_is_skipped() -> None:
    ends(
        plan_contact(linked_view(), policy(update=False)),
        OutcomeKind.SKIPPED,
        Reason.UPDATE_DISABLED,
        "11 update-off",
    )


def test_row_12_linked_and_in_step_is_unchanged() -> None:
    plan = plan_contact(linked_view(), policy())
    assert (plan.action, plan.outcome, decided_by(plan)) == (Action.SYNC, OutcomeKind.UNCHANGED, "12 linked")
    assert plan.agreed == agreed_on(PERSON)


@pytest.mark.parametrize("email", ["new@acme.example", None])
def test_row_12_the_email_may_change_or_be_cleared(email: str | None) -> None:
    changed = salesforce(netsuite_id="4711", fields={"Email": email})
    plan = plan_contact(linked_view(salesforce=changed), policy())
    assert plan.outcome is OutcomeKind.UPDATED
    assert plan.netsuite_changes == {"email": email}


def test_row_12_a_name_change_sends_the_contact_name() -> None:
    changed = salesforce(netsuite_id="4711", fields={"LastName": "Byron"})
    plan = plan_contact(linked_view(salesforce=changed), policy())
    assert plan.netsuite_changes == {"lastName": "Byron", "entityId": "Ada Byron"}


def test_row_12_a_distinct_name_stays_distinct() -> None:
    changed = salesforce(netsuite_id="4711", fields={"LastName": "Byron"})
    twin = netsuite(salesforce_id=ADA, name="Ada Lovelace (003…bCdE)")
    plan = plan_contact(linked_view(salesforce=changed, netsuite=twin), policy())
    assert plan.netsuite_changes["entityId"] == "Ada Byron (003…bCdE)"


def test_row_12_missing_ids_are_repaired() -> None:
    plan = plan_contact(linked_view(salesforce=salesforce(), netsuite=netsuite(salesforce_id=BOB)), policy())
    assert plan.salesforce_changes == {"NetSuite_Id__c": "4711"}
    assert plan.netsuite_changes == {"custentity_twinbook_sf_id": ADA}
    assert plan.outcome is OutcomeKind.UPDATED


def test_row_12_a_wrong_id_is_repaired() -> None:
    plan = plan_contact(linked_view(salesforce=salesforce(netsuite_id="9")), policy())
    assert plan.salesforce_changes == {"NetSuite_Id__c": "4711"}


def test_row_13_no_email_is_skipped() -> None:
    nameless = salesforce(fields={"Email": " "})
    ends(
        plan_contact(view(salesforce=nameless), policy()), OutcomeKind.SKIPPED, Reason.NO_EMAIL, "13 no-email"
    )


@pytest.mark.parametrize(
    "evidence",
    [
        {"external_id": contact_key(ADA)},
        {"salesforce_id": ADA},
        {"linked_to": ADA},
    ],
)
def test_row_14_a_lost_link_is_found_again(evidence: dict[str, Any]) -> None:
    lost = candidate("77", fields={"email": "other@x.example"}, company_id="999", **evidence)
    plan = plan_contact(view(candidates=(lost, candidate("88"))), policy())
    assert (plan.action, plan.outcome) == (Action.ADOPT, OutcomeKind.ADOPTED)
    assert (plan.counterpart_id, plan.target) == ("77", Side.NETSUITE)
    assert "14 carries-our-id" in rules_seen(plan)


def test_row_14_the_id_on_the_salesforce_contact_counts_too() -> None:
    plan = plan_contact(
        view(salesforce=salesforce(netsuite_id="77"), candidates=(candidate("77"), candidate("88"))), policy()
    )
    assert plan.counterpart_id == "77"
    assert not plan.salesforce_changes


def test_row_14_the_external_id_beats_a_copied_field() -> None:
    copied = candidate("66", salesforce_id=ADA)
    ours = candidate("77", salesforce_id=ADA, external_id=contact_key(ADA))
    assert plan_contact(view(candidates=(copied, ours)), policy()).counterpart_id == "77"


def test_row_14_two_copies_are_for_a_person() -> None:
    plan = plan_contact(
        view(candidates=(candidate("66", salesforce_id=ADA), candidate("77", salesforce_id=ADA))), policy()
    )
    ends(plan, OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH, "14 carries-our-id")


def test_row_14_an_unconfirmed_create_is_found_by_its_external_id() -> None:
    creating = link(None, state=LinkState.CREATING, agreed={})
    plan = plan_contact(
        view(link=creating, candidates=(candidate("77", external_id=contact_key(ADA)),)), policy()
    )
    assert (plan.action, plan.counterpart_id) == (Action.ADOPT, "77")


def test_row_15_all_matches_taken_is_for_a_person() -> None:
    plan = plan_contact(view(candidates=(candidate(linked_to=BOB),)), policy())
    ends(plan, OutcomeKind.REVIEW, Reason.MATCH_TAKEN, "15 all-taken")
    assert plan.choices == ("new",)


def test_row_15_setting_create_makes_a_second_contact() -> None:
    plan = plan_contact(view(candidates=(candidate(linked_to=BOB),)), policy(shared_email=SharedEmail.CREATE))
    assert plan.action is Action.CREATE


def test_row_15_matching_ignores_case_and_blanks() -> None:
    shouted = salesforce(fields={"Email": " ADA@acme.example "})
    plan = plan_contact(view(salesforce=shouted, candidates=(candidate(linked_to=BOB),)), policy())
    assert plan.reason is Reason.MATCH_TAKEN


def test_row_16_one_at_the_customer_is_adopted() -> None:
    others = (
        candidate("5", company_id=None),
        candidate("6", company_id="999"),
        candidate("7", linked_to=BOB),
    )
    plan = plan_contact(view(candidates=(*others, candidate("8"))), policy())
    assert (plan.action, plan.counterpart_id) == (Action.ADOPT, "8")
    assert "16 at-customer" in rules_seen(plan)
    assert plan.netsuite_changes == {"custentity_twinbook_sf_id": ADA}
    assert plan.salesforce_changes == {"NetSuite_Id__c": "8"}


@pytest.mark.parametrize("company", [None, "999"])
def test_row_17_one_elsewhere_is_adopted_and_moved(company: str | None) -> None:
    plan = plan_contact(view(candidates=(candidate("8", company_id=company),)), policy())
    assert (plan.action, plan.counterpart_id) == (Action.ADOPT, "8")
    assert plan.netsuite_changes["company"] == "660"


def test_row_17_setting_review_asks_before_taking_it_from_another_company() -> None:
    asks = policy(other_company=OtherCompany.REVIEW)
    plan = plan_contact(view(candidates=(candidate("8", company_id="999"),)), asks)
    ends(plan, OutcomeKind.REVIEW, Reason.OTHER_COMPANY, "17 elsewhere")
    assert plan.choices == ("8", "new")
    assert plan_contact(view(candidates=(candidate("8", company_id=None),)), asks).action is Action.ADOPT


def test_row_17_scope_account_leaves_it_alone() -> None:
    plan = plan_contact(
        view(candidates=(candidate("8", company_id="999"),)), policy(match_scope=MatchScope.ACCOUNT)
    )
    assert plan.action is Action.CREATE


@pytest.mark.parametrize("company", ["660", "999", None])
def test_row_18_several_are_for_a_person(company: str | None) -> None:
    several = (candidate("8", company_id=company), candidate("9", company_id=company))
    plan = plan_contact(view(candidates=several), policy())
    ends(plan, OutcomeKind.REVIEW, Reason.AMBIGUOUS_MATCH, "18 ambiguous")
    assert plan.choices == ("8", "9", "new")


def test_row_18_active_ones_go_before_inactive_ones() -> None:
    plan = plan_contact(view(candidates=(candidate("8", inactive=True), candidate("9"))), policy())
    assert plan.counterpart_id == "9"
    only_inactive = plan_contact(view(candidates=(candidate("8", inactive=True),)), policy())
    assert only_inactive.counterpart_id == "8"


def test_row_19_create_off_is_skipped() -> None:
    ends(
        plan_contact(view(), policy(create=False)),
        OutcomeKind.SKIPPED,
        Reason.CREATE_DISABLED,
        "19 create-off",
    )


def test_row_19_create_off_still_adopts() -> None:
    assert plan_contact(view(candidates=(candidate(),)), policy(create=False)).action is Action.ADOPT


def test_row_20_create() -> None:
    plan = plan_contact(view(), policy())
    assert (plan.action, plan.outcome, plan.target) == (Action.CREATE, OutcomeKind.CREATED, Side.NETSUITE)
    assert plan.netsuite_changes == {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "ada@acme.example",
        "company": "660",
        "subsidiary": "1",
        "entityId": "Ada Lovelace",
        "custentity_twinbook_sf_id": ADA,
    }
    assert plan.salesforce_changes == {}
    assert plan.agreed == agreed_on(PERSON)


# Order: each condition below is true of a contact whose later conditions are true as well.

Condition = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]
UNLINKED: list[Condition] = [
    ("2 paused", {"paused": True}, {}, {}),
    ("3 person-account", {}, {"is_person_account": True}, {}),
    ("4 no-account", {"gate": Gate(None)}, {"account_id": None}, {}),
    ("5 account-not-linked", {"gate": CLOSED_GATE}, {}, {}),
    ("6 role-filter", {}, {}, {"role_filter": frozenset({"Billing"})}),
    ("7 rule never", {}, {}, {"rules": (NEVER_TRUE,)}),
    ("8 test-mode", {}, {}, {"test_mode": True}),
    ("13 no-email", {}, {"fields": {"Email": None}}, {}),
    (
        "14 carries-our-id",
        {"candidates": (candidate("1", salesforce_id=ADA), candidate("2", salesforce_id=ADA))},
        {},
        {},
    ),
    ("15 all-taken", {"candidates": (candidate("3", linked_to=BOB),)}, {}, {}),
    ("18 ambiguous", {"candidates": (candidate("4"), candidate("5"))}, {}, {}),
    ("19 create-off", {}, {}, {"create": False}),
]
LINKED: list[Condition] = [
    *[item for item in UNLINKED if int(item[0].split()[0]) <= 8],
    ("9 counterpart-missing", {"netsuite": None}, {}, {}),
    ("10 locked", {"netsuite": netsuite(locked=True)}, {}, {}),
    ("11 update-off", {}, {}, {"update": False}),
]


def situation(base: ContactView, *conditions: Condition) -> tuple[ContactView, ContactPolicy]:
    """All conditions at once; where two speak of the same thing, the first of them."""
    of_view: dict[str, Any] = {}
    of_contact: dict[str, Any] = {}
    of_policy: dict[str, Any] = {}
    for _, views, contacts, policies in reversed(conditions):
        of_view |= views
        of_contact |= contacts
        of_policy |= policies
    seen = replace(base, salesforce=salesforce(**of_contact), **of_view)
    return seen, policy(**of_policy)


@pytest.mark.parametrize(("base", "conditions"), [(view(), UNLINKED), (linked_view(), LINKED)])
def test_the_first_row_that_applies_decides(base: ContactView, conditions: list[Condition]) -> None:
    for position, condition in enumerate(conditions):
        alone = plan_contact(*situation(base, condition))
        assert decided_by(alone) == condition[0]
        with_all_later = plan_contact(*situation(base, *conditions[position:]))
        assert decided_by(with_all_later) == condition[0]
    for earlier, later in pairwise(conditions):
        plan = plan_contact(*situation(base, earlier, later))
        assert decided_by(plan) == earlier[0]
        assert later[0] not in rules_seen(plan)


def test_the_trace_has_every_row_in_order() -> None:
    numbers = [
        int(rule.split()[0]) for rule in rules_seen(plan_contact(view(), policy(rules=(Rule("ok", "true"),))))
    ]
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20]
    linked = [int(rule.split()[0]) for rule in rules_seen(plan_contact(linked_view(), policy()))]
    assert linked == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
