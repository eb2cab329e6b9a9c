"""The settings that a process works with. They change when a saved version takes effect."""

from __future__ import annotations

import asyncio

from twinbook.settings.model import ConnectionSettings, Settings
from twinbook.settings.revising import Origin


class InForce:
    """The settings in force, and where they come from; without an origin they stay as they are.

    `versions` are the numbers of the stored versions that they are, by connection; None where the file was changed by
    hand since. `finished` is set once the connections can be worked on: an installation that begins has stand-ins for
    what is not entered yet, and nothing is ever sent to those.
    """

    def __init__(self, settings: Settings, origin: Origin | None = None, *, finished: bool = True) -> None:
        self.settings = settings
        self.origin = origin
        self.versions: dict[str, int | None] = {}
        self.finished = asyncio.Event()
        if finished:
            self.finished.set()

    def as_written(self, connection: str) -> ConnectionSettings:
        """What the file says now of a connection, without working with it: keys are looked up at each login. Raises
        `SettingsError`, and `KeyError` for one that is gone."""
        return (self.settings if self.origin is None else self.origin.load()).connections[connection]

    def take_up(self) -> frozenset[str]:
        """Work with what the file says now; the names of the connections for which that is something else.

        Other tables than those of the connections, and connections that are new or gone, count from the next start.
        Raises `SettingsError`; then everything stays as it was.
        """
        if self.origin is None:
            return frozenset()
        fresh = self.origin.load().connections
        now = self.settings.connections
        wanted = {name: fresh.get(name, settings) for name, settings in now.items()}
        changed = frozenset(name for name in now if wanted[name] != now[name])
        self.settings = self.settings.model_copy(update={"connections": wanted})
        self.finished.set()
        return changed
