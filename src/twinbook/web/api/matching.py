"""The resource /api/v1/matching: what a back-fill would do and whom it would pair, and deciding that beforehand."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from twinbook.engine.care.deciding import Choice
from twinbook.engine.insight.forecast import meaning_of
from twinbook.engine.insight.matching_report import MatchKind
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import matching as acts
from twinbook.web.api.answers import REFUSALS, UNREACHABLE
from twinbook.web.api.backfills import OutcomeCount
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.findings import Stage
from twinbook.web.matching.previews import MatchPreview
from twinbook.web.problems import Fault, NotFound, Problem
from twinbook.web.words import ListName

router = APIRouter(tags=["matching"], responses=REFUSALS)

# Seconds that an answer waits for its figures before it gives what there is.
PATIENCE = 1.0
MOST_IN_ONE_REQUEST = 1_000


class Foreseen(OutcomeCount):
    """How many records would come to this, and what it means."""

    meaning: str


class ListForeseen(BaseModel):
    """One list: how much of it was looked at, of about how many. `bounded`: there are more."""

    of: ListName
    looked_at: int
    total: int
    bounded: bool
    counts: list[Foreseen]


class PreviewAnswer(BaseModel):
    """A dry run. `matches` counts the contacts of Salesforce that would be paired or need a person, by what would
    become of them; `released` wait for an account that would be linked."""

    stage: Stage
    fault: str
    begun_at: float
    lists: list[ListForeseen]
    matches: dict[MatchKind, int]
    released: int


class CandidateAnswer(BaseModel):
    """A NetSuite contact that could be the counterpart; `linked_to` is the Salesforce contact it belongs to already."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    email: str | None
    company_id: str | None
    inactive: bool
    linked_to: str | None


class MatchAnswer(BaseModel):
    """One contact that would be paired. `netsuite_id` is the contact it would be linked with; `decision` what was
    chosen."""

    model_config = ConfigDict(from_attributes=True)

    kind: MatchKind
    salesforce_id: str
    name: str
    email: str | None
    account: str | None
    netsuite_id: str | None
    candidates: list[CandidateAnswer]
    decision: str | None


class MatchList(BaseModel):
    """Some of them; `next` is the `skip` of the following ones."""

    contacts: list[MatchAnswer]
    next: int | None


class DecisionGiven(BaseModel):
    """The id of a NetSuite contact (any, not only a candidate), `new`, `skip`, or `clear`."""

    salesforce_id: Annotated[str, StringConstraints(min_length=1, max_length=18)]
    decision: Annotated[str, StringConstraints(min_length=1, max_length=20, to_lower=True)]


class DecisionsGiven(BaseModel):
    """All of them are stored, or none where one is wrong."""

    decisions: Annotated[list[DecisionGiven], Field(min_length=1, max_length=MOST_IN_ONE_REQUEST)]


class DecisionsTaken(BaseModel):
    decided: int


@router.get("/matching")
async def get_preview(_: Viewer, dashboard: Deps, connection: ConnectionName) -> PreviewAnswer:
    """The latest preview, as far as it is."""
    return _answer(_known(dashboard, connection))


@router.post("/matching")
async def begin_preview(who: Operator, dashboard: Deps, connection: ConnectionName) -> PreviewAnswer:
    """Begin a preview in place of the one before. Nothing is written; ask again for how far it is."""
    begun = await acts.look(dashboard, who, connection)
    await dashboard.previews.settled(connection, PATIENCE)
    return _answer(begun)


@router.get("/matching/contacts")
async def list_matches(
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    kind: Annotated[list[MatchKind], Query(default_factory=list, max_length=len(MatchKind))],
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> MatchList:
    """Contacts of Salesforce that the preview would pair, or that need a person, in the order of the preview."""
    rows = (row for row in _known(dashboard, connection).rows.values() if not kind or row.kind in kind)
    found = list(islice(rows, skip, skip + limit + 1))
    return MatchList(
        contacts=[MatchAnswer.model_validate(row) for row in found[:limit]],
        next=skip + limit if len(found) > limit else None,
    )


@router.post("/matching/decisions", responses=UNREACHABLE)
async def decide(
    who: Operator, dashboard: Deps, connection: ConnectionName, given: DecisionsGiven
) -> DecisionsTaken:
    """Decide about contacts before they are synced. Both systems are asked whether that can be."""
    choices = [
        Choice(row, item.salesforce_id, item.decision) for row, item in enumerate(given.decisions, start=1)
    ]
    flaws = await acts.decide(dashboard, who, connection, choices)
    if flaws:
        faults = [Fault(f"decisions.{flaw.row - 1}.{flaw.column}", f"{flaw.problem}.") for flaw in flaws]
        raise Problem(422, "Nothing was stored", "Correct what is named.", faults=faults)
    return DecisionsTaken(decided=len(choices))


def _known(dashboard: Dashboard, connection: str) -> MatchPreview:
    known = dashboard.previews.of(connection)
    if known is None:
        raise NotFound("preview")
    return known


def _answer(known: MatchPreview) -> PreviewAnswer:
    lists = [
        ListForeseen(
            of=ListName(str(part)),
            looked_at=seen.looked_at,
            total=seen.total,
            bounded=seen.bounded,
            counts=[
                Foreseen(outcome=cell[0], reason=cell[1], number=many, meaning=meaning_of(part, cell))
                for cell, many in known.forecast.of(part).most_common()
            ],
        )
        for part, seen in known.lists.items()
    ]
    return PreviewAnswer(
        stage=known.stage,
        fault=known.fault,
        begun_at=known.begun_at,
        lists=lists,
        matches=dict(known.kinds),
        released=known.forecast.released,
    )
