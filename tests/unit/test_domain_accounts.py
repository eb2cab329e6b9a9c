"""The account gate (behaviour.md section 6)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from tests.memory.domain_views import ACCOUNT

from twinbook.domain.account_planner import plan_account
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, AccountView, Action, OutcomeKind, Trigger
from twinbook.domain.policy import AccountPolicy, Accounts
from twinbook.domain.reasons import Reason
from twinbook.domain.records import NetSuiteCustomer, SalesforceAccount
from twinbook.domain.rules import Rule

OTHER_ACCOUNT = "001Kx00000ZZZZZIAV"


def account(**overrides: Any) -> SalesforceAccount:
    known: dict[str, Any] = {
        "id": ACCOUNT,
        "name": "Acme GmbH",
        "fields": {"Type": "Customer"},
        "version": "1",
        "has_won_opportunity": True,
    }
    return SalesforceAccount(**(known | overrides))


def customer(id: str = "660", **overrides: Any) -> NetSuiteCustomer:  # noqa: A002
    return NetSuiteCustomer(id=id, **({"name": "Acme GmbH"} | overrides))


def plan(*candidates: NetSuiteCustomer, policy: AccountPolicy | None = None, **overrides: Any) -> AccountPlan:
    view = AccountView(**({"account": account(), "candidates": candidates} | overrides))
    return plan_account(view, policy or AccountPolicy())


def ends(result: AccountPlan, outcome: OutcomeKind, reason: Reason) -> None:
    assert (result.action, result.outcome, result.reason) == (Action.NOTHING, outcome, reason)
    assert not result.netsuite_changes


def test_deleted_is_skipped() -> None:
    ends(plan(account=account(deleted=True)), OutcomeKind.SKIPPED, Reason.DELETED_IN_SALESFORCE)


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("accounts", Accounts)
def test_linked_by_whomever_is_linked(accounts: Accounts, paused: bool) -> None:
    result = plan(account=account(netsuite_id="660"), policy=AccountPolicy(accounts), paused=paused)
    assert (result.action, result.outcome, result.counterpart_id) == (
        Action.SYNC,
        OutcomeKind.UNCHANGED,
        "660",
    )


@pytest.mark.parametrize(
    ("accounts", "existing", "linked", "repaired"),
    [
        (Accounts.SYNC, None, frozenset(), True),
        (Accounts.SYNC, OTHER_ACCOUNT, frozenset(), False),
        (Accounts.SYNC, None, frozenset({"660"}), False),
        (Accounts.GATE_ONLY, None, frozenset(), False),
    ],
)
def test_linked_repairs_the_customers_id_field_only_where_it_may(
    accounts: Accounts, existing: str | None, linked: frozenset[str], repaired: bool
) -> None:
    result = plan(
        customer(salesforce_id=existing),
        account=account(netsuite_id="660"),
        linked_customers=linked,
        policy=AccountPolicy(accounts),
    )
    assert result.netsuite_changes == ({"custentity_twinbook_sf_id": ACCOUNT} if repaired else {})


def test_paused_waits() -> None:
    ends(plan(paused=True), OutcomeKind.WAITING, Reason.PAUSED)


def test_person_account_is_skipped() -> None:
    ends(plan(account=account(is_person_account=True)), OutcomeKind.SKIPPED, Reason.PERSON_ACCOUNT)


def test_gate_only_leaves_linking_to_others() -> None:
    ends(plan(policy=AccountPolicy(Accounts.GATE_ONLY)), OutcomeKind.SKIPPED, Reason.GATE_ONLY)


QUIET = {"has_won_opportunity": False}


def test_no_trigger_is_skipped() -> None:
    ends(plan(account=account(**QUIET)), OutcomeKind.SKIPPED, Reason.NO_TRIGGER)


@pytest.mark.parametrize(
    ("trigger", "overrides", "settings"),
    [
        (Trigger.CLOSED_WON, {"account": account()}, {}),
        (Trigger.PUSH, {"account": account(push_requested=True, **QUIET)}, {"triggers": frozenset()}),
        (Trigger.BY_HAND, {"account": account(**QUIET), "by_hand": True}, {"triggers": frozenset()}),
        (Trigger.ALL, {"account": account(**QUIET)}, {"triggers": frozenset({Trigger.ALL})}),
        (
            Trigger.RULE,
            {"account": account(**QUIET)},
            {
                "triggers": frozenset({Trigger.RULE}),
                "rules": (Rule("no", "account.Type == 'X'"), Rule("yes", "account.Type == 'Customer'")),
            },
        ),
    ],
)
def test_each_trigger_creates(trigger: Trigger, overrides: dict[str, Any], settings: dict[str, Any]) -> None:
    result = plan(policy=AccountPolicy(**settings), **overrides)
    assert (result.action, result.trigger) == (Action.CREATE, trigger)


@pytest.mark.parametrize(
    "settings",
    [
        {"triggers": frozenset()},
        {"triggers": frozenset({Trigger.RULE}), "rules": (Rule("no", "account.Nope == 'x'"),)},
        {"rules": (Rule("yes", "true"),), "triggers": frozenset()},
    ],
)
def test_triggers_that_are_not_chosen_or_fail_do_not_fire(settings: dict[str, Any]) -> None:
    ends(plan(policy=AccountPolicy(**settings)), OutcomeKind.SKIPPED, Reason.NO_TRIGGER)


def test_a_customer_that_carries_the_id_is_adopted() -> None:
    by_field, by_key = (
        customer("1", salesforce_id=ACCOUNT, name="X"),
        customer("2", external_id=account_key(ACCOUNT)),
    )
    assert plan(by_field, customer("3")).counterpart_id == "1"
    result = plan(by_field, by_key)
    assert (result.action, result.outcome, result.counterpart_id) == (
        Action.ADOPT,
        OutcomeKind.ADOPTED,
        "2",
    )


def test_two_that_carry_the_id_are_for_a_person() -> None:
    result = plan(customer("1", salesforce_id=ACCOUNT), customer("2", salesforce_id=ACCOUNT))
    ends(result, OutcomeKind.REVIEW, Reason.AMBIGUOUS_CUSTOMER)


def test_the_one_of_the_same_name_is_adopted_and_gets_the_id() -> None:
    result = plan(customer(name=" acme  gmbh "))
    assert (result.action, result.counterpart_id) == (Action.ADOPT, "660")
    assert result.netsuite_changes == {"custentity_twinbook_sf_id": ACCOUNT}


def test_an_active_one_goes_before_an_inactive_one() -> None:
    assert plan(customer("1", inactive=True), customer("2")).counterpart_id == "2"


def test_several_of_the_same_name_are_for_a_person() -> None:
    result = plan(customer("1"), customer("2"))
    ends(result, OutcomeKind.REVIEW, Reason.AMBIGUOUS_CUSTOMER)
    assert result.choices == ("1", "2")


def test_the_subsidiary_tells_them_apart() -> None:
    two = (customer("1", subsidiary_id="1"), customer("2", subsidiary_id="2"))
    assert plan(*two, policy=AccountPolicy(subsidiary_id="2")).counterpart_id == "2"
    assert plan(*two, policy=AccountPolicy(subsidiary_id="3")).action is Action.CREATE


@pytest.mark.parametrize(
    ("taken", "linked"),
    [(customer(), frozenset({"660"})), (customer(salesforce_id=OTHER_ACCOUNT), frozenset[str]())],
)
def test_a_customer_of_another_account_is_for_a_person(
    taken: NetSuiteCustomer, linked: frozenset[str]
) -> None:
    ends(plan(taken, linked_customers=linked), OutcomeKind.REVIEW, Reason.CUSTOMER_TAKEN)


def test_otherwise_it_is_created() -> None:
    settings = AccountPolicy(subsidiary_id="2", customer_status_id="13")
    result = plan(customer(name="Somebody else"), policy=settings)
    assert (result.action, result.outcome) == (Action.CREATE, OutcomeKind.CREATED)
    assert result.netsuite_changes == {
        "companyName": "Acme GmbH",
        "isPerson": False,
        "subsidiary": "2",
        "entityStatus": "13",
        "custentity_twinbook_sf_id": ACCOUNT,
    }


def test_the_order_of_the_candidates_does_not_matter() -> None:
    three = (customer("1", inactive=True), customer("2"), customer("3", name="X"))
    plans = [plan(*order) for order in permutations(three)]
    assert all(item == plans[0] for item in plans)


def test_the_customer_of_an_account_that_was_merged_into_it_is_inherited_without_a_trigger() -> None:
    quiet = account(has_won_opportunity=False, name="Another name")
    result = plan(customer(salesforce_id=OTHER_ACCOUNT), account=quiet, reserved="660")
    assert (result.action, result.counterpart_id, result.trigger) == (Action.ADOPT, "660", None)
    assert result.netsuite_changes == {"custentity_twinbook_sf_id": ACCOUNT}


@pytest.mark.parametrize(
    "seen",
    [{"candidates": ()}, {"linked_customers": frozenset({"660"})}],
    ids=["gone", "linked with another account"],
)
def test_a_customer_that_is_not_there_to_be_inherited_is_left_alone(seen: dict[str, Any]) -> None:
    quiet = account(has_won_opportunity=False)
    view = {"candidates": (customer(),), "account": quiet, "reserved": "660", **seen}
    ends(plan_account(AccountView(**view), AccountPolicy()), OutcomeKind.SKIPPED, Reason.NO_TRIGGER)


def test_another_tools_accounts_inherit_nothing() -> None:
    result = plan(customer(), policy=AccountPolicy(Accounts.GATE_ONLY), reserved="660")
    ends(result, OutcomeKind.SKIPPED, Reason.GATE_ONLY)


def test_a_safety_stop_links_no_account() -> None:
    ends(plan(stopped=True), OutcomeKind.WAITING, Reason.SAFETY_STOP)
    mended = plan(customer(), account=account(netsuite_id="660"), stopped=True)
    assert (mended.action, mended.netsuite_changes) == (Action.SYNC, {})
