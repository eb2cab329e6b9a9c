"""Correcting one field of many records with errors: looking at what it would come to, and having it done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.engine.care.editing import Edit, Editing, Foreseen
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.web.access.principal import Principal
from twinbook.web.asking import APART, must
from twinbook.web.correcting import MOST, Correction, How, Retyping, Wanted
from twinbook.web.dashboard import Dashboard
from twinbook.web.findings import Stage
from twinbook.web.problems import Fault, NotFound, Problem
from twinbook.web.queries import errors
from twinbook.web.queries.errors import ErrorLine

LONGEST_CUT = 4000


@dataclass(frozen=True, slots=True)
class Line:
    """One record with an error, and what the correction would do to it."""

    error: ErrorLine
    foreseen: Foreseen


async def of_cause(dashboard: Dashboard, connection: str, number: int) -> list[ErrorLine]:
    """The open errors of the same cause as this one, as many as one correction may be about. Raises `NotFound`."""
    cause = await dashboard.read(lambda tx: errors.cause_of(tx, number), connection)
    if cause is None:
        raise NotFound("error")
    return await dashboard.read(lambda tx: errors.lines(tx, cause, limit=MOST), connection)


async def foresee(
    dashboard: Dashboard, connection: str, lines: Sequence[ErrorLine], retyping: Retyping
) -> list[Line]:
    """What it would come to for each that is still there. Nothing is written. Raises `Problem`."""
    _check(retyping)
    keys = [line.incident.key for line in lines]
    found = await must(
        dashboard, connection, lambda live: Editing(live).foresee(keys, retyping.field, retyping)
    )
    return [Line(line, found[line.incident.key]) for line in lines if line.incident.key in found]


async def begin(
    dashboard: Dashboard, who: Principal, connection: str, field: str, edits: dict[int, tuple[str, str]]
) -> Correction:
    """Write new values: what each error's record showed, and what it is to show. One whose record shows something else
    by then is left alone. Raises `Problem`."""
    live, known = dashboard.live.get(connection), dashboard.corrections.of(connection)
    if live is None:
        raise Problem(503, "The systems cannot be asked just now", APART)
    if known is not None and known.stage is Stage.RUNNING:
        raise Problem(409, "A correction is at work", "Wait until it is done.")
    lines = await dashboard.read(lambda tx: errors.lines_with(tx, list(edits)[:MOST]), connection)
    wanted = [
        Wanted(line.incident.key, line.name, Edit({field: value}, {field: shown}))
        for line in lines
        for shown, value in (edits[line.incident.id],)
    ]
    if not wanted:
        raise Problem(409, "Nothing is left to correct", "These errors were closed meanwhile.")
    now, detail = dashboard.now(), {"field": field, "records": len(wanted)}
    act = Act(who.login, "errors.corrected", connection=connection, detail=detail)
    await dashboard.write(lambda tx: audit.note(tx, act, now=now), connection)
    return dashboard.corrections.carry_out(connection, live, wanted, by=who.login)


def _check(retyping: Retyping) -> None:
    length = int(retyping.text) if retyping.text.isdecimal() and len(retyping.text) < 6 else 0
    if retyping.how is How.CUT and not 0 < length <= LONGEST_CUT:
        said = Fault("text", f"Say after how many characters it is cut off: 1 to {LONGEST_CUT}.")
    elif retyping.how is How.REPLACE and not retyping.find:
        said = Fault("find", "Say what is to be replaced.")
    else:
        return
    raise Problem(422, "The request has faults", "Correct what is named.", faults=[said])
