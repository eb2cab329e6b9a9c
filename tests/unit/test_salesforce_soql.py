"""SOQL as text: nothing that a person typed can leave its literal, and no statement is too long for a URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbook.http import encode_query
from twinbook.salesforce import soql

ALLOWED_ESCAPES = frozenset("nrtbf\"'\\u")


def unescape(literal: str) -> str:
    """Read a literal as the org does: `'…'` with the escapes of salesforce.md 4.1."""
    assert literal[0] == literal[-1] == "'"
    inside, out, at = literal[1:-1], [], 0
    while at < len(inside):
        if inside[at] != "\\":
            assert inside[at] != "'", "the literal ends early"
            out.append(inside[at])
            at += 1
            continue
        kind = inside[at + 1]
        assert kind in ALLOWED_ESCAPES
        if kind == "u":
            out.append(chr(int(inside[at + 2 : at + 6], 16)))
            at += 6
        else:
            out.append("'" if kind == "'" else json.loads(f'"\\{kind}"'))
            at += 2
    return "".join(out)


def among(fields: Sequence[str]) -> Callable[[str], str]:
    return lambda literals: soql.select(fields, "Contact", f"Email IN ({literals})")


@given(st.text())
def test_any_text_survives_and_stays_inside_its_quotes(value: str) -> None:
    assert unescape(soql.text(value)) == value


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("o'neil@example.com", r"'o\'neil@example.com'"),
        ("\\' OR Name != '", r"'\\\' OR Name != \''"),
        ("a\nb\tc\r\x00", r"'a\nb\tc\r\u0000'"),
        ("100%_ü", "'100%_ü'"),
    ],
)
def test_literals(value: str, literal: str) -> None:
    assert soql.text(value) == literal


def test_ids_are_checked_and_normalised() -> None:
    assert soql.record_id("0035500001H9cak") == "'0035500001H9cakAAB'"
    for wrong in ("003' OR Id != '", "", "0035500001H9cakXXX", "short"):
        with pytest.raises(ValueError, match="no Salesforce id"):
            soql.record_id(wrong)


def test_moments_are_utc_without_a_plus() -> None:
    there = datetime(2026, 9, 21, 14, 15, 23, 120_000, tzinfo=timezone(timedelta(hours=2)))
    assert soql.moment(there) == "2026-09-21T12:15:23.120Z"
    assert soql.moment(datetime(2026, 9, 21, tzinfo=UTC)) == "2026-09-21T00:00:00.000Z"


@given(st.lists(st.emails(), unique=True, max_size=300))
def test_statements_fit_into_a_url_and_lose_nothing(emails: list[str]) -> None:
    literals = [soql.text(email) for email in emails]
    made = list(soql.statements(among(("Id",)), literals))
    assert all(len(encode_query({"q": statement})) <= soql.URL_BUDGET for statement in made)
    inside = [statement.partition("IN (")[2].removesuffix(")") for statement in made]
    assert ",".join(inside) == ",".join(literals)
    assert made or not emails


def test_200_ids_go_into_one_statement() -> None:
    literals = ["'0035500001H9cakAAB'"] * 200
    fields = [f"Custom_Field_With_Long_Name_{n}__c" for n in range(80)]
    made = soql.statements(among(fields), literals)
    assert len(list(made)) == 1


def test_a_list_that_stands_in_two_places_counts_twice() -> None:
    def either(inside: str) -> str:
        return soql.select(("Id",), "Contact", f"Id IN ({inside}) OR MasterRecordId IN ({inside})")

    literals = [f"'00355000{n:010d}'" for n in range(1_000)]
    made = list(soql.statements(either, literals))
    assert all(len(encode_query({"q": statement})) <= soql.URL_BUDGET for statement in made)
    inside = [statement.partition("Id IN (")[2].partition(")")[0] for statement in made]
    assert ",".join(inside) == ",".join(literals)
    assert len(list(soql.statements(either, literals[:200]))) == 1
