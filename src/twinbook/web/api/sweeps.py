"""The resource /api/v1/sweeps: comparing both systems, what was found, and putting it right."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from twinbook.domain.drift import DriftKind
from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.store.drifts import Line
from twinbook.store.runs import RunState
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import sweeping
from twinbook.web.api.answers import REFUSALS
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.problems import NotFound
from twinbook.web.queries import sweeps
from twinbook.web.queries.sweeps import Summary

router = APIRouter(tags=["sweeps"], responses=REFUSALS)

Number = Annotated[int, Path(ge=1, le=2**31)]


class SweepAnswer(BaseModel):
    """One sweep. `found` counts by kind of drift; `stopped_why` is set where it stopped the flow."""

    number: int
    state: RunState
    started_at: float
    finished_at: float | None
    requested_by: str
    thorough: bool
    repairs: bool
    salesforce_listed: int
    netsuite_listed: int
    compared: int
    stopped_why: str | None
    found: dict[DriftKind, int]


class SweepList(BaseModel):
    """The last sweeps, newest first."""

    sweeps: list[SweepAnswer]


class FieldDifference(BaseModel):
    """What both sides show of a field, and what they last agreed on."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    salesforce: Any
    netsuite: Any
    agreed: Any
    verdict: str


class Finding(BaseModel):
    """One contact that is out of step. `outcome` is what came of looking again, null before."""

    id: int
    kind: DriftKind
    why: str
    name: str
    salesforce_id: str | None
    netsuite_id: str | None
    fields: list[FieldDifference]
    queued_at: float | None
    queued_by: str | None
    outcome: OutcomeKind | None
    reason: Reason | None


class FindingList(BaseModel):
    """A page of findings. `next` is the `after` of the following page."""

    sweep: SweepAnswer
    findings: list[Finding]
    next: int | None


class SweepWanted(BaseModel):
    """How to sweep: compare all values, and whether to put right what differs."""

    thorough: bool = False
    repairs: bool = True


class SweepBegun(BaseModel):
    number: int


class RepairWanted(BaseModel):
    """What to look at again; with neither kinds nor ids, all that the sweep found."""

    kinds: list[DriftKind] = Field(default_factory=list, max_length=len(DriftKind))
    ids: list[str] = Field(default_factory=list, max_length=1000)


class RepairQueued(BaseModel):
    queued: int


@router.get("/sweeps")
async def list_sweeps(_: Viewer, dashboard: Deps, connection: ConnectionName) -> SweepList:
    """The last sweeps."""
    return SweepList(sweeps=list(map(_sweep, await dashboard.read(sweeps.summaries, connection))))


@router.post("/sweeps")
async def begin_sweep(
    who: Operator, dashboard: Deps, connection: ConnectionName, wanted: SweepWanted
) -> SweepBegun:
    """Have both systems compared. Refused while the connection is held, or a sweep is at work."""
    number = await sweeping.begin(
        dashboard, who, connection, thorough=wanted.thorough, repairs=wanted.repairs
    )
    return SweepBegun(number=number)


@router.get("/sweeps/{number}/findings")
async def list_findings(
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    number: Number,
    kind: Annotated[list[DriftKind], Query(default_factory=list, max_length=len(DriftKind))],
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> FindingList:
    """What a sweep found, in the order in which it was found."""
    found = await dashboard.read(
        lambda tx: sweeps.drift(tx, number, kinds=kind, after=after, limit=limit), connection
    )
    if found is None or found.shown is None:
        raise NotFound("sweep")
    return FindingList(sweep=_sweep(found.shown), findings=list(map(_finding, found.lines)), next=found.next)


@router.post("/sweeps/{number}/repair")
async def repair_findings(
    who: Operator, dashboard: Deps, connection: ConnectionName, number: Number, wanted: RepairWanted
) -> RepairQueued:
    """Have contacts looked at again that a sweep found out of step; the settings decide what becomes of them."""
    queued = await sweeping.repair(
        dashboard, who, connection, number, kinds=wanted.kinds, record_ids=wanted.ids
    )
    return RepairQueued(queued=queued)


def _sweep(item: Summary) -> SweepAnswer:
    sweep, run = item.sweep, item.sweep.run
    return SweepAnswer(
        number=run.id,
        state=run.state,
        started_at=run.started_at,
        finished_at=run.finished_at,
        requested_by=run.requested_by,
        thorough=sweep.thorough,
        repairs=sweep.repairs,
        salesforce_listed=sweep.salesforce_listed,
        netsuite_listed=sweep.netsuite_listed,
        compared=sweep.compared,
        stopped_why=sweep.stopped_why,
        found=dict(item.found),
    )


def _finding(line: Line) -> Finding:
    found = line.found
    return Finding(
        id=line.id,
        kind=found.drift.kind,
        why=found.drift.why,
        name=found.name,
        salesforce_id=found.salesforce_id,
        netsuite_id=found.netsuite_id,
        fields=[FieldDifference.model_validate(field) for field in found.drift.fields],
        queued_at=line.queued_at,
        queued_by=line.queued_by,
        outcome=line.outcome,
        reason=line.reason,
    )
