"""SuiteQL texts: no value can break out of its literal, and no query grows beyond the limits."""

from __future__ import annotations

import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory.netsuite_http import NoLogin, Request, ScriptedHttp, answer, rows

from twinbook.domain.errors import TemporaryError
from twinbook.http import HttpResponse
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.columns import Column, identifier
from twinbook.netsuite.fields import BOOLEAN, DATE, INTEGER, NUMBER, TEXT
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.suiteql import IN_LIST, SuiteQL, any_of, id_literal, is_literal, literal

PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029"))
HOSTILE = st.text("'\\\";-%_ab()/*", max_size=30)


@given(PLAIN | HOSTILE)
def test_a_literal_means_its_text_and_nothing_else(text: str) -> None:
    with sqlite3.connect(
        ":memory:"
    ) as database:  # the same rule for quotes as SuiteQL: doubled, no backslashes
        assert database.execute(f"SELECT {literal(text)}, 'tail'").fetchone() == (text, "tail")


@given(PLAIN | HOSTILE)
def test_quotes_inside_a_literal_are_always_paired(text: str) -> None:
    inner = literal(text)[1:-1]
    assert "'" not in inner.replace("''", "")


@pytest.mark.parametrize("bad", ["\x00", "a\nb", "\t", "\x7f", "\x85", "\u2028", "\ud800"])
def test_control_characters_are_refused_by_name(bad: str) -> None:
    assert not is_literal(bad)
    with pytest.raises(ValueError, match=r"U\+[0-9A-F]{4}"):
        literal(bad)


@pytest.mark.parametrize("bad", ["", "1 OR 1=1", "1;", "x", "1.5", "1" * 19, "١"])
def test_only_numbers_are_internal_ids(bad: str) -> None:
    with pytest.raises(ValueError, match="internal id"):
        id_literal(bad)


def test_internal_ids_may_be_negative() -> None:
    assert id_literal("-5") == "-5"


@given(
    st.dictionaries(
        st.sampled_from(["c.id", "LOWER(c.email)", "c.externalid"]),
        st.lists(PLAIN.map(literal), max_size=60),
    ),
    st.integers(min_value=200, max_value=3000),
)
def test_queries_ask_for_everything_once_within_the_limit(terms: dict[str, list[str]], limit: int) -> None:
    texts = list(any_of(terms, limit=limit))
    asked = sum(len(items) for items in terms.values())
    with sqlite3.connect(":memory:") as database:
        found = 0
        for text in texts:
            for part in re.findall(r" IN \(", text):
                assert part
            found += _count_literals(database, text)
    assert found == asked
    biggest = max((len(item.encode()) for items in terms.values() for item in items), default=0)
    for text in texts:
        assert len(text.encode()) <= max(limit, biggest + 40) + 16


def _count_literals(database: sqlite3.Connection, text: str) -> int:
    """How many literals a WHERE text compares with, counted by a real parser: each IN list as rows."""
    body = text[1:-1]
    total = 0
    for column in ("LOWER(c.email)", "c.externalid", "c.id"):
        marker = f"{column} IN ("
        for start in [match.end() for match in re.finditer(re.escape(marker), _without_texts(body))]:
            end = _closing(body, start)
            values = body[start:end]
            total += len(database.execute(f"SELECT {values}").fetchone())
    return total


def _without_texts(sql: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", lambda match: "x" * len(match.group()), sql)


def _closing(sql: str, start: int) -> int:
    return _without_texts(sql).index(")", start)


def test_in_lists_hold_at_most_a_thousand_values() -> None:
    (text,) = any_of({"c.id": [str(n) for n in range(2_500)]})
    sizes = [len(part.split(",")) for part in re.findall(r"IN \(([^)]*)\)", text)]
    assert sizes == [IN_LIST, IN_LIST, 500]


def test_one_text_is_the_rule() -> None:
    terms = {"c.id": ["1"], "LOWER(c.email)": ["'a@x'"], "c.externalid": []}
    assert list(any_of(terms)) == ["(c.id IN (1) OR LOWER(c.email) IN ('a@x'))"]


def client(handler: object) -> tuple[SuiteQL, ScriptedHttp]:
    http = ScriptedHttp(handler)  # type: ignore[arg-type]
    return SuiteQL(NetSuiteClient(http, NoLogin(), Permits(1), "https://ns.example")), http


async def test_all_pages_are_read() -> None:
    def handler(request: Request) -> HttpResponse:
        offset = int(re.findall(r"offset=(\d+)", request.url)[0])
        return rows({"ID": str(offset), "name": "x"}, more=offset < 2_000)

    suiteql, http = client(handler)
    found = await suiteql.query("SELECT id FROM contact ORDER BY id")
    assert found == [{"id": "0", "name": "x"}, {"id": "1000", "name": "x"}, {"id": "2000", "name": "x"}]
    assert {request.headers["Prefer"] for request in http.requests} == {"transient"}
    assert http.requests[0].url == "https://ns.example/services/rest/query/v1/suiteql?limit=1000&offset=0"
    assert http.requests[0].json == {"q": "SELECT id FROM contact ORDER BY id"}


async def test_reading_never_has_an_unknown_outcome() -> None:
    suiteql, _ = client(lambda _: TemporaryError("TIMEOUT", "…", outcome_unknown=True))
    with pytest.raises(TemporaryError) as failure:
        await suiteql.query("SELECT 1")
    assert not failure.value.outcome_unknown


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"items": 5}', b'{"items": [1]}'])
async def test_an_answer_that_is_no_rows_is_temporary(body: bytes) -> None:
    suiteql, _ = client(lambda _: answer(200, body))
    with pytest.raises(TemporaryError, match="UNREADABLE_ANSWER"):
        await suiteql.query("SELECT 1")


@pytest.mark.parametrize(
    ("type_", "row", "value"),
    [
        (TEXT, {"x": "T"}, "T"),
        (TEXT, {}, None),
        (BOOLEAN, {"x": "T"}, True),
        (BOOLEAN, {"x": "F"}, False),
        (BOOLEAN, {}, False),
        (INTEGER, {"x": "12"}, 12),
        (NUMBER, {"x": "1.5"}, 1.5),
        (NUMBER, {"x": "n/a"}, "n/a"),
        (NUMBER, {}, None),
    ],
)
def test_values_of_rows(type_: str, row: dict[str, str], value: object) -> None:
    assert Column("X", type_).value(row) == value


def test_dates_are_asked_for_in_a_fixed_form() -> None:
    assert (
        Column("custentity_Born", DATE).sql("c")
        == "TO_CHAR(c.custentity_born, 'YYYY-MM-DD') AS custentity_born"
    )


def test_names_from_the_settings_cannot_carry_sql() -> None:
    with pytest.raises(ValueError, match="script id"):
        identifier("x FROM contact --")
