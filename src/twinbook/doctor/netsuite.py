"""Examining the account: login, permissions, fields, clock, and how many calls it allows at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from twinbook.composition import Sides
from twinbook.doctor.checks import Check, Page, Verdict, asked
from twinbook.domain.policy import Accounts
from twinbook.netsuite.discovery import AccountFacts
from twinbook.netsuite.restlet import RELEASE
from twinbook.settings import ConnectionSettings

# Beyond this many seconds signed logins start to be refused (salesforce.md 1.3, netsuite.md 1.2).
CLOCK_TOLERANCE = 60.0


async def examine_netsuite(settings: ConnectionSettings, sides: Sides) -> AsyncIterator[Check]:
    facts, check = await asked(Page.NETSUITE_LOGIN, "netsuite.login", "NetSuite", sides.netsuite.discover)
    if facts is None:
        yield check
        return
    for probe in facts.probes:
        verdict = Verdict.OK if probe.ok else Verdict.BROKEN
        page = Page.NETSUITE_LOGIN if probe.name == "login" else Page.NETSUITE_PACKAGE
        code = f"netsuite.{probe.name.replace(' ', '-')}"
        yield Check(page, code, f"NetSuite {probe.name}", verdict, probe.detail, probe.remedy)
    for check in _netsuite_facts(settings, facts):
        yield check
    if settings.netsuite.transport != "rest" and facts.ok:
        yield await _restlet(settings, sides)


async def _restlet(settings: ConnectionSettings, sides: Sides) -> Check:
    """Whether the package's script answers this login. Where it may be missing, that is advice."""
    release, check = await asked(
        Page.NETSUITE_PACKAGE, "netsuite.restlet", "NetSuite RESTlet", sides.netsuite.restlet_release
    )
    if release is not None:
        return _released(check, release)
    if settings.netsuite.transport == "restlet":
        return check
    detail = f"contacts are written one by one over REST ({check.detail})"
    remedy = 'Deploy packages/netsuite and tick the scope RESTlets, or set transport = "rest".'
    return replace(check, verdict=Verdict.ADVICE, detail=detail, remedy=remedy)


def _released(check: Check, release: str) -> Check:
    detail = f"release {release}: contacts are written in batches"
    if _numbers(release) >= _numbers(RELEASE):
        return replace(check, detail=detail)
    remedy = "Deploy it, in packages/netsuite of this Twinbook: suitecloud project:deploy."
    older = f"{detail}; this Twinbook carries release {RELEASE}"
    return replace(check, verdict=Verdict.ADVICE, detail=older, remedy=remedy)


def _numbers(release: str) -> tuple[int, ...]:
    """A release as what it is ordered by; one that is none comes before all others."""
    parts = release.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


def _netsuite_facts(settings: ConnectionSettings, facts: AccountFacts) -> list[Check]:
    checks = []
    if facts.clock_offset_s is not None:
        late = abs(facts.clock_offset_s) > CLOCK_TOLERANCE
        checks.append(
            Check(
                Page.MACHINE,
                "machine.clock",
                "Clock",
                Verdict.BROKEN if late else Verdict.OK,
                f"{facts.clock_offset_s:+.0f} s against NetSuite",
                "Set this machine's clock (NTP): signed logins are refused when it is off." if late else "",
            )
        )
    limit = facts.concurrency_limit
    if limit is not None:
        used = settings.netsuite.concurrency or max(1, limit - settings.netsuite.reserve_calls)
        checks.append(
            Check(
                Page.NETSUITE_LOGIN,
                "netsuite.concurrency",
                "NetSuite concurrency",
                Verdict.OK if used < limit else Verdict.ADVICE,
                f"{used} calls at once of {limit} that the account allows",
                "Leave some to other integrations: raise netsuite.reserve_calls." if used >= limit else "",
            )
        )
    if facts.oneworld and settings.accounts.mode is Accounts.SYNC and settings.accounts.subsidiary_id is None:
        checks.append(
            Check(
                Page.NETSUITE_PACKAGE,
                "netsuite.subsidiary",
                "NetSuite subsidiary",
                Verdict.ADVICE,
                "the account is OneWorld and accounts.subsidiary_id is not set: new customers will be refused",
                "Set accounts.subsidiary_id to the subsidiary that new customers belong to.",
            )
        )
    return checks
