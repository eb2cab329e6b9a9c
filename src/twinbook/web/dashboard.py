"""What every page and every resource needs: the store, the settings, the clock. Made once, and passed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi.requests import HTTPConnection

from twinbook.composition import connect
from twinbook.doctor import Check
from twinbook.domain.ports import Schema
from twinbook.domain.records import Entity, Side
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.http import Http
from twinbook.install import System
from twinbook.install import examine as examine_system
from twinbook.settings import ConnectionSettings, Settings
from twinbook.settings.in_force import InForce
from twinbook.settings.revising import Origin
from twinbook.store.database import Database, Store, Tx
from twinbook.store.outcomes import Tally
from twinbook.web.access.oidc import Oidc
from twinbook.web.access.pace import Pace
from twinbook.web.access.passwords import Passwords
from twinbook.web.access.secrets import Sealer
from twinbook.web.access.throttle import Throttle
from twinbook.web.correcting import Corrections
from twinbook.web.counting import Kept
from twinbook.web.examinations import Examinations, Examine
from twinbook.web.lifetime import Closing, Watchers
from twinbook.web.matching.previews import MatchPreviews, Reach
from twinbook.web.problems import Problem
from twinbook.web.queries import contacts, news
from twinbook.web.queries.news import Stamp
from twinbook.web.queries.overview import Overview, Reserves, overview
from twinbook.web.settings.impacts import Impacts, OpenConnection

T = TypeVar("T")

# The scope of what belongs to the whole installation: people, sessions, audit.
INSTALLATION = ""
STAMP_SECONDS = 1.5
OVERVIEW_SECONDS = 2.0
# Fields of the two systems are seldom added.
SCHEMA_SECONDS = 600.0
Schemas = Mapping[tuple[Entity, Side], Schema]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The parts that pages and resources are made of. `now` is epoch seconds.

    `live` are the connections that this process works on, by name; a dashboard that runs apart has none.
    """

    in_force: InForce
    database: Database
    sealer: Sealer
    now: Callable[[], float]
    passwords: Passwords
    oidc: Oidc | None
    throttle: Throttle
    pace: Pace
    contact_counts: Kept[list[Tally]]
    overviews: Kept[Overview]
    stamps: Kept[tuple[Stamp, object]]
    watchers: Watchers
    closing: Closing
    live: Mapping[str, Connection]
    open_connection: OpenConnection
    schemas: Kept[Schemas]
    impacts: Impacts
    examinations: Examinations
    previews: MatchPreviews
    corrections: Corrections

    @classmethod
    def over(
        cls,
        database: Database,
        in_force: InForce,
        *,
        sealer: Sealer,
        now: Callable[[], float],
        passwords: Passwords | None = None,
        live: Mapping[str, Connection] | None = None,
        http: Http | None = None,
        open_connection: OpenConnection | None = None,
        examine: Examine | None = None,
    ) -> Dashboard:
        """The dashboard of one installation. `http` is what single sign-on calls its provider with, `open_connection`
        logs in to try settings out, and `examine` checks them."""
        web = in_force.settings.web
        opener = open_connection or _opening(database)
        impacts = Impacts(opener)
        live = {} if live is None else live
        previews = MatchPreviews(_reaching(live, in_force, opener))
        corrections = Corrections()
        examinations = Examinations(examine or _examining(now), now)

        async def counted(connection: str) -> list[Tally]:
            return await database.read(connection, contacts.counts)

        counts = Kept(counted, now)

        async def stamped(connection: str) -> tuple[Stamp, object]:
            cells = await counts.get(connection)
            stamp = await database.read(connection, lambda tx: news.stamp(tx, cells))
            beside = [each.progress(connection) for each in (impacts, examinations, previews, corrections)]
            return stamp, beside

        async def described(connection: str) -> Schemas:
            async with opener(connection, in_force.settings.connections[connection]) as live:
                return {
                    (entity, side): await port.describe(entity)
                    for entity in (Entity.CONTACT, Entity.ACCOUNT)
                    for side, port in ((Side.SALESFORCE, live.salesforce), (Side.NETSUITE, live.netsuite))
                }

        async def looked_over(connection: str) -> Overview:
            cells, at = await counts.get(connection), now()
            settings = in_force.settings.connections[connection]
            reserves = Reserves(settings.limits.reserve_percent, settings.netsuite.reserve_calls)
            return await database.read(connection, lambda tx: overview(tx, cells, reserves, now=at))

        return cls(
            in_force,
            database,
            sealer,
            now,
            passwords or Passwords(),
            Oidc(web.oidc, http, now) if http and web.oidc.issuer else None,
            Throttle(now),
            Pace(web.requests_per_minute, now),
            counts,
            Kept(looked_over, now, OVERVIEW_SECONDS),
            Kept(stamped, now, STAMP_SECONDS),
            Watchers(),
            Closing(),
            live,
            opener,
            Kept(described, now, SCHEMA_SECONDS),
            impacts,
            examinations,
            previews,
            corrections,
        )

    @property
    def settings(self) -> Settings:
        """Those in force now."""
        return self.in_force.settings

    @property
    def origin(self) -> Origin | None:
        """Where the settings can be changed."""
        return self.in_force.origin

    def alive_since(self) -> float:
        """Sessions that were last used before then have ended."""
        return self.now() - self.settings.web.session_hours * 3600

    async def read(self, work: Callable[[Tx], T], scope: str = INSTALLATION) -> T:
        """Read in one transaction of its own."""
        return await self.database.read(scope, work)

    async def write(self, work: Callable[[Tx], T], scope: str = INSTALLATION) -> T:
        """Read and write in one transaction: all of it is stored, or nothing."""
        return await self.database.run(scope, work)

    def ring(self, connection: str) -> None:
        """Have the lanes of this process look at the queue at once."""
        live = self.live.get(connection)
        if live is not None:
            live.wake.ring()


def _opening(database: Database) -> OpenConnection:
    def opened(name: str, settings: ConnectionSettings) -> AbstractAsyncContextManager[Connection]:
        return connect(settings, Store(database, name), SystemClock())

    return opened


def _examining(now: Callable[[], float]) -> Examine:
    def examined(settings: ConnectionSettings, system: System) -> AsyncGenerator[Check]:
        return examine_system(settings, system, now=datetime.fromtimestamp(now(), UTC))

    return examined


def _reaching(live: Mapping[str, Connection], in_force: InForce, opener: OpenConnection) -> Reach:
    """Leads to the systems: by the connection that this process works on, else by a login of its own."""

    @asynccontextmanager
    async def reach(name: str) -> AsyncIterator[Connection]:
        if name in live:
            yield live[name]
        else:
            async with opener(name, in_force.settings.connections[name]) as opened:
                yield opened

    return reach


def dashboard_of(request: HTTPConnection) -> Dashboard:
    found: Dashboard = request.app.state.dashboard
    return found


def connection_of(request: HTTPConnection) -> str:
    """The name of the connection that a request is about: the one it names, or the first.

    Raises `Problem` for a name that is not in the settings.
    """
    names = list(dashboard_of(request).settings.connections)
    named = request.query_params.get("connection")
    if named is None:
        return names[0]
    if named not in names:
        known = ", ".join(names)
        raise Problem(404, "There is no such connection", f"Connections of this installation: {known}.")
    return named


Deps = Annotated[Dashboard, Depends(dashboard_of)]
ConnectionName = Annotated[str, Depends(connection_of)]
