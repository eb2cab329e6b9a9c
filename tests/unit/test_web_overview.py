"""The numbers of the Overview: rates, percentiles and what needs a person, worked out from what is stored."""

from __future__ import annotations

import pytest
from tests.dashboard.store import NOW, fill

from twinbook.domain.ports import Allowance
from twinbook.domain.records import Entity
from twinbook.store import conditions, journal, processes
from twinbook.store.database import Database, Tx
from twinbook.store.journal import Entry
from twinbook.store.processes import GONE_SECONDS, Process
from twinbook.web import charts
from twinbook.web.queries import contacts
from twinbook.web.queries.overview import HOUR, Overview, Reserves, overview


def seen(database: Database, now: float = NOW) -> Overview:
    def read(tx: Tx) -> Overview:
        return overview(tx, contacts.counts(tx), Reserves(20, 1), now=now)

    return database.read_now("default", read)


def wrote(database: Database, at: float, *, what: str = "updated", ms: float | None = None) -> None:
    entry = Entry(what, Entity.CONTACT, "003", "7", "why", duration_ms=ms)
    database.run_now("default", lambda tx: journal.append(tx, [entry], now=at))


def test_an_installation_that_did_nothing_has_no_latency_and_no_needs() -> None:
    found = seen(Database.open_memory())
    assert (found.latency, found.needs, found.per_minute, found.linked) == (None, (), 0.0, 0)
    assert len(found.hours) == 24


def test_percentiles_are_those_of_writes_somebody_waited_for() -> None:
    database = Database.open_memory()
    for number in range(1, 101):
        wrote(database, NOW - number, ms=number * 100)
    wrote(database, NOW - 5)
    latency = seen(database).latency
    assert latency is not None
    assert (latency.number, latency.p50, latency.p95, latency.p99) == (100, 5.0, 9.5, 9.9)


def test_the_rate_is_of_the_last_five_minutes() -> None:
    database = Database.open_memory()
    for at in (NOW - 1, NOW - 299, NOW - 301):
        wrote(database, at)
    assert seen(database).per_minute == pytest.approx(2 / 5)


def test_each_write_counts_in_its_hour() -> None:
    database = Database.open_memory()
    now = 1000 * HOUR + 1800
    wrote(database, 1000 * HOUR, what="created")
    wrote(database, 1000 * HOUR - 1)
    wrote(database, 1000 * HOUR - 23 * HOUR - 1)
    hours = seen(database, now).hours
    assert (hours[-1].written, hours[-2].written) == ({"created": 1}, {"updated": 1})
    assert sum(hour.total for hour in hours) == 2


def test_needs_are_what_waits_for_a_person_failures_first() -> None:
    database = Database.open_memory()
    fill(database, 500)
    needs = seen(database).needs
    kinds = [need.kind.value for need in needs]
    assert kinds == sorted(kinds), "failed before review"
    assert {"failed", "review"} == set(kinds)


def test_bars_stand_on_the_ground_and_stay_inside() -> None:
    bars = charts.stacked([{"a": 3, "b": 4}, {}, {"b": 1}], ("a",))
    assert bars.top == 10
    for column in bars.columns:
        bottom = bars.height
        for block in column:
            assert block.y + block.height == pytest.approx(bottom, abs=0.2)
            assert block.y >= 0
            bottom = block.y


@pytest.mark.parametrize(("number", "top"), [(0, 1), (1, 1), (3, 5), (10, 10), (11, 20), (501, 1000)])
def test_upper_edges_read_well(number: int, top: int) -> None:
    assert charts.nice(number) == top


def test_budgets_of_both_systems_with_what_is_kept_for_others() -> None:
    database = Database.open_memory()
    told = [Allowance("DailyApiRequests", 81_000, 100_000), Allowance("DailyBulkV2QueryJobs", 1, 10_000)]

    def work(tx: Tx) -> None:
        conditions.allow(tx, told, now=NOW - 60)
        for name, calls in (("a:1", 2), ("b:2", 3)):
            processes.sign(tx, Process(name, 7, NOW - 90, calls, 4), now=NOW - 5)
        processes.sign(tx, Process("gone:3", 6, NOW - 90, 4, 4), now=NOW - GONE_SECONDS - 1)

    database.run_now("default", work)
    found = seen(database)
    budgets = {item.what: (item.used, item.limit, item.reserve, item.tone) for item in found.budgets}
    assert budgets == {
        "Salesforce: API requests in 24 hours": (81_000, 100_000, 20_000, "warm"),
        "Salesforce: bulk queries in 24 hours": (1, 10_000, None, "good"),
        "NetSuite: calls at once, lately": (4, 4, 1, "good"),
    }
    assert processes.told(found.processes) == "settings: version 7 in 2 processes"
