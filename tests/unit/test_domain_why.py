"""The explanations: every reason has one, and they read as sentences."""

from __future__ import annotations

import pytest
from tests.memory.domain_views import ADA, CLOSED_GATE, linked_view, netsuite, policy, salesforce, view

from twinbook.domain.plan import ContactPlan, FieldVerdict, OutcomeKind
from twinbook.domain.planner import plan_contact
from twinbook.domain.ports import FieldMeta
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.rules import Rule
from twinbook.domain.why import deciding_step, field_sentence, sentence, sentence_of

DECIDED = {OutcomeKind.SKIPPED, OutcomeKind.WAITING, OutcomeKind.REVIEW, OutcomeKind.FAILED}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_it_means_and_what_to_do(reason: Reason) -> None:
    explanation = CATALOGUE[reason]
    assert explanation.outcome in DECIDED
    for text in (explanation.meaning, explanation.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "  " not in text
    assert reason.value == reason.name


def test_waiting_for_the_account() -> None:
    said = sentence_of(plan_contact(view(gate=CLOSED_GATE), policy()))
    assert said == (
        "Waiting. Its account is not linked with a NetSuite customer yet. Seen: account: Acme, customer: (none). "
        "It will be sent by itself as soon as the account is linked. To link it now, push the account."
    )


def test_a_rule_is_named_with_what_it_saw() -> None:
    plan = plan_contact(view(), policy(rules=(Rule("only-bea", "contact.FirstName == 'Bea'"),)))
    said = sentence_of(plan)
    assert "only-bea" in said
    assert "contact.FirstName: Ada" in said


def test_a_failed_check_names_the_field_and_the_limit() -> None:
    schema = {"title": FieldMeta("title", "string", length=3)}
    said = sentence_of(
        plan_contact(view(salesforce=salesforce(fields={"Title": "Analyst"})), policy(netsuite_schema=schema))
    )
    assert "Title has 7 characters, NetSuite takes at most 3." in said


@pytest.mark.parametrize("outcome", OutcomeKind)
def test_every_outcome_has_an_opening(outcome: OutcomeKind) -> None:
    assert sentence(outcome, None).endswith(".")


def test_the_step_that_decided_is_the_last_that_applied() -> None:
    step = deciding_step(plan_contact(view(gate=CLOSED_GATE), policy()).trace)
    assert step is not None
    assert step.rule == "5 account-not-linked"
    assert deciding_step(()) is None


def test_a_field_says_what_it_saw_and_what_follows() -> None:
    changed: ContactPlan = plan_contact(
        linked_view(
            salesforce=salesforce(netsuite_id="4711", fields={"Title": "A"}),
            netsuite=netsuite(salesforce_id=ADA),
        ),
        policy(),
    )
    title = next(item for item in changed.decisions if item.row == "Title/title")
    assert title.verdict is FieldVerdict.TO_NETSUITE
    assert field_sentence(title) == (
        "Title/title: Salesforce 'A', NetSuite empty, agreed empty: goes to NetSuite (Salesforce changed it)"
    )
