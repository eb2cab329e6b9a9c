"""The dashboard for tests: settings, an application over a store, and clients of every role."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from fastapi import FastAPI
from starlette.testclient import TestClient

from twinbook.doctor import Check, Verdict
from twinbook.domain.errors import TemporaryError
from twinbook.engine.connection import Connection
from twinbook.http import Http
from twinbook.install import System
from twinbook.install.guiding import LOGIN
from twinbook.logs import configure_logging
from twinbook.settings import ConnectionSettings, Settings, load
from twinbook.settings.in_force import InForce
from twinbook.settings.model import LogSettings
from twinbook.settings.revising import Origin
from twinbook.store import people as stored_people
from twinbook.store.database import Database, Tx
from twinbook.web.access.guard import COOKIE
from twinbook.web.access.passwords import Passwords
from twinbook.web.access.people import Visitor, begin_session
from twinbook.web.access.roles import Role
from twinbook.web.access.secrets import Sealer
from twinbook.web.app import create_app
from twinbook.web.dashboard import INSTALLATION, Dashboard
from twinbook.web.examinations import Examine
from twinbook.web.settings.impacts import OpenConnection

PASSWORD = "correct horse battery staple"
# The real costs are measured by argon2-cffi itself; tests need many sign-ins.
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

SETTINGS = """
[web]
port = 0
{web}
[connections.default.salesforce]
login_url = "https://acme.my.salesforce.com"
client_id = "3MVG9"
username = "integration@acme.example"
private_key_file = "key.pem"
[connections.default.netsuite]
account_id = "1234567_SB1"
client_id = "netsuite-client"
certificate_id = "cert-1"
private_key_file = "key.pem"
"""


def settings_in(directory: Path, web: str = "") -> Settings:
    """Settings of an installation with one connection, as a file in this folder."""
    (directory / "key.pem").write_text("no key: nothing is called")
    path = directory / "twinbook.toml"
    path.write_text(SETTINGS.format(web=web))
    return load(path, {})


async def nothing_amiss(_settings: ConnectionSettings, system: System) -> AsyncGenerator[Check]:
    """Checks that call nobody."""
    yield Check(LOGIN[system], f"{system}.login", f"{system.label} login", Verdict.OK)


@asynccontextmanager
async def unreachable(_name: str, _settings: ConnectionSettings) -> AsyncIterator[Connection]:
    """Systems that do not answer: no test of pages calls out."""
    raise TemporaryError("UNREACHABLE", "The systems of these tests cannot be reached.")
    yield


@dataclass(slots=True)
class Rig:
    """An application over a store. `client` gives a signed-in browser of any role."""

    app: FastAPI
    dashboard: Dashboard
    database: Database
    _tokens: dict[Role, str] = field(default_factory=dict)

    @classmethod
    def over(
        cls,
        database: Database,
        directory: Path,
        *,
        now: Callable[[], float] = time.time,
        web: str = "",
        live: Mapping[str, Connection] | None = None,
        http: Http | None = None,
        open_connection: OpenConnection | None = None,
        examine: Examine | None = None,
    ) -> Rig:
        configure_logging(LogSettings(level="error"))
        sealer = Sealer(Fernet.generate_key())
        dashboard = Dashboard.over(
            database,
            InForce(settings_in(directory, web), Origin(directory / "twinbook.toml", {})),
            sealer=sealer,
            now=now,
            passwords=QUICK,
            http=http,
            live=live,
            open_connection=open_connection or unreachable,
            examine=examine or nothing_amiss,
        )
        return cls(create_app(dashboard), dashboard, database)

    def client(self, role: Role | None = Role.ADMINISTRATOR) -> TestClient:
        """A browser in which somebody of this role is signed in, or nobody."""
        client = TestClient(self.app, follow_redirects=False)
        if role is not None:
            client.cookies.set(COOKIE, self.token(role))
        return client

    def token(self, role: Role) -> str:
        """The session token of a person with this role, who is named like it."""
        if role not in self._tokens:
            self._tokens[role] = self.database.run_now(INSTALLATION, lambda tx: self._signed_in(tx, role))
        return self._tokens[role]

    def _signed_in(self, tx: Tx, role: Role) -> str:
        now = self.dashboard.now()
        hashed = QUICK._hasher.hash(PASSWORD)
        person = stored_people.add(
            tx, login=role.value, name=role.value.title(), role=role, password_hash=hashed, now=now
        )
        return begin_session(tx, person, Visitor("127.0.0.1", "a browser of the tests"), now=now)
