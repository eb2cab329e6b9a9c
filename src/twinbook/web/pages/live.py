"""Server-sent events: tells open pages that something changed, so that they show it without being reloaded.

An event carries nothing but that: the page fetches itself again, with the rights of who looks at it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from twinbook.web.access.guard import Viewer, identify_anew
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.problems import Problem

router = APIRouter()

LOOK_SECONDS = 2.0
# So often a sign of life is sent, and it is checked whether the session still stands.
SIGN_SECONDS = 30.0
MOST_WATCHERS = 200


@router.get("/live")
async def live(request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName) -> Response:
    if dashboard.watchers.number >= MOST_WATCHERS:
        raise Problem(
            503, "Too many pages watch at once", "This page shows news when it is reloaded.", retry_after=60
        )
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(request, dashboard, connection), media_type="text/event-stream", headers=headers
    )


async def _events(request: Request, dashboard: Dashboard, connection: str) -> AsyncIterator[str]:
    with dashboard.watchers:
        yield "retry: 5000\n\n"
        known = await dashboard.stamps.get(connection)
        silent = 0.0
        while not await dashboard.closing.within(LOOK_SECONDS):
            silent += LOOK_SECONDS
            found = await dashboard.stamps.get(connection)
            if found != known:
                known, silent = found, 0.0
                yield "event: changed\ndata: \n\n"
            elif silent >= SIGN_SECONDS:
                if await identify_anew(request) is None:
                    return
                silent = 0.0
                yield ": still here\n\n"
