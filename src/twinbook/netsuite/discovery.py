"""What an account offers a login: the questions of `twinbook doctor`, each with its answer and what to do."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.records import Entity
from twinbook.http import HttpResponse
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.errors import concerns_login
from twinbook.netsuite.metadata import RECORD_TYPES, Catalogue
from twinbook.netsuite.suiteql import SuiteQL

SERVER_TIME: Final = "/services/rest/system/v1/serverTime"
GOVERNANCE: Final = "/services/rest/system/v1/governanceLimits"

_LIMITS = ("integrationConcurrencyLimit", "accountUnallocatedConcurrencyLimit", "accountConcurrencyLimit")


@dataclass(frozen=True, slots=True)
class Probe:
    """One question. `detail` says what was found; `remedy` what to do when it is not `ok`."""

    name: str
    ok: bool
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of the account. None: the account did not say.

    `clock_offset_s` is NetSuite's clock minus this machine's, in seconds, exact to about one. `missing_fields`
    are configured fields that contacts or customers lack, as `contact.custentity_x`.
    """

    probes: tuple[Probe, ...]
    oneworld: bool | None = None
    clock_offset_s: float | None = None
    concurrency_limit: int | None = None
    missing_fields: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return all(probe.ok for probe in self.probes)


class Discovery:
    """Asks one account. Stops after a refused login: more tries could lock the access (netsuite.md 1.3)."""

    def __init__(
        self, client: NetSuiteClient, suiteql: SuiteQL, catalogue: Catalogue, config: NetSuiteConfig
    ) -> None:
        self._client = client
        self._suiteql = suiteql
        self._catalogue = catalogue
        self._config = config

    async def facts(self) -> AccountFacts:
        login, offset = await self._login()
        if not login.ok:
            return AccountFacts((login,))
        tables = [await self._table(name, sql) for name, sql in self._tables()]
        fields, missing, oneworld = await self._fields()
        return AccountFacts(
            (login, *tables, *fields),
            oneworld=self._config.oneworld if oneworld is None else oneworld,
            clock_offset_s=offset,
            concurrency_limit=await self.concurrency_limit(),
            missing_fields=missing,
        )

    async def _login(self) -> tuple[Probe, float | None]:
        """Any answer but a refused login shows that the login works; it also tells the time."""
        try:
            response = await self._client.call("GET", SERVER_TIME, writing=False)
        except TemporaryError as error:
            return Probe("login", ok=False, detail=error.message, remedy="Try again in a while."), None
        except PermanentError as error:
            if concerns_login(error):
                return Probe("login", ok=False, detail=error.message, remedy=error.remedy), None
            return Probe("login", ok=True, detail="the account does not tell its time"), None
        return Probe("login", ok=True, detail=f"logged in to {self._config.account_id}"), _clock_offset(
            response
        )

    def _tables(self) -> Sequence[tuple[str, str]]:
        tables = [
            ("read contacts", "SELECT t.id FROM contact t"),
            ("read customers", "SELECT t.id FROM customer t"),
        ]
        if self._config.read_deleted:
            tables.append(("read deleted records", "SELECT t.recordid FROM deletedrecord t"))
        if self._config.read_addresses:
            tables.append(("read address books", "SELECT t.entity FROM contactaddressbook t"))
            tables.append(("read addresses", "SELECT t.nkey FROM contactaddressbookentityaddress t"))
        return tables

    async def _table(self, name: str, sql: str) -> Probe:
        return await _probe(name, self._suiteql.first(sql, 1))

    async def _fields(self) -> tuple[Sequence[Probe], tuple[str, ...], bool | None]:
        probes: list[Probe] = []
        missing: list[str] = []
        oneworld: bool | None = None
        wanted = {
            Entity.CONTACT: (self._config.id_field, self._config.locked_field, *self._config.contact_fields),
            Entity.ACCOUNT: (self._config.id_field, *self._config.customer_fields),
        }
        for entity, names in wanted.items():
            kind = RECORD_TYPES[entity].value
            try:
                schema = await self._catalogue.refresh(entity)
            except (TemporaryError, PermanentError) as error:
                probes.append(_failed(f"metadata of {kind}", error))
                continue
            absent = [name for name in names if name is not None and name not in schema]
            missing += [f"{kind}.{name}" for name in absent]
            probes.append(_field_probe(kind, absent))
            oneworld = "subsidiary" in schema if entity is Entity.CONTACT else oneworld
        return probes, tuple(missing), oneworld

    async def concurrency_limit(self) -> int | None:
        """Only administrators may ask (netsuite.md 2.12); None is the usual answer."""
        try:
            response = await self._client.call("GET", GOVERNANCE, writing=False)
            limits: dict[str, Any] = response.json()
            return next((int(limits[name]) for name in _LIMITS if limits.get(name)), None)
        except (TemporaryError, PermanentError, ValueError, TypeError, AttributeError):
            return None


async def _probe(name: str, asking: Awaitable[object]) -> Probe:
    try:
        await asking
    except (TemporaryError, PermanentError) as error:
        return _failed(name, error)
    return Probe(name, ok=True)


def _failed(name: str, error: TemporaryError | PermanentError) -> Probe:
    remedy = error.remedy if isinstance(error, PermanentError) else "Try again in a while."
    return Probe(name, ok=False, detail=error.message, remedy=remedy)


def _field_probe(kind: str, absent: Sequence[str]) -> Probe:
    if not absent:
        return Probe(f"fields of {kind}", ok=True)
    return Probe(
        f"fields of {kind}",
        ok=False,
        detail=f"the account's {kind} record has no {', '.join(absent)}",
        remedy="Deploy Twinbook's NetSuite package, or correct the names in the settings.",
    )


def _clock_offset(response: HttpResponse) -> float | None:
    """From the body, whose shape is not documented, or else from the Date header of HTTP."""
    moment = _moment_in(response)
    if moment is None:
        try:
            moment = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return None
    return round(moment.timestamp() - response.received_at, 1)


def _moment_in(response: HttpResponse) -> datetime | None:
    try:
        body = response.json()
        texts = [text for text in body.values() if isinstance(text, str)]
    except (ValueError, AttributeError):
        return None
    for text in texts:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
