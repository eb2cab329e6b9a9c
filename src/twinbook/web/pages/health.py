"""For machines that watch machines: whether it lives, whether it works, and its numbers for Prometheus."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.responses import JSONResponse, Response

from twinbook.web.access.guard import Anyone, Viewer
from twinbook.web.dashboard import Dashboard, Deps
from twinbook.web.queries import metrics

router = APIRouter()

READY_SECONDS = 5


@router.get("/healthz")
async def alive(_: Anyone) -> Response:
    """It answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def ready(_: Anyone, dashboard: Deps) -> Response:
    """It answers, and so does its store."""
    try:
        await asyncio.wait_for(dashboard.read(metrics.answers), READY_SECONDS)
    except Exception:
        return JSONResponse({"status": "the store does not answer"}, status_code=503)
    return JSONResponse({"status": "ok"})


@router.get("/metrics")
async def prometheus(_: Viewer, dashboard: Deps) -> Response:
    """Numbers of all connections, for a token with the scope metrics:read."""
    families = await _families(dashboard)
    registry = CollectorRegistry()
    registry.register(_Collected(families))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collected:
    """What was read, in the shape that prometheus-client asks for."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> list[GaugeMetricFamily]:
        return self._families


async def _families(dashboard: Dashboard) -> list[GaugeMetricFamily]:
    made: dict[str, GaugeMetricFamily] = {}
    for connection in dashboard.settings.connections:
        seen = await dashboard.overviews.get(connection)
        cells = await dashboard.contact_counts.get(connection)
        for sample in metrics.samples(seen, cells, now=dashboard.now()):
            names = ["connection", *sample.labels]
            family = made.setdefault(
                sample.name, GaugeMetricFamily(f"twinbook_{sample.name}", sample.help, labels=names)
            )
            family.add_metric([connection, *sample.labels.values()], sample.value)
    return list(made.values())
