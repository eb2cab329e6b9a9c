"""The account gate (behaviour.md section 6)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from tests.memory.domain_views import ACCOUNT

from twinbook.domain.account_mapping import AccountMapping
from twinbook.domain.account_planner import plan_account
from twinbook.domain.canonical import Kind
from twinbook.domain.ids import account_key
from twinbook.domain.mapping import ConflictPolicy, MappingRow
from twinbook.domain.plan import AccountPlan, AccountView, Action, OutcomeKind, Trigger
from twinbook.domain.policy import AccountPolicy, Accounts, Direction, SubsidiaryRule
from twinbook.domain.ports import FieldMeta
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
    result = plan(
        customer(salesforce_id=ACCOUNT),
        account=account(netsuite_id="660"),
        policy=AccountPolicy(accounts),
        paused=paused,
    )
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


def ids(number: int) -> str:
    """The account's own id is that of 0."""
    return ACCOUNT if number == 0 else f"001Kx00000Parent{number:02}"


def above(*numbers: int) -> tuple[SalesforceAccount, ...]:
    return tuple(account(id=ids(number), name=f"Parent {number}") for number in numbers)


def linked(
    *,
    account_fields: dict[str, Any] | None = None,
    customer_fields: dict[str, Any] | None = None,
    customers_parent: str | None = None,
    agreed: dict[str, Any] | None = None,
    parent_id: str | None = None,
    parent_customer_id: str | None = None,
    chosen: str | None = None,
    **policy: Any,
) -> AccountPlan:
    """The plan for an account and its customer, which differ in the given fields only."""
    ours = account(
        netsuite_id="660",
        fields=account_fields or {},
        parent_id=parent_id,
        parent_customer_id=parent_customer_id,
    )
    theirs = customer(salesforce_id=ACCOUNT, parent_id=customers_parent, fields=customer_fields or {})
    return plan(theirs, account=ours, agreed=agreed or {}, chosen=chosen, policy=AccountPolicy(**policy))


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
    assert result.choices == ("1", "2", "new")


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


@pytest.mark.parametrize(("chosen", "expected"), [("2", "2"), ("new", None)])
def test_a_persons_choice_decides(chosen: str, expected: str | None) -> None:
    result = plan(customer("1"), customer("2"), chosen=chosen)
    assert result.counterpart_id == expected
    assert result.action is (Action.ADOPT if expected else Action.CREATE)


def test_a_choice_of_somebody_elses_customer_is_not_followed() -> None:
    assert (
        plan(customer("1"), customer("2"), chosen="1", linked_customers=frozenset({"1"})).counterpart_id
        == "2"
    )


def test_a_quote_counts_where_it_is_chosen() -> None:
    asked = account(has_quote=True, **QUIET)
    assert (
        plan(account=asked, policy=AccountPolicy(triggers=frozenset({Trigger.QUOTE}))).trigger
        is Trigger.QUOTE
    )
    ends(plan(account=asked), OutcomeKind.SKIPPED, Reason.NO_TRIGGER)


class TestParents:
    """Parents first, up to 10 of them."""

    def test_an_account_waits_for_its_parent(self) -> None:
        result = plan(account=account(parent_id=ids(1)), ancestors=above(1))
        ends(result, OutcomeKind.WAITING, Reason.PARENT_NOT_SYNCED)
        assert "Parent 1" in result.detail

    def test_an_account_that_is_waited_for_is_triggered(self) -> None:
        result = plan(account=account(**QUIET), awaited=True)
        assert (result.action, result.trigger) == (Action.CREATE, Trigger.CHILD)

    def test_a_new_customer_names_its_parent(self) -> None:
        result = plan(account=account(parent_id=ids(1), parent_customer_id="600"))
        assert result.netsuite_changes["parent"] == "600"
        assert result.agreed["ParentId/parent"] == "600"

    @pytest.mark.parametrize(
        ("parents", "reason"), [(10, Reason.PARENT_NOT_SYNCED), (11, Reason.PARENTS_TOO_DEEP)]
    )
    def test_ten_parents_are_followed(self, parents: int, reason: Reason) -> None:
        assert (
            plan(account=account(parent_id=ids(1)), ancestors=above(*range(1, parents + 1))).reason is reason
        )

    @pytest.mark.parametrize("circle", [(1, 2, 0), (0,), (1, 2, 1)])
    def test_a_circle_is_for_a_person(self, circle: tuple[int, ...]) -> None:
        result = plan(account=account(parent_id=ids(circle[0])), ancestors=above(*circle))
        ends(result, OutcomeKind.REVIEW, Reason.PARENT_CYCLE)

    def test_a_parent_that_cannot_be_read_does_not_hold_up(self) -> None:
        result = plan(account=account(parent_id=ids(1)))
        assert result.action is Action.CREATE
        assert "parent" not in result.netsuite_changes

    def test_a_parent_that_is_linked_later_is_set(self) -> None:
        late = linked(account_fields={}, parent_id=ids(1), parent_customer_id="600")
        assert late.netsuite_changes == {"parent": "600"}
        assert late.outcome is OutcomeKind.UPDATED

    def test_a_parent_that_is_not_linked_leaves_the_customers_alone(self) -> None:
        result = linked(parent_id=ids(1), customers_parent="600", agreed={"ParentId/parent": "600"})
        assert not result.netsuite_changes
        assert result.agreed["ParentId/parent"] == "600"

    def test_a_customers_own_parent_survives_the_adoption_of_an_account_without_one(self) -> None:
        assert not linked(customers_parent="600").netsuite_changes

    def test_a_parent_that_was_taken_away_is_taken_away(self) -> None:
        result = linked(customers_parent="600", agreed={"ParentId/parent": "600"})
        assert result.netsuite_changes == {"parent": None}

    def test_a_parent_never_goes_to_salesforce(self) -> None:
        result = linked(customers_parent="600", direction=Direction.BOTH)
        assert not result.salesforce_changes


