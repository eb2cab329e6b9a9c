"""Input that nobody thought of, made by hypothesis: events, queries and settings."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hard.naughty import HALF_CHARACTERS, NAUGHTY

from twinbook.netsuite import suiteql
from twinbook.salesforce import soql
from twinbook.salesforce.change_events import EventSchema, UndecodableEventError
from twinbook.settings import Settings, SettingsError, load
from twinbook_sandbox.netsuite.suiteql_text import take_apart
from twinbook_sandbox.pubsub.avro import CHANGE_TYPES, event_schema
from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.objects import schemas_with
from twinbook_sandbox.salesforce.soql import syntax
from twinbook_sandbox.salesforce.soql.parser import LONGEST_STRING, parse

TEXTS = st.text(max_size=60) | st.sampled_from(NAUGHTY)
WRITTEN = event_schema(schemas_with(frozenset(), "Salutation FirstName LastName")["Contact"])
READ = EventSchema(WRITTEN.json)
BITMAPS = st.lists(st.from_regex(r"(\d{1,2}-)?0x([0-9A-F]{2}){1,9}", fullmatch=True) | TEXTS, max_size=4)
HEADERS = st.fixed_dictionaries(
    {
        "entityName": TEXTS,
        "recordIds": st.lists(TEXTS, max_size=5),
        "changeType": st.sampled_from(CHANGE_TYPES),
        "changeOrigin": TEXTS,
        "transactionKey": TEXTS,
        "sequenceNumber": st.integers(-(2**31), 2**31 - 1),
        "commitTimestamp": st.integers(-(2**63), 2**63 - 1),
        "commitNumber": st.integers(-(2**63), 2**63 - 1),
        "commitUser": TEXTS,
        "nulledFields": BITMAPS,
        "diffFields": BITMAPS,
        "changedFields": BITMAPS,
    }
)


@given(HEADERS)
def test_any_event_of_a_known_schema_is_read_as_it_was_written(header: dict[str, Any]) -> None:
    event = READ.decode(WRITTEN.encode(header, {}))
    assert (event.entity_name, event.change_type) == (header["entityName"], header["changeType"])
    assert event.record_ids == tuple(header["recordIds"])
    assert event.commit_number == header["commitNumber"]
    assert event.changed_bitmaps == tuple(header["changedFields"])
    with suppress(UndecodableEventError):
        READ.field_names(event.changed_bitmaps)


@given(HEADERS, st.integers(0, 400), st.binary(max_size=6))
def test_a_broken_event_is_refused_or_read_but_never_an_accident(
    header: dict[str, Any], cut: int, noise: bytes
) -> None:
    whole = WRITTEN.encode(header, {})
    broken = whole[:cut] + noise + whole[cut + len(noise) :]
    with suppress(UndecodableEventError):
        READ.decode(broken)
    with suppress(UndecodableEventError):
        READ.decode(noise)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "name", "fields", "items", "symbols"]) | TEXTS, inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_what_is_no_schema_is_refused(document: Any) -> None:
    with pytest.raises(UndecodableEventError):
        EventSchema(json.dumps(document))


@given(TEXTS)
def test_the_org_reads_the_very_text_from_a_query(text: str) -> None:
    """Twinbook writes the literal, the emulated org's own grammar reads it."""
    if len(text) > LONGEST_STRING:
        with pytest.raises(ApiError):
            parse(soql.select(["Id"], "Contact", f"Email = {soql.text(text)}"))
        return
    query = parse(soql.select(["Id"], "Contact", f"Email IN ({soql.text(text)},'end')", "LIMIT 1"))
    assert isinstance(query.where, syntax.InList)
    assert [literal.value for literal in query.where.values] == [text, "end"]
    assert query.limit == 1


@given(TEXTS)
def test_the_account_reads_the_very_text_from_a_query(text: str) -> None:
    if not suiteql.is_literal(text):
        with pytest.raises(ValueError, match=r"U\+[0-9A-F]{4}.*remove it"):
            suiteql.literal(text)
        return
    [condition] = suiteql.any_of({"email": [suiteql.literal(text), suiteql.literal("end")]})
    [values] = take_apart(f"SELECT id FROM contact WHERE {condition}").values.values()  # noqa: S608
    assert json.loads(values) == [text or None, "end"], "an empty text is NULL there, as in Oracle's database"


@pytest.mark.parametrize("text", HALF_CHARACTERS)
def test_half_characters_cannot_stand_in_a_query_of_netsuite(text: str) -> None:
    assert not suiteql.is_literal(text)


# --- settings


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("settings")
    for name in ("salesforce.pem", "netsuite.pem"):
        (made / name).write_text("secret", encoding="utf-8")
    return made


def read(directory: Path, content: bytes, environ: dict[str, str] | None = None) -> Settings | None:
    """Settings, or None when they were refused by name. Anything else is an accident."""
    path = directory / "twinbook.toml"
    path.write_bytes(content)
    try:
        return load(path, environ or {})
    except SettingsError as refused:
        assert refused.problems
        assert all(problem.problem and (problem.key or problem.source) for problem in refused.problems)
        assert str(refused)
        return None


@given(st.binary(max_size=200) | TEXTS.map(lambda text: text.encode(errors="surrogatepass")))
def test_any_file_is_settings_or_refused(directory: Path, content: bytes) -> None:
    assert read(directory, content) is None, "an empty file lacks its connections"


KEYS = st.sampled_from(
    [
        "login_url",
        "client_id",
        "username",
        "account_id",
        "direction",
        "role_filter",
        "id_field",
        "when",
        "path",
    ]
)
TABLES = st.sampled_from(
    [
        "store",
        "log",
        *(f"connections.default.{part}" for part in ("salesforce", "netsuite", "contacts", "accounts")),
    ]
)
VALUES = TEXTS | st.integers() | st.booleans() | st.floats() | st.lists(TEXTS, max_size=3)


@given(st.dictionaries(TABLES, st.dictionaries(KEYS | TEXTS, VALUES, max_size=3), max_size=3))
def test_any_values_are_settings_or_refused(directory: Path, tables: dict[str, dict[str, Any]]) -> None:
    lines = []
    for table, values in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()]
    read(directory, "\n".join(lines).encode(errors="surrogatepass"))


VARIABLES = st.sampled_from(
    [
        f"TWINBOOK_CONNECTIONS__DEFAULT__{key}"
        for key in ("CONTACTS__ROLE_FILTER", "SALESFORCE__CLIENT_ID", "NETSUITE")
    ]
    + [
        "TWINBOOK_STORE",
        "TWINBOOK_STORE__PATH",
        "TWINBOOK_LOG__LEVEL__DEEPER",
        "TWINBOOK____",
        "TWINBOOK_STORE_PATH",
    ]
)
DEEP = st.sampled_from(["[" * 3000, "{a=" * 3000, '["a"]\nb = 1', "[1", "{x = }", "\ufeff[1]", "[[1]]"])


@given(st.dictionaries(VARIABLES, TEXTS | DEEP, max_size=3))
def test_any_environment_is_settings_or_refused(directory: Path, environ: dict[str, str]) -> None:
    read(directory, b"", environ)


@pytest.mark.parametrize(
    "content", [b"a = " + b"[" * 5000, b"a = " + b"{b = " * 5000, b"a." * 5000 + b"a = 1"]
)
def test_deep_nesting_is_refused(directory: Path, content: bytes) -> None:
    assert read(directory, content) is None
