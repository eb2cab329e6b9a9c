"""The default address line: flattened, split again, and written without touching other lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbook.netsuite.addresses import (
    address_book,
    default_line,
    flatten,
    join_street,
    line_key,
    split_street,
    subrecord,
)

LINE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(st.lists(LINE, min_size=1, max_size=3))
def test_up_to_three_lines_survive_the_round_trip(lines: list[str]) -> None:
    street = "\n".join(lines)
    assert join_street(split_street(street)) == street


@given(st.lists(LINE, min_size=4, max_size=8))
def test_further_lines_are_joined_into_the_third_and_stay_so(lines: list[str]) -> None:
    split = split_street("\n".join(lines))
    assert split == (lines[0], lines[1], ", ".join(lines[2:]))
    joined = join_street(split)
    assert joined is not None
    assert split_street(joined) == split


def test_all_kinds_of_line_ends_and_blank_lines() -> None:
    assert split_street("  Hauptstr. 5 \r\n\r\n Hof 2\rLinks ") == ("Hauptstr. 5", "Hof 2", "Links")
    assert split_street(" \n ") == (None, None, None)


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1d", "\x85", "\u2028", "\u2029"])
def test_what_is_a_line_end_to_python_alone_is_none(separator: str) -> None:
    street = f"Hauptstr. 5{separator}Hof 2"
    assert join_street(split_street(street)) == street


def test_flatten_of_a_row_without_address_is_empty() -> None:
    assert set(flatten({}).values()) == {None}
    assert flatten({"addr1": "A", "addr3": "C", "country": "DE"})["address.street"] == "A\nC"


def test_only_given_fields_are_written_and_none_clears() -> None:
    assert subrecord({"address.city": "Berlin", "firstName": "Ada"}) == {"city": "Berlin"}
    assert subrecord({"address.street": None, "address.country": None}) == {
        "addr1": None,
        "addr2": None,
        "addr3": None,
        "country": None,
    }
    assert subrecord({"address.country": "DE"}) == {"country": {"id": "DE"}}


def test_the_billing_default_goes_before_the_shipping_default() -> None:
    shipping = {"internalId": 1, "defaultShipping": True, "defaultBilling": False}
    billing = {"internalId": 2, "defaultShipping": False, "defaultBilling": True}
    assert default_line({"addressBook": {"items": [shipping, billing]}}) is billing
    assert default_line({"addressBook": {"items": [shipping]}}) is shipping
    assert default_line({"addressBook": {"items": [{"internalId": 3}]}}) is None
    assert default_line({}) is None


def test_a_known_line_is_written_by_its_key_alone() -> None:
    line = {"internalId": 7, "label": "Office", "defaultBilling": True}
    book = address_book({"address.city": None}, line)
    assert book == {"items": [{"internalId": 7, "addressBookAddress": {"city": None}}]}
    assert line_key({"id": 9}) == 9


def test_a_first_address_becomes_the_default() -> None:
    book = address_book({"address.city": "Berlin", "address.zip": None}, None)
    assert book == {
        "items": [
            {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": {"city": "Berlin"}},
        ]
    }


def test_clearing_an_address_that_is_not_there_writes_nothing() -> None:
    assert address_book({"address.city": None, "address.street": None}, None) is None
