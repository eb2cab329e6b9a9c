"""Putting the parts together: from the settings of a connection to a live one. The only place that knows them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from pydantic import SecretStr

from twinbook.domain.errors import PermanentError
from twinbook.domain.mapping import ContactMapping
from twinbook.domain.plan import Trigger
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.records import Entity
from twinbook.engine.clock import Clock, SystemClock
from twinbook.engine.connection import (
    NETSUITE_CONTACTS,
    NETSUITE_CUSTOMERS,
    Connection,
    Options,
    Source,
    StatusFields,
    SweepOptions,
)
from twinbook.http import HttpSettings, HttpTransport
from twinbook.netsuite.auth import (
    Authorizer,
    ClientCredentials,
    OAuth2Login,
    TokenBasedLogin,
    TokenCredentials,
)
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.netsuite.permits import Permits, calling_at
from twinbook.netsuite.restlet import Restlet, RestletScript
from twinbook.netsuite.side import NetSuiteSide
from twinbook.salesforce.auth import ClientCredentials as SalesforceClientCredentials
from twinbook.salesforce.auth import Grant, JwtBearer, TokenProvider, read_private_key
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.events import SalesforceEvents
from twinbook.salesforce.pubsub import EventOptions
from twinbook.salesforce.schema import OrgFacts
from twinbook.salesforce.side import SalesforceSide
from twinbook.settings import (
    ConnectionSettings,
    SettingsError,
    account_policy,
    contact_policy,
    role_entities,
)
from twinbook.store.database import Store
from twinbook.store.dirty_keys import Debounce
from twinbook.store.retention import Retention

# Calls in flight where neither the settings nor the account say how many.
CONCURRENCY = 4

# Makes the permits of an account for so many calls at once.
MakePermits = Callable[[str, int], Permits]

# Reads the settings of a connection again, as they stand now.
Reread = Callable[[], ConnectionSettings]

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sides:
    """The clients of both systems, logged in or not: what `doctor` examines and a connection is made of."""

    salesforce: SalesforceSide
    netsuite: NetSuiteSide
    events: SalesforceEvents


@asynccontextmanager
async def open_sides(
    settings: ConnectionSettings,
    clock: Clock | None = None,
    permits: MakePermits | None = None,
    reread: Reread | None = None,
) -> AsyncIterator[Sides]:
    """The two systems of a connection. Nothing is called yet. `clock` is the machine's, and the permits of NetSuite
    are this process' own, unless told otherwise. Who runs for long gives `reread`, so that each login has the keys
    that the settings name by then."""
    clock = clock or SystemClock()
    policy = contact_policy(settings)
    async with AsyncExitStack() as stack:
        salesforce, netsuite = settings.salesforce, settings.netsuite
        to_salesforce = await stack.enter_async_context(
            HttpTransport(
                HttpSettings(
                    read_timeout=salesforce.timeout_seconds,
                    ca_file=salesforce.ca_file,
                    verify_tls=salesforce.verify_tls,
                ),
                clock.now,
            )
        )
        to_netsuite = await stack.enter_async_context(
            HttpTransport(
                HttpSettings(
                    read_timeout=netsuite.timeout_seconds,
                    ca_file=netsuite.ca_file,
                    verify_tls=netsuite.verify_tls,
                ),
                clock.now,
            )
        )
        tokens = salesforce_tokens(settings, to_salesforce, clock, reread)
        events = _events(settings, tokens, clock)
        stack.push_async_callback(events.close)
        yield Sides(
            SalesforceSide(to_salesforce, tokens, salesforce_config(settings), clock.now),
            _netsuite_side(settings, policy, to_netsuite, clock, permits or _own_permits, reread),
            events,
        )


@asynccontextmanager
async def connect(
    settings: ConnectionSettings,
    store: Store,
    clock: Clock,
    permits: MakePermits | None = None,
    reread: Reread | None = None,
) -> AsyncIterator[Connection]:
    """A live connection, by `open_sides`. Raises `PermanentError` with a remedy when a login or a needed field is
    missing."""
    async with open_sides(settings, clock, permits, reread) as sides:
        facts = await sides.salesforce.discover()
        await sides.netsuite.choose_transport()
        policy = contact_policy(
            settings,
            salesforce_schema=await sides.salesforce.describe(Entity.CONTACT),
            netsuite_schema=await sides.netsuite.describe(Entity.CONTACT),
        )
        policy = replace(policy, mapping=_without(policy.mapping, facts.missing_contact_fields))
        sides.netsuite.permits.resize(await calls_at_once(settings, sides))
        yield Connection(
            salesforce=sides.salesforce,
            netsuite=sides.netsuite,
            store=store,
            contacts=policy,
            accounts=await _accounts(settings, sides, facts),
            clock=clock,
            urgency=calling_at,
            events=sides.events if settings.salesforce.change_events == "auto" else None,
            calls=sides.netsuite.permits,
            options=_options(settings, facts, lanes=sides.netsuite.permits.ceiling),
        )


async def calls_at_once(settings: ConnectionSettings, sides: Sides) -> int:
    """How many calls to NetSuite may be in flight: as set, and never more than the account leaves to Twinbook."""
    netsuite = settings.netsuite
    allowed = await sides.netsuite.concurrency_limit()
    if allowed is None:
        return netsuite.concurrency or CONCURRENCY
    left = max(1, allowed - netsuite.reserve_calls)
    return min(netsuite.concurrency or left, left)


async def _accounts(settings: ConnectionSettings, sides: Sides, facts: OrgFacts) -> AccountPolicy:
    policy = account_policy(
        settings,
        salesforce_schema=facts.account.fields,
        netsuite_schema=await sides.netsuite.describe(Entity.ACCOUNT),
    )
    missing = facts.missing_account_fields
    rows = tuple(row for row in policy.mapping.rows if row.salesforce not in missing)
    return replace(policy, mapping=replace(policy.mapping, rows=rows))


def _without(mapping: ContactMapping, missing: Collection[str]) -> ContactMapping:
    """The mapping without the fields that the integration user does not see: they would look as if they were empty,
    and an empty field is a value that travels."""
    return replace(mapping, rows=tuple(row for row in mapping.rows if row.salesforce not in missing))


def _options(settings: ConnectionSettings, facts: OrgFacts, *, lanes: int) -> Options:
    return Options(
        lanes=lanes,
        batch=settings.limits.batch_size,
        retry_base=settings.retry.base_seconds,
        retry_cap=settings.retry.cap_seconds,
        poll_seconds=settings.salesforce.poll_seconds,
        netsuite_poll_seconds=settings.netsuite.poll_seconds,
        stop_deletes_percent=settings.limits.stop_deletes_percent,
        stop_deletes_above=settings.limits.stop_deletes_above,
        stop_changes_percent=settings.limits.stop_changes_percent,
        stop_changes_above=settings.limits.stop_changes_above,
        reserve_percent=settings.limits.reserve_percent,
        debounce=Debounce(settings.limits.debounce_seconds, settings.limits.debounce_longest_seconds),
        retention=Retention(**settings.retention.model_dump()),
        sweep=SweepOptions(
            settings.sweep.hour if settings.sweep.nightly else None,
            settings.sweep.repair,
            settings.sweep.thorough_days,
        ),
        watch=watched(settings, facts),
        push_field=settings.salesforce.push_field if facts.push_on_contact or facts.push_on_account else None,
        status_fields=_status_fields(settings, facts.status_fields, Entity.CONTACT),
        account_status_fields=_status_fields(settings, facts.account_status_fields, Entity.ACCOUNT),
    )


def _status_fields(settings: ConnectionSettings, installed: Collection[str], entity: Entity) -> StatusFields:
    if settings.salesforce.status_fields == "off":
        return StatusFields()
    netsuite = settings.netsuite
    address = NetSuiteConfig(netsuite.account_id, netsuite.base_url).record_address(entity)
    names = (name if name in installed else None for name in SalesforceConfig().status_fields)
    status, message, last_sync, link = names
    return StatusFields(status, message, last_sync, link, address)


def salesforce_tokens(
    settings: ConnectionSettings,
    http: HttpTransport,
    clock: Clock | None = None,
    reread: Reread | None = None,
) -> TokenProvider:
    """The login to Salesforce that the settings describe."""
    grant = _LatestGrant(_latest(settings, reread, _grant))
    return TokenProvider(http, settings.salesforce.login_url, grant, (clock or SystemClock()).now)


def _latest(
    settings: ConnectionSettings, reread: Reread | None, make: Callable[[ConnectionSettings], T]
) -> Callable[[], T]:
    """What `make` makes of the settings as they stand when it is called. Settings that cannot be used at the moment, or
    that are about other systems by now, change nothing until the next start."""
    known: T | None = None

    def latest() -> T:
        nonlocal known
        try:
            found = reread() if reread is not None else settings
            known = make(found if _same_systems(found, settings) else settings)
        except (SettingsError, PermanentError, OSError, KeyError) as problem:
            if known is None:
                return make(settings)
            log.warning("keys-not-read-again", fault=type(problem).__name__)
        return known

    latest()  # what cannot be used at all is told before anything is called
    return latest


def _same_systems(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    org = one.salesforce.login_url == other.salesforce.login_url
    return org and one.netsuite.account_id == other.netsuite.account_id


@dataclass(frozen=True, slots=True)
class _LatestGrant:
    """`Grant` by the key that the settings name at each login."""

    latest: Callable[[], Grant]

    def form(self, now: float) -> Mapping[str, str]:
        return self.latest().form(now)


def _grant(settings: ConnectionSettings) -> Grant:
    salesforce = settings.salesforce
    if salesforce.auth == "client-credentials":
        return SalesforceClientCredentials(salesforce.client_id, _plain(salesforce.client_secret))
    key = read_private_key(salesforce.read_private_key() or "")
    return JwtBearer(salesforce.client_id, salesforce.username or "", key, salesforce.jwt_audience)


def _events(settings: ConnectionSettings, tokens: TokenProvider, clock: Clock) -> SalesforceEvents:
    salesforce = settings.salesforce
    trusted = salesforce.ca_file.read_bytes() if salesforce.ca_file else None
    options = EventOptions(salesforce.pubsub_endpoint, salesforce.pubsub_tls, trusted)
    return SalesforceEvents(tokens, options, clock.now)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def salesforce_config(settings: ConnectionSettings) -> SalesforceConfig:
    """What the settings say of the org's fields and objects."""
    salesforce, policy = settings.salesforce, contact_policy(settings)
    wanted = policy.mapping.salesforce_fields | {"FirstName", "LastName", "Email"}
    wanted |= {name for rule in policy.rules for name in rule.salesforce_fields}
    if policy.test_mode:
        wanted |= {policy.test_mode_field}
    accounts = account_policy(settings)
    return SalesforceConfig(
        contact_fields=tuple(sorted(wanted)),
        account_fields=tuple(sorted(accounts.salesforce_fields)),
        api_version=salesforce.api_version,
        id_field=salesforce.id_field,
        push_field=salesforce.push_field,
        role_sources=_role_sources(settings, policy),
        quotes=Trigger.QUOTE in accounts.triggers,
        relations=policy.attachments.relations,
        save_past_duplicate_alerts=salesforce.save_past_duplicate_alerts,
        bulk_from=salesforce.bulk_from,
    )


