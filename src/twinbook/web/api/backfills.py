"""The resource /api/v1/backfills: looking at all records once, how far that is, and what came of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.engine.connection import Source
from twinbook.store.runs import RunState
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import backfills as acts
from twinbook.web.api.answers import CONFLICT, REFUSALS
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.queries.backfills import Backfill, backfills
from twinbook.web.words import ListName, list_of

router = APIRouter(tags=["backfills"], responses=REFUSALS)


class OutcomeCount(BaseModel):
    """So many records with this outcome for this reason."""

    outcome: OutcomeKind
    reason: Reason | None
    number: int


class BackfillAnswer(BaseModel):
    """One list that is, or was, looked through. `done` of about `total` records have an outcome; `total` is null until
    they are counted. `seconds_left` is an estimate by the present pace."""

    number: int
    of: ListName
    state: RunState
    requested_by: str
    started_at: float
    finished_at: float | None
    listed: int
    done: int
    total: int | None
    seconds_left: float | None
    counts: list[OutcomeCount]


class BackfillList(BaseModel):
    """What is under way, in its order, and the earlier ones, newest first; `next` is the `before` of those before them.
    `carried`: somebody works on this connection."""

    going: list[BackfillAnswer]
    ended: list[BackfillAnswer]
    next: int | None
    carried: bool


class BackfillWanted(BaseModel):
    """What to look through; all that the direction of the connection asks for when nothing is named."""

    lists: Annotated[list[ListName], Field(max_length=len(ListName))] = Field(default_factory=list)


class BackfillBegun(BaseModel):
    numbers: list[int]


class BackfillsChanged(BaseModel):
    """How many lists that concerned."""

    changed: int


@router.get("/backfills")
async def list_backfills(
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> BackfillList:
    """The one under way, and the earlier ones."""
    cells, now = await dashboard.contact_counts.get(connection), dashboard.now()
    found = await dashboard.read(
        lambda tx: backfills(tx, cells, now=now, limit=limit, before=before), connection
    )
    return BackfillList(
        going=list(map(_answer, found.going)),
        ended=list(map(_answer, found.ended)),
        next=found.next,
        carried=found.carried,
    )


@router.post("/backfills", responses=CONFLICT)
async def begin(
    who: Operator, dashboard: Deps, connection: ConnectionName, wanted: BackfillWanted
) -> BackfillBegun:
    """Begin a back-fill, or go on with the lists that have begun; the running sync carries it out."""
    parts = [list_of(name) for name in wanted.lists] or acts.lists_of(dashboard, connection)
    return BackfillBegun(numbers=await acts.begin(dashboard, who, connection, parts))


@router.post("/backfills/pause")
async def pause(who: Operator, dashboard: Deps, connection: ConnectionName) -> BackfillsChanged:
    """List no further pages. What is in the queue already, up to 5,000 records, is still worked off."""
    return BackfillsChanged(changed=await acts.pause(dashboard, who, connection))


@router.post("/backfills/resume")
async def resume(who: Operator, dashboard: Deps, connection: ConnectionName) -> BackfillsChanged:
    """Go on where it was paused."""
    return BackfillsChanged(changed=await acts.resume(dashboard, who, connection))


@router.post("/backfills/stop")
async def stop(who: Operator, dashboard: Deps, connection: ConnectionName) -> BackfillsChanged:
    """End it for good. What is written stays, and what is in the queue already is still worked off."""
    return BackfillsChanged(changed=await acts.stop(dashboard, who, connection))


def _answer(item: Backfill) -> BackfillAnswer:
    run = item.run
    return BackfillAnswer(
        number=run.id,
        of=ListName(str(Source(run.entity, run.side))),
        state=run.state,
        requested_by=run.requested_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        listed=run.listed,
        done=item.progress.done,
        total=item.progress.total,
        seconds_left=item.seconds_left,
        counts=[OutcomeCount(outcome=kind, reason=reason, number=many) for kind, reason, many in item.counts],
    )
