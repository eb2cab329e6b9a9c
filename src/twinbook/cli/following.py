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
from twinbook.store.database import Database, Tx
from twinbook.store.revisions import Version

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
                taken_up = await self._take_up() if newest != self._newest else frozenset()
            except SideError:
                # The store is away, which others tell of; it is looked at again.
                continue
            self._newest = newest
            for name in taken_up:
                changed(name)

    async def _take_up(self) -> frozenset[str]:
        """Work with what the file says; the names of the connections for which that is something else. Either all of
        it is done, or nothing."""
        in_force, origin = self._in_force, self._in_force.origin
        if origin is None:
            return frozenset()
        names = list(in_force.settings.connections)
        latest = {name: await self._database.read(name, _latest) for name in names}
        try:
            said = {name: origin.read(name).snapshot() for name in names}
            changed = await asyncio.to_thread(in_force.take_up)
        except SettingsError as error:
            # Problems name the key and never a value of a secret.
            log.warning("settings-not-taken-up", problems=[str(item) for item in error.problems])
            return frozenset()
        for name, version in latest.items():
            in_force.versions[name] = version.id if version and version.snapshot == said[name] else None
        for name in changed:
            log.info("settings-taken-up", connection=name, version=in_force.versions[name])
        return changed

    async def _look(self) -> dict[str, int]:
        names = self._in_force.settings.connections
        return {name: await self._database.read(name, revisions.newest) for name in names}


def _latest(tx: Tx) -> Version | None:
    return next(iter(revisions.latest(tx, limit=1)), None)