def _role_sources(settings: ConnectionSettings, policy: ContactPolicy) -> frozenset[Entity]:
    """The objects that give roles, none where no setting looks at roles: reading them costs time in each query."""
    ruled = any("roles" in rule.expression for rule in policy.rules)
    looked_at = policy.role_filter or policy.attachments.relations or ruled
    return role_entities(settings) if looked_at else frozenset()


def watched(settings: ConnectionSettings, facts: OrgFacts) -> tuple[Source, ...]:
    """Whose changes are taken in. NetSuite is watched in every direction: there may be news of a pair that is not in
    step, or lost its half. Customers are watched where their changes are carried to accounts."""
    accounts = account_policy(settings)
    wanted = {Entity.CONTACT, Entity.ACCOUNT} | _role_sources(settings, contact_policy(settings))
    if Trigger.CLOSED_WON in accounts.triggers:
        wanted.add(Entity.OPPORTUNITY)
    if Trigger.QUOTE in accounts.triggers and facts.quotes:
        wanted.add(Entity.QUOTE)
    customers = (NETSUITE_CUSTOMERS,) if accounts.reads_customers else ()
    return (*map(Source, sorted(wanted)), NETSUITE_CONTACTS, *customers)


def _netsuite_side(
    settings: ConnectionSettings,
    policy: ContactPolicy,
    http: HttpTransport,
    clock: Clock,
    permits: MakePermits,
    reread: Reread | None,
) -> NetSuiteSide:
    netsuite = settings.netsuite
    config = NetSuiteConfig(
        account_id=netsuite.account_id,
        base_url=netsuite.base_url,
        id_field=netsuite.id_field,
        link_field=netsuite.link_field,
        locked_field=netsuite.locked_field,
        contact_fields=tuple(sorted(policy.mapping.netsuite_fields)),
        customer_fields=tuple(sorted(account_policy(settings).mapping.netsuite_fields)),
        read_addresses=netsuite.read_addresses,
        read_deleted=netsuite.read_deleted,
        transport=netsuite.transport,
    )
    limit = permits(netsuite.account_id, netsuite.concurrency or CONCURRENCY)
    login = netsuite_authorizer(settings, http, config.url, clock, reread=reread)
    client = NetSuiteClient(http, login, limit, config.url)
    restlet = _restlet(settings, http, config, limit, clock, reread) if netsuite.transport != "rest" else None
    return NetSuiteSide(client, config, monotonic=clock.monotonic, restlet=restlet)