class TestSubsidiaries:
    """OneWorld: the first rule that holds gives the subsidiary."""

    RULES = (
        SubsidiaryRule(Rule("germany", "account.Type == 'German'"), "2"),
        SubsidiaryRule(Rule("customers", "account.Type == 'Customer'"), "3"),
        SubsidiaryRule(Rule("all", "true"), "4"),
    )

    @pytest.mark.parametrize(
        ("kind", "subsidiary"), [("German", "2"), ("Customer", "3"), ("Other", "4"), (None, "4")]
    )
    def test_the_first_that_holds(self, kind: str | None, subsidiary: str) -> None:
        policy = AccountPolicy(subsidiary_rules=self.RULES, subsidiary_id="9")
        result = plan(account=account(fields={"Type": kind}), policy=policy)
        assert result.netsuite_changes["subsidiary"] == subsidiary

    def test_none_holds(self) -> None:
        policy = AccountPolicy(subsidiary_rules=self.RULES[:1])
        ends(plan(policy=policy), OutcomeKind.REVIEW, Reason.NO_SUBSIDIARY)
        assert plan(policy=replace(policy, subsidiary_id="9")).netsuite_changes["subsidiary"] == "9"

    def test_the_rule_tells_customers_of_one_name_apart(self) -> None:
        two = (customer("1", subsidiary_id="2"), customer("2", subsidiary_id="3"))
        assert plan(*two, policy=AccountPolicy(subsidiary_rules=self.RULES)).counterpart_id == "2"


class TestFields:
    """Linked accounts are merged field by field, like contacts."""

    @pytest.mark.parametrize(
        ("direction", "to_netsuite", "to_salesforce"),
        [
            (Direction.SALESFORCE_TO_NETSUITE, {"phone": "1"}, {}),
            (Direction.NETSUITE_TO_SALESFORCE, {}, {"Fax": "2"}),
            (Direction.BOTH, {"phone": "1"}, {"Fax": "2"}),
        ],
    )
    def test_each_change_travels_as_the_direction_allows(
        self, direction: Direction, to_netsuite: dict[str, str], to_salesforce: dict[str, str]
    ) -> None:
        result = linked(
            account_fields={"Phone": "1", "Fax": "0"},
            customer_fields={"phone": "0", "fax": "2"},
            agreed={"Phone/phone": "0", "Fax/fax": "0"},
            direction=direction,
        )
        assert (result.netsuite_changes, result.salesforce_changes) == (to_netsuite, to_salesforce)

    def test_without_updates_nothing_is_written(self) -> None:
        result = linked(account_fields={"Phone": "1"}, direction=Direction.BOTH, update=False)
        assert (result.outcome, result.netsuite_changes) == (OutcomeKind.UNCHANGED, {})

    def test_gate_only_writes_nothing(self) -> None:
        result = linked(account_fields={"Phone": "1"}, accounts=Accounts.GATE_ONLY)
        assert (result.action, result.netsuite_changes) == (Action.SYNC, {})

    def test_a_new_customer_gets_the_fields_whatever_the_direction(self) -> None:
        fields = {"Name": "Acme GmbH", "Phone": "1", "Website": "acme.example", "BillingCity": "Berlin"}
        policy = AccountPolicy(direction=Direction.NETSUITE_TO_SALESFORCE)
        created = plan(account=account(fields=fields), policy=policy).netsuite_changes
        assert {name: created[name] for name in ("companyName", "phone", "url", "address.city")} == {
            "companyName": "Acme GmbH",
            "phone": "1",
            "url": "http://acme.example",
            "address.city": "Berlin",
        }

    def test_the_website_is_the_same_with_and_without_its_scheme(self) -> None:
        result = linked(
            account_fields={"Website": "www.Acme.example"},
            customer_fields={"url": "https://www.acme.example/"},
        )
        assert result.outcome is OutcomeKind.UNCHANGED

    def test_a_value_that_is_too_long_keeps_the_gate_open(self) -> None:
        schema = {"companyName": FieldMeta("companyName", "string", 83)}
        result = linked(account_fields={"Name": "x" * 84}, netsuite_schema=schema)
        assert (result.action, result.outcome, result.reason) == (
            Action.SYNC,
            OutcomeKind.FAILED,
            Reason.FIELD_TOO_LONG,
        )
        assert not result.netsuite_changes
        created = plan(
            account=account(fields={"Name": "x" * 84}), policy=AccountPolicy(netsuite_schema=schema)
        )
        assert (created.action, created.reason) == (Action.NOTHING, Reason.FIELD_TOO_LONG)

    def test_a_conflict_can_be_left_to_a_person(self) -> None:
        rows = (MappingRow("Phone", "phone", Kind.PHONE, conflict=ConflictPolicy.REVIEW),)
        both: dict[str, Any] = {
            "account_fields": {"Phone": "1"},
            "customer_fields": {"phone": "2"},
            "mapping": AccountMapping(rows),
            "direction": Direction.BOTH,
        }
        result = linked(**both)
        assert (result.reason, result.choices) == (Reason.CONFLICT, ("salesforce", "netsuite"))
        assert linked(**both, chosen="netsuite").salesforce_changes == {"Phone": "2"}

    def test_a_customer_that_is_gone_is_for_a_person_and_the_gate_stays_open(self) -> None:
        result = plan(account=account(netsuite_id="660"))
        assert (result.action, result.outcome, result.reason) == (
            Action.SYNC,
            OutcomeKind.REVIEW,
            Reason.CUSTOMER_MISSING,
        )


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
