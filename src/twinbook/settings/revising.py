"""Changing the settings of one connection while others may edit the same file: what is changed, what it means, and
whether the file is still the one that was read.

A change names a key by its place below the connection and gives its new value as the file writes it; None takes the key
out of the file, so that its default counts. The file stays the truth: nothing is kept beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomlkit.exceptions import TOMLKitError

from twinbook.settings.editing import Place, SettingsFile
from twinbook.settings.environment import given, variable_for
from twinbook.settings.loading import load
from twinbook.settings.model import ConnectionSettings, Settings
from twinbook.settings.problems import Problem, SettingsError, dotted
from twinbook.settings.promotion import CONNECTIONS, as_written, promotable

Changes = Mapping[Place, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the settings of this process come from: the file, and the environment over it."""

    path: Path
    environ: Mapping[str, str]

    def load(self) -> Settings:
        """The settings as they are now. Raises `SettingsError`."""
        return load(self.path, self.environ)

    def read(self, connection: str) -> Revision:
        """What the file says of a connection now. Raises `SettingsError`."""
        return Revision(SettingsFile.open(self.path), self.environ, connection)

    def variable(self, connection: str, place: Place) -> str | None:
        """The environment variable that gives this key or one around it, and so wins over the file."""
        whole = (CONNECTIONS, connection, *place)
        values, _ = given(self.environ, Settings.model_fields)
        found = (set_ for set_ in values if set_[: len(whole)] == whole or whole[: len(set_)] == set_)
        return next((variable_for(location) for location in found), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that two states of a connection's settings have in different ways. None: its default counts."""

    place: str
    before: Any
    after: Any


class Revision:
    """The settings of one connection in a file that is being edited. `digest` names the text as it was read."""

    def __init__(self, file: SettingsFile, environ: Mapping[str, str], connection: str) -> None:
        self._file = file
        self._environ = environ
        self.connection = connection
        self.digest = digest_of(file.text)

    def written(self, place: Place) -> Any:
        """The value in the file, None where its default counts."""
        return self._file.get((CONNECTIONS, self.connection, *place))

    def settings(self) -> ConnectionSettings:
        """What the edited file means. Raises `SettingsError` with all its problems."""
        return self._file.settings(self._environ).connections[self.connection]

    def snapshot(self) -> dict[str, Any]:
        """Every key that the file gives and that is no matter of the login, by its dotted place."""
        found = ((".".join(place), self.written(place)) for place, _ in promotable())
        return {place: value for place, value in found if value is not None}

    def apply(self, changes: Changes) -> None:
        """Make these changes. Raises `SettingsError` for a key that cannot be changed here."""
        defaults = dict(promotable())
        for place, value in changes.items():
            if place not in defaults:
                key = ".".join(place)
                problem, remedy = "cannot be changed here", "change it in the settings file"
                raise SettingsError([Problem(self._file.path.name, self.key(key), problem, remedy)])
            try:
                self._put((CONNECTIONS, self.connection, *place), value, default=defaults[place])
            except (TypeError, ValueError, TOMLKitError):
                problem, remedy = "has no form in a settings file", "use text, numbers, lists and tables"
                key = self.key(".".join(place))
                raise SettingsError([Problem(self._file.path.name, key, problem, remedy)]) from None

    def _put(self, whole: Place, value: Any, *, default: Any) -> None:
        if value is None or value == [] == default:
            self._file.remove(whole)
        else:
            self._file.put(whole, value)

    def key(self, place: str) -> str:
        """A place below the connection as problems name it."""
        return f"{dotted((CONNECTIONS, self.connection))}.{place}"

    def save(self) -> None:
        """Write the file all at once. The caller has made sure that it is still the one that was read."""
        self._file.save()


def digest_of(text: str) -> str:
    """Names one state of a settings file."""
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What two snapshots say in different ways, in the order of the settings. Saying the default is no difference."""
    found = []
    for place, default in promotable():
        name = ".".join(place)
        one, other = before.get(name), after.get(name)
        if (default if one is None else one) != (default if other is None else other):
            found.append(Difference(name, one, other))
    return found


def changes_to(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[Place, Any]:
    """The changes that make one snapshot of another."""
    return {tuple(item.place.split(".")): item.after for item in differences(now, wanted)}


def effective(settings: ConnectionSettings, place: Place) -> Any:
    """The value that counts, as the file would write it: defaults, preset and environment included."""
    value: Any = settings
    for part in place:
        value = getattr(value, part)
    return as_written(value)
