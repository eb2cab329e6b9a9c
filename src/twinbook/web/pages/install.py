"""The pages of the set-up: the steps of both systems, what to enter and to download, and the checks of the doctor."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from twinbook import packaged
from twinbook.doctor import Verdict
from twinbook.install import State, System
from twinbook.web.access.guard import Administrator
from twinbook.web.acts import install as acts
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.examinations import MOST_SECONDS
from twinbook.web.findings import Stage
from twinbook.web.problems import Problem
from twinbook.web.rendering import redirect, render

router = APIRouter()

# Seconds that the answer to "check now" waits for the checks, before it shows what there is.
PATIENCE = 2.0


@router.get("/install")
async def install_page(
    request: Request, _: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    standings = {system: acts.look(dashboard, connection, system) for system in System}
    return await render(request, "install/start.html", standings=standings)


@router.post("/install/start")
async def start(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    await acts.start(dashboard, who, connection)
    return redirect(request, "/overview", notice="Started. In a moment it shows here how the connection is.")


@router.get("/install/{system}")
async def system_page(
    request: Request, _: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> Response:
    return await _shown(request, dashboard, connection, system)


@router.post("/install/{system}")
async def enter(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> Response:
    posted = {key: str(value) for key, value in (await request.form()).items()}
    try:
        await acts.enter(dashboard, who, connection, system, posted)
    except Problem as problem:
        if not problem.faults:
            raise
        return await _shown(request, dashboard, connection, system, problem, posted)
    return redirect(
        request, f"/install/{system}", notice="Entered. Check whether it works once all is there."
    )


@router.post("/install/{system}/key")
async def make_key(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> Response:
    await acts.make_key(dashboard, who, connection, system)
    notice = "Key and certificate are there. Download the certificate; the key stays where it is."
    return redirect(request, f"/install/{system}", notice=notice)


@router.post("/install/{system}/check")
async def check(
    request: Request, _: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> Response:
    acts.check(dashboard, connection, system)
    await dashboard.examinations.settled(connection, system, PATIENCE)
    return redirect(request, f"/install/{system}")


@router.post("/install/netsuite/ping")
async def let_netsuite_tell(
    request: Request, who: Administrator, dashboard: Deps, connection: ConnectionName
) -> Response:
    secret = await acts.let_netsuite_tell(dashboard, who, connection)
    notice = "Enter this secret in NetSuite, as the last step says. It is shown only now."
    return redirect(request, "/install/netsuite", notice=notice, secret=secret)


@router.get("/install/{system}/certificate")
async def certificate(
    _: Administrator, dashboard: Deps, connection: ConnectionName, system: System
) -> Response:
    name, text = acts.certificate(dashboard, connection, system)
    return _file(name, text, "application/x-pem-file")


@router.get("/install/{system}/package")
async def package(_: Administrator, system: System) -> Response:
    made = await asyncio.to_thread(packaged.archive, system)
    return _file(f"twinbook-{system}.zip", made, "application/zip")


def _file(name: str, content: bytes, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=headers)


async def _shown(
    request: Request,
    dashboard: Dashboard,
    connection: str,
    system: System,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    """The steps of one system, after a form that was refused with what was wrong."""
    standing = acts.look(dashboard, connection, system)
    return await render(
        request,
        "install/system.html",
        status=problem.status if problem else 200,
        system=system,
        standing=standing,
        values={**standing.values, **(typed or {})},
        faults={fault.field: fault.message for fault in problem.faults} if problem else {},
        System=System,
        State=State,
        Verdict=Verdict,
        Stage=Stage,
        most_seconds=round(MOST_SECONDS),
    )
