"""A dashboard that answers on a port, in a thread beside the test: for real browsers and for measurements."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.dashboard.rig import settings_in

from twinbook.engine.connection import Connection
from twinbook.logs import configure_logging
from twinbook.settings.in_force import InForce
from twinbook.settings.model import LogSettings
from twinbook.settings.revising import Origin
from twinbook.store import people as stored_people
from twinbook.store.database import Database, Tx
from twinbook.web.access.guard import COOKIE
from twinbook.web.access.people import Visitor, begin_session
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import INSTALLATION
from twinbook.web.examinations import Examine
from twinbook.web.serving import Served, serve
from twinbook.web.settings.impacts import OpenConnection

START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Site:
    """Where it answers, and a session of an administrator. `set_up_url` as it was printed at the start."""

    url: str
    set_up_url: str | None
    database: Database

    def cookie(self, role: Role = Role.ADMINISTRATOR) -> dict[str, str]:
        """A cookie for Playwright: a fresh session of a person with this role."""
        now = time.time()

        def sign_in(tx: Tx) -> str:
            person = stored_people.by_login(tx, role.value)
            if person is None:
                names = {"login": role.value, "name": "Grace Hopper"}
                person = stored_people.add(tx, **names, role=role, password_hash=None, now=now)
            return begin_session(tx, person, Visitor("127.0.0.1", "Chromium"), now=now)

        return {"name": COOKIE, "value": self.database.run_now(INSTALLATION, sign_in), "url": self.url}


@contextmanager
def site(
    database: Database,
    directory: Path,
    live: Mapping[str, Connection] | None = None,
    *,
    open_connection: OpenConnection | None = None,
    examine: Examine | None = None,
) -> Iterator[Site]:
    """Serve this store while the block runs, with these live connections."""
    started: list[Served] = []
    ready, leave = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    configure_logging(LogSettings(level="error"))

    async def run() -> None:
        in_force = InForce(settings_in(directory), Origin(directory / "twinbook.toml", {}))
        async with serve(
            database, in_force, live=live, open_connection=open_connection, examine=examine
        ) as served:
            started.append(served)
            ready.set()
            await asyncio.to_thread(leave.wait)

    def carry() -> None:
        try:
            asyncio.run(run())
        except BaseException as fault:
            faults.append(fault)
        finally:
            ready.set()

    thread = threading.Thread(target=carry, name="dashboard")
    thread.start()
    try:
        assert ready.wait(START_SECONDS)
        if faults:
            raise faults[0]
        yield Site(started[0].url, started[0].set_up_url, database)
    finally:
        leave.set()
        thread.join(START_SECONDS)
