"""The page Overview: one connection at a glance, and its two switches."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from twinbook.store import processes
from twinbook.web import charts
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import flow
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.queries import contacts
from twinbook.web.rendering import redirect, render

router = APIRouter()

# From below in the chart; whatever else was written lies above.
SERIES = ("updated", "created", "adopted")


@router.get("/overview")
async def overview_page(request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName) -> Response:
    found = await dashboard.overviews.get(connection)
    cells = await dashboard.contact_counts.get(connection)
    written = [hour.written for hour in found.hours]
    return await render(
        request,
        "overview.html",
        found=found,
        at_work=processes.told(found.processes),
        states=contacts.by_state(cells),
        bars=charts.stacked(written, SERIES),
        series=[name for name in SERIES if any(name in hour for hour in written)],
    )


@router.post("/overview/pause")
async def pause(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    await flow.pause(dashboard, who, connection)
    return redirect(request, "/overview", notice="Paused. Changes are still taken in; nothing is written.")


@router.post("/overview/resume")
async def resume(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    released = await flow.resume(dashboard, who, connection)
    return redirect(request, "/overview", notice=f"Resumed. {released} records that waited are worked off.")


@router.get("/overview/confirm")
async def confirm_page(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName
) -> Response:
    found = await dashboard.overviews.get(connection)
    return await render(request, "overview_confirm.html", flow=found.flow)


@router.post("/overview/confirm")
async def confirm(request: Request, who: Operator, dashboard: Deps, connection: ConnectionName) -> Response:
    """Go on after a safety stop."""
    released = await flow.confirm(dashboard, who, connection)
    return redirect(request, "/overview", notice=f"Confirmed. {released} records that waited are worked off.")
