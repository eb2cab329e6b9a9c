"""The three-way merge, enumerated: what each side shows and what was agreed, from {absent, x, y, z}, under every policy
and direction. The expectation is behaviour.md section 4 written a second time, as a table of its sentences."""

from __future__ import annotations

from itertools import product

import pytest

from twinbook.domain.agreement import Agreement, agreement_on, stored
from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import ConflictPolicy, ContactMapping, MappingRow, Overflow, RowDirection
from twinbook.domain.merge import Merge, Pair, decide, merge
from twinbook.domain.plan import FieldVerdict
from twinbook.domain.ports import FieldMeta
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Fields, Side, Value
from twinbook.domain.resolution import Resolution
from twinbook.domain.rules import Facts

VALUES = (None, "x", "y", "z")
NEVER = "never agreed"
BASES = (NEVER, *VALUES)
BOTH = frozenset(Side)
EVERY_CASE = list(product(BASES, VALUES, VALUES, ConflictPolicy, RowDirection))


def expected(
    base: Value, a: Value, b: Value, policy: ConflictPolicy, direction: RowDirection
) -> FieldVerdict:
    to_netsuite = direction in (RowDirection.TO_NETSUITE, RowDirection.BOTH)
    to_salesforce = direction in (RowDirection.TO_SALESFORCE, RowDirection.BOTH)
    if a == b:
        return FieldVerdict.SAME
    if base == NEVER:
        a_moves, b_moves = a is not None, b is not None  # a value beats a blank, a blank never erases
    else:
        a_moves, b_moves = a != base, b != base
    if a_moves and b_moves:
        return {
            ConflictPolicy.SALESFORCE: FieldVerdict.CONFLICT_SALESFORCE_WON,
            ConflictPolicy.NETSUITE: FieldVerdict.CONFLICT_NETSUITE_WON,
            ConflictPolicy.REVIEW: FieldVerdict.CONFLICT_REVIEW,
        }[policy]
    if a_moves:
        return FieldVerdict.TO_NETSUITE if to_netsuite else FieldVerdict.LEFT_ALONE
    return FieldVerdict.TO_SALESFORCE if to_salesforce else FieldVerdict.LEFT_ALONE


def one_row(row: MappingRow, a: Value, b: Value, agreed: Fields, writable: frozenset[Side] = BOTH) -> Merge:
    pair = Pair({row.salesforce: a}, {row.netsuite: b}, agreed, Facts({}), writable)
    return merge(ContactMapping((row,)), pair)


def base_of(row: MappingRow, base: Value) -> Fields:
    return {} if base == NEVER else stored({row.key: Agreement(base, base)})


@pytest.mark.parametrize(("base", "a", "b", "policy", "direction"), EVERY_CASE)
def test_every_case(base: Value, a: Value, b: Value, policy: ConflictPolicy, direction: RowDirection) -> None:
    row = MappingRow("Title", "title", direction=direction, conflict=policy)
    merged = one_row(row, a, b, base_of(row, base))
    verdict = expected(base, a, b, policy, direction)
    assert merged.decisions[0].verdict is verdict
    to_netsuite, to_salesforce = merged.changes[Side.NETSUITE], merged.changes[Side.SALESFORCE]
    a_wins = verdict in (FieldVerdict.TO_NETSUITE, FieldVerdict.CONFLICT_SALESFORCE_WON)
    b_wins = verdict in (FieldVerdict.TO_SALESFORCE, FieldVerdict.CONFLICT_NETSUITE_WON)
    assert to_netsuite == ({"title": a} if a_wins and direction.reaches(Side.NETSUITE) else {})
    assert to_salesforce == ({"Title": b} if b_wins and direction.reaches(Side.SALESFORCE) else {})


@pytest.mark.parametrize(("base", "a", "b", "policy", "direction"), EVERY_CASE)
def test_every_case_settles(
    base: Value, a: Value, b: Value, policy: ConflictPolicy, direction: RowDirection
) -> None:
    """After the writes, the same question is answered without a further write."""
    row = MappingRow("Title", "title", direction=direction, conflict=policy)
    first = one_row(row, a, b, base_of(row, base))
    a_then = first.changes[Side.SALESFORCE].get("Title", a)
    b_then = first.changes[Side.NETSUITE].get("title", b)
    second = one_row(row, a_then, b_then, first.agreed)
    assert not any(second.changes.values())
    assert second.agreed == first.agreed


@pytest.mark.parametrize(("base", "a", "b"), list(product(BASES, VALUES, VALUES)))
def test_agreed_is_what_both_show_or_what_it_was(base: Value, a: Value, b: Value) -> None:
    row = MappingRow("Title", "title", conflict=ConflictPolicy.REVIEW)
    merged = one_row(row, a, b, base_of(row, base))
    verdict = merged.decisions[0].verdict
    if verdict is FieldVerdict.CONFLICT_REVIEW:
        assert merged.agreed == base_of(row, base)
    else:
        winner = b if verdict is FieldVerdict.TO_SALESFORCE else a
        assert agreement_on(row.key, merged.agreed) == Agreement(winner, winner)


