"""The simulation notices when something is broken on purpose: each check can fail.

Each of these takes a safeguard out of the engine and lets seeds run until one of them tells what is missing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.simulation.circumstances import WATCHED
from tests.simulation.invariants import Scene, problems
from tests.simulation.plant import Plant
from tests.simulation.simulate import keep_log_lines, simulate
from tests.simulation.virtual_time import run_in_virtual_time
from tests.simulation.wire import SECRET

from twinbook.domain.mapping import default_mapping
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.records import Entity
from twinbook.engine import report
from twinbook.engine.care import controls
from twinbook.engine.connection import Options
from twinbook.engine.lease import Lease
from twinbook.engine.running import ingest
from twinbook.netsuite.permits import Permits
from twinbook.store import dirty_keys, journal, links
from twinbook.store.links import Reservation

Break = Callable[[pytest.MonkeyPatch], None]
Befalls = Callable[[Plant, str], Awaitable[None]]
SEEDS = 120


def no_intent(patch: pytest.MonkeyPatch) -> None:
    """Contacts are created without an intent: whoever shares a mailbox, or is seen from both ends, meets himself."""
    patch.setattr(links, "reserve", lambda *_args, **_named: Reservation.HELD)


def no_memory_of_marks(patch: pytest.MonkeyPatch) -> None:
    """A key that is marked while it is worked on is taken off the queue all the same."""

    def settle(tx: Any, done: Any, *, token: str, now: float) -> list[Any]:
        for item in done:
            tx.execute(
                dirty_keys._by_key(dirty_keys.sa.delete(dirty_keys.dirty)),
                dirty_keys._parameters(tx, item.key),
            )
        return []

    patch.setattr(dirty_keys, "settle", settle)


def no_list_after_a_gap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ingest.Ingest, "_relist", lambda *_args: None)


def no_word_in_the_journal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "append", lambda *_args, **_named: None)


def no_release_on_resume(patch: pytest.MonkeyPatch) -> None:
    """Going on after a pause looks at nothing that waited."""

    def resume(tx: Any, *, by: str, now: float) -> int:
        controls.flows.set_paused(tx, False, by=by, now=now)
        return 0

    patch.setattr(controls, "resume", resume)


def no_limit_of_calls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Permits, "_grant", lambda self: self._grant_all())

    def grant_all(self: Permits) -> None:
        while self._queue:
            self._in_use += 1
            self._queue.pop()[2].set_result(None)

    patch.setattr(Permits, "_grant_all", grant_all, raising=False)


def no_lease(patch: pytest.MonkeyPatch) -> None:
    """Whoever wakes up late writes and remembers as if nothing had happened."""
    patch.setattr(Lease, "check", lambda _self: None)
    patch.setattr(Lease, "check_in", lambda _self, _tx: None)


def errors_are_logged_with_their_words(patch: pytest.MonkeyPatch) -> None:
    honest = ingest.log

    def warning(event: str, **named: Any) -> None:
        honest.warning(event, **named, message=f"Not now ({SECRET}).")

    patch.setattr(ingest, "log", SimpleNamespace(warning=warning))


def a_pair_has_two_outcomes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(report, "_half", lambda _outcome: None)


@pytest.mark.parametrize(
    ("broken", "invariant"),
    [
        (no_intent, ("0", "1")),
        (no_memory_of_marks, ("4", "2", "7")),
        (no_word_in_the_journal, ("5", "2")),
        (no_release_on_resume, ("8",)),
        (no_limit_of_calls, ("9",)),
        (errors_are_logged_with_their_words, ("10",)),
        (a_pair_has_two_outcomes, ("3",)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_simulation_notices(
    broken: Break, invariant: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    for seed in range(SEEDS):
        found = [problem.partition(" ")[0] for problem in simulate(seed).problems]
        if any(number in invariant for number in found):
            return
    raise AssertionError(f"{SEEDS} seeds found nothing")


async def a_gap(plant: Plant, contact: str) -> None:
    """An event is lost, and it is told that some are missing."""
    plant.salesforce.events.lose(1)
    plant.salesforce.user_edits(contact, {"Title": "Countess"})
    plant.salesforce.events.gap(Entity.CONTACT)
    await plant.rest()


async def a_late_writer(plant: Plant, contact: str) -> None:
    """A process has read an edit when it freezes. Another one takes over and carries that edit and the next one; then
    the first one wakes up."""
    lines, late = plant.trace.lines, plant.life
    seen = len(lines)
    plant.salesforce.user_edits(contact, {"Title": "Countess"})
    while not any("salesforce <- read_contacts" in line for line in lines[seen:]):
        await asyncio.sleep(0.01)
    late.freeze()
    await asyncio.sleep(plant.options.lease_seconds + 1.0)
    late.died.set()
    await plant.watched()
    await plant.rest()
    plant.salesforce.user_edits(contact, {"Title": "Mathematician"})
    await plant.rest()
    late.thaw()
    await plant.rest()


@pytest.mark.parametrize(
    ("befalls", "broken", "invariant"),
    [(a_gap, no_list_after_a_gap, "4"), (a_late_writer, no_lease, "6")],
    ids=["a gap", "a late writer"],
)
def test_what_befalls_one_contact_is_made_good_and_noticed_where_it_is_not(
    befalls: Befalls, broken: Break, invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _problems(befalls) == []
    broken(monkeypatch)
    assert {problem.partition(" ")[0] for problem in _problems(befalls)} >= {invariant}


def _problems(befalls: Befalls) -> list[str]:
    async def play() -> list[str]:
        options = Options(lanes=1, lease_seconds=20.0, watch=WATCHED, netsuite_poll_seconds=5.0)
        policies = ContactPolicy(default_mapping()), AccountPolicy(subsidiary_id="1")
        plant = Plant(random.Random(1), *policies, options)
        lines: list[str] = []
        keep_log_lines(lines, plant.trace)
        running = asyncio.create_task(plant.keep_running())
        customer = plant.netsuite.user_creates_customer("Acme", subsidiary="1")
        account = plant.salesforce.user_creates_account("Acme", NetSuite_Id__c=customer)
        contact = plant.salesforce.user_creates_contact(
            LastName="Lovelace", Email="ada@acme.example", AccountId=account, Title="Analyst"
        )
        try:
            await plant.watched()
            await plant.list_all()
            await befalls(plant, contact)
            return problems(Scene.of(plant, lines))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return run_in_virtual_time(play())
