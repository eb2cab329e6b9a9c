"""Deciding whom a back-fill pairs: in the page, or in a spreadsheet that is downloaded, filled in and uploaded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, File, Query, Request, UploadFile
from starlette.responses import Response, StreamingResponse

from twinbook.engine.care.deciding import UNDECIDE, Choice, Flaw
from twinbook.engine.insight.matching_report import Match, MatchKind
from twinbook.spreadsheets.cells import MARK, csv_text
from twinbook.spreadsheets.matching import COLUMNS, cells_of, described
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.store.sql import chunks
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import matching as acts
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.matching.previews import MatchPreview
from twinbook.web.problems import Problem
from twinbook.web.rendering import redirect, render
from twinbook.web.words import CHOICES

router = APIRouter()

ROWS = 50
CSV_ROWS = 500
FLAWS_SHOWN = 50
FIELD = "decision:"
Kind = Annotated[MatchKind | None, Query()]


@router.get("/match/contacts")
async def contacts_page(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    kind: Kind = None,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    return await _page(request, dashboard, connection, kind, skip)


@router.post("/match/contacts")
async def decide(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    kind: Kind = None,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """Store what was chosen in the page: all of it, or nothing if something is wrong."""
    posted = {
        name.removeprefix(FIELD): str(value)[:40]
        for name, value in (await request.form()).items()
        if name.startswith(FIELD) and value
    }
    choices = [Choice(row, id_, said) for row, (id_, said) in enumerate(posted.items(), start=1)]
    flaws = await acts.decide(dashboard, who, connection, choices)
    if flaws:
        said = [f"{_name(dashboard, connection, choices, flaw)}: {flaw.problem}" for flaw in flaws]
        return await _page(request, dashboard, connection, kind, skip, chosen=posted, flaws=said)
    return redirect(request, "/match/contacts", kind=kind, skip=skip or None, notice=_stored(len(choices)))


@router.post("/match/upload")
async def upload(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    file: Annotated[UploadFile, File()],
) -> Response:
    """Take decisions back from a downloaded list: all of them, or nothing if a row is wrong."""
    choices, unread = await acts.read_file(await file.read())
    flaws = unread or await acts.decide(dashboard, who, connection, choices)
    if flaws:
        return await _page(request, dashboard, connection, None, 0, flaws=[str(flaw) for flaw in flaws])
    return redirect(request, "/match", notice=_stored(len(choices)))


@router.get("/match/contacts.csv")
async def export(who: Viewer, dashboard: Deps, connection: ConnectionName, kind: Kind = None) -> Response:
    """The list of the preview, to be filled in and uploaded again."""
    known = _known(dashboard, connection)
    now, act = dashboard.now(), Act(who.login, "matching.exported", "", connection, {"kind": kind})
    await dashboard.write(lambda tx: audit.note(tx, act, now=now), connection)

    async def lines() -> AsyncIterator[str]:
        yield MARK + csv_text([COLUMNS])
        for part in chunks(_of_kind(known, kind), CSV_ROWS):
            yield csv_text(map(cells_of, part))

    headers = {"Content-Disposition": f'attachment; filename="match-{connection}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


async def _page(
    request: Request,
    dashboard: Dashboard,
    connection: str,
    kind: MatchKind | None,
    skip: int,
    *,
    chosen: dict[str, str] | None = None,
    flaws: Sequence[str] = (),
) -> Response:
    known = _known(dashboard, connection)
    found = list(islice(_of_kind(known, kind), skip, skip + ROWS + 1))
    return await render(
        request,
        "match/contacts.html",
        status=422 if flaws else 200,
        preview=known,
        kind=kind,
        kinds=[each for each in MatchKind if known.kinds[each]],
        rows=[(row, _options(row)) for row in found[:ROWS]],
        skip=skip,
        onward=skip + ROWS if len(found) > ROWS else None,
        earlier=max(0, skip - ROWS),
        chosen=chosen or {},
        flaws=flaws[:FLAWS_SHOWN],
        more_flaws=max(0, len(flaws) - FLAWS_SHOWN),
        CHOICES=CHOICES,
    )


def _options(row: Match) -> list[tuple[str, str]]:
    """What can be chosen for a contact in the page; any other NetSuite contact by its id in the file."""
    links = [(item.id, f"Link with {described(item)}") for item in row.candidates if not item.linked_to]
    others = [(word, CHOICES[word]) for word in ("new", "skip")]
    back = [(UNDECIDE, "Take the decision back")] if row.decision else []
    return [*links, *others, *back]


def _of_kind(known: MatchPreview, kind: MatchKind | None) -> list[Match]:
    return [row for row in known.rows.values() if kind is None or row.kind is kind]


def _known(dashboard: Dashboard, connection: str) -> MatchPreview:
    known = dashboard.previews.of(connection)
    if known is None:
        raise Problem(404, "There is no preview yet", "Make one on the page Match and back-fill.")
    return known


def _name(dashboard: Dashboard, connection: str, choices: Sequence[Choice], flaw: Flaw) -> str:
    id_ = next(choice.salesforce_id for choice in choices if choice.row == flaw.row)
    row = _known(dashboard, connection).rows.get(id_)
    return row.name if row else id_


def _stored(number: int) -> str:
    word = "decision is" if number == 1 else "decisions are"
    return f"{number} {word} stored, and carried out when the contact is synced."
