"""The page of one contact or account: why it is (not) on the other side, and what a person may do about it.

Each act has a page of its own that says what will happen, so that it works without scripts; with them it is a dialog.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from twinbook.domain.mapping import ConflictPolicy
from twinbook.domain.records import Key, Side
from twinbook.engine.care.resolving import Wish
from twinbook.engine.care.undoing import Step
from twinbook.engine.insight.explain import origin
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.access.principal import Principal
from twinbook.web.acts import record as acts
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.looking import KeyInPath, about_records, addresses, look_at, path_of, shown_under
from twinbook.web.problems import NotFound, Problem
from twinbook.web.queries.record import FieldLine, Record
from twinbook.web.rendering import redirect, render
from twinbook.web.words import CHOICES, STEPS

router = APIRouter()

Carry = Callable[[Dashboard, Principal, str, Key], Awaitable[None]]

# The most characters that a value may have which a person gives; the systems' own limits are checked after that.
LONGEST_VALUE = 4000


@dataclass(frozen=True, slots=True)
class Act:
    """Something that takes no more than a yes: what it is called, what it does, and what is said once it is done."""

    title: str
    said: str
    button: str
    done: str
    carry: Carry


ACTS = {
    "push": Act(
        "Sync now?",
        "It is looked at at once, before everything else that waits. What differs is written, as the settings say.",
        "Sync now",
        "It is looked at now.",
        acts.push,
    ),
    "leave-out": Act(
        "Pause this record?",
        "Nothing is written for it any more, in either system, until somebody takes it in again. "
        "Both records stay as they are.",
        "Pause",
        "It is left out of the sync from now on.",
        acts.leave_out,
    ),
    "take-in": Act(
        "Take it in again?",
        "What was decided about it is forgotten. The settings say what becomes of it, and it is looked at at once.",
        "Take in",
        "It is taken in again, and looked at now.",
        acts.take_in,
    ),
}


@about_records(router, "GET")
async def record_page(
    request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName, key: KeyInPath
) -> Response:
    shown = await shown_under(dashboard, connection, key)
    if shown.id != request.path_params["record_id"]:
        return redirect(request, path_of(shown))
    found = await look_at(dashboard, connection, shown)
    ids = {Side.SALESFORCE: found.salesforce_id, Side.NETSUITE: found.netsuite_id}
    return await render(
        request,
        "record.html",
        found=found,
        here=path_of(shown),
        addresses=addresses(dashboard, connection, key.entity, ids),
        origin=origin,
        tone=_tone,
        CHOICES=CHOICES,
    )


@about_records(router, "GET", "/choose")
async def choose_page(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath
) -> Response:
    found = await look_at(dashboard, connection, key)
    if not found.choices:
        raise Problem(409, "There is nothing to choose", "Nothing about this record waits for a choice.")
    return await render(
        request, "record_choose.html", found=found, here=path_of(key), CHOICES=CHOICES, fault=""
    )


@about_records(router, "POST", "/choose")
async def choose(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    key: KeyInPath,
    choice: Annotated[str, Form(max_length=40)],
) -> Response:
    await acts.choose(dashboard, who, connection, key, choice)
    return redirect(request, path_of(key), notice="Your choice is carried out at once.")


@about_records(router, "GET", "/resolve")
async def resolve_page(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath
) -> Response:
    return await _resolve_page(request, dashboard, connection, key)


@about_records(router, "POST", "/resolve")
async def resolve(
    request: Request, who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath
) -> Response:
    form = await request.form()
    found = await look_at(dashboard, connection, key)
    if not found.open_fields:
        raise Problem(409, "There is no conflict any more", "Look at the record anew.")
    wish = _wish(found.open_fields, form)
    flaws = await acts.resolve(dashboard, who, connection, key, wish)
    if flaws:
        return await _resolve_page(request, dashboard, connection, key, form=form, flaws=flaws)
    return redirect(request, path_of(key), notice="Decided. It is carried out at once.")


@about_records(router, "GET", "/undo/{entry}")
async def undo_page(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, entry: int
) -> Response:
    planned = await acts.preview_undo(dashboard, connection, key, entry)
    return await render(
        request,
        "record_undo.html",
        undo=planned,
        here=path_of(key),
        entry=entry,
        said=STEPS[planned.step],
        possible=planned.step is not Step.NOTHING,
    )


@about_records(router, "POST", "/undo/{entry}")
async def undo(
    request: Request, who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, entry: int
) -> Response:
    carried = await acts.undo(dashboard, who, connection, key, entry)
    if carried.refused:
        raise Problem(
            409, "It could not be undone", f"{carried.refused}. The record's page shows what is true now."
        )
    return redirect(request, path_of(key), notice="Undone. The history says what was given back.")


@about_records(router, "GET", "/{act}")
async def act_page(
    request: Request, _: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, act: str
) -> Response:
    found = await look_at(dashboard, connection, key)
    return await render(
        request,
        "record_act.html",
        act=_act(act),
        found=found,
        here=path_of(key),
        action=f"{path_of(key)}/{act}",
    )


@about_records(router, "POST", "/{act}")
async def carry_act(
    request: Request, who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, act: str
) -> Response:
    wanted = _act(act)
    await wanted.carry(dashboard, who, connection, key)
    return redirect(request, path_of(key), notice=wanted.done)


def _act(name: str) -> Act:
    if name not in ACTS:
        raise NotFound
    return ACTS[name]


async def _resolve_page(
    request: Request,
    dashboard: Dashboard,
    connection: str,
    key: Key,
    *,
    form: FormData | None = None,
    flaws: list[str] | None = None,
) -> Response:
    found: Record = await look_at(dashboard, connection, key)
    if found.silence:
        raise Problem(503, "The systems cannot be asked just now", found.silence)
    if not found.open_fields:
        raise Problem(409, "There is no conflict any more", "Look at the record anew.")
    return await render(
        request,
        "record_resolve.html",
        status=422 if flaws else 200,
        found=found,
        here=path_of(key),
        given=form or {},
        flaws=flaws or (),
    )


def _wish(lines: list[FieldLine], form: FormData) -> Wish:
    """What was chosen for each field; one that was left open is told by the check of the whole."""
    sides: dict[str, ConflictPolicy] = {}
    values: dict[str, str] = {}
    for line in lines:
        match form.get(f"take:{line.row}"):
            case "salesforce":
                sides[line.row] = ConflictPolicy.SALESFORCE
            case "netsuite":
                sides[line.row] = ConflictPolicy.NETSUITE
            case "other":
                values[line.row] = str(form.get(f"value:{line.row}") or "")[:LONGEST_VALUE]
    return Wish(values, sides)


def _tone(what: Any) -> str:
    """The colour of an entry of the history."""
    return {"created": "good", "adopted": "good", "updated": "calm", "undone": "warm", "decided": "warm"}.get(
        str(what), "dull"
    )
