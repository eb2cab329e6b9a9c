"""What the planner makes of a pair beyond the rows: a person's choice, moves, directions, checks of values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.memory.domain_views import (
    ADA,
    BOB,
    CLOSED_GATE,
    MAPPING,
    OPEN_GATE,
    candidate,
    decided_by,
    linked_view,
    netsuite,
    policy,
    salesforce,
    verdicts,
    view,
)

from twinbook.domain.mapping import ConflictPolicy
from twinbook.domain.plan import Action, ContactPlan, ContactView, Gate, OutcomeKind
from twinbook.domain.planner import plan_contact, seeks_counterpart
from twinbook.domain.policy import (
    Direction,
    RecordLink,
)
from twinbook.domain.ports import FieldMeta
from twinbook.domain.reasons import Reason


def ends(plan: ContactPlan, outcome: OutcomeKind, reason: Reason, row: str) -> None:
    """It ends at this row, for this reason, and nothing is written."""
    assert (plan.outcome, plan.reason, decided_by(plan)) == (outcome, reason, row)
    assert plan.action is Action.NOTHING
    assert not plan.netsuite_changes
    assert not plan.salesforce_changes


def test_a_person_chooses_among_several() -> None:
    several = (candidate("8"), candidate("9"))
    assert plan_contact(view(candidates=several, chosen="9"), policy()).counterpart_id == "9"
    assert plan_contact(view(candidates=several, chosen="new"), policy()).action is Action.CREATE


def test_a_choice_that_is_gone_is_asked_again() -> None:
    plan = plan_contact(view(candidates=(candidate("8"), candidate("9")), chosen="7"), policy())
    assert plan.reason is Reason.AMBIGUOUS_MATCH


def test_a_choice_that_is_taken_by_now_is_refused() -> None:
    plan = plan_contact(view(candidates=(candidate("8", linked_to=BOB),), chosen="8"), policy())
    assert plan.reason is Reason.MATCH_TAKEN


def test_a_locked_contact_is_not_adopted() -> None:
    plan = plan_contact(view(candidates=(candidate(locked=True),)), policy())
    ends(plan, OutcomeKind.SKIPPED, Reason.LOCKED, "10 locked")


def test_adoption_with_updates_off_writes_the_ids_only() -> None:
    richer = salesforce(fields={"Title": "Analyst"})
    plan = plan_contact(
        view(salesforce=richer, candidates=(candidate(company_id="999"),)), policy(update=False)
    )
    assert plan.netsuite_changes == {"custentity_twinbook_sf_id": ADA}
    assert plan.salesforce_changes == {"NetSuite_Id__c": "4711"}


def test_adoption_never_erases_with_a_blank() -> None:
    plan = plan_contact(view(candidates=(candidate(fields={"title": "Analyst"}),)), policy())
    assert "title" not in plan.netsuite_changes
    both = plan_contact(
        view(candidates=(candidate(fields={"title": "Analyst"}),)), policy(direction=Direction.BOTH)
    )
    assert both.salesforce_changes["Title"] == "Analyst"


def test_moved_to_a_linked_account_changes_company_and_subsidiary() -> None:
    moved = linked_view(gate=replace(OPEN_GATE, customer_id="661", subsidiary_id="2"))
    plan = plan_contact(moved, policy())
    assert plan.netsuite_changes == {"company": "661", "subsidiary": "2"}


def test_moved_within_a_subsidiary_leaves_the_subsidiary_alone() -> None:
    plan = plan_contact(linked_view(gate=replace(OPEN_GATE, customer_id="661")), policy())
    assert plan.netsuite_changes == {"company": "661"}


def test_moved_to_an_account_that_is_not_linked_waits_and_keeps_the_link() -> None:
    plan = plan_contact(linked_view(gate=CLOSED_GATE), policy())
    ends(plan, OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED, "5 account-not-linked")


def test_a_company_changed_in_netsuite_is_left_alone_one_way() -> None:
    twin = netsuite(salesforce_id=ADA, company_id="999")
    assert not plan_contact(linked_view(netsuite=twin), policy()).netsuite_changes


def test_a_company_changed_in_netsuite_moves_the_contact_both_ways() -> None:
    twin = netsuite(salesforce_id=ADA, company_id="999")
    other = Gate("001OTHER", "Other", "999", "1")
    both = policy(direction=Direction.BOTH)
    plan = plan_contact(linked_view(netsuite=twin, netsuite_gate=other), both)
    assert plan.salesforce_changes == {"AccountId": "001OTHER"}
    unknown = plan_contact(linked_view(netsuite=twin), both)
    assert not unknown.salesforce_changes
    assert verdicts(unknown)["AccountId/company"] == "left-alone"


def test_netsuite_edits_stay_there_one_way_and_travel_both_ways() -> None:
    edited = linked_view(netsuite=netsuite(salesforce_id=ADA, fields={"title": "Countess"}))
    assert plan_contact(edited, policy()).outcome is OutcomeKind.UNCHANGED
    both = plan_contact(edited, policy(direction=Direction.BOTH))
    assert both.salesforce_changes == {"Title": "Countess"}


def test_a_conflict_for_a_person_lets_the_other_fields_pass() -> None:
    rows = tuple(
        replace(row, conflict=ConflictPolicy.REVIEW) if row.salesforce == "Title" else row
        for row in MAPPING.rows
    )
    asks = policy(mapping=replace(MAPPING, rows=rows), direction=Direction.BOTH)
    clash = linked_view(
        salesforce=salesforce(netsuite_id="4711", fields={"Title": "A", "Phone": "1"}),
        netsuite=netsuite(salesforce_id=ADA, fields={"title": "B"}),
    )
    plan = plan_contact(clash, asks)
    assert (plan.action, plan.outcome, plan.reason) == (Action.SYNC, OutcomeKind.REVIEW, Reason.CONFLICT)
    assert plan.netsuite_changes == {"phone": "1"}
    assert plan.choices == ("salesforce", "netsuite")
    resolved = plan_contact(replace(clash, chosen="netsuite"), asks)
    assert resolved.salesforce_changes == {"Title": "B"}
    assert resolved.outcome is OutcomeKind.UPDATED


def test_a_flow_from_netsuite_only_skips_salesforce_contacts() -> None:
    plan = plan_contact(view(), policy(direction=Direction.NETSUITE_TO_SALESFORCE))
    ends(plan, OutcomeKind.SKIPPED, Reason.DIRECTION_OFF, "NS 0 direction")


def meta(name: str, **terms: Any) -> dict[str, FieldMeta]:
    return {name: FieldMeta(name, "string", **terms)}


@pytest.mark.parametrize(
    ("fields", "schema", "reason", "field"),
    [
        ({"Title": "x" * 100}, meta("title", length=99), Reason.FIELD_TOO_LONG, "title"),
        ({"MailingStreet": "x" * 151}, {}, Reason.FIELD_TOO_LONG, "address.street"),
        (
            {"MailingStreet": "a\nb\n" + "c" * 80 + "\n" + "d" * 80},
            {},
            Reason.FIELD_TOO_LONG,
            "address.street",
        ),
        (
            {"Salutation": "Sir"},
            meta("salutation", values=frozenset({"Mr."})),
            Reason.INVALID_VALUE,
            "salutation",
        ),
        ({}, meta("custentity_x", required=True), Reason.REQUIRED_FIELD_MISSING, "custentity_x"),
        ({"Title": "x"}, meta("title", writable=False), Reason.READ_ONLY_FIELD, "title"),
    ],
)
def test_values_are_checked_before_sending(
    fields: dict[str, str], schema: dict[str, FieldMeta], reason: Reason, field: str
) -> None:
    plan = plan_contact(view(salesforce=salesforce(fields=fields)), policy(netsuite_schema=schema))
    assert (plan.action, plan.outcome, plan.reason) == (Action.NOTHING, OutcomeKind.FAILED, reason)
    assert plan.error is not None
    assert (plan.error.field, bool(plan.error.remedy)) == (field, True)
    assert not plan.netsuite_changes


def test_a_value_that_is_too_long_is_told_with_both_lengths() -> None:
    plan = plan_contact(
        view(salesforce=salesforce(fields={"Title": "x" * 100})),
        policy(netsuite_schema=meta("title", length=99)),
    )
    assert "100 characters" in plan.detail
    assert "at most 99" in plan.detail


def test_a_value_that_just_fits_passes() -> None:
    fits = salesforce(fields={"Title": "x" * 99, "MailingStreet": "y" * 150, "Salutation": "Mr."})
    schema = meta("title", length=99) | meta("salutation", values=frozenset({"Mr."}))
    assert plan_contact(view(salesforce=fits), policy(netsuite_schema=schema)).action is Action.CREATE


def test_a_required_field_that_the_system_fills_itself_is_not_asked_for() -> None:
    schema = meta("id", required=True, writable=False)
    assert plan_contact(view(), policy(netsuite_schema=schema)).action is Action.CREATE


def test_a_street_of_four_lines_fits_without_loss() -> None:
    plan = plan_contact(view(salesforce=salesforce(fields={"MailingStreet": "a\nb\nc\nd"})), policy())
    assert plan.netsuite_changes["address.street"] == "a\nb\nc, d"


def test_a_required_field_cannot_be_cleared() -> None:
    cleared = salesforce(netsuite_id="4711", fields={"LastName": None})
    plan = plan_contact(
        linked_view(salesforce=cleared), policy(netsuite_schema=meta("lastName", required=True))
    )
    assert plan.reason is Reason.REQUIRED_FIELD_MISSING


@pytest.mark.parametrize(
    ("seen", "settings", "seeks"),
    [
        (view(), {}, True),
        (view(), {"create": False}, True),
        (view(), {"netsuite_schema": meta("subsidiary_x", required=True)}, True),
        (linked_view(netsuite=None), {}, True),
        (linked_view(), {}, False),
        (view(gate=CLOSED_GATE), {}, False),
        (view(salesforce=salesforce(fields={"Email": None})), {}, False),
    ],
)
def test_only_contacts_that_may_have_a_counterpart_are_worth_a_search(
    seen: ContactView, settings: dict[str, Any], seeks: bool
) -> None:
    assert seeks_counterpart(plan_contact(seen, policy(**settings))) is seeks


class TestTheLinkForPeople:
    """The NetSuite field that leads to the Salesforce contact (behaviour.md 8)."""

    LINK = RecordLink("custentity_twinbook_link", "https://acme.my.salesforce.com/{id}")
    HERE = f"https://acme.my.salesforce.com/{ADA}"

    def test_goes_along_with_the_ids(self) -> None:
        created = plan_contact(view(), policy(netsuite_link=self.LINK))
        adopted = plan_contact(view(candidates=(candidate(),)), policy(netsuite_link=self.LINK, update=False))
        assert created.netsuite_changes["custentity_twinbook_link"] == self.HERE
        assert adopted.netsuite_changes == {
            "custentity_twinbook_sf_id": ADA,
            "custentity_twinbook_link": self.HERE,
        }

    def test_is_put_right_with_the_next_write_and_is_none_by_itself(self) -> None:
        unchanged = plan_contact(linked_view(), policy(netsuite_link=self.LINK))
        assert (unchanged.outcome, unchanged.netsuite_changes) == (OutcomeKind.UNCHANGED, {})
        moved = linked_view(gate=replace(OPEN_GATE, customer_id="661"))
        assert plan_contact(moved, policy(netsuite_link=self.LINK)).netsuite_changes == {
            "company": "661",
            "custentity_twinbook_link": self.HERE,
        }

    def test_is_left_alone_where_it_is_right(self) -> None:
        moved = linked_view(gate=replace(OPEN_GATE, customer_id="661"))
        assert moved.netsuite is not None
        shows = replace(
            moved.netsuite, fields={**moved.netsuite.fields, "custentity_twinbook_link": self.HERE}
        )
        plan = plan_contact(replace(moved, netsuite=shows), policy(netsuite_link=self.LINK))
        assert plan.netsuite_changes == {"company": "661"}