def _restlet(
    settings: ConnectionSettings,
    http: HttpTransport,
    config: NetSuiteConfig,
    permits: Permits,
    clock: Clock,
    reread: Reread | None,
) -> Restlet:
    """With a login of its own: a login that may not use RESTlets still serves REST."""
    netsuite = settings.netsuite
    login = netsuite_authorizer(settings, http, config.url, clock, ("restlets",), reread)
    script = RestletScript(
        netsuite.restlet_script,
        netsuite.restlet_deployment,
        netsuite.restlet_batch,
        netsuite.timeout_seconds,
    )
    return Restlet(NetSuiteClient(http, login, permits, config.restlet_url), script)


def _own_permits(_account: str, limit: int) -> Permits:
    return Permits(limit)


def netsuite_authorizer(
    settings: ConnectionSettings,
    http: HttpTransport,
    url: str,
    clock: Clock | None = None,
    scopes: tuple[str, ...] = ("rest_webservices",),
    reread: Reread | None = None,
) -> Authorizer:
    """The login to NetSuite that the settings describe."""
    clock = clock or SystemClock()
    netsuite = settings.netsuite
    if netsuite.auth == "tba":
        secrets = (
            netsuite.tba_consumer_key,
            netsuite.tba_consumer_secret,
            netsuite.tba_token_id,
            netsuite.tba_token_secret,
        )
        return TokenBasedLogin(TokenCredentials(netsuite.account_id, *map(_plain, secrets)))

    def credentials(found: ConnectionSettings) -> ClientCredentials:
        netsuite = found.netsuite
        key = netsuite.read_private_key() or ""
        return ClientCredentials(netsuite.client_id or "", netsuite.certificate_id or "", key, scopes)

    latest = _latest(settings, reread, credentials)
    return OAuth2Login(http, url, latest, wall=clock.now, monotonic=clock.monotonic)
