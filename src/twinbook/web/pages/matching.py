"""The page Match and back-fill: what a back-fill would do, running it, and the earlier ones."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.engine.connection import Source
from twinbook.engine.insight.forecast import meaning_of
from twinbook.engine.insight.matching_report import NEEDS_A_PERSON, MatchKind
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import backfills as acts
from twinbook.web.acts import matching
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.findings import Stage
from twinbook.web.matching.previews import EXAMPLES, MOST_OF_A_LIST
from twinbook.web.problems import NotFound
from twinbook.web.queries.backfills import Backfills, backfills
from twinbook.web.rendering import redirect, render
from twinbook.web.words import LISTS, ListName, list_of

router = APIRouter()

# Seconds that a page waits for its figures before it shows what there is.
PATIENCE = 1.0


@router.get("/match")
async def match_page(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    return await render(
        request,
        "match/page.html",
        found=await runs_of(dashboard, connection, before=before),
        begins=before is None,
        preview=dashboard.previews.of(connection),
        apart=connection not in dashboard.live,
        kinds=(*MatchKind,),
        urgent=NEEDS_A_PERSON,
        meaning_of=meaning_of,
        Source=Source,
        Stage=Stage,
        LISTS=LISTS,
        most=MOST_OF_A_LIST,
    )


async def runs_of(dashboard: Dashboard, connection: str, *, before: int | None = None) -> Backfills:
    cells, now = await dashboard.contact_counts.get(connection), dashboard.now()
    return await dashboard.read(lambda tx: backfills(tx, cells, now=now, before=before), connection)


@router.post("/match/preview")
async def preview(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    await matching.look(dashboard, who, connection)
    await dashboard.previews.settled(connection, PATIENCE)
    return redirect(request, "/match")


@router.post("/match/preview/end")
async def end_preview(request: Request, _: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    """Look no further; what was found stays."""
    dashboard.previews.end(connection)
    await dashboard.previews.settled(connection, PATIENCE)
    return redirect(request, "/match")


@router.get("/match/records")
async def records(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    of: ListName,
    outcome: OutcomeKind,
    reason: Reason | None = None,
) -> Response:
    """Examples of what one count of the preview is about."""
    known, part = dashboard.previews.of(connection), list_of(of)
    if known is None:
        raise NotFound("preview")
    cell = (outcome, reason)
    return await render(
        request,
        "match/records.html",
        title=LISTS[part],
        kind=outcome,
        meaning=meaning_of(part, cell),
        number=known.forecast.of(part)[cell],
        examples=known.examples.get((part, cell), ()),
        most=EXAMPLES,
    )


@router.get("/match/start")
async def start_page(request: Request, _: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    return await render(
        request,
        "match/start.html",
        lists=[(part, LISTS[part]) for part in acts.lists_of(dashboard, connection)],
        preview=dashboard.previews.of(connection),
        found=await runs_of(dashboard, connection),
        apart=connection not in dashboard.live,
        meaning_of=meaning_of,
    )


@router.post("/match/start")
async def start(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    of: Annotated[list[ListName] | None, Form(max_length=len(ListName))] = None,
) -> Response:
    parts = [list_of(name) for name in of or ()]
    await acts.begin(dashboard, who, connection, parts)
    return redirect(request, "/match", notice="Begun. You see here how far it is.")


@router.post("/match/pause")
async def pause(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    await acts.pause(dashboard, who, connection)
    return redirect(request, "/match", notice="Paused. What is in the queue already is still worked off.")


@router.post("/match/resume")
async def resume(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    await acts.resume(dashboard, who, connection)
    return redirect(request, "/match", notice="It goes on where it was paused.")


@router.get("/match/stop")
async def stop_page(request: Request, _: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    return await render(
        request, "match/stop.html", found=await runs_of(dashboard, connection), Source=Source, LISTS=LISTS
    )


@router.post("/match/stop")
async def stop(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    await acts.stop(dashboard, who, connection)
    return redirect(request, "/match", notice="Stopped. What is written stays as it is.")
