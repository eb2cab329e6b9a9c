"""What a token may be used for: an area of the API (the first word of its addresses) and whether it may change things
there. A token never reaches further than the role of the person who made it."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute

from twinbook.web.access.roles import Role

METRICS = "metrics:read"


def scope_of(path: str, role: Role) -> str:
    """The scope that a route needs: `contacts:read` for what viewers may, `contacts:write` for the rest."""
    area = path.removeprefix("/api/v1").strip("/").split("/")[0]
    return f"{area}:{'read' if role is Role.VIEWER else 'write'}"


def all_scopes(routers: Iterable[APIRouter]) -> tuple[str, ...]:
    """Every scope that a token can have."""
    areas = {
        route.path.strip("/").split("/")[0]
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
    }
    return (*(f"{area}:{verb}" for area in sorted(areas) for verb in ("read", "write")), METRICS)
