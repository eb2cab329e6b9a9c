"""What a seed decides before a simulation begins: the settings of the connection and the size of the world."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from tests.memory.netsuite import MemoryNetSuite
from tests.memory.reformatting import Reformatting
from tests.memory.salesforce import MemorySalesforce
from tests.simulation.people import ROLES
from tests.simulation.wire import Weather

from twinbook.domain.mapping import ConflictPolicy, ContactMapping, Overflow, default_mapping
from twinbook.domain.plan import Trigger
from twinbook.domain.policy import (
    AccountPolicy,
    Accounts,
    ContactPolicy,
    CounterpartMissing,
    DeletedInNetSuite,
    DeletedInSalesforce,
    Direction,
    MatchScope,
    MergedAway,
    NameClash,
    OtherCompany,
    SharedEmail,
    WithoutAccount,
)
from twinbook.domain.ports import Schema
from twinbook.domain.records import Entity
from twinbook.domain.rules import Rule
from twinbook.engine.connection import NETSUITE_CONTACTS, NETSUITE_CUSTOMERS, Options, Source, StatusFields
from twinbook.salesforce.config import SalesforceConfig

T = TypeVar("T")

WATCHED = (
    *map(Source, (Entity.CONTACT, Entity.ACCOUNT, Entity.OPPORTUNITY, Entity.OPPORTUNITY_CONTACT_ROLE)),
    NETSUITE_CONTACTS,
    NETSUITE_CUSTOMERS,
)
STATUS = StatusFields("NetSuite_Sync_Status__c", "NetSuite_Sync_Message__c", "NetSuite_Last_Sync__c")
RULE = Rule(
    "no countesses", "!has(contact.Title) || contact.Title == null || !contact.Title.contains('Countess')"
)
CONFLICTS = tuple(ConflictPolicy)
CALM = Weather()
STORMS = (
    Weather(refused=0.3),
    Weather(lost=0.3),
    Weather(refused=0.1, lost=0.2, locked=0.2, slowest=2.0),
    Weather(login=0.5),
    Weather(refused=0.9, slowest=0.1),
    Weather(slowest=8.0),
    Weather(lost=0.1, slowest=1.0, store=3.0),
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`calm` is how often a spell of weather is none; `moves` are those of people, over `span` virtual seconds."""

    contacts: ContactPolicy
    accounts: AccountPolicy
    options: Options
    reformats: bool
    batched: bool
    name_uniqueness: str
    step_s: float
    size: tuple[int, int]
    moves: int
    span: float
    calm: float
    mishaps: int
    sweeps_twice: bool


def drawn(seed: int) -> Circumstances:
    dice = random.Random(f"circumstances of {seed}")
    direction = dice.choice((*Direction, Direction.BOTH))
    span = dice.choice((20.0, 60.0, 120.0))
    return Circumstances(
        contacts=_contact_policy(dice, direction),
        accounts=_account_policy(dice),
        options=_options(dice),
        reformats=dice.random() < 0.5,
        batched=dice.random() < 0.5,
        name_uniqueness=_mostly(dice, "company", ("global", "off")),
        step_s=dice.choice((1.0, 1.0, 0.0)),
        size=(dice.randint(1, 4), dice.choice((0, 1, 2, 4, 8))),
        moves=dice.choice((1, 4, 10, 25)),
        span=span,
        calm=dice.choice((0.2, 0.5, 1.0)),
        mishaps=dice.choice((0, 1, 3, 6)),
        sweeps_twice=dice.random() < 0.3,
    )


def salesforce_of(circumstances: Circumstances) -> MemorySalesforce:
    mapping = circumstances.contacts.mapping
    names = tuple(sorted(mapping.salesforce_fields | {"Description"}))
    return MemorySalesforce(SalesforceConfig(contact_fields=names), page_size=5, step_s=circumstances.step_s)


def netsuite_of(circumstances: Circumstances) -> MemoryNetSuite:
    kind = Reformatting if circumstances.reformats else MemoryNetSuite
    return kind(names_unique=circumstances.name_uniqueness, page_size=5, step_s=circumstances.step_s)


def _contact_policy(dice: random.Random, direction: Direction) -> ContactPolicy:
    salesforce_schema, netsuite_schema = _schemas()
    return ContactPolicy(
        _mapping(dice.choice(("plain", "truncating", "mixed"))),
        direction=direction,
        create=dice.random() < 0.95,
        update=dice.random() < 0.95,
        contacts_without_account=_mostly(dice, WithoutAccount.SKIP, tuple(WithoutAccount)),
        role_filter=frozenset(ROLES[:1]) if dice.random() < 0.08 else frozenset(),
        rules=(RULE,) if dice.random() < 0.1 else (),
        match_scope=_mostly(dice, MatchScope.ANYWHERE, tuple(MatchScope)),
        other_company=_mostly(dice, OtherCompany.ADOPT, tuple(OtherCompany)),
        shared_email=dice.choice(tuple(SharedEmail)),
        name_clash=_mostly(dice, NameClash.SUFFIX, tuple(NameClash)),
        counterpart_missing=dice.choice(tuple(CounterpartMissing)),
        deleted_in_salesforce=dice.choice(tuple(DeletedInSalesforce)),
        deleted_in_netsuite=dice.choice(tuple(DeletedInNetSuite)),
        merged_away=dice.choice(tuple(MergedAway)),
        salesforce_schema=salesforce_schema,
        netsuite_schema=netsuite_schema,
    )


def _account_policy(dice: random.Random) -> AccountPolicy:
    triggers = {Trigger.CLOSED_WON, Trigger.ALL} if dice.random() < 0.3 else {Trigger.CLOSED_WON}
    return AccountPolicy(
        accounts=_mostly(dice, Accounts.SYNC, tuple(Accounts)),
        triggers=frozenset(triggers),
        subsidiary_id="1",
        direction=dice.choice((Direction.SALESFORCE_TO_NETSUITE, Direction.BOTH)),
    )


def _options(dice: random.Random) -> Options:
    return Options(
        lanes=dice.choice((1, 1, 2, 3)),
        batch=dice.choice((2, 10, 200)),
        lease_seconds=dice.choice((20.0, 60.0)),
        retry_cap=dice.choice((20.0, 60.0)),
        poll_seconds=10.0,
        netsuite_poll_seconds=dice.choice((10.0, 30.0)),
        idle_seconds=dice.choice((10.0, 30.0)),
        stop_deletes_above=dice.choice((1, 20, 20)),
        stop_deletes_percent=5.0,
        status_fields=STATUS if dice.random() < 0.5 else StatusFields(),
        watch=WATCHED,
    )


@cache
def _mapping(kind: str) -> ContactMapping:
    rows = default_mapping().rows
    if kind == "truncating":
        rows = tuple(replace(row, on_overflow=Overflow.TRUNCATE) for row in rows)
    if kind == "mixed":
        rows = tuple(
            replace(row, on_overflow=Overflow.TRUNCATE, conflict=CONFLICTS[number % len(CONFLICTS)])
            for number, row in enumerate(rows)
        )
    return ContactMapping(rows)


@cache
def _schemas() -> tuple[Schema, Schema]:
    return MemorySalesforce()._schema(Entity.CONTACT), MemoryNetSuite()._schema(Entity.CONTACT)


def _mostly(dice: random.Random, usual: T, others: tuple[T, ...]) -> T:
    return usual if dice.random() < 0.7 else dice.choice(others)
