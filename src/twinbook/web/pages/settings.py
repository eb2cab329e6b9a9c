"""The pages of the settings: the form, what a change would do before it is saved, and the versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from twinbook.domain.why import sentence_of
from twinbook.settings import SettingsError
from twinbook.settings.editing import Place
from twinbook.web.access.guard import Administrator, Viewer
from twinbook.web.acts import settings as acts
from twinbook.web.acts.settings import Standing
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.findings import Stage
from twinbook.web.queries import settings as queries
from twinbook.web.rendering import redirect, render
from twinbook.web.settings import form
from twinbook.web.settings.form import Shown
from twinbook.web.settings.impacts import MOST_LOOKED_AT

router = APIRouter()

# Seconds that the review waits for its figures before it shows what there is.
PATIENCE = 2.0
VERSIONS = 50


@router.get("/settings")
async def settings_page(
    request: Request, who: Viewer, dashboard: Deps, connection: ConnectionName
) -> Response:
    standing = await acts.look(dashboard, who, connection)
    return await _form(request, dashboard, connection, standing, form.values_of(standing.wanted))


@router.post("/settings")
async def change(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    """Keep what was typed as a draft, and go on to what it would do."""
    posted = await request.form()
    standing = await acts.look(dashboard, who, connection)
    typed, shown = form.typed(posted), form.values_of(standing.wanted)
    given = _variables(dashboard, connection, shown)
    changes = {place: value for place, value in form.changed_by(typed, shown).items() if place not in given}
    if not changes and not standing.changed:
        return redirect(request, "/settings", notice="Nothing was changed.")
    try:
        await acts.keep(dashboard, who, connection, changes, digest=str(posted.get("digest", "")))
    except SettingsError as error:
        faults = {fault.field: fault.message for fault in acts.faults_of(error, standing.revision)}
        values = shown | changes
        return await _form(request, dashboard, connection, standing, values, faults=faults)
    return redirect(request, "/settings/review")


@router.get("/settings/review")
async def review(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    standing = await acts.look(dashboard, who, connection)
    if not standing.changed:
        return redirect(request, "/settings", notice="There is nothing to save.")
    impact = None
    if not standing.outdated:
        impact = acts.try_out(dashboard, connection, standing)
        await dashboard.impacts.settled(connection, PATIENCE)
    return await render(
        request,
        "settings/review.html",
        standing=standing,
        impact=impact,
        Stage=Stage,
        most=MOST_LOOKED_AT,
        sentence=sentence_of,
    )


@router.post("/settings/review/again")
async def try_again(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    standing = await acts.look(dashboard, who, connection)
    if not standing.outdated:
        dashboard.impacts.try_out(connection, standing.name, standing.now, standing.wanted)
    return redirect(request, "/settings/review")


@router.post("/settings/save")
async def save(
    request: Request,
    who: Administrator,
    dashboard: Deps,
    connection: ConnectionName,
    name: Annotated[str, Form(max_length=64)],
) -> Response:
    number = await acts.save_draft(dashboard, who, connection, name)
    notice = f"Saved as version {number}. It takes effect within seconds."
    return redirect(request, "/settings", notice=notice)


@router.post("/settings/discard")
async def discard(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    await acts.discard(dashboard, who, connection)
    return redirect(request, "/settings", notice="Your changes are gone; the settings are as they were.")


@router.post("/settings/put-on-top")
async def put_on_top(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    await acts.put_on_top(dashboard, who, connection)
    return redirect(request, "/settings/review")


@router.get("/settings/versions")
async def versions(
    request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName, before: int | None = None
) -> Response:
    found = await dashboard.read(lambda tx: queries.steps(tx, limit=VERSIONS, before=before), connection)
    return await render(request, "settings/versions.html", found=found)


@router.post("/settings/versions/{number}/restore")
async def restore(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName, number: int
) -> Response:
    standing = await acts.restore(dashboard, who, connection, number)
    if not standing.changed:
        return redirect(request, "/settings/versions", notice=f"Version {number} is what counts now.")
    return redirect(request, "/settings/review")


async def _form(
    request: Request,
    dashboard: Dashboard,
    connection: str,
    standing: Standing,
    values: Mapping[Place, Any],
    *,
    faults: Mapping[str, str] | None = None,
) -> Response:
    variables = _variables(dashboard, connection, values)
    sections = Shown(values, faults=faults, variables=variables).sections()
    shown = {item.name for section in sections for _, items in section.groups for item in items}
    shown |= {
        field.name
        for section in sections
        for _, items in section.groups
        for item in items
        if isinstance(item, form.Rows)
        for row in item.rows
        for field in row
    }
    return await render(
        request,
        "settings/form.html",
        status=422 if faults else 200,
        standing=standing,
        sections=sections,
        faults=faults or {},
        elsewhere={name: said for name, said in (faults or {}).items() if name not in shown},
        ADVANCED=form.ADVANCED,
    )


def _variables(dashboard: Dashboard, connection: str, places: Mapping[Place, Any]) -> dict[Place, str]:
    """What the environment gives, and so cannot be changed here."""
    origin = acts.origin_of(dashboard)
    found = {place: origin.variable(connection, place) for place in places}
    return {place: variable for place, variable in found.items() if variable}
