"""The rows that are the same in both directions: pause, named rules, test mode, lock. `row` is the rule id to note."""

from __future__ import annotations

from twinbook.domain.case import Case
from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.plan import ContactPlan
from twinbook.domain.reasons import Reason
from twinbook.domain.records import NetSuiteContact
from twinbook.domain.rules import Facts


def paused(case: Case, row: str) -> ContactPlan | None:
    if case.holds(row, "Is the connection paused?", case.view.paused):
        return case.stop(Reason.PAUSED)
    return None


def left_out(case: Case, row: str) -> ContactPlan | None:
    """A person's choice, so it is only noted where there is one."""
    if case.view.chosen != LEAVE_OUT:
        return None
    case.holds(row, "Did a person choose to leave it out?", True)
    return case.stop(Reason.LEFT_OUT)


def account_not_linked(case: Case, row: str) -> ContactPlan | None:
    gate = case.view.gate
    if case.holds(
        row,
        "Is the account still without a NetSuite customer?",
        not gate.linked,
        account=gate.account_name or gate.account_id,
        customer=gate.customer_id,
    ):
        return case.stop(Reason.ACCOUNT_NOT_SYNCED)
    return None


def rules(case: Case, row: str, facts: Facts) -> ContactPlan | None:
    """All named rules in their order; the first that does not let the contact pass decides."""
    for rule in case.policy.rules:
        verdict = rule.check(facts)
        saw: dict[str, object] = {"rule": rule.name, "text": rule.expression}
        if verdict.error:
            saw["error"] = verdict.error
        question = f"Is the rule {rule.name!r} false?"
        if case.holds(f"{row} {rule.name}", question, not verdict.passed, *verdict.saw, **saw):
            problem = f" could not be worked out: {verdict.error}" if verdict.error else " is false"
            return case.stop(Reason.RULE, detail=f"the rule {rule.name!r} ({rule.expression}){problem}")
    return None


def test_mode(case: Case, row: str, facts: Facts) -> ContactPlan | None:
    policy = case.policy
    value = str(facts.contact.get(policy.test_mode_field) or "")
    keeps_out = policy.test_mode and policy.test_mode_tag not in value
    question = f"Is test mode on, and {policy.test_mode_tag} not in {policy.test_mode_field}?"
    if case.holds(row, question, keeps_out, test_mode=policy.test_mode):
        return case.stop(Reason.TEST_MODE)
    return None


def locked(case: Case, row: str, counterpart: NetSuiteContact) -> ContactPlan | None:
    if case.holds(row, "Is the NetSuite contact locked?", counterpart.locked, netsuite_id=counterpart.id):
        return case.stop(Reason.LOCKED)
    return None


def update_off(case: Case, row: str) -> ContactPlan | None:
    if case.holds(row, "Are updates turned off?", not case.policy.update):
        return case.stop(Reason.UPDATE_DISABLED)
    return None


def create_off(case: Case, row: str) -> ContactPlan | None:
    if case.holds(row, "Is creating contacts turned off?", not case.policy.create):
        return case.stop(Reason.CREATE_DISABLED)
    return None
