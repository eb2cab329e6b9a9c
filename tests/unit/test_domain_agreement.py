"""What is stored as agreed after a write, so that nothing goes to and fro and no edit is taken for agreed."""

from __future__ import annotations

import pytest
from tests.memory.domain_views import ADA, MAPPING, linked_view, netsuite, policy, salesforce

from twinbook.domain.agreement import (
    NETSUITE_HALF,
    Agreement,
    agreed_after,
    agreement_on,
    edited_since,
    stored,
)
from twinbook.domain.planner import plan_contact
from twinbook.domain.policy import Direction
from twinbook.domain.records import Side, Value

TITLE = "Title/title"
EDITED = salesforce(netsuite_id="4711", fields={"Title": "Analyst of engines"})


@pytest.mark.parametrize(
    "halves", [("x", "x"), ("x", "y"), (None, "x"), ("x", None), (None, None), (True, False)]
)
def test_agreements_survive_storage(halves: tuple[Value, Value]) -> None:
    agreement = Agreement(*halves)
    assert agreement_on("k", stored({"k": agreement})) == agreement
    assert agreement_on("other", stored({"k": agreement})) is None


def test_equal_halves_are_stored_once() -> None:
    assert stored({"k": Agreement("x", "x")}) == {"k": "x"}
    assert stored({"k": Agreement("x", "y")}) == {"k": "x", "k" + NETSUITE_HALF: "y"}


@pytest.mark.parametrize(
    ("kept", "half"),
    [
        ("Analyst of engines", "Analyst of engines"),
        (" Analyst of engines ", "Analyst of engines"),
        ("Analyst of", "Analyst of"),
        ("ANALYST OF ENGINES", "ANALYST OF ENGINES"),
        ("Analyst-of-engines", "Analyst-of-engines"),
        (None, None),
        ("Countess", "Analyst of engines"),
    ],
    ids=["as it is", "padded", "cut off", "reformatted", "punctuated", "refused to show", "edited since"],
)
def test_what_netsuite_kept_is_agreed_and_what_somebody_typed_is_not(kept: Value, half: Value) -> None:
    plan = plan_contact(linked_view(salesforce=EDITED), policy())
    agreed = agreed_after(plan, MAPPING, EDITED, netsuite(salesforce_id=ADA, fields={"title": kept}))
    assert agreement_on(TITLE, agreed) == Agreement("Analyst of engines", half)


def test_an_automation_that_insists_is_left_in_peace() -> None:
    """NetSuite shows after the write what it showed before: writing again would never end."""
    view = linked_view(salesforce=EDITED, netsuite=netsuite(salesforce_id=ADA, fields={"title": "Countess"}))
    both = policy(direction=Direction.BOTH)
    plan = plan_contact(view, both)
    assert plan.netsuite_changes == {"title": "Analyst of engines"}
    assert view.netsuite is not None
    agreed = agreed_after(plan, MAPPING, EDITED, view.netsuite)
    assert agreement_on(TITLE, agreed) == Agreement("Analyst of engines", "Countess")


def test_the_other_way_round() -> None:
    twin = netsuite(salesforce_id=ADA, fields={"title": "Countess of Lovelace"})
    plan = plan_contact(linked_view(netsuite=twin), policy(direction=Direction.BOTH))
    kept = salesforce(netsuite_id="4711", fields={"Title": "Countess of"})
    assert agreement_on(TITLE, agreed_after(plan, MAPPING, kept, twin)) == Agreement(
        "Countess of", "Countess of Lovelace"
    )


def test_rows_that_are_no_longer_mapped_are_forgotten() -> None:
    plan = plan_contact(linked_view(), policy())
    view = linked_view()
    assert view.salesforce is not None
    assert view.netsuite is not None
    agreed = agreed_after(plan, MAPPING, view.salesforce, view.netsuite)
    assert set(agreed) == {row.key for row in MAPPING.rows} | {"AccountId/company"}


@pytest.mark.parametrize(
    ("fields", "edited"),
    [({"title": None}, False), ({"title": "x"}, True), ({"phone": " "}, False), ({}, False)],
)
def test_edited_since_looks_at_what_that_side_showed(fields: dict[str, Value], edited: bool) -> None:
    assert edited_since(Side.NETSUITE, fields, MAPPING, {TITLE: None, "Phone/phone": None}) is edited
