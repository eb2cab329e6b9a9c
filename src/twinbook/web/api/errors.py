"""GET /api/v1/errors: what went wrong, by cause, and the records of a cause; and what may be done about them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from twinbook.domain.records import Entity, Side
from twinbook.engine.care.editing import Edit
from twinbook.store.incidents import IncidentKind
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import errors as acts
from twinbook.web.acts.errors import LONGEST_NOTE, Deed, What
from twinbook.web.api.answers import CONFLICT, REFUSALS, UNREACHABLE
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.problems import Fault, NotFound, Problem
from twinbook.web.queries import errors
from twinbook.web.queries.errors import ErrorLine

router = APIRouter(tags=["errors"], responses=REFUSALS)

LARGEST = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Text = Annotated[str, StringConstraints(max_length=4000)]


class CauseAnswer(BaseModel):
    """So many records of one cause. `number` is the newest error of it, whose remedy stands for all."""

    number: int
    kind: IncidentKind
    code: str
    field: str | None
    message: str
    remedy: str
    count: int
    unassigned: int
    first_at: float
    last_at: float


class NoteAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    at: float
    who: str
    text: str


class ErrorAnswer(BaseModel):
    """One open error of one record."""

    number: int
    entity: Entity
    side: Side
    id: str
    name: str
    kind: IncidentKind
    message: str
    remedy: str
    attempts: int
    opened_at: float
    seen_at: float
    assignee: str | None
    tags: list[str]
    notes: list[NoteAnswer]


class DeedGiven(BaseModel):
    """What is done about these errors. `text` is the login (empty: nobody's), the tag, or the note."""

    what: What
    numbers: Annotated[
        list[Annotated[int, Field(ge=1, le=LARGEST)]], Field(min_length=1, max_length=errors.MOST)
    ]
    text: Annotated[str, StringConstraints(max_length=LONGEST_NOTE)] = ""


class DeedAnswer(BaseModel):
    """For how many it was done; the others were closed already."""

    done: int


class EditGiven(BaseModel):
    """New values by field of the record's own system, and what these fields showed when they were chosen."""

    values: dict[str, Text]
    shown: dict[str, Text]


@router.get("/errors")
async def get_causes(_: Viewer, dashboard: Deps, connection: ConnectionName) -> list[CauseAnswer]:
    """What is open, by cause, the newest first."""
    return [
        CauseAnswer(
            number=item.group.number,
            kind=item.example.kind,
            code=item.group.cause.code,
            field=item.group.cause.field,
            message=item.example.message,
            remedy=item.example.remedy,
            count=item.group.count,
            unassigned=item.group.unassigned,
            first_at=item.group.first_at,
            last_at=item.group.last_at,
        )
        for item in await dashboard.read(errors.groups, connection)
    ]


@router.get("/errors/{number}")
async def get_cause(
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> list[ErrorAnswer]:
    """The open errors of the same cause as this one, the newest first; go on with `after` the last number."""
    cause = await dashboard.read(lambda tx: errors.cause_of(tx, number), connection)
    if cause is None:
        raise NotFound("error")
    found = await dashboard.read(lambda tx: errors.lines(tx, cause, limit=limit, after=after), connection)
    return [_error(item) for item in found]


@router.post("/errors/do")
async def carry_out(
    who: Operator, dashboard: Deps, connection: ConnectionName, given: DeedGiven
) -> DeedAnswer:
    """Retry, resolve, assign, tag, untag or note; all in one transaction."""
    deed = Deed(given.what, tuple(given.numbers), given.text)
    return DeedAnswer(done=await acts.carry_out(dashboard, who, connection, deed))


@router.post("/errors/{number}/edit", responses=CONFLICT | UNREACHABLE)
async def edit(
    who: Operator, dashboard: Deps, connection: ConnectionName, number: Number, given: EditGiven
) -> DeedAnswer:
    """Correct the record, within the limits of both systems, and have it tried again."""
    found = await dashboard.read(lambda tx: errors.line(tx, number), connection)
    if found is None:
        raise NotFound("open error")
    flaws = await acts.edit(dashboard, who, connection, found.incident.key, Edit(given.values, given.shown))
    if flaws:
        faults = [Fault("values", flaw) for flaw in flaws]
        raise Problem(422, "Nothing was written", "Correct what is named.", faults=faults)
    return DeedAnswer(done=1)


def _error(item: ErrorLine) -> ErrorAnswer:
    found = item.incident
    return ErrorAnswer(
        number=found.id,
        entity=found.key.entity,
        side=found.key.side,
        id=found.key.id,
        name=item.name,
        kind=found.kind,
        message=found.message,
        remedy=found.remedy,
        attempts=found.attempts,
        opened_at=found.opened_at,
        seen_at=found.seen_at,
        assignee=found.assignee,
        tags=list(found.tags),
        notes=[NoteAnswer.model_validate(note) for note in item.notes],
    )
