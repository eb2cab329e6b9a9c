"""What counts as the same value on both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbook.domain.canonical import (
    Kind,
    canonical,
    is_kept_form,
    spelled_for_netsuite,
    spelled_for_salesforce,
)
from twinbook.domain.places import COUNTRY_NAMES, country_code, state_code
from twinbook.domain.records import Value

SAME: list[tuple[Kind, Value, Value]] = [
    (Kind.TEXT, "  Ada ", "Ada"),
    (Kind.TEXT, "one\r\ntwo", "one\ntwo"),
    (Kind.TEXT, "one  \ntwo", "one\ntwo"),
    (Kind.TEXT, "", None),
    (Kind.TEXT, " \n ", None),
    (Kind.TEXT, "Ame\u0301lie", "Am\u00e9lie"),
    (Kind.EMAIL, "Ada@Acme.Example ", "ada@acme.example"),
    (Kind.PHONE, "+49 (30) 123-45", "+493012345"),
    (Kind.PHONE, "030/12345", "030 123 45"),
    (Kind.BOOLEAN, None, False),
    (Kind.BOOLEAN, "T", True),
    (Kind.BOOLEAN, "F", False),
    (Kind.NUMBER, "1", 1.0),
    (Kind.NUMBER, 2.50, "2.5"),
    (Kind.COUNTRY, "Germany", "DE"),
    (Kind.COUNTRY, "deutschland", "de"),
    (Kind.COUNTRY, "USA", "United States"),
    (Kind.COUNTRY, "Atlantis", "ATLANTIS"),
    (Kind.STATE, "California", "CA"),
    (Kind.STREET, "Quay Rd 12\r\n\r\nFlat 3", "Quay Rd 12\nFlat 3"),
    (Kind.STREET, "a\nb\nc\nd", "a\nb\nc, d"),
]
DIFFERENT: list[tuple[Kind, Value, Value]] = [
    (Kind.TEXT, "Ada", "ada"),
    (Kind.TEXT, "Ada B", "Ada  B"),
    (Kind.PHONE, "+4930", "4930"),
    (Kind.PHONE, "n/a", None),
    (Kind.BOOLEAN, True, None),
    (Kind.NUMBER, 0, None),
    (Kind.COUNTRY, "Austria", "Australia"),
    (Kind.STREET, "a\nb", "b\na"),
]
VALUES = st.none() | st.text(max_size=20) | st.integers() | st.booleans() | st.floats(allow_nan=False)


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_spellings_of_the_same_value(kind: Kind, one: Value, other: Value) -> None:
    assert canonical(kind, one) == canonical(kind, other)


@pytest.mark.parametrize(("kind", "one", "other"), DIFFERENT)
def test_different_values_stay_different(kind: Kind, one: Value, other: Value) -> None:
    assert canonical(kind, one) != canonical(kind, other)


@given(st.sampled_from(Kind), VALUES)
def test_canonical_is_a_fixed_point(kind: Kind, value: Value) -> None:
    once = canonical(kind, value)
    assert canonical(kind, once) == once


@given(st.sampled_from(Kind), VALUES)
def test_what_is_written_means_the_same(kind: Kind, value: Value) -> None:
    assert canonical(kind, spelled_for_netsuite(kind, value)) == canonical(kind, value)
    assert canonical(kind, spelled_for_salesforce(kind, value)) == canonical(kind, value)


def test_each_side_gets_its_own_spelling() -> None:
    assert spelled_for_netsuite(Kind.COUNTRY, "Deutschland") == "DE"
    assert spelled_for_salesforce(Kind.COUNTRY, "DE") == "Germany"
    assert spelled_for_netsuite(Kind.STATE, "Texas") == "TX"
    assert spelled_for_netsuite(Kind.STREET, "a\nb\nc\nd") == "a\nb\nc, d"
    assert spelled_for_netsuite(Kind.PHONE, " +49 30 1 ") == "+49 30 1"


def test_every_country_is_known_by_code_and_name() -> None:
    assert len(COUNTRY_NAMES) == 249
    for code, name in COUNTRY_NAMES.items():
        assert country_code(code) == country_code(name) == code, name
    assert state_code("Bavaria") is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ada Lovelace", "Ada Lov"),
        ("+49 30 12", "(+49) 30-12"),
        ("a\nb", "a b"),
        ("California", "CA"),
        (None, None),
    ],
)
def test_a_trimmed_cut_or_reformatted_value_is_a_kept_form(written: Value, shown: Value) -> None:
    assert is_kept_form(written, shown)


@pytest.mark.parametrize(
    ("written", "shown"), [("Ada", "Bea"), ("Ada", "Ada L"), ("Ada", None), (None, "Ada"), (True, False)]
)
def test_any_other_value_is_somebodys_edit(written: Value, shown: Value) -> None:
    assert not is_kept_form(written, shown)
