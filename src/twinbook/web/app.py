"""The application: routes, what protects them, and how refusals look. `create_app` is all that others need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

import twinbook.web.api
import twinbook.web.pages
from twinbook.web.access import guard
from twinbook.web.access.scopes import all_scopes
from twinbook.web.dashboard import Dashboard
from twinbook.web.idempotency import IdempotencyKeys
from twinbook.web.ping import ping_routes
from twinbook.web.problems import Fault, NotFound, NotSignedIn, Problem
from twinbook.web.rendering import Pages, link_to, redirect, render
from twinbook.web.security import BodyLimit, ForgeryGuard, SecurityHeaders
from twinbook.web.static import StaticFiles

API = "/api/v1"
_log = structlog.get_logger("twinbook.web")

_TITLES = {404: "There is no such page", 405: "That cannot be done here"}


def create_app(dashboard: Dashboard) -> FastAPI:
    """The dashboard and the API over one store. Raises `RuntimeError` for a route without a role."""
    app = _Application(
        title="Twinbook",
        description="What Twinbook knows and does, for programs. Times are epoch seconds.",
        version="1",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(ForgeryGuard),
            Middleware(BodyLimit),
            Middleware(GZipMiddleware, minimum_size=1000),
            Middleware(IdempotencyKeys),
        ],
    )
    app.state.dashboard = dashboard
    app.state.pages = Pages(StaticFiles())
    app.state.scopes = all_scopes(twinbook.web.api.ROUTERS)
    app.router.routes.extend(_guarded_routes().routes)
    app.router.routes.extend(ping_routes(dashboard.database, lambda: dashboard.settings, dashboard.now))
    for kind, answer in _REFUSALS.items():
        app.add_exception_handler(kind, answer)
    return app


@cache
def _guarded_routes() -> APIRouter:
    """All routes that people and programs use. What FastAPI makes of them takes a good part of a second and is the
    same for every application: it is made once."""
    pages, api = twinbook.web.pages.ROUTERS, twinbook.web.api.ROUTERS
    guard.check((*pages, *api))
    routes = APIRouter()
    for router in pages:
        routes.include_router(router, include_in_schema=False)
    for router in api:
        routes.include_router(router, prefix=API)
    return routes


class _Application(FastAPI):
    """Starlette answers faults outside of all middleware; the headers belong on those answers too."""

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack())


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    return await _refuse(request, error)


async def _framework_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == 404:
        return await _refuse(request, NotFound())
    title = _TITLES.get(error.status_code, "The request was refused")
    answer = await _refuse(request, Problem(error.status_code, title))
    answer.headers.update(error.headers or {})
    return answer


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    faults = [Fault(_place(item["loc"]), f"{item['msg']}.") for item in error.errors()]
    return await _refuse(
        request, Problem(422, "The request has faults", "Correct what is named.", faults=faults)
    )


async def _fault(request: Request, _error: Exception) -> Response:
    # The route and not the path: that may hold what somebody typed.
    route = request.scope.get("route")
    _log.error("dashboard.fault", route=getattr(route, "path", None), exc_info=True)
    detail = "Twinbook itself failed on this. The log says where; nothing was changed."
    return await _refuse(request, Problem(500, "Something went wrong", detail))


_Answer = Callable[[Request, Exception], Awaitable[Response]]
_REFUSALS: dict[type[Exception], _Answer] = {
    Problem: _problem,
    HTTPException: _framework_problem,
    RequestValidationError: _malformed,
    Exception: _fault,
}


async def _refuse(request: Request, problem: Problem) -> Response:
    path = request.url.path
    if path.startswith("/api/"):
        answer: Response = JSONResponse(
            problem.as_json(), status_code=problem.status, media_type="application/problem+json"
        )
        if isinstance(problem, NotSignedIn):
            answer.headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(problem, NotSignedIn):
        onward = link_to(request, path) if request.method == "GET" else "/"
        return redirect(request, "/sign-in", onward=onward)
    else:
        answer = await render(request, "problem.html", status=problem.status, problem=problem)
    if problem.retry_after:
        answer.headers["Retry-After"] = str(round(problem.retry_after + 0.5))
    return answer


def _place(location: Sequence[int | str]) -> str:
    """The field, without where in the request it stands (query, body …)."""
    return ".".join(str(part) for part in location[1:]) or str(location[0])
