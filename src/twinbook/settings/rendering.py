"""The settings as text: the commented file that `twinbook init` writes."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import tomlkit

from twinbook.settings.model import Settings
from twinbook.settings.options import ANY_NAME, Option, TableOptions, tables

_WIDTH = 100
_HEAD = """\
Settings of Twinbook. Every option stands here; commented ones show their default, uncomment one to change it.
Each can also be given as an environment variable, which wins: TWINBOOK_ and its path in capitals, joined by two
underscores, such as TWINBOOK_CONNECTIONS__DEFAULT__SALESFORCE__CLIENT_SECRET."""


def render_commented(values: Mapping[str, Any]) -> str:
    """A settings file that holds `values` (nested as in the file) and every other option as a comment.

    Required options without a value appear as comments too, marked as required.
    """
    connections = list(values.get("connections", {})) or ["default"]
    lines = [*_comment(_HEAD)]
    for table in tables(Settings):
        if ANY_NAME not in table.path:
            lines += _table(table, table.path, values)
    for name in connections:
        for table in tables(Settings):
            if ANY_NAME in table.path:
                path = tuple(name if part == ANY_NAME else part for part in table.path)
                lines += _table(table, path, values)
    return "\n".join(lines) + "\n"


def literal(value: Any) -> str:
    """A value as TOML, on one line except for texts of several lines."""
    if isinstance(value, Enum | Path):
        value = str(value)
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table.as_string()
    if isinstance(value, tuple):
        value = list(value)
    multiline = isinstance(value, str) and "\n" in value
    return (tomlkit.string(value, multiline=True) if multiline else tomlkit.item(value)).as_string()


def json_schema() -> str:
    """The JSON schema of the settings file, for editors that complete and check TOML."""
    return json.dumps(Settings.model_json_schema(), indent=2) + "\n"


def _table(table: TableOptions, path: Sequence[str], values: Mapping[str, Any]) -> Iterator[str]:
    given = _at(values, path)
    if not path:
        return
    yield ""
    yield from _comment(table.doc)
    if table.rows:
        yield from _rows(table, path, given or [])
    else:
        yield f"[{'.'.join(path)}]"
        for option in table.options:
            yield from _setting(option, given or {})


def _rows(table: TableOptions, path: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    head = f"[[{'.'.join(path)}]]"
    for row in rows:
        yield head
        yield from (f"{key} = {literal(value)}" for key, value in row.items())
    if not rows:
        yield f"#{head}"
        for option in table.options:
            yield from _setting(option, {})


def _setting(option: Option, given: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield from _comment(f"{option.doc} One of: {option.kind}." if option.choices else option.doc)
    if option.name in given:
        yield f"{option.name} = {literal(given[option.name])}"
    else:
        default = literal("" if option.default is None else option.default)
        yield f"#{option.name} = {default}{'  # required' if option.required else ''}"


def _comment(text: str) -> Iterator[str]:
    words = " ".join(text.split())
    yield from textwrap.wrap(
        words, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _at(values: Mapping[str, Any], path: Sequence[str]) -> Any:
    place: Any = values
    for part in path:
        place = place.get(part) if isinstance(place, Mapping) else None
    return place
