"""The mapping editor: which fields are kept in step, row by row, and a try on one contact. Changes go into the same
draft as those of the settings, and are saved with them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from twinbook.domain.errors import SideError
from twinbook.domain.ports import Schema
from twinbook.domain.records import Entity, Side
from twinbook.engine.insight.explain import Explainer, Explanation
from twinbook.settings import SettingsError
from twinbook.web.access.guard import Administrator, Viewer
from twinbook.web.access.principal import Principal
from twinbook.web.acts import settings as acts
from twinbook.web.acts.settings import Standing
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.problems import Fault, NotFound
from twinbook.web.rendering import redirect, render
from twinbook.web.settings import form, mapping

router = APIRouter(prefix="/settings/mapping")

METADATA_SECONDS = 10.0
TRY_SECONDS = 30.0


def _entity(of: Annotated[Literal["contact", "account"], Query()] = "contact") -> Entity:
    return Entity(of)


Of = Annotated[Entity, Depends(_entity)]


@router.get("")
async def mapping_page(
    request: Request, who: Viewer, dashboard: Deps, connection: ConnectionName, of: Of
) -> Response:
    return await _shown(request, dashboard, who, connection, of)


@router.get("/row")
async def row_page(
    request: Request,
    who: Administrator,
    dashboard: Deps,
    connection: ConnectionName,
    of: Of,
    number: Annotated[int | None, Query(ge=0)] = None,
    usual: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """A row to change: one of the settings, one of the usual map, or a new one."""
    standing = await acts.look(dashboard, who, connection)
    row: Mapping[str, Any] = {}
    if number is not None:
        row = _row(mapping.own_rows(standing.wanted, of), number)
    elif usual is not None:
        row = mapping.as_row(of, mapping.usual_row(of, usual))
    return await _edit(request, dashboard, connection, standing, of, row, number)


@router.post("/row")
async def keep_row(
    request: Request,
    who: Administrator,
    dashboard: Deps,
    connection: ConnectionName,
    of: Of,
    number: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    posted = await request.form()
    standing = await acts.look(dashboard, who, connection)
    rows = mapping.own_rows(standing.wanted, of)
    row = form.typed_row(mapping.options_of(of), "", posted)
    if number is not None:
        _row(rows, number)
    place = len(rows) if number is None else number
    schemas, _ = await _schemas(dashboard, connection, of)
    faults = mapping.faults_of(row, schemas)
    if not faults:
        try:
            changed = [*rows[:place], row, *rows[place + 1 :]]
            await _keep(dashboard, who, connection, of, changed, str(posted.get("digest", "")))
        except SettingsError as error:
            prefix = ".".join(mapping.PLACES[of])
            faults = [
                Fault(fault.field.removeprefix(f"{prefix}[{place}]").removeprefix("."), fault.message)
                for fault in acts.faults_of(error, standing.revision)
            ]
    if faults:
        return await _edit(request, dashboard, connection, standing, of, row, number, faults=faults)
    return redirect(request, "/settings/mapping", of=of)


@router.post("/move")
async def move(
    who: Administrator,
    request: Request,
    dashboard: Deps,
    connection: ConnectionName,
    number: Annotated[int, Form(ge=0)],
    by: Annotated[int, Form(ge=-1, le=1)],
    of: Of,
) -> Response:
    standing = await acts.look(dashboard, who, connection)
    rows = mapping.moved(mapping.own_rows(standing.wanted, of), number, by)
    return await _done(request, dashboard, who, connection, of, rows)


@router.post("/remove")
async def remove(
    who: Administrator,
    request: Request,
    dashboard: Deps,
    connection: ConnectionName,
    number: Annotated[int, Form(ge=0)],
    of: Of,
) -> Response:
    """Take a row out of the settings; the usual ones that it replaced count again."""
    standing = await acts.look(dashboard, who, connection)
    rows = mapping.own_rows(standing.wanted, of)
    _row(rows, number)
    return await _done(request, dashboard, who, connection, of, [*rows[:number], *rows[number + 1 :]])


@router.post("/take-out")
async def take_out(
    who: Administrator,
    request: Request,
    dashboard: Deps,
    connection: ConnectionName,
    usual: Annotated[str, Form(max_length=200)],
    of: Of,
) -> Response:
    """Take a row of the usual map out, by a row of the settings that says so."""
    standing = await acts.look(dashboard, who, connection)
    row = mapping.usual_row(of, usual)
    fields = {"salesforce": row.salesforce, "netsuite": row.netsuite}
    gone = {name: value for name, value in fields.items() if value} | {"enabled": False}
    rows = [*mapping.own_rows(standing.wanted, of), gone]
    return await _done(request, dashboard, who, connection, of, rows)


@router.post("/try")
async def try_on(
    request: Request,
    who: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    text: Annotated[str, Form(min_length=1, max_length=200)],
    of: Of,
) -> Response:
    """What the map would do to one record. Nothing is written."""
    standing = await acts.look(dashboard, who, connection)
    found: Sequence[Explanation] = ()
    fault = ""
    try:
        async with (
            asyncio.timeout(TRY_SECONDS),
            dashboard.open_connection(connection, standing.wanted) as live,
        ):
            found = [item for item in await Explainer(live).explain(text) if item.entity is of]
    except TimeoutError:
        fault = "Salesforce or NetSuite did not answer in time. Try again."
    except SideError as error:
        fault = f"{error.message.rstrip('.')}."
    if not found and not fault:
        fault = f"There is no {of} with this id or email in either system."
    return await _shown(request, dashboard, who, connection, of, tried=found, fault=fault)


async def _shown(
    request: Request,
    dashboard: Dashboard,
    who: Principal,
    connection: str,
    of: Entity,
    *,
    tried: Sequence[Explanation] = (),
    fault: str = "",
) -> Response:
    standing = await acts.look(dashboard, who, connection)
    schemas, silence = await _schemas(dashboard, connection, of)
    own, usual = mapping.lines(standing.wanted, of, schemas)
    values = {"standing": standing, "own": own, "usual": usual, "of": of, "silence": silence}
    return await render(
        request,
        "settings/mapping.html",
        status=422 if fault else 200,
        **values,
        tried=tried,
        fault=fault,
        Entity=Entity,
    )


async def _edit(
    request: Request,
    dashboard: Dashboard,
    connection: str,
    standing: Standing,
    of: Entity,
    row: Mapping[str, Any],
    number: int | None,
    *,
    faults: Sequence[Fault] = (),
) -> Response:
    schemas, silence = await _schemas(dashboard, connection, of)
    by_field = {fault.field: fault.message for fault in faults}
    options = mapping.options_of(of)
    fields = [
        form.field_of(
            option, option.name, row.get(option.name, option.default), by_field.pop(option.name, "")
        )
        for option in options
    ]
    return await render(
        request,
        "settings/mapping_row.html",
        status=422 if faults else 200,
        standing=standing,
        of=of,
        number=number,
        fields=fields,
        others=list(by_field.values()),
        silence=silence,
        salesforce=mapping.choices(schemas.get(Side.SALESFORCE)),
        netsuite=mapping.choices(schemas.get(Side.NETSUITE)),
    )


async def _schemas(dashboard: Dashboard, connection: str, of: Entity) -> tuple[Mapping[Side, Schema], str]:
    """The fields of both systems, and in words why they are not known where they are not."""
    try:
        async with asyncio.timeout(METADATA_SECONDS):
            found = await dashboard.schemas.get(connection)
    except TimeoutError:
        return {}, "Salesforce or NetSuite did not answer in time, so their fields are not known here."
    except SideError as error:
        return {}, f"The fields of both systems are not known here: {error.message.rstrip('.')}."
    return {side: found[of, side] for side in Side}, ""


async def _keep(
    dashboard: Dashboard,
    who: Principal,
    connection: str,
    of: Entity,
    rows: Sequence[Mapping[str, Any]],
    digest: str,
) -> None:
    changes = {mapping.PLACES[of]: [dict(row) for row in rows]}
    await acts.keep(dashboard, who, connection, changes, digest=digest)


async def _done(
    request: Request,
    dashboard: Dashboard,
    who: Principal,
    connection: str,
    of: Entity,
    rows: Sequence[Mapping[str, Any]],
) -> Response:
    """Keep what a button did. Rows that do not fit together are said on the page, and nothing is kept."""
    standing = await acts.look(dashboard, who, connection)
    try:
        await _keep(dashboard, who, connection, of, rows, standing.digest)
    except SettingsError as error:
        said = " ".join(fault.message for fault in acts.faults_of(error, standing.revision))
        return await _shown(request, dashboard, who, connection, of, fault=said)
    return redirect(request, "/settings/mapping", of=of)


def _row(rows: Sequence[Mapping[str, Any]], number: int) -> Mapping[str, Any]:
    if number >= len(rows):
        raise NotFound("row")
    return rows[number]
