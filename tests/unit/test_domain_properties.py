"""Properties of the planner over pairs that nobody thought of.

A small world carries plans out as the engine does: vendor fields are written to a target that keeps what it likes
(as it is, trimmed, cut off, reformatted), ids are exchanged, and what was kept is agreed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory.domain_views import ACCOUNT, ADA, BOB, OPEN_GATE, netsuite, policy, salesforce

from twinbook.domain.agreement import agreed_after, agreement_on
from twinbook.domain.canonical import Kind
from twinbook.domain.ids import contact_key
from twinbook.domain.mapping import ConflictPolicy, ContactMapping, MappingRow, RowDirection
from twinbook.domain.plan import (
    Action,
    Candidate,
    ContactPlan,
    ContactView,
    FieldVerdict,
    SalesforceCandidate,
)
from twinbook.domain.planner import plan_contact, seeks_counterpart
from twinbook.domain.policy import ContactPolicy, Direction, OtherCompany, SharedEmail
from twinbook.domain.records import (
    Fields,
    Link,
    LinkState,
    NetSuiteContact,
    SalesforceContact,
    Side,
    Value,
)

MOST_ROUNDS = 4
TEXTS = st.none() | st.sampled_from(
    ["x", "y", "Analyst of engines", "Analyst", " x ", "x\r\ny\nz\nu\nv", "(0)30-12 34"]
)
EMAILS = st.none() | st.sampled_from(["ada@acme.example", "ADA@acme.example", "bea@acme.example"])
COUNTRIES = st.none() | st.sampled_from(["DE", "Germany", "Atlantis", "FR"])
DIRECTIONS = st.sampled_from([Direction.SALESFORCE_TO_NETSUITE, Direction.BOTH])


@st.composite
def policies(draw: st.DrawFn) -> ContactPolicy:
    def row(salesforce_name: str, netsuite_name: str, kind: Kind = Kind.TEXT) -> MappingRow:
        return MappingRow(
            salesforce_name,
            netsuite_name,
            kind,
            direction=draw(st.sampled_from(RowDirection)),
            conflict=draw(st.sampled_from(ConflictPolicy)),
            ignore_blank=draw(st.booleans()),
            default=draw(st.sampled_from([None, "n/a"])) if kind is Kind.TEXT else None,
            create_only=draw(st.booleans()) and draw(st.booleans()),
        )

    rows = (
        MappingRow("FirstName", "firstName"),
        MappingRow("LastName", "lastName"),
        row("Email", "email", Kind.EMAIL),
        row("Title", "title"),
        row("Phone", "phone", Kind.PHONE),
        row("MailingStreet", "address.street", Kind.STREET),
        row("MailingCountry", "address.country", Kind.COUNTRY),
    )
    return policy(
        mapping=ContactMapping(rows),
        direction=draw(DIRECTIONS),
        other_company=draw(st.sampled_from(OtherCompany)),
        shared_email=draw(st.sampled_from(SharedEmail)),
        create=draw(st.booleans()) or draw(st.booleans()),
        update=draw(st.booleans()) or draw(st.booleans()),
    )


def plain(value: Value) -> Value:
    return value


def trims(value: Value) -> Value:
    return value.strip() or None if isinstance(value, str) else value


def cuts(value: Value) -> Value:
    return value[:4].strip() or None if isinstance(value, str) else value


def reformats(value: Value) -> Value:
    return value.replace(" ", "").replace("\n", " ").upper() if isinstance(value, str) else value


KEEPERS = st.sampled_from([plain, trims, cuts, reformats])


def is_mapped(terms: ContactPolicy, name: str) -> bool:
    return any(name in (row.salesforce, row.netsuite) for row in terms.mapping.rows)


@dataclass
class World:
    """Both sides and the link, with the habits of each side."""

    here: SalesforceContact
    there: NetSuiteContact | None
    link: Link | None
    salesforce_keeps: Callable[[Value], Value] = plain
    netsuite_keeps: Callable[[Value], Value] = plain

    def view(self) -> ContactView:
        linked = self.link is not None
        others = () if linked or self.there is None else (Candidate(self.there),)
        return ContactView(OPEN_GATE, self.here, self.there if linked else None, self.link, others)

    def carry_out(self, plan: ContactPlan, terms: ContactPolicy) -> None:
        if plan.action not in (Action.CREATE, Action.ADOPT, Action.SYNC):
            return
        there = self.there
        if there is None or plan.action is Action.CREATE:
            there = NetSuiteContact("5000", {}, "1")
        self.there = self._write_netsuite(there, plan.netsuite_changes, terms)
        self.here = self._write_salesforce(self.here, plan.salesforce_changes, terms)
        if plan.action is Action.CREATE:
            self.here = replace(self.here, netsuite_id=self.there.id)
        agreed = agreed_after(plan, terms.mapping, self.here, self.there)
        self.link = Link(ADA, self.there.id, LinkState.LINKED, contact_key(ADA), agreed)

    def _write_netsuite(
        self, record: NetSuiteContact, changes: Fields, terms: ContactPolicy
    ) -> NetSuiteContact:
        fields = dict(record.fields)
        for name, value in changes.items():
            fields[name] = self.netsuite_keeps(value) if is_mapped(terms, name) else value
        return replace(
            record,
            fields=fields,
            email=fields.get("email"),
            name=fields.get("entityId", record.name),
            company_id=changes.get("company", record.company_id),
            salesforce_id=changes.get(terms.netsuite_id_field, record.salesforce_id),
        )

    def _write_salesforce(
        self, record: SalesforceContact, changes: Fields, terms: ContactPolicy
    ) -> SalesforceContact:
        fields = dict(record.fields)
        for name, value in changes.items():
            if is_mapped(terms, name):
                fields[name] = self.salesforce_keeps(value)
        return replace(
            record, fields=fields, netsuite_id=changes.get(terms.salesforce_id_field, record.netsuite_id)
        )


@st.composite
def records(draw: st.DrawFn) -> tuple[SalesforceContact, NetSuiteContact]:
    here = salesforce(
        fields={
            "Email": draw(EMAILS),
            "Title": draw(TEXTS),
            "Phone": draw(TEXTS),
            "MailingStreet": draw(TEXTS),
            "MailingCountry": draw(COUNTRIES),
        }
    )
    there = netsuite(
        fields={
            "email": draw(EMAILS),
            "title": draw(TEXTS),
            "phone": draw(TEXTS),
            "address.street": draw(TEXTS),
            "address.country": draw(COUNTRIES),
        },
        company_id=draw(st.sampled_from(["660", "999", None])),
    )
    return here, there


@st.composite
def worlds(draw: st.DrawFn) -> World:
    here, there = draw(records())
    return World(here, draw(st.none() | st.just(there)), None, draw(KEEPERS), draw(KEEPERS))


def settle(world: World, terms: ContactPolicy) -> int:
    """Plan and carry out until a plan writes nothing; how many plans wrote something."""
    for rounds in range(MOST_ROUNDS):
        plan = plan_contact(world.view(), terms)
        if not (plan.netsuite_changes or plan.salesforce_changes):
            return rounds
        world.carry_out(plan, terms)
    pytest.fail(f"still writing after {MOST_ROUNDS} rounds: {plan_contact(world.view(), terms)}")


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_the_second_plan_writes_nothing(world: World, terms: ContactPolicy) -> None:
    assert settle(world, terms) <= 1


@settings(max_examples=150, deadline=None)
@given(worlds(), policies(), records())
def test_after_edits_on_both_sides_the_second_plan_writes_nothing(
    world: World, terms: ContactPolicy, edits: tuple[SalesforceContact, NetSuiteContact]
) -> None:
    settle(world, terms)
    world.here = replace(world.here, fields=edits[0].fields)
    if world.there is not None:
        fields = dict(world.there.fields) | edits[1].fields
        world.there = replace(world.there, fields=fields, email=fields["email"])
    assert settle(world, terms) <= 1


@settings(max_examples=150, deadline=None)
@given(worlds(), policies(), records())
def test_an_edit_made_while_we_were_writing_is_found(
    world: World, terms: ContactPolicy, edits: tuple[SalesforceContact, NetSuiteContact]
) -> None:
    """Somebody edits NetSuite after our write and before it is read back: the edit is not taken for agreed."""
    plan = plan_contact(world.view(), terms)
    if plan.action not in (Action.CREATE, Action.ADOPT):
        return
    world.netsuite_keeps = plain
    world.carry_out(plan, terms)
    assert world.there is not None
    edited = replace(world.there, fields={**world.there.fields, "title": "Countess"})
    agreed = agreed_after(plan, terms.mapping, world.here, edited)
    if "title" in plan.netsuite_changes:
        agreement = agreement_on("Title/title", agreed)
        assert agreement is not None
        assert agreement.netsuite != "Countess"


@settings(max_examples=150, deadline=None)
@given(worlds(), policies(), records())
def test_conflict_if_and_only_if_both_changed_and_differ(
    world: World, terms: ContactPolicy, edits: tuple[SalesforceContact, NetSuiteContact]
) -> None:
    settle(world, terms)
    world.here = replace(world.here, fields=edits[0].fields)
    if world.there is not None:
        world.there = replace(world.there, fields={**world.there.fields, **edits[1].fields})
    plan = plan_contact(world.view(), terms)
    if world.link is None or plan.action is not Action.SYNC:
        return
    for decision in plan.decisions:
        row = next((item for item in terms.mapping.rows if item.key == decision.row), None)
        if row is None or row.create_only:
            continue
        then = agreement_on(decision.row, world.link.agreed)
        before = (then.salesforce, then.netsuite) if then else (None, None)
        here = decision.salesforce != before[0] and not (row.ignore_blank and decision.salesforce is None)
        there = decision.netsuite != before[1] and not (row.ignore_blank and decision.netsuite is None)
        conflict = here and there and decision.salesforce != decision.netsuite
        assert decision.verdict.startswith("conflict") == conflict


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_a_side_that_already_shows_the_result_is_not_written(world: World, terms: ContactPolicy) -> None:
    plan = plan_contact(world.view(), terms)
    if plan.action is Action.CREATE:
        return
    for row in terms.mapping.rows:
        if row.netsuite in plan.netsuite_changes and world.there is not None:
            sent = row.compared(Side.NETSUITE, plan.netsuite_changes[row.netsuite])
            assert sent != row.compared(Side.NETSUITE, world.there.fields.get(row.netsuite))
        if row.salesforce in plan.salesforce_changes:
            sent = row.compared(Side.SALESFORCE, plan.salesforce_changes[row.salesforce])
            assert sent != row.compared(Side.SALESFORCE, world.here.fields.get(row.salesforce))


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_a_blank_never_erases_on_adoption(world: World, terms: ContactPolicy) -> None:
    plan = plan_contact(world.view(), terms)
    if plan.action is not Action.ADOPT:
        return
    assert None not in plan.netsuite_changes.values()
    assert None not in plan.salesforce_changes.values()
    for decision in plan.decisions:
        blank = decision.salesforce is None or decision.netsuite is None
        assert not (blank and decision.verdict.startswith("conflict"))


CANDIDATES = st.builds(
    Candidate,
    st.builds(
        netsuite,
        st.sampled_from(["1", "2", "3", "4"]),
        company_id=st.sampled_from(["660", "999", None]),
        inactive=st.booleans(),
        locked=st.booleans(),
        salesforce_id=st.sampled_from([None, ADA, BOB]),
        fields=st.fixed_dictionaries({"email": EMAILS}),
    ),
    st.sampled_from([None, None, ADA, BOB]),
)
SALESFORCE_CANDIDATES = st.builds(
    SalesforceCandidate,
    st.builds(
        salesforce,
        id=st.sampled_from(["003A", "003B", "003C"]),
        account_id=st.sampled_from([ACCOUNT, "001OTHER"]),
        netsuite_id=st.sampled_from([None, "4711", "9999"]),
        fields=st.fixed_dictionaries({"Email": EMAILS}),
    ),
    st.sampled_from([None, None, "4711", "9999"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CANDIDATES, max_size=4, unique_by=lambda item: item.record.id), policies(), st.randoms())
def test_the_order_of_candidates_does_not_matter(
    found: list[Candidate], terms: ContactPolicy, random: st.randoms
) -> None:
    shuffled = random.sample(found, len(found))
    plans = [
        plan_contact(ContactView(OPEN_GATE, salesforce(), candidates=tuple(order)), terms)
        for order in (found, shuffled)
    ]
    assert plans[0] == plans[1]
    if plans[0].action is Action.ADOPT:
        chosen = next(item for item in found if item.record.id == plans[0].counterpart_id)
        assert chosen.linked_to in (None, ADA)
        assert not chosen.record.locked


@settings(max_examples=150, deadline=None)
@given(st.lists(SALESFORCE_CANDIDATES, max_size=3, unique_by=lambda item: item.record.id), st.randoms())
def test_the_order_of_salesforce_candidates_does_not_matter(
    found: list[SalesforceCandidate], random: st.randoms
) -> None:
    terms = policy(direction=Direction.BOTH)
    shuffled = random.sample(found, len(found))
    plans = [
        plan_contact(ContactView(OPEN_GATE, netsuite=netsuite(), salesforce_candidates=tuple(order)), terms)
        for order in (found, shuffled)
    ]
    assert plans[0] == plans[1]
    if plans[0].action is Action.ADOPT:
        chosen = next(item for item in found if item.record.id == plans[0].counterpart_id)
        assert chosen.linked_to in (None, "4711")


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_a_plan_that_seeks_nobody_stays_the_same_with_candidates(world: World, terms: ContactPolicy) -> None:
    blind = plan_contact(replace(world.view(), candidates=()), terms)
    if not seeks_counterpart(blind):
        assert plan_contact(world.view(), terms) == blind


@settings(max_examples=150, deadline=None)
@given(worlds(), policies())
def test_a_plan_is_a_function_and_says_why(world: World, terms: ContactPolicy) -> None:
    plan = plan_contact(world.view(), terms)
    assert plan == plan_contact(world.view(), terms)
    assert plan.trace
    if plan.action is Action.NOTHING:
        assert plan.reason is not None
        assert not (plan.netsuite_changes or plan.salesforce_changes)
    if any(item.verdict is FieldVerdict.CONFLICT_REVIEW for item in plan.decisions):
        assert plan.choices
