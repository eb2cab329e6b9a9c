"""Looking at what a back-fill would do, and deciding about single contacts beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from twinbook.engine.care.deciding import Choice, Deciding, Flaw
from twinbook.engine.connection import Connection
from twinbook.spreadsheets.matching import UnreadableFileError, choices_in
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.web.access.principal import Principal
from twinbook.web.asking import reach
from twinbook.web.dashboard import Dashboard
from twinbook.web.matching.previews import MatchPreview
from twinbook.web.problems import Fault, Problem

# Decisions that are taken at once; each 200 of them take some calls, so that all are checked within the time.
MOST_DECISIONS = 5_000
CHECK_SECONDS = 100.0


async def look(dashboard: Dashboard, who: Principal, connection: str) -> MatchPreview:
    """Begin a preview, in place of the one before."""
    now = dashboard.now()
    act = Act(who.login, "matching.previewed", connection=connection)
    await dashboard.write(lambda tx: audit.note(tx, act, now=now), connection)
    return dashboard.previews.look(connection, now=now)


async def decide(
    dashboard: Dashboard, who: Principal, connection: str, choices: Sequence[Choice]
) -> list[Flaw]:
    """Store all of them, or none where one is wrong: what is wrong with them. Raises `Problem`."""
    if not choices:
        said = Fault("decision", "Choose for at least one contact.")
        raise Problem(422, "Nothing was decided", faults=[said])
    if len(choices) > MOST_DECISIONS:
        said = Fault("decision", f"At most {MOST_DECISIONS} decisions at once: take them in several parts.")
        raise Problem(422, "Too many decisions", faults=[said])

    async def check_and_store(live: Connection) -> list[Flaw]:
        deciding = Deciding(live)
        flaws = await deciding.flaws(choices)
        if not flaws:
            await deciding.store(choices, by=who.login)
        return flaws

    flaws = await reach(dashboard, connection, check_and_store, seconds=CHECK_SECONDS)
    if not flaws:
        now, detail = dashboard.now(), {"contacts": len(choices)}
        act = Act(who.login, "matching.decided", connection=connection, detail=detail)
        await dashboard.write(lambda tx: audit.note(tx, act, now=now), connection)
        dashboard.ring(connection)
        if known := dashboard.previews.of(connection):
            known.decided(choices)
    return flaws


async def read_file(content: bytes) -> tuple[list[Choice], list[Flaw]]:
    """The decisions in a matching report that somebody has filled in. Raises `Problem` where it is none."""
    try:
        return await asyncio.to_thread(choices_in, content, "The file")
    except UnreadableFileError as problem:
        raise Problem(422, "Nothing was stored", faults=[Fault("file", f"{problem}.")]) from None
