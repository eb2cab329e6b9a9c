"""The page Review: what waits for a person, by reason; decided one by one, or many at once after a preview."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from twinbook.domain.matching import LEAVE_OUT
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.store.outcomes import Place
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import review as acts
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.looking import path_of
from twinbook.web.problems import Problem
from twinbook.web.queries import review
from twinbook.web.queries.review import Wanted
from twinbook.web.rendering import open_state, redirect, render, seal_state
from twinbook.web.words import CHOICES

router = APIRouter()

ROWS = 50
# So many of a decision are named on its preview.
NAMED = 20


@router.get("/review")
async def review_page(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    reason: Annotated[Reason | None, Query()] = None,
    entity: Annotated[Entity, Query()] = Entity.CONTACT,
    at: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    piles = await dashboard.read(review.piles, connection)
    if reason is None and piles:
        reason, entity = piles[0].reason, piles[0].entity
    after = _place(open_state(request, at))
    found = (
        await dashboard.read(
            lambda tx: review.pile(tx, entity, reason, limit=ROWS + 1, after=after), connection
        )
        if reason
        else []
    )
    rows = found[:ROWS]
    last = rows[-1] if len(found) > ROWS else None
    onward = seal_state(request, [last.looked_at, last.key.side, last.key.id]) if last else None
    offered = dict.fromkeys(choice for row in rows for choice in row.choices if choice in CHOICES)
    return await render(
        request,
        "review.html",
        piles=piles,
        reason=reason,
        entity=entity,
        rows=rows,
        onward=onward,
        begins=at is None,
        offered=[*offered, *([] if LEAVE_OUT in offered else [LEAVE_OUT])],
        CHOICES=CHOICES,
        path_of=path_of,
    )


@router.post("/review/preview")
async def preview(
    request: Request,
    _: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    reason: Annotated[Reason, Form()],
    entity: Annotated[Entity, Form()],
    choice: Annotated[str, Form(max_length=40)],
    scope: Annotated[str, Form(max_length=10)] = "ticked",
    key: Annotated[list[str] | None, Form(max_length=review.MOST)] = None,
) -> Response:
    """What a choice would do to how many. Nothing is stored."""
    keys = None if scope == "all" else tuple(_key(entity, text) for text in key or ())
    if keys is not None and not keys:
        raise Problem(422, "Nothing is ticked", "Tick the records that it is about, or decide about all.")
    wanted = Wanted(entity, reason, choice, dashboard.now(), keys)
    found = await dashboard.read(lambda tx: review.foresee(tx, wanted), connection)
    ids = None if keys is None else [f"{item.side}:{item.id}" for item in keys]
    return await render(
        request,
        "review_preview.html",
        wanted=wanted,
        found=found,
        named=NAMED,
        most=review.MOST,
        said=CHOICES.get(choice, f"Link with record {choice}"),
        sealed=seal_state(request, [entity, reason, choice, wanted.until, ids]),
    )


@router.post("/review/decide")
async def decide(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    sealed: Annotated[str, Form(max_length=200_000)],
) -> Response:
    """Carry out what a preview has shown."""
    match open_state(request, sealed):
        case [str() as entity, str() as reason, str() as choice, float() | int() as until, ids]:
            keys = None if ids is None else tuple(_key(Entity(entity), text) for text in ids)
            wanted = Wanted(Entity(entity), Reason(reason), choice, until, keys)
        case _:
            raise Problem(400, "This preview is not known any more", "Make the preview anew.")
    done = await acts.decide(dashboard, who, connection, wanted)
    left = f" Not decided: {len(done.unfit)}, changed since or without this choice." if done.unfit else ""
    notice = f"Decided: {len(done.fitting)}, worked off now.{left}"
    return redirect(request, "/review", notice=notice, reason=wanted.reason, entity=wanted.entity)


def _key(entity: Entity, text: str) -> Key:
    side, _, id_ = text.partition(":")
    if side not in list(Side) or not id_:
        raise Problem(422, "The request has faults", "Tick the records on the page Review.")
    return Key(entity, Side(side), id_)


def _place(state: object) -> Place | None:
    match state:
        case [float() | int() as looked_at, str() as side, str() as record_id]:
            return Place(looked_at, Side(side), record_id)
        case _:
            return None
