"""GET /api/v1/overview: one connection at a glance; pausing and resuming it."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import flow
from twinbook.web.api.answers import REFUSALS
from twinbook.web.dashboard import ConnectionName, Deps

router = APIRouter(tags=["overview"], responses=REFUSALS)


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FlowState(_Shown):
    """Whether the connection writes. `stopped_why` is set while a safety valve holds it."""

    paused: bool
    changed_at: float | None
    changed_by: str | None
    stopped_at: float | None
    stopped_why: str | None


class QueueDepth(_Shown):
    """Keys that are due, wait for a later try, or are being worked on."""

    due: int
    later: int
    claimed: int
    oldest_marked_at: float | None


class LatencyPercentiles(_Shown):
    """Seconds from noticing a change to having written it, of the latest `number` writes of the last day."""

    number: int
    p50: float
    p95: float
    p99: float


class HourCount(_Shown):
    """What was written in the hour that began at `at`, by what it was."""

    at: float
    written: dict[str, int]


class NeedCount(_Shown):
    """Contacts that wait for a person."""

    outcome: OutcomeKind = Field(validation_alias="kind")
    reason: Reason | None
    number: int


class ProcessAtWork(_Shown):
    """One process that works on the connection, and with which version of the settings; null where its file is none."""

    name: str
    version: int | None
    since: float
    calls: int | None
    calls_limit: int | None


class BudgetAnswer(_Shown):
    """What a system allows, of which `reserve` is kept for people and other integrations; as of `at`."""

    what: str
    used: int
    limit: int
    reserve: int | None
    at: float


class OverviewAnswer(_Shown):
    """One connection at a glance. `streams` says when each source of changes last moved."""

    connection: str
    flow: FlowState
    linked: int
    queue: QueueDepth
    retrying: int
    per_minute: float
    latency: LatencyPercentiles | None
    hours: list[HourCount]
    needs: list[NeedCount]
    streams: dict[str, float]
    processes: list[ProcessAtWork]
    budgets: list[BudgetAnswer]


class Changed(BaseModel):
    """How many records that waited are worked off now."""

    released: int


@router.get("/overview")
async def get_overview(_: Viewer, dashboard: Deps, connection: ConnectionName) -> OverviewAnswer:
    """State, rate, latency, queue, and what needs a person."""
    return OverviewAnswer.model_validate(await dashboard.overviews.get(connection))


@router.post("/overview/pause")
async def pause(who: Operator, dashboard: Deps, connection: ConnectionName) -> Changed:
    """Stop writing. Changes are still taken in."""
    await flow.pause(dashboard, who, connection)
    return Changed(released=0)


@router.post("/overview/resume")
async def resume(who: Operator, dashboard: Deps, connection: ConnectionName) -> Changed:
    """Go on after a pause."""
    return Changed(released=await flow.resume(dashboard, who, connection))


@router.post("/overview/confirm")
async def confirm(who: Operator, dashboard: Deps, connection: ConnectionName) -> Changed:
    """Go on after a safety stop, as a person who has looked at what vanished."""
    return Changed(released=await flow.confirm(dashboard, who, connection))
