"""What a back-fill over any number of contacts costs: peak memory of the engine, processor time and seconds a contact.

The engine, its lanes and a store on disk are the real ones. The two systems are made up as they are asked, within this
process, so that a million contacts take no memory of their own; their share of the processor time is part of the
figures. One contact in a hundred is new and is created, the others are linked and in step, as in a back-fill that
somebody orders to be sure. `ARGS` are numbers of contacts:

    .venv/bin/python bench/bench_backfill_memory.py 1000 10000 100000
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import orjson

from crowd import VERSION_NETSUITE, VERSION_SALESFORCE, netsuite_id, number_of, salesforce_id
from figures import RECORD, Table, peak_mb, publish
from twinbook.domain.agreement import stored
from twinbook.domain.ids import contact_key
from twinbook.domain.mapping import COMPANY_ROW, default_mapping
from twinbook.domain.merge import Agreement
from twinbook.domain.plan import ContactView, Gate
from twinbook.domain.planner import plan_contact
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.ports import (
    Allowance,
    ContactQuery,
    Create,
    Guard,
    Listing,
    NetSuitePort,
    NetSuiteWrite,
    SalesforcePort,
    WriteResult,
    Written,
    unguarded,
)
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    LinkState,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceContact,
    Side,
    Value,
)
from twinbook.engine.clock import SystemClock
from twinbook.engine.connection import Connection
from twinbook.engine.running.supervisor import Supervisor
from twinbook.netsuite.permits import calling_at
from twinbook.store import links, runs
from twinbook.store.database import Database, Role, Store, Tx
from twinbook.store.runs import RunKind
from twinbook.store.schema import link

DEFAULT = (1_000, 10_000, 100_000)
GOAL_MB = 250
NEW_EVERY = 100
PAGE = 2_000
AT_ONCE = 10_000
ACCOUNT, CUSTOMER, SUBSIDIARY = "0015g0000000001AAA", "800", "1"
NOBODY = "P0000000000"
"""Stands in names and emails of the pattern that all contacts are made of."""
MAPPING = default_mapping()


@dataclass(frozen=True, slots=True)
class Filled:
    contacts: int
    created: int
    seconds: float
    cpu_seconds: float
    memory_before_mb: float
    peak_mb: float

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds * 1000 / self.contacts


class Pattern:
    """All contacts are alike, but for what stands in the place of `NOBODY`."""

    def __init__(self) -> None:
        known = {"FirstName": "Ada", "LastName": NOBODY, "Email": f"{NOBODY.lower()}@acme.example"}
        known |= {"Title": "Analyst", "Phone": "+1 555 0100", "MailingCity": "Springfield"}
        fields: Fields = dict.fromkeys(MAPPING.salesforce_fields) | known
        self.salesforce = SalesforceContact(
            salesforce_id(0), fields, VERSION_SALESFORCE, ACCOUNT, "Acme", CUSTOMER
        )
        gate = Gate(ACCOUNT, "Acme", CUSTOMER, SUBSIDIARY)
        plan = plan_contact(ContactView(gate, self.salesforce), ContactPolicy(MAPPING))
        self.netsuite = plan.netsuite_changes
        agreements = {COMPANY_ROW.key: Agreement(CUSTOMER, CUSTOMER)}
        for row in MAPPING.rows:
            value = row.compared(Side.SALESFORCE, fields.get(row.salesforce))
            agreements[row.key] = Agreement(value, value)
        self.agreed = dict(stored(agreements))

    def of(self, number: int, values: Fields) -> dict[str, Value]:
        name = f"P{number:010}"
        return {key: _named(value, name) for key, value in values.items()}


def _named(value: Value, name: str) -> Value:
    if not isinstance(value, str):
        return value
    return value.replace(NOBODY, name).replace(NOBODY.lower(), name.lower())


@dataclass(slots=True)
class Crowd:
    """Both systems. What Twinbook has created is remembered by number."""

    number: int
    pattern: Pattern
    created: set[int] = field(default_factory=set)

    def is_linked(self, number: int) -> bool:
        return number % NEW_EVERY != 0 or number in self.created

    def salesforce(self, number: int) -> SalesforceContact:
        made = self.pattern.salesforce
        stored_id = netsuite_id(number) if self.is_linked(number) else None
        fields = self.pattern.of(number, made.fields)
        return replace(made, id=salesforce_id(number), fields=fields, netsuite_id=stored_id)

    def netsuite(self, number: int) -> NetSuiteContact:
        fields, id_ = self.pattern.of(number, self.pattern.netsuite), salesforce_id(number)
        return NetSuiteContact(
            netsuite_id(number),
            fields,
            VERSION_NETSUITE,
            name=str(fields["entityId"]),
            email=str(fields["email"]),
            company_id=CUSTOMER,
            external_id=contact_key(id_),
            salesforce_id=id_,
        )


@dataclass(slots=True)
class MadeUpSalesforce:
    """What a back-fill asks of `SalesforcePort`."""

    crowd: Crowd
    usage: None = None

    async def allowances(self) -> Sequence[Allowance]:
        return ()

    async def count(self, _entity: Entity) -> int:
        return self.crowd.number

    async def list_keys(self, entity: Entity, after: str | None) -> Listing:
        start = 0 if after is None else number_of(after) + 1
        end = min(self.crowd.number, start + PAGE)
        keys = tuple(Key(entity, Side.SALESFORCE, salesforce_id(n)) for n in range(start, end))
        return Listing(keys, keys[-1].id if end < self.crowd.number else None)

    async def read_contacts(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        return {id_: self.crowd.salesforce(number_of(id_)) for id_ in ids}

    async def read_with_losers(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        return await self.read_contacts(ids)

    async def losers_of(self, _entity: Entity, _ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        return {}

    async def update_contacts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        self.crowd.created |= {number_of(id_) for id_ in changes}
        return {id_: Written(id_) for id_ in changes}


@dataclass(slots=True)
class MadeUpNetSuite:
    """What a back-fill asks of `NetSuitePort`."""

    crowd: Crowd
    written: set[int] = field(default_factory=set)
    notice: None = None

    async def find_contacts(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        first = int(netsuite_id(0))
        asked = {int(id_) - first for id_ in query.ids} | {number_of(id_) for id_ in query.salesforce_ids}
        asked |= {int(found[1]) for email in query.emails if (found := re.match(r"p(\d+)@", email))}
        there = (n for n in sorted(asked) if self.crowd.is_linked(n) or n in self.written)
        return [self.crowd.netsuite(n) for n in there]

    async def find_customers(self, **_asked: Sequence[str]) -> Sequence[NetSuiteCustomer]:
        return [NetSuiteCustomer(CUSTOMER, "Acme", salesforce_id=ACCOUNT, subsidiary_id=SUBSIDIARY)]

    async def write_contacts(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        guard()
        assert all(isinstance(write, Create) for write in writes.values()), "what is in step was written"
        self.written |= {number_of(id_) for id_ in writes}
        return {id_: Written(netsuite_id(number_of(id_))) for id_ in writes}


def main() -> None:
    """Each back-fill runs in a process of its own, so that the peak of its memory is its own."""
    if sys.argv[1:2] == ["one"]:
        print(orjson.dumps(asdict(asyncio.run(_backfill(int(sys.argv[2]))))).decode())
        return
    found = [_apart(number) for number in [int(text) for text in sys.argv[1:] if text != RECORD] or DEFAULT]
    rows = [
        (
            f"{each.contacts:,}",
            f"{each.created:,}",
            f"{each.seconds:,.1f}",
            f"{each.cpu_ms:.2f}",
            f"{each.memory_before_mb:.0f}",
            f"{each.peak_mb:.0f}",
            f"{GOAL_MB}",
        )
        for each in found
    ]
    columns = ("contacts", "created", "s", "CPU ms a contact", "MB before", "MB peak", "goal")
    table = Table("Memory of a back-fill", columns, tuple(rows))
    publish("backfill_memory", [table], [asdict(each) for each in found])


def _apart(number: int) -> Filled:
    print(f"{number:,} contacts …", file=sys.stderr)
    command = [sys.executable, __file__, "one", str(number)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Filled(**orjson.loads(done.stdout))


async def _backfill(number: int) -> Filled:
    with tempfile.TemporaryDirectory(prefix="twinbook-bench-") as directory:
        database = Database.open_file(Path(directory) / "twinbook.db", Role.OWNER)
        try:
            return await _carry_out(Store(database, "default"), number)
        finally:
            database.close()


async def _carry_out(store: Store, number: int) -> Filled:
    crowd = Crowd(number, Pattern())
    for start in range(0, number, AT_ONCE):
        part = range(start, min(number, start + AT_ONCE))
        store.run_now(lambda tx, part=part: _link(tx, crowd, part))
    connection = Connection(
        salesforce=cast("SalesforcePort", MadeUpSalesforce(crowd)),
        netsuite=cast("NetSuitePort", MadeUpNetSuite(crowd)),
        store=store,
        contacts=ContactPolicy(MAPPING),
        accounts=AccountPolicy(),
        clock=SystemClock(),
        urgency=calling_at,
    )
    await store.run(lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="bench", now=time.time()))
    before, began, cpu = peak_mb(), time.perf_counter(), time.process_time()
    await Supervisor(connection).run(_done(store, number), watch=())
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    linked = await store.read(lambda tx: links.count(tx, Entity.CONTACT))
    new = len(range(0, number, NEW_EVERY))
    assert (linked, len(crowd.created)) == (number, new), f"{linked} linked, {len(crowd.created)} created"
    return Filled(number, new, seconds, cpu, before, peak_mb())


async def _done(store: Store, number: int) -> None:
    began, tenth = time.perf_counter(), 0
    while unfinished := await store.read(runs.unfinished):
        if unfinished[0].listed * 10 // number > tenth:
            tenth = unfinished[0].listed * 10 // number
            took = time.perf_counter() - began
            print(f"  {unfinished[0].listed:,} listed, {took:.0f} s, {peak_mb():.0f} MB", file=sys.stderr)
        await asyncio.sleep(0.5)


def _link(tx: Tx, crowd: Crowd, numbers: range) -> None:
    """Pairs in step, each with the memory of a whole map."""
    rows: list[dict[str, Any]] = [
        {
            "scope": tx.scope,
            "entity": Entity.CONTACT,
            "salesforce_id": salesforce_id(n),
            "netsuite_id": netsuite_id(n),
            "state": LinkState.LINKED,
            "correlation_id": contact_key(salesforce_id(n)),
            "agreed": crowd.pattern.of(n, crowd.pattern.agreed),
            "salesforce_version": VERSION_SALESFORCE,
            "netsuite_version": VERSION_NETSUITE,
            "created_at": 0.0,
            "updated_at": 0.0,
        }
        for n in numbers
        if crowd.is_linked(n)
    ]
    tx.execute(link.insert(), rows)


if __name__ == "__main__":
    main()
