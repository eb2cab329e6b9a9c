"""Having saved versions of the settings take effect in this process, without a restart.

What tells of a new version is its row in the store, which is written in the same transaction as the file: so every
process over the store notices, on this machine or another, and reads its own file. A file that was edited by hand takes
effect with the next version that is saved, or with the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from twinbook.domain.errors import SideError
from twinbook.settings import SettingsError
from twinbook.settings.in_force import InForce
from twinbook.store import revisions
from twinbook.store.database import Database

log = structlog.get_logger()

# Seconds between two looks for a new version.
LOOK_SECONDS = 1.0


class Following:
    """Follows the versions of all connections of this process."""

    def __init__(self, in_force: InForce, database: Database) -> None:
        self._in_force = in_force
        self._database = database
        self._newest: dict[str, int] = {}

    async def begin(self) -> None:
        """Note where the versions stand, and work with what the file says by then: it may have been saved while this
        process started."""
        self._newest = await self._look()
        if self._in_force.finished.is_set():
            await self._take_up()

    async def run(self, stopped: asyncio.Event, changed: Callable[[str], None] = lambda _name: None) -> None:
        """Until stopped; `changed` is told the name of each connection that has other settings now."""
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LOOK_SECONDS)
            try:
                newest = await self._look()
            except SideError:
                # The store is away, which others tell of; it is looked at again.
                continue
            if newest != self._newest:
                self._newest = newest
                for name in await self._take_up():
                    changed(name)

    async def _take_up(self) -> frozenset[str]:
        in_force = self._in_force
        try:
            changed = await asyncio.to_thread(in_force.take_up)
        except SettingsError as error:
            # Problems name the key and never a value of a secret.
            log.warning("settings-not-taken-up", problems=[str(item) for item in error.problems])
            return frozenset()
        for name in in_force.settings.connections:
            in_force.versions[name] = await self._version(name)
        for name in changed:
            log.info("settings-taken-up", connection=name, version=in_force.versions[name])
        return changed

    async def _version(self, name: str) -> int | None:
        """The number of the latest version, if it is what the file says."""
        found = await self._database.read(name, lambda tx: revisions.latest(tx, limit=1))
        origin = self._in_force.origin
        if not found or origin is None:
            return None
        return found[0].id if found[0].snapshot == origin.read(name).snapshot() else None

    async def _look(self) -> dict[str, int]:
        return {
            name: await self._database.read(name, revisions.newest)
            for name in self._in_force.settings.connections
        }
