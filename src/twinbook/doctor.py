"""Examining a connection before and while it runs: what works, what does not, and what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from twinbook.composition import Sides, open_sides
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.policy import Accounts
from twinbook.domain.ports import EventsUnavailable
from twinbook.domain.records import Entity
from twinbook.engine.running.ingest import SUBSCRIBED
from twinbook.netsuite.discovery import AccountFacts
from twinbook.salesforce.schema import OrgFacts
from twinbook.settings import ConnectionSettings
from twinbook.store.sqlite import WAL_RESET_FIXED

T = TypeVar("T")

# Beyond this many seconds signed logins start to be refused (salesforce.md 1.3, netsuite.md 1.2).
CLOCK_TOLERANCE = 60.0


class Verdict(StrEnum):
    """`advice`: it works, but there is something a person should know."""

    OK = "ok"
    ADVICE = "advice"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing examined. `remedy` says what to do, and where to click, when it is not `ok`."""

    name: str
    verdict: Verdict
    detail: str = ""
    remedy: str = ""


async def examine(settings: ConnectionSettings) -> AsyncIterator[Check]:
    """All checks of a connection, each as soon as it is done. Writes nothing to either system."""
    yield _sqlite()
    async with open_sides(settings) as sides:
        for part in (_salesforce, _netsuite):
            async for check in part(settings, sides):
                yield check


def _sqlite() -> Check:
    detail = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info >= WAL_RESET_FIXED:
        return Check("store", Verdict.OK, detail)
    return Check(
        "store",
        Verdict.ADVICE,
        f"{detail} has a rare fault when two processes tidy up the same file at once",
        "Twinbook lets one process only do so and is safe; do not open the file with other programs while it runs.",
    )


async def _salesforce(settings: ConnectionSettings, sides: Sides) -> AsyncIterator[Check]:
    facts, login = await _asked("Salesforce login and fields", sides.salesforce.discover)
    yield login
    if facts is None:
        return
    for check in _salesforce_fields(settings, facts):
        yield check
    yield await _api_budget(sides)
    if settings.salesforce.change_events == "auto":
        for entity in SUBSCRIBED:
            yield await _change_events(sides, entity)


def _salesforce_fields(settings: ConnectionSettings, facts: OrgFacts) -> list[Check]:
    checks = []
    missing = facts.missing_contact_fields
    if missing:
        checks.append(
            Check(
                "Salesforce mapped fields",
                Verdict.ADVICE,
                f"the integration user does not see {', '.join(missing)} on Contact; these rows are left out",
                "Grant the fields in the permission set, or take the rows out of the mapping.",
            )
        )
    if not facts.push_on_account:
        checks.append(
            Check(
                "Salesforce push checkbox",
                Verdict.ADVICE,
                f"{settings.salesforce.push_field} is not on Account: accounts cannot be pushed from Salesforce",
                "Add the checkbox to Account and Contact, or push with `twinbook push`.",
            )
        )
    status = ", ".join(sorted(facts.status_fields)) or "none installed: the status is shown by Twinbook only"
    checks.append(Check("Salesforce status fields", Verdict.OK, status))
    return checks


async def _api_budget(sides: Sides) -> Check:
    limits, check = await _asked("Salesforce API budget", sides.salesforce.rest.limits)
    daily = (limits or {}).get("DailyApiRequests")
    if not daily:
        return check
    left, most = daily["Remaining"], daily["Max"]
    verdict = Verdict.OK if left > most / 10 else Verdict.ADVICE
    return Check(check.name, verdict, f"{left:,} of {most:,} calls left today", "Less than a tenth is left.")


async def _change_events(sides: Sides, entity: Entity) -> Check:
    name = f"Change events for {entity.value.replace('_', ' ')}"
    try:
        await sides.events.check(entity)
    except EventsUnavailable as why:
        return Check(
            name,
            Verdict.ADVICE,
            f"not available ({why}); it is polled instead",
            "Setup > Change Data Capture: select the object; grant View All Records on it to the integration user.",
        )
    except SideError as error:
        return _broken(name, error)
    return Check(name, Verdict.OK, "in real time")


async def _netsuite(settings: ConnectionSettings, sides: Sides) -> AsyncIterator[Check]:
    facts, asked = await _asked("NetSuite", sides.netsuite.discover)
    if facts is None:
        yield asked
        return
    for probe in facts.probes:
        verdict = Verdict.OK if probe.ok else Verdict.BROKEN
        yield Check(f"NetSuite {probe.name}", verdict, probe.detail, probe.remedy)
    for check in _netsuite_facts(settings, facts):
        yield check


def _netsuite_facts(settings: ConnectionSettings, facts: AccountFacts) -> list[Check]:
    checks = []
    if facts.clock_offset_s is not None:
        late = abs(facts.clock_offset_s) > CLOCK_TOLERANCE
        checks.append(
            Check(
                "Clock",
                Verdict.BROKEN if late else Verdict.OK,
                f"{facts.clock_offset_s:+.0f} s against NetSuite",
                "Set this machine's clock (NTP): signed logins are refused when it is off." if late else "",
            )
        )
    limit, used = facts.concurrency_limit, settings.netsuite.concurrency
    if limit is not None:
        checks.append(
            Check(
                "NetSuite concurrency",
                Verdict.OK if used < limit else Verdict.ADVICE,
                f"{used} calls at once of {limit} that the account allows",
                "Leave some to other integrations: lower netsuite.concurrency." if used >= limit else "",
            )
        )
    if facts.oneworld and settings.accounts.mode is Accounts.SYNC and settings.accounts.subsidiary_id is None:
        checks.append(
            Check(
                "NetSuite subsidiary",
                Verdict.ADVICE,
                "the account is OneWorld and accounts.subsidiary_id is not set: new customers will be refused",
                "Set accounts.subsidiary_id to the subsidiary that new customers belong to.",
            )
        )
    return checks


async def _asked(name: str, ask: Callable[[], Awaitable[T]]) -> tuple[T | None, Check]:
    try:
        return await ask(), Check(name, Verdict.OK)
    except SideError as error:
        return None, _broken(name, error)


def _broken(name: str, error: SideError) -> Check:
    remedy = error.remedy if isinstance(error, PermanentError) else "It may pass: try again."
    return Check(name, Verdict.BROKEN, f"{error.code}: {error.message}", remedy)
