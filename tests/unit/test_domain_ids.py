"""Salesforce ids and the names that are derived from them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbook.domain import ids

VECTORS = [
    ("001Dp00000JJkkH", "IAT"),
    ("0015500001QdQWa", "AAN"),
    ("0035500001H9cak", "AAB"),
    ("003ZL000001EDrP", "YAW"),
    ("0012300000bVTq1", "AAG"),
    ("005ZL000000M0x1", "YAC"),
    ("000000000000000", "AAA"),
]
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FIFTEEN = st.text(ALPHANUMERIC, min_size=15, max_size=15)


@pytest.mark.parametrize(("fifteen", "check"), VECTORS)
def test_check_characters_are_salesforces(fifteen: str, check: str) -> None:
    assert ids.to_18(fifteen) == fifteen + check
    assert ids.to_18(fifteen + check) == fifteen + check
    assert ids.is_salesforce_id(fifteen + check)


@pytest.mark.parametrize(
    "wrong", ["", "003", "003ZL000001EDrPYAX", "003ZL000001EDr-", "4711", "003ZL000001EDrPYAWX"]
)
def test_what_is_no_id_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="no Salesforce id"):
        ids.to_18(wrong)
    assert not ids.is_salesforce_id(wrong)


@given(FIFTEEN, FIFTEEN)
def test_18_characters_differ_without_regard_to_case(one: str, other: str) -> None:
    assert (ids.to_18(one).casefold() == ids.to_18(other).casefold()) == (one == other)


@given(FIFTEEN)
def test_correlation_ids_lead_back(fifteen: str) -> None:
    full = ids.to_18(fifteen)
    assert ids.salesforce_id_of(ids.contact_key(full)) == full
    assert ids.salesforce_id_of(ids.account_key(full)) == full


@pytest.mark.parametrize(
    "foreign", [None, "", "SFC_", "SFC_4711", "XYZ_003ZL000001EDrPYAW", "003ZL000001EDrPYAW"]
)
def test_external_ids_of_others_are_not_taken_for_ours(foreign: str | None) -> None:
    assert ids.salesforce_id_of(foreign) is None


def test_distinct_name_keeps_first_and_last_name_readable() -> None:
    assert ids.distinct_name("Ada Lovelace", "003Kx00000AbCdEIAV") == "Ada Lovelace (003…bCdE)"


@given(st.text(min_size=1, max_size=120), FIFTEEN, st.booleans())
def test_distinct_name_fits_and_is_stable(name: str, fifteen: str, spelled_out: bool) -> None:
    full = ids.to_18(fifteen)
    marked = ids.distinct_name(name, full, spelled_out=spelled_out)
    assert len(marked) <= ids.ENTITY_ID_LENGTH
    assert marked == ids.distinct_name(name, full, spelled_out=spelled_out)


@pytest.mark.parametrize("spelled_out", [False, True])
def test_a_mark_survives_a_change_of_name(spelled_out: bool) -> None:
    full = ids.to_18("003Kx00000AbCdE")
    current = ids.distinct_name("Ada Byron", full, spelled_out=spelled_out)
    expected = ids.distinct_name("Ada Lovelace", full, spelled_out=spelled_out)
    assert ids.renamed("Ada Lovelace", current, full) == expected
    assert ids.unmarked(current, full) == ("Ada Byron", spelled_out)


def test_somebody_elses_parentheses_are_no_mark() -> None:
    full = ids.to_18("003Kx00000AbCdE")
    assert ids.renamed("Ada Lovelace", "Ada Byron (old)", full) == "Ada Lovelace"
