"""The page Audit: who did what when, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from twinbook.store import audit
from twinbook.web.access.guard import Administrator
from twinbook.web.dashboard import Deps
from twinbook.web.rendering import render

router = APIRouter()

ROWS = 100


@router.get("/audit")
async def audit_page(
    request: Request,
    _: Administrator,
    dashboard: Deps,
    who: Annotated[str | None, Query(max_length=200)] = None,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    acts = await dashboard.read(lambda tx: audit.latest(tx, limit=ROWS + 1, before=before, who=who or None))
    onward = acts[ROWS - 1].id if len(acts) > ROWS else None
    return await render(request, "audit.html", acts=acts[:ROWS], only=who or "", onward=onward, before=before)
