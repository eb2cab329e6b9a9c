"""The page Drift: the last sweeps, what they found with the values of both sides, and putting it right."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from twinbook.domain.drift import DriftKind
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import sweeping
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.problems import NotFound
from twinbook.web.queries import sweeps
from twinbook.web.rendering import redirect, render

router = APIRouter()

ROWS = 50
Number = Annotated[int | None, Query(ge=1, le=2**31)]


@router.get("/drift")
async def drift_page(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    sweep: Number = None,
    kind: Annotated[DriftKind | None, Query()] = None,
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    kinds = (kind,) if kind else ()
    found = await dashboard.read(
        lambda tx: sweeps.drift(tx, sweep, kinds=kinds, after=after, limit=ROWS), connection
    )
    if found is None:
        raise NotFound("sweep")
    return await render(request, "drift.html", found=found, kind=kind, asked=sweep)


@router.post("/drift/sweeps")
async def begin(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    thorough: Annotated[bool, Form()] = False,
    report_only: Annotated[bool, Form()] = False,
) -> Response:
    number = await sweeping.begin(dashboard, who, connection, thorough=thorough, repairs=not report_only)
    return redirect(request, "/drift", notice=f"Sweep {number} begins as soon as the sync has a moment.")


@router.post("/drift/{number}/repair")
async def repair(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    number: int,
    record: Annotated[str, Form(max_length=40)] = "",
    kind: Annotated[DriftKind | None, Form()] = None,
) -> Response:
    """Have one contact looked at again, or all of one kind, or all."""
    queued = await sweeping.repair(
        dashboard,
        who,
        connection,
        number,
        kinds=(kind,) if kind else (),
        record_ids=(record,) if record else (),
    )
    word = "contact is" if queued == 1 else "contacts are"
    return redirect(request, "/drift", sweep=number, kind=kind, notice=f"{queued} {word} looked at again.")
