"""A connection of the settings file that is still being filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from twinbook.install.steps import System
from twinbook.settings import ConnectionSettings, Problem, Settings, SettingsError, render_commented
from twinbook.settings.editing import SettingsFile
from twinbook.settings.environment import variable_for
from twinbook.settings.loading import validate

# Stands in for the system that is not set up yet, so that the other can be examined. Nothing is ever sent there.
_STAND_IN: Final[Mapping[System, Mapping[str, str]]] = {
    System.SALESFORCE: {
        "login_url": "https://not-set-up.my.salesforce.com",
        "client_id": "-",
        "auth": "client-credentials",
        "client_secret": "-",
    },
    System.NETSUITE: {
        "account_id": "0",
        "auth": "tba",
        "tba_consumer_key": "-",
        "tba_consumer_secret": "-",
        "tba_token_id": "-",
        "tba_token_secret": "-",
    },
}
_OTHER: Final = {System.SALESFORCE: System.NETSUITE, System.NETSUITE: System.SALESFORCE}


class Draft:
    """The settings of one connection, as far as they are known. `environ` is the environment over the file."""

    def __init__(self, file: SettingsFile, connection: str, environ: Mapping[str, str]) -> None:
        self.file = file
        self.connection = connection
        self._environ = environ

    @classmethod
    def open(cls, path: Path, connection: str | None, environ: Mapping[str, str]) -> Draft:
        """The connection of this name, or the only one of the file; a file that is missing is begun.

        Raises `SettingsError` when the file cannot be read, ValueError when it has several connections and none is
        named.
        """
        if path.exists():
            file = SettingsFile.open(path)
        else:
            file = SettingsFile(path, render_commented({"connections": {connection or "default": {}}}))
        names = list(file.get(("connections",)) or {"default": {}})
        if connection is None and len(names) > 1:
            raise ValueError(f"name one of the connections: {', '.join(names)}")
        return cls(file, connection or names[0], environ)

    @property
    def directory(self) -> Path:
        return self.file.path.parent

    def get(self, system: System, key: str) -> Any:
        """A value, which the environment may give instead of the file; None where neither has one."""
        in_file = self.file.get(("connections", self.connection, system, key))
        return self._environ.get(self.variable(system, key)) or in_file

    def variable(self, system: System, key: str) -> str:
        """The environment variable that wins over the file."""
        return variable_for(("connections", self.connection, system, key))

    def is_in_environment(self, system: System, key: str) -> bool:
        return self.variable(system, key) in self._environ

    def enter(self, system: System, values: Mapping[str, str]) -> None:
        """Put values into the draft. Raises `SettingsError` for those that no setting could have."""
        places = [f"connections.{self.connection}.{system}.{key}" for key in values]
        for key, value in values.items():
            self.file.put(("connections", self.connection, system, key), value)
        unfit = [problem for problem in self.problems(system) if problem.key in places]
        if unfit:
            raise SettingsError(unfit)

    def enter_ping_secret(self, secret: str) -> None:
        """Let NetSuite ping, with this secret unless there is one."""
        place = ("connections", self.connection, "ping", "secret")
        if self.file.get(place) is None:
            self.file.put(place, secret)

    @property
    def pings(self) -> bool:
        """Whether the file has a secret for pings."""
        return self.file.get(("connections", self.connection, "ping", "secret")) is not None

    def settings(self, system: System) -> ConnectionSettings | None:
        """The connection as far as this system is concerned; None while something is missing for it."""
        for values in self._readings(system):
            try:
                return validate(values, self.file.path, self._environ).connections[self.connection]
            except SettingsError:
                continue
        return None

    def problems(self, system: System) -> tuple[Problem, ...]:
        """What keeps the connection from being used, as far as this system is concerned."""
        *_, values = self._readings(system)
        try:
            validate(values, self.file.path, self._environ)
        except SettingsError as error:
            return error.problems
        return ()

    def missing(self) -> tuple[Problem, ...]:
        """What is wrong with the whole file as it is."""
        try:
            validate(deepcopy(dict(self.file.values)), self.file.path, self._environ)
        except SettingsError as error:
            return error.problems
        return ()

    def with_stand_ins(self) -> Settings:
        """The whole file, with stand-ins for both systems of this connection. Raises `SettingsError`."""
        values = deepcopy(dict(self.file.values))
        connections = values.setdefault("connections", {})
        stand_ins = {system.value: dict(values) for system, values in _STAND_IN.items()}
        connections[self.connection] = connections.get(self.connection, {}) | stand_ins
        return validate(values, self.file.path, self._unlogged())

    def _unlogged(self) -> dict[str, str]:
        """The environment without what it says of the logins."""
        logins = tuple(variable_for(("connections", self.connection, system)) for system in System)
        return {name: value for name, value in self._environ.items() if not name.upper().startswith(logins)}

    def _readings(self, system: System) -> Iterator[dict[str, Any]]:
        """The file as it is, and with a stand-in for the other system. Other connections are left out."""
        values = deepcopy(dict(self.file.values))
        mine = dict(values.get("connections", {}).get(self.connection, {}))
        for connection in (mine, mine | {_OTHER[system]: dict(_STAND_IN[_OTHER[system]])}):
            yield deepcopy(values | {"connections": {self.connection: connection}})