@pytest.mark.parametrize(("base", "a", "b", "policy"), list(product(BASES, VALUES, VALUES, ConflictPolicy)))
def test_a_side_that_may_not_be_written_never_is(
    base: Value, a: Value, b: Value, policy: ConflictPolicy
) -> None:
    row = MappingRow("Title", "title", conflict=policy)
    merged = one_row(row, a, b, base_of(row, base), frozenset({Side.NETSUITE}))
    assert merged.changes[Side.SALESFORCE] == {}
    assert not any(one_row(row, a, b, base_of(row, base), frozenset()).changes.values())


@pytest.mark.parametrize("choice", [ConflictPolicy.SALESFORCE, ConflictPolicy.NETSUITE])
def test_a_person_resolves_a_conflict(choice: ConflictPolicy) -> None:
    row = MappingRow("Title", "title", conflict=ConflictPolicy.REVIEW)
    pair = Pair(
        {"Title": "y"}, {"title": "z"}, base_of(row, "x"), Facts({}), BOTH, resolve=Resolution(choice)
    )
    merged = merge(ContactMapping((row,)), pair)
    wins = {ConflictPolicy.SALESFORCE: {"title": "y"}, ConflictPolicy.NETSUITE: {"Title": "z"}}[choice]
    assert {**merged.changes[Side.NETSUITE], **merged.changes[Side.SALESFORCE]} == wins


def test_clearing_on_purpose_travels() -> None:
    row = MappingRow("Email", "email", Kind.EMAIL)
    assert one_row(row, None, "a@x.example", base_of(row, "a@x.example")).changes[Side.NETSUITE] == {
        "email": None
    }


@pytest.mark.parametrize("b", ["x", "y"])
def test_ignore_blank_never_erases(b: str) -> None:
    row = MappingRow("Title", "title", ignore_blank=True)
    merged = one_row(row, None, b, base_of(row, "x"))
    assert merged.changes[Side.NETSUITE] == {}
    assert merged.changes[Side.SALESFORCE] == ({"Title": "y"} if b == "y" else {})


def test_spelling_alone_writes_nothing() -> None:
    row = MappingRow("Phone", "phone", Kind.PHONE)
    assert not any(one_row(row, "+49 30 1", "(+49) 301", {}).changes.values())


def test_default_is_sent_instead_of_a_blank_and_does_not_come_back() -> None:
    row = MappingRow("Title", "title", default="n/a")
    first = one_row(row, None, "x", base_of(row, "x"))
    assert first.changes[Side.NETSUITE] == {"title": "n/a"}
    assert agreement_on(row.key, first.agreed) == Agreement(None, "n/a")
    assert not any(one_row(row, None, "n/a", first.agreed).changes.values())


def test_create_only_is_sent_with_a_new_record_and_never_again() -> None:
    row = MappingRow("Title", "title", create_only=True)
    mapping = ContactMapping((row,))
    new = merge(mapping, Pair({"Title": "x"}, None, {}, Facts({}), BOTH))
    assert new.changes[Side.NETSUITE] == {"title": "x"}
    later = one_row(row, "y", "x", new.agreed)
    assert later.decisions[0].verdict is FieldVerdict.LEFT_ALONE
    assert not any(later.changes.values())


@pytest.mark.parametrize(("vip", "sent"), [(True, {"title": "y"}), (False, {})])
def test_when_decides_whether_the_row_takes_part(vip: bool, sent: Fields) -> None:
    row = MappingRow("Title", "title", when="contact.Vip__c")
    facts = Facts({"Vip__c": vip})
    merged = merge(
        ContactMapping((row,)), Pair({"Title": "y"}, {"title": "x"}, base_of(row, "x"), facts, BOTH)
    )
    assert merged.changes[Side.NETSUITE] == sent


def test_lookup_translates_both_ways() -> None:
    row = MappingRow("Salutation", "salutation", lookup=(("Mr.", "Herr"), ("Ms.", "Frau")))
    assert one_row(row, "Ms.", "Frau", {}).decisions[0].verdict is FieldVerdict.SAME
    assert one_row(row, "Ms.", "Herr", base_of(row, "Herr")).changes[Side.NETSUITE] == {"salutation": "Frau"}
    assert one_row(row, "Mr.", "Frau", base_of(row, "Herr")).changes[Side.SALESFORCE] == {"Salutation": "Ms."}
    assert one_row(row, "Dr.", "Herr", base_of(row, "Herr")).changes[Side.NETSUITE] == {"salutation": "Dr."}


