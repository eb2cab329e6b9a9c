"""The page Errors: what went wrong, by cause; and one cause with its records, and what may be done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from twinbook.domain.canonical import plain_text
from twinbook.domain.mapping import MappingRow
from twinbook.domain.records import Key
from twinbook.engine.care.editing import Edit, Editing
from twinbook.engine.connection import Connection
from twinbook.engine.insight.looking import Look, Looker
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import errors as acts
from twinbook.web.acts.errors import Deed, What
from twinbook.web.asking import must
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.looking import path_of
from twinbook.web.problems import NotFound, Problem
from twinbook.web.queries import errors
from twinbook.web.queries.errors import ErrorLine
from twinbook.web.rendering import open_state, redirect, render, seal_state

router = APIRouter()

ROWS = 50
LONGEST_VALUE = 4000
# Ids as large as both kinds of store can hold.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

SAID = {
    What.RETRY: "They are tried again at once. What succeeds is closed by itself.",
    What.RESOLVE: "They are closed, as done by you. Should one of them fail again, it is opened anew.",
    What.ASSIGN: "It says whose they are; nothing else changes.",
    What.TAG: "They get this tag.",
    What.UNTAG: "They lose this tag.",
    What.NOTE: "This note is kept with each of them.",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """One field of the form for editing: what the record shows, and what stands in the form."""

    name: str
    shown: str
    value: str
    concerned: bool


@router.get("/errors")
async def errors_page(request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName) -> Response:
    found = await dashboard.read(errors.groups, connection)
    return await render(request, "errors.html", groups=found, total=sum(item.group.count for item in found))


@router.get("/errors/{number}")
async def cause_page(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    after: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    cause = await dashboard.read(lambda tx: errors.cause_of(tx, number), connection)
    if cause is None:
        raise NotFound("error")
    found = await dashboard.read(lambda tx: errors.lines(tx, cause, limit=ROWS + 1, after=after), connection)
    rows = found[:ROWS]
    return await render(
        request,
        "errors_cause.html",
        cause=cause,
        number=number,
        rows=rows,
        onward=rows[-1].incident.id if len(found) > ROWS else None,
        begins=after is None,
        What=What,
        path_of=path_of,
    )


@router.post("/errors/{number}/preview")
async def preview(
    request: Request,
    _: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    what: Annotated[What, Form()],
    text: Annotated[str, Form(max_length=acts.LONGEST_NOTE)] = "",
    scope: Annotated[str, Form(max_length=10)] = "ticked",
    key: Annotated[list[int] | None, Form(max_length=errors.MOST)] = None,
) -> Response:
    """What would be done to how many. Nothing is done."""
    numbers = tuple(key or ()) if scope != "all" else await _all_of(dashboard, connection, number)
    deed = Deed(what, numbers, text)
    await acts.check(dashboard, deed)
    return await render(
        request,
        "errors_preview.html",
        deed=deed,
        said=SAID[what],
        number=number,
        most=errors.MOST,
        sealed=seal_state(request, [what, text, list(numbers)]),
    )


@router.post("/errors/{number}/do")
async def carry_out(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    sealed: Annotated[str, Form(max_length=200_000)],
) -> Response:
    match open_state(request, sealed):
        case [str() as what, str() as text, list() as numbers]:
            deed = Deed(What(what), tuple(numbers), text)
        case _:
            raise Problem(400, "This preview is not known any more", "Make the preview anew.")
    done = await acts.carry_out(dashboard, who, connection, deed)
    left = len(deed.numbers) - done
    notice = f"Done for {done}.{f' {left} were closed already.' if left else ''}"
    onward = "/errors" if deed.what is What.RESOLVE else f"/errors/{number}"
    return redirect(request, onward, notice=notice)


@router.get("/errors/{number}/edit")
async def edit_page(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName, number: Number
) -> Response:
    return await _edit_page(request, dashboard, connection, await _open(dashboard, connection, number))


@router.post("/errors/{number}/edit")
async def edit(
    request: Request, who: Operator, dashboard: Deps, connection: ConnectionName, number: Number
) -> Response:
    found = await _open(dashboard, connection, number)
    form = await request.form()
    values = _named(form, "value:")
    flaws = await acts.edit(
        dashboard, who, connection, found.incident.key, Edit(values, _named(form, "shown:"))
    )
    if flaws:
        return await _edit_page(request, dashboard, connection, found, values=values, flaws=list(flaws))
    return redirect(request, path_of(found.incident.key), notice="Written. It is tried again now.")


async def _edit_page(
    request: Request,
    dashboard: Dashboard,
    connection: str,
    found: ErrorLine,
    *,
    values: dict[str, str] | None = None,
    flaws: list[str] | None = None,
) -> Response:
    key = found.incident.key

    async def asked(live: Connection) -> tuple[Look | None, list[MappingRow]]:
        return await Looker(live).look(key), Editing(live).rows(key)

    look, rows = await must(dashboard, connection, asked)
    if look is None or key.side not in look.fields:
        raise Problem(409, "The record is not there any more", "Look at its page.")
    return await render(
        request,
        "errors_edit.html",
        status=422 if flaws else 200,
        line=found,
        fields=_typed(key, look, found, rows, values or {}),
        flaws=flaws or (),
        back=path_of(key),
    )


def _typed(
    key: Key, look: Look, found: ErrorLine, rows: list[MappingRow], values: dict[str, str]
) -> list[Typed]:
    """The fields that may be edited, those that the error is about first."""
    about = found.incident.field
    fields = []
    for row in rows:
        name = row.field_on(key.side)
        shown = plain_text(look.fields[key.side].get(name)) or ""
        concerned = about is not None and about in (row.salesforce, row.netsuite)
        fields.append(Typed(name, shown, values.get(name, shown), concerned))
    return sorted(fields, key=lambda item: not item.concerned)


def _named(form: FormData, prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): str(value)[:LONGEST_VALUE]
        for name, value in form.items()
        if name.startswith(prefix)
    }


async def _all_of(dashboard: Dashboard, connection: str, number: int) -> tuple[int, ...]:
    cause = await dashboard.read(lambda tx: errors.cause_of(tx, number), connection)
    if cause is None:
        raise NotFound("error")
    found = await dashboard.read(lambda tx: errors.lines(tx, cause, limit=errors.MOST), connection)
    return tuple(item.incident.id for item in found)


async def _open(dashboard: Dashboard, connection: str, number: int) -> ErrorLine:
    found = await dashboard.read(lambda tx: errors.line(tx, number), connection)
    if found is None:
        raise NotFound("open error")
    return found
