"""What follows when NetSuite refuses a contact because its name is taken (behaviour.md 2, refusals)."""

from __future__ import annotations

import pytest
from tests.memory.domain_views import ADA, BOB, candidate, linked_view, policy, salesforce, view

from twinbook.domain.ids import distinct_name
from twinbook.domain.plan import Action, Candidate, OutcomeKind
from twinbook.domain.planner import plan_contact, resolve_name_clash
from twinbook.domain.policy import NameClash
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Side

OTHER = {"email": "other@x.example"}
BLANK = {"email": None}


@pytest.mark.parametrize(
    "same",
    [
        candidate("7"),
        candidate("7", company_id="999"),
        candidate("7", fields=BLANK),
    ],
    ids=["same email", "same email elsewhere", "no email, same company"],
)
def test_the_same_person_is_adopted(same: Candidate) -> None:
    plan = resolve_name_clash(view(), policy(), [same])
    assert (plan.action, plan.counterpart_id, plan.target) == (Action.ADOPT, "7", Side.NETSUITE)


@pytest.mark.parametrize(
    "other",
    [
        candidate("7", fields=OTHER),
        candidate("7", linked_to=BOB),
        candidate("7", fields=BLANK, linked_to=BOB),
        candidate("7", fields=BLANK, company_id="999"),
    ],
    ids=["other email", "taken", "taken without email", "no email elsewhere"],
)
def test_another_person_of_the_same_name_gets_a_distinct_name(other: Candidate) -> None:
    plan = resolve_name_clash(view(), policy(), [other])
    assert (plan.action, plan.outcome) == (Action.CREATE, OutcomeKind.CREATED)
    assert plan.netsuite_changes["entityId"] == "Ada Lovelace (003…bCdE)"
    assert plan.netsuite_changes["firstName"] == "Ada"
    assert plan.netsuite_changes["lastName"] == "Lovelace"


def test_nobody_found_still_leads_to_a_distinct_name() -> None:
    """An inactive or invisible contact can hold the name."""
    assert resolve_name_clash(view(), policy(), []).netsuite_changes["entityId"] == distinct_name(
        "Ada Lovelace", ADA
    )


def test_the_same_answer_each_time_and_in_any_order() -> None:
    others = [candidate("7", fields=OTHER), candidate("8", linked_to=BOB)]
    assert resolve_name_clash(view(), policy(), others) == resolve_name_clash(view(), policy(), others[::-1])


def test_several_that_could_be_the_person_are_for_a_person() -> None:
    plan = resolve_name_clash(view(), policy(), [candidate("7", fields=BLANK), candidate("8", fields=BLANK)])
    assert (plan.reason, plan.choices) == (Reason.AMBIGUOUS_MATCH, ("7", "8", "new"))


def test_setting_review() -> None:
    plan = resolve_name_clash(view(), policy(name_clash=NameClash.REVIEW), [candidate("7", fields=OTHER)])
    assert (plan.action, plan.outcome, plan.reason) == (
        Action.NOTHING,
        OutcomeKind.REVIEW,
        Reason.NAME_CLASH,
    )
    assert plan.choices == ("7",)
    assert not plan.netsuite_changes


def test_a_distinct_name_that_is_taken_too_is_spelled_out() -> None:
    short = candidate("7", fields=OTHER, name="ada lovelace (003…BCDe)")
    plan = resolve_name_clash(view(), policy(), [short])
    assert plan.netsuite_changes["entityId"] == f"Ada Lovelace ({ADA})"
    whole = candidate("8", fields=OTHER, name=f"Ada Lovelace ({ADA})")
    assert resolve_name_clash(view(), policy(), [short, whole]).reason is Reason.NAME_CLASH


def test_a_refused_change_of_name_gets_a_distinct_name() -> None:
    renamed = linked_view(salesforce=salesforce(netsuite_id="4711", fields={"LastName": "Byron"}))
    plan = resolve_name_clash(renamed, policy(), [candidate("7", fields=OTHER, name="Ada Byron")])
    assert plan.action is Action.SYNC
    assert plan.netsuite_changes == {"lastName": "Byron", "entityId": "Ada Byron (003…bCdE)"}


def test_its_own_record_is_no_clash() -> None:
    """Only another contact of the marked name makes the mark longer."""
    renamed = linked_view(salesforce=salesforce(netsuite_id="4711", fields={"LastName": "Byron"}))
    own = candidate("4711", name="Ada Byron (003…bCdE)")
    plan = resolve_name_clash(renamed, policy(), [own])
    assert plan.netsuite_changes["entityId"] == "Ada Byron (003…bCdE)"


def test_nothing_to_write_means_nothing_to_resolve() -> None:
    assert resolve_name_clash(linked_view(), policy(), []) == plan_contact(linked_view(), policy())
