"""The commented file and the JSON schema: made from the models, and read back by them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from twinbook.settings import Settings, json_schema, load, render_commented
from twinbook.settings.options import ANY_NAME, tables

LOGIN: dict[str, Any] = {
    "salesforce": {
        "login_url": "https://acme.my.salesforce.com",
        "client_id": "3MVG9",
        "username": "integration@acme.example",
        "private_key": "-----BEGIN-----\nline\n-----END-----\n",
    },
    "netsuite": {
        "account_id": "1234567",
        "auth": "tba",
        "tba_consumer_key": "a",
        "tba_consumer_secret": 'quoted " and \\ back',
        "tba_token_id": "c",
        "tba_token_secret": "d",
    },
    "contacts": {
        "rules": [{"name": "no partners", "expression": "contact.LeadSource != 'Partner'"}],
        "mapping": [{"salesforce": "Salutation", "netsuite": "salutation", "lookup": {"Mr.": "Herr"}}],
    },
}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    values = {"connections": {"emea": LOGIN, "apac": LOGIN}}
    text = render_commented(values)
    read = tomllib.loads(text)["connections"]
    for name in ("emea", "apac"):
        assert {table: read[name][table] for table in LOGIN} == LOGIN
    path = tmp_path / "twinbook.toml"
    path.write_text(text)
    assert set(load(path, {}).connections) == {"emea", "apac"}


def test_every_option_stands_in_the_file_with_its_documentation() -> None:
    text = render_commented({})
    comments = " ".join(re.findall(r"^# (.*)$", text, re.MULTILINE))
    for table in tables(Settings):
        for option in table.options:
            assert re.search(rf"^#{option.name} = ", text, re.MULTILINE), option.name
            assert option.doc.rstrip(".") in comments, option.name


def test_the_defaults_in_the_file_are_the_defaults() -> None:
    """Whoever takes the # away in front of an option changes nothing."""
    read = tomllib.loads(re.sub(r"^#(?=\w|\[)", "", render_commented({}), flags=re.MULTILINE))
    for table in tables(Settings):
        place: Any = read
        for part in table.path:
            place = place["default" if part == ANY_NAME else part]
        written = place[0] if table.rows else place
        for option in table.options:
            if option.default is not None:
                assert written[option.name] == _plain(option.default), (table.path, option.name)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def test_the_lines_are_short_enough_to_read() -> None:
    assert max(map(len, render_commented({}).splitlines())) <= 110


def test_the_schema_describes_every_table_with_its_documentation() -> None:
    schema = json.loads(json_schema())
    described = {
        name: definition for name, definition in schema["$defs"].items() if "properties" in definition
    }
    salesforce = described["SalesforceSettings"]["properties"]
    assert salesforce["auth"]["enum"] == ["jwt", "client-credentials"]
    assert "My Domain" in salesforce["login_url"]["description"]
    assert all(definition["additionalProperties"] is False for definition in described.values())
    for definition in described.values():
        plain = [item for item in definition["properties"].values() if "$ref" not in str(item)]
        assert all(item.get("description") for item in plain)
