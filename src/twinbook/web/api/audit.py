"""GET /api/v1/audit: who did what when."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from twinbook.store import audit
from twinbook.web.access.guard import Administrator
from twinbook.web.api.answers import REFUSALS
from twinbook.web.dashboard import Deps

router = APIRouter(tags=["audit"], responses=REFUSALS)


class ActAnswer(BaseModel):
    """One thing that somebody did; `connection` is null for what concerns the whole installation."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: float
    who: str
    what: str
    about: str
    connection: str | None
    detail: dict[str, Any]


class ActList(BaseModel):
    """Acts, newest first. `next` is the `before` of the following page."""

    acts: list[ActAnswer]
    next: int | None


@router.get("/audit")
async def list_acts(
    _: Administrator,
    dashboard: Deps,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    who: Annotated[str | None, Query(max_length=200)] = None,
) -> ActList:
    """Every act that changed something, also those of programs; only those of `who`, if named by login."""
    found = await dashboard.read(lambda tx: audit.latest(tx, limit=limit + 1, before=before, who=who or None))
    shown = [ActAnswer.model_validate(item) for item in found[:limit]]
    return ActList(acts=shown, next=shown[-1].id if len(found) > limit else None)
