"""The way in: the root, which leads to the first page, and our own styles and scripts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from twinbook.web.access.guard import Anyone, Viewer
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import Deps
from twinbook.web.problems import NotFound
from twinbook.web.rendering import NAVIGATION, Pages, redirect

router = APIRouter()


@router.get("/")
async def start(request: Request, who: Viewer, dashboard: Deps) -> Response:
    """The first page; for administrators the set-up, as long as nothing is set up."""
    begins = not dashboard.in_force.finished.is_set() and who.role is Role.ADMINISTRATOR
    return redirect(request, "/install" if begins else NAVIGATION[0].path)


@router.get("/static/{version}/{name}")
async def static_file(request: Request, _: Anyone, version: str, name: str) -> Response:
    pages: Pages = request.app.state.pages
    found = pages.static.answer(name, request.headers.get("accept-encoding", ""))
    if found is None:
        raise NotFound("file")
    if version != pages.static.version:
        # An old page after an update: it may have the new file, but must not keep it under the old address.
        found.headers["Cache-Control"] = "no-store"
    return found


@router.get("/favicon.ico")
async def icon(request: Request, _: Anyone) -> Response:
    pages: Pages = request.app.state.pages
    found = pages.static.answer("icon.svg", "")
    assert found is not None  # noqa: S101 - a file of our own
    return found