def test_lookup_from_many_to_one_needs_one_direction() -> None:
    table = (("Mr.", "M"), ("Sir", "M"))
    row = MappingRow("Salutation", "salutation", direction=RowDirection.TO_NETSUITE, lookup=table)
    assert one_row(row, "Sir", "M", {}).decisions[0].verdict is FieldVerdict.SAME
    with pytest.raises(ValueError, match="must not name a value twice"):
        MappingRow("Salutation", "salutation", lookup=table)


def test_computed_field_follows_its_sources() -> None:
    row = MappingRow(
        netsuite="title", direction=RowDirection.TO_NETSUITE, expression="contact.FirstName + '!'"
    )
    mapping = ContactMapping((row,))

    def computed(first_name: str, title: Value, agreed: Fields) -> Merge:
        fields = {"FirstName": first_name}
        return merge(mapping, Pair(fields, {"title": title}, agreed, Facts(fields), BOTH))

    first = computed("Ada", None, {})
    assert first.changes[Side.NETSUITE] == {"title": "Ada!"}
    assert not any(computed("Ada", "Ada!", first.agreed).changes.values())
    assert computed("Bea", "Ada!", first.agreed).changes[Side.NETSUITE] == {"title": "Bea!"}


def test_an_expression_that_fails_is_an_error_with_the_field_named() -> None:
    row = MappingRow(
        netsuite="title", direction=RowDirection.TO_NETSUITE, expression="contact.FirstName + '!'"
    )
    merged = merge(
        ContactMapping((row,)), Pair({"FirstName": None}, {}, {}, Facts({"FirstName": None}), BOTH)
    )
    assert merged.errors[0].code == Reason.EXPRESSION_ERROR
    assert "contact.FirstName is empty" in merged.errors[0].message
    assert not any(merged.changes.values())


def test_a_field_that_salesforce_did_not_return_is_not_blank() -> None:
    """Missing field-level security looks like "always empty" and must erase nothing."""
    row = MappingRow("Fax", "fax")
    pair = Pair({}, {"fax": "123"}, base_of(row, "123"), Facts({}), BOTH)
    merged = merge(ContactMapping((row,)), pair)
    assert merged.decisions[0].verdict is FieldVerdict.LEFT_ALONE
    assert not any(merged.changes.values())


def test_truncated_text_is_not_written_again_when_only_the_tail_changes() -> None:
    row = MappingRow("Title", "title", on_overflow=Overflow.TRUNCATE)
    schemas = {Side.NETSUITE: {"title": FieldMeta("title", "string", length=4)}}

    def cut(a: str, b: str, agreed: Fields) -> Merge:
        pair = Pair({"Title": a}, {"title": b}, agreed, Facts({}), BOTH, schemas)
        return merge(ContactMapping((row,)), pair)

    first = cut("Analyst", "x", base_of(row, "x"))
    assert first.changes[Side.NETSUITE] == {"title": "Anal"}
    assert not any(cut("Analyst", "Anal", first.agreed).changes.values())
    assert not any(cut("Analysis", "Anal", first.agreed).changes.values())


def test_decide_names_the_first_sync() -> None:
    verdict, why = decide("x", "y", None, conflict=ConflictPolicy.SALESFORCE, writable=BOTH)
    assert verdict is FieldVerdict.CONFLICT_SALESFORCE_WON
    assert "first sync" in why


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ((MappingRow("Title", "title"), MappingRow("Title", "title")), "two rows write"),
        ((MappingRow("Title", "title"), MappingRow("Email", "title")), "netsuite field title"),
        ((MappingRow("AccountId", "custentity_x"),), "AccountId is set by Twinbook itself"),
        ((MappingRow("Title", "entityId"),), "entityId is set by Twinbook itself"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(rows: tuple[MappingRow, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ContactMapping(rows)


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ({"salesforce": "Title"}, "no netsuite field"),
        ({"netsuite": "title"}, "no salesforce field"),
        ({"salesforce": "Title", "netsuite": "title", "expression": "1"}, "one way only"),
        ({"salesforce": "Title", "netsuite": "title", "when": "1 +"}, "when: Failed to parse"),
        ({"salesforce": "Title", "netsuite": "title", "when": "person.Age > 1"}, "unknown name 'person'"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(terms: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        MappingRow(**terms)


def test_fields_of_expressions_are_read() -> None:
    row = MappingRow(
        "Title", "title", when="contact.Vip__c && account.Type == 'Customer' && netsuite.fax != null"
    )
    mapping = ContactMapping((row,))
    assert {"Vip__c", "Account.Type", "Title"} <= mapping.salesforce_fields
    assert {"fax", "title", "subsidiary"} <= mapping.netsuite_fields
