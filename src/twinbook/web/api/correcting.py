"""The resource /api/v1/errors/{number}/correct: one field of all records of a cause."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from twinbook.domain.records import Entity, Side
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import correcting as acts
from twinbook.web.acts.correcting import Line
from twinbook.web.api.answers import CONFLICT, REFUSALS, UNREACHABLE
from twinbook.web.correcting import MOST, Correction, How, Retyping
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.findings import Stage
from twinbook.web.problems import NotFound

router = APIRouter(tags=["errors"], responses=REFUSALS)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Text = Annotated[str, StringConstraints(max_length=4000)]


class RetypingGiven(BaseModel):
    """What is done to one field of the record's own system: set to `text`, `find` replaced by `text`, or cut off after
    so many characters as `text` says."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    how: How
    text: Text = ""
    find: Text = ""


class LineForeseen(BaseModel):
    """What it would come to for one record: by system, the values that would be written; or what stands in the way."""

    number: int
    entity: Entity
    side: Side
    id: str
    name: str
    shown: str
    value: str
    written: dict[Side, dict[str, Any]]
    flaws: list[str]


class EditGiven(BaseModel):
    """For one error: what its record showed, and what it is to show."""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    shown: Text
    value: Text


class CorrectionGiven(BaseModel):
    field: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    edits: Annotated[list[EditGiven], Field(min_length=1, max_length=MOST)]


class Refused(BaseModel):
    name: str
    why: str


class CorrectionAnswer(BaseModel):
    """How far the latest correction is. Nothing was written to those that are refused."""

    stage: Stage
    fault: str
    total: int
    written: int
    refused: list[Refused]


@router.post("/errors/{number}/correct/preview", responses=UNREACHABLE)
async def preview(
    _: Operator, dashboard: Deps, connection: ConnectionName, number: Number, given: RetypingGiven
) -> list[LineForeseen]:
    """What would be written where, for up to 100 records of this cause. Nothing is written."""
    lines = await acts.of_cause(dashboard, connection, number)
    retyping = Retyping(given.field, given.how, given.text, given.find)
    return [_line(item, given.field) for item in await acts.foresee(dashboard, connection, lines, retyping)]


@router.post("/errors/correct", responses=CONFLICT | UNREACHABLE)
async def correct(
    who: Operator, dashboard: Deps, connection: ConnectionName, given: CorrectionGiven
) -> CorrectionAnswer:
    """Write new values, one record after the other, and have each tried again; ask again for how far that is."""
    edits = {item.number: (item.shown, item.value) for item in given.edits}
    return _answer(await acts.begin(dashboard, who, connection, given.field, edits))


@router.get("/errors/correct")
async def progress(_: Viewer, dashboard: Deps, connection: ConnectionName) -> CorrectionAnswer:
    """How far the latest correction is."""
    known = dashboard.corrections.of(connection)
    if known is None:
        raise NotFound("correction")
    return _answer(known)


def _line(item: Line, name: str) -> LineForeseen:
    key, edit = item.error.incident.key, item.foreseen.edit
    return LineForeseen(
        number=item.error.incident.id,
        entity=key.entity,
        side=key.side,
        id=key.id,
        name=item.error.name,
        shown=edit.shown[name],
        value=edit.values[name],
        written={side: dict(fields) for side, fields in item.foreseen.written.items()},
        flaws=list(item.foreseen.flaws),
    )


def _answer(found: Correction) -> CorrectionAnswer:
    return CorrectionAnswer(
        stage=found.stage,
        fault=found.fault,
        total=found.total,
        written=found.written,
        refused=[Refused(name=name, why=why) for name, why in found.refused],
    )
