"""Correcting one field of all records of a cause: the form, what it would come to, and how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import Response

from twinbook.engine.care.editing import Editing
from twinbook.engine.connection import Connection
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import correcting as acts
from twinbook.web.asking import must
from twinbook.web.correcting import MOST, How, Retyping
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.findings import Stage
from twinbook.web.problems import NotFound, Problem
from twinbook.web.rendering import open_state, redirect, render, seal_state

router = APIRouter()

PATIENCE = 1.0
# Characters of a sealed preview, below what a request may have.
LARGEST_PREVIEW = 900_000
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Text = Annotated[str, Form(max_length=4000)]


@router.get("/errors/{number}/correct")
async def form(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName, number: Number
) -> Response:
    lines = await acts.of_cause(dashboard, connection, number)
    if not lines:
        raise NotFound("open error")
    about, key = lines[0].incident.field, lines[0].incident.key

    async def rows(live: Connection) -> list[str]:
        found = Editing(live).rows(key)
        concerned = [row for row in found if about in (row.salesforce, row.netsuite)]
        others = [row for row in found if row not in concerned]
        return [row.field_on(key.side) for row in (*concerned, *others)]

    return await render(
        request,
        "errors_correct.html",
        number=number,
        lines=lines,
        system=key.side.system,
        fields=await must(dashboard, connection, rows),
        How=How,
        most=MOST,
    )


@router.post("/errors/{number}/correct/preview")
async def preview(
    request: Request,
    _: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    field: Annotated[str, Form(max_length=200)],
    how: Annotated[How, Form()],
    text: Text = "",
    find: Text = "",
) -> Response:
    """What would be written where. Nothing is written."""
    lines = await acts.of_cause(dashboard, connection, number)
    found = await acts.foresee(dashboard, connection, lines, Retyping(field, how, text, find))
    fitting = [line for line in found if not line.foreseen.flaws]
    edits = [
        [line.error.incident.id, line.foreseen.edit.shown[field], line.foreseen.edit.values[field]]
        for line in fitting
    ]
    sealed = seal_state(request, [field, edits])
    if len(sealed) > LARGEST_PREVIEW:
        raise Problem(422, "That is too much text at once", "Correct these records one by one.")
    return await render(
        request,
        "errors_correct_preview.html",
        number=number,
        field=field,
        fitting=fitting,
        unfit=[line for line in found if line.foreseen.flaws],
        most=MOST,
        sealed=sealed,
    )


@router.post("/errors/{number}/correct")
async def correct(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    sealed: Annotated[str, Form(max_length=LARGEST_PREVIEW)],
) -> Response:
    """Carry out what a preview has shown."""
    match open_state(request, sealed):
        case [str() as field, list() as edits]:
            given = {error: (shown, value) for error, shown, value in edits}
        case _:
            raise Problem(400, "This preview is not known any more", "Make the preview anew.")
    await acts.begin(dashboard, who, connection, field, given)
    await dashboard.corrections.settled(connection, PATIENCE)
    return redirect(request, f"/errors/{number}/correct/progress")


@router.get("/errors/{number}/correct/progress")
async def progress(
    request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName, number: Number
) -> Response:
    known = dashboard.corrections.of(connection)
    if known is None:
        raise NotFound("correction")
    return await render(request, "errors_correct_progress.html", number=number, found=known, Stage=Stage)
