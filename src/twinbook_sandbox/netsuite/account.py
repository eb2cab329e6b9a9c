"""The emulated NetSuite account: its parts put together, and what one of its users can do (a Site)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.responses import Response
from starlette.routing import BaseRoute

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import Action, SiteError
from twinbook_sandbox.core.traffic import Traffic
from twinbook_sandbox.netsuite.acts import Acts
from twinbook_sandbox.netsuite.credentials import Credentials
from twinbook_sandbox.netsuite.errors import NetSuiteError, error_response, too_many_requests
from twinbook_sandbox.netsuite.kinds import RESTLET_PATH, classify
from twinbook_sandbox.netsuite.login import Gatekeeper
from twinbook_sandbox.netsuite.oauth import TokenService
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.rest import RestServices
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.saves import Saves
from twinbook_sandbox.netsuite.schema import FieldSpec, Kind, RecordType
from twinbook_sandbox.netsuite.storage import Storage, open_database
from twinbook_sandbox.netsuite.suiteql import SuiteQL
from twinbook_sandbox.netsuite.suiteql_tables import INTEGRATION_USER
from twinbook_sandbox.netsuite.suitescript.acts import ScriptActs
from twinbook_sandbox.netsuite.suitescript.scripts import Scripts, restlet_error
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.netsuite.tba import TbaVerifier
from twinbook_sandbox.netsuite.times import Calendar
from twinbook_sandbox.netsuite.values import WriteOptions

ADMINISTRATOR = -5
"""The user who acts when the control plane names none."""
STRICT = WriteOptions(names="error")
_TABLES = {
    "companyContactRelationship": ("SELECT company, contact, role FROM relation", "relation"),
    "deletedRecord": ("SELECT recordid, type, name, deleteddate, deletedby, context FROM deleted", "deleted"),
}
"""What the control plane can list besides records."""


class NetSuiteAccount:
    """One account. ``path``: a file that keeps data and credentials; ``base_url``: as clients reach it."""

    name = "netsuite"

    def __init__(self, clock: Clock, *, path: str | None = None, seed: int = 1, base_url: str = "") -> None:
        self.switches = NetSuiteSwitches()
        self.base_url = base_url.rstrip("/")
        self._clock = clock
        calendar = Calendar(clock, self.switches)
        self.storage = Storage(open_database(path), calendar)
        self.records = Records(self.storage, self.switches, calendar)
        permissions = Permissions(self.switches)
        self._credentials = Credentials(self.storage, self.switches, clock, seed)
        self._tokens = TokenService(self._credentials, self.switches, clock)
        tba = TbaVerifier(self._credentials, self.switches, clock)
        self._gatekeeper = Gatekeeper(self._tokens, tba, permissions, clock)
        suiteql = SuiteQL(self.records, permissions)
        self.scripts = Scripts(self.records, suiteql, permissions, self._gatekeeper, clock)
        self._rest = RestServices(
            self.records,
            suiteql,
            self._tokens,
            self._gatekeeper,
            permissions,
            self.scripts,
            lambda: self.base_url,
        )
        self._acts = Acts(self.records, self._credentials, self._gatekeeper)
        self._script_acts = ScriptActs(self.scripts, self.switches)
        self._saves = Saves(self.records)

    # --- for whoever serves it

    def routes(self) -> list[BaseRoute]:
        """The routes of the REST services and the token endpoint."""
        return self._rest.routes()

    def traffic(self) -> Traffic:
        """Traffic control with this account's kinds of call, error shapes and concurrency limit."""
        return Traffic(
            self._clock,
            classify,
            refusal=self.refusal,
            concurrency_limit=lambda: self.switches.concurrency_limit,
            over_limit=self.over_limit,
        )

    def refusal(self, status: int, code: str, message: str, path: str) -> Response:
        """An error answer in NetSuite's shape."""
        if path == RESTLET_PATH:
            return restlet_error(status, code, message)
        return error_response(NetSuiteError(status, code, message))

    def over_limit(self, path: str) -> Response:
        """The answer beyond the concurrency limit."""
        if path == RESTLET_PATH:
            return restlet_error(400, "SSS_REQUEST_LIMIT_EXCEEDED", "Concurrent request limit exceeded.")
        return error_response(too_many_requests(self.switches.too_many_requests_title))

    def credentials(self) -> dict[str, Any]:
        """Everything a client needs for each kind of login: OAuth 2.0 with EC or RSA key, and TBA."""
        return self._credentials.describe()

    def close(self) -> None:
        """Close the database."""
        self.storage.connection.close()

    # --- the control plane

    def reset(self) -> None:
        """Forget all records and custom fields; credentials and sessions stay."""
        self.storage.reset()

    def insert(self, type_: str, fields: dict[str, Any], *, user: str | None = None) -> str:
        """Create a record as on its page; names and values as in REST bodies."""
        with _told():
            kind = self.records.kind(type_)
            return str(self.records.create(kind, fields, STRICT, _actor(user)).id)

    def update(self, type_: str, id_: str, fields: dict[str, Any], *, user: str | None = None) -> None:
        """Change some fields of a record as on its page."""
        with _told():
            self.records.update(self.records.kind(type_), id_, fields, STRICT, _actor(user))

    def delete(self, type_: str, id_: str, *, user: str | None = None) -> None:
        """Delete a record as on its page."""
        with _told():
            self.records.delete(self.records.kind(type_), id_, _actor(user))

    def read(self, type_: str, id_: str) -> dict[str, Any] | None:
        """One record, flat; deleted ones as they were, with ``isDeleted``."""
        with _told():
            kind = self.records.kind(type_)
        found = self.records.find(kind, id_)
        row = self.storage.get(kind, found) if found is not None else None
        if row is not None:
            return self.records.presenter.flat(kind, row)
        sql = "SELECT snapshot FROM deleted WHERE CAST(recordid AS TEXT) = ? AND type = ?"
        snapshot = self.storage.value(sql, (id_, type_))
        remembered: dict[str, Any] | None = orjson.loads(snapshot) if snapshot else None
        return remembered

    def list(self, type_: str, where: dict[str, Any], limit: int, offset: int) -> list[dict[str, Any]]:
        """Records whose fields equal those given, by id."""
        if type_ in _TABLES:
            rows = self.storage.rows(f"{_TABLES[type_][0]} LIMIT ? OFFSET ?", (limit, offset))
            return [dict(row) for row in rows]
        with _told():
            kind = self.records.kind(type_)
            conditions = [_equals(kind, name, value) for name, value in where.items()]
        sql = " AND ".join(["type = ?", *(condition for condition, _ in conditions)])
        values = [kind.name, *(value for _, value in conditions), limit, offset]
        listed = f"SELECT * FROM {kind.table} WHERE {sql} ORDER BY id LIMIT ? OFFSET ?"  # noqa: S608 - schema names
        return [self.records.presenter.flat(kind, row) for row in self.storage.rows(listed, values)]

    def count(self, type_: str) -> int:
        """How many records there are of a type."""
        if type_ in _TABLES:
            return int(self.storage.value(f"SELECT COUNT(*) FROM {_TABLES[type_][1]}"))  # noqa: S608 - constants
        with _told():
            kind = self.records.kind(type_)
        sql = f"SELECT COUNT(*) FROM {kind.table} WHERE type = ?"  # noqa: S608 - schema name
        return int(self.storage.value(sql, (type_,)))

    def actions(self) -> dict[str, Action]:
        """Further acts of users and administrators by name."""
        acts = self._acts.table() | self._script_acts.table() | self._saves.table()
        return {name: _telling(act) for name, act in acts.items()}

    def revoke_tokens(self) -> int:
        """End all OAuth 2.0 sessions; returns how many there were."""
        return self._tokens.revoke_all()

    def display_name(self, type_: str, id_: str) -> str | None:
        """What a reference to a record shows, such as a customer's name."""
        return self.records.presenter.display_name(type_, int(id_)) if id_.lstrip("-").isdecimal() else None


def _actor(user: str | None) -> Actor:
    """``integration`` is the API's user, a number an employee; nobody named: the administrator on a page."""
    if user == "integration":
        return Actor(INTEGRATION_USER)
    return Actor(int(user) if user and user.lstrip("-").isdecimal() else ADMINISTRATOR, "USERINTERFACE")


def _equals(kind: RecordType, name: str, value: Any) -> tuple[str, Any]:
    spec: FieldSpec | None = kind.fields.get(name)
    if spec is None or spec.computed:
        raise NetSuiteError(
            400, "INVALID_PARAMETER", f"{kind.name} has no field {name}.", {"o:errorPath": name}
        )
    wanted = ("T" if value else "F") if spec.kind is Kind.BOOL else value
    return f"{spec.column} IS ?", wanted


def _telling(act: Action) -> Action:
    def told(arguments: dict[str, Any]) -> Any:
        with _told():
            return act(arguments)

    told.__doc__ = act.__doc__
    return told


@contextmanager
def _told() -> Iterator[None]:
    """NetSuite's refusals in the words of the control plane."""
    try:
        yield
    except NetSuiteError as error:
        raise SiteError(error.status, error.code, error.detail, error.field_name) from error
