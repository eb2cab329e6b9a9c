"""Changing a settings file by program: its comments, its order and what is not changed stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT

from twinbook.certificates import write_private
from twinbook.settings import loading
from twinbook.settings.model import Settings
from twinbook.settings.rendering import literal

Place = tuple[str, ...]


class SettingsFile:
    """A settings file that is being edited; nothing is written before `save`.

    `values` are those of the text as it is now. Raises `SettingsError` when the text is no TOML.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.values: Mapping[str, Any] = loading.parse(text, path)

    @classmethod
    def open(cls, path: Path) -> SettingsFile:
        """The file as it is. Raises `SettingsError` when it cannot be read."""
        return cls(path, loading.read(path))

    def get(self, place: Place) -> Any:
        """The value at a place; None where there is none."""
        value: Any = self.values
        for part in place:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def put(self, place: Place, value: Any) -> None:
        """Set a key. Where the file has it as a comment, as `twinbook init` writes it, it stands there."""
        changed = _uncommented(self.text, place, value) if self.get(place) is None else None
        if changed is None:
            document = tomlkit.parse(self.text)
            _table(document, place[:-1])[place[-1]] = _item(value)
            changed = document.as_string()
        self._replace(changed, place, value)

    def remove(self, place: Place) -> None:
        """Take a key out, so that its default counts."""
        if self.get(place) is None:
            return
        document = tomlkit.parse(self.text)
        del _table(document, place[:-1])[place[-1]]
        self._replace(document.as_string(), place, None)

    def settings(self, environ: Mapping[str, str]) -> Settings:
        """What the edited file means. Raises `SettingsError` with all its problems."""
        return loading.validate(loading.parse(self.text, self.path), self.path, environ)

    def save(self) -> None:
        """Write the file, for its owner only, all at once; a link to it stays a link."""
        write_private(self.path.resolve(), self.text.encode())

    def _replace(self, text: str, place: Place, value: Any) -> None:
        edited = SettingsFile(self.path, text)
        if edited.get(place) != (value if value is None else _plain(value)):
            raise ValueError(f"{'.'.join(place)} cannot be changed in {self.path}: write it by hand")
        self.text, self.values = edited.text, edited.values


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _uncommented(text: str, place: Place, value: Any) -> str | None:
    """The text with the commented line of a key in its table made a setting; None where there is no such line."""
    if isinstance(value, Mapping | list | tuple):
        return None
    lines, table = text.splitlines(keepends=True), None
    for number, line in enumerate(lines):
        if header := re.match(r"\[+([^\[\]#]+)\]+", line):
            table = tuple(part.strip() for part in header[1].split("."))
        if table == place[:-1] and re.match(rf"#{re.escape(place[-1])} = ", line):
            lines[number] = f"{place[-1]} = {literal(value)}\n"
            return "".join(lines)
    return None


def _table(document: MutableMapping[str, Any], place: Place) -> MutableMapping[str, Any]:
    for part in place:
        if part not in document:
            document[part] = tomlkit.table()
        document = document[part]
    return document


def _item(value: Any) -> Any:
    """Rows become an array of tables, as people write them."""
    rows = isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)
    if not rows:
        return _plain(value)
    array: AoT = tomlkit.aot()
    for row in value:
        table = tomlkit.table()
        table.update(row)
        array.append(table)
    return array
