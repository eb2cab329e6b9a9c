"""The page Drift: the last sweeps, what they found with the values of both sides, and putting it right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from twinbook.domain.drift import DriftKind
from twinbook.spreadsheets.cells import MARK, csv_text
from twinbook.spreadsheets.drift import COLUMNS, cells_of
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import sweeping
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.problems import NotFound
from twinbook.web.queries import sweeps
from twinbook.web.queries.sweeps import DriftPage
from twinbook.web.rendering import redirect, render

router = APIRouter()

ROWS = 50
EXPORT_ROWS = 1000
Number = Annotated[int | None, Query(ge=1, le=2**31)]


@router.get("/drift")
async def drift_page(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    sweep: Number = None,
    kind: Annotated[DriftKind | None, Query()] = None,
    after: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    kinds = (kind,) if kind else ()
    found = await dashboard.read(
        lambda tx: sweeps.drift(tx, sweep, kinds=kinds, after=after, limit=ROWS), connection
    )
    if found is None:
        raise NotFound("sweep")
    return await render(request, "drift.html", found=found, kind=kind, asked=sweep)


@router.get("/drift/{number}.csv")
async def export(
    who: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    number: Annotated[int, Path(ge=1, le=2**31)],
    kind: Annotated[DriftKind | None, Query()] = None,
) -> Response:
    """All that a sweep found, or all of one kind, written while it is read."""
    if await dashboard.read(lambda tx: sweeps.drift(tx, number, limit=1), connection) is None:
        raise NotFound("sweep")
    act = Act(who.login, "drift.exported", f"sweep {number}", connection, {"kind": kind})
    await dashboard.write(lambda tx: audit.note(tx, act, now=dashboard.now()))
    named = f"drift-{connection}-{number}{f'-{kind}' if kind else ''}.csv"
    return StreamingResponse(
        _csv(dashboard, connection, number, (kind,) if kind else ()),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{named}"'},
    )


async def _csv(
    dashboard: Dashboard, connection: str, number: int, kinds: tuple[DriftKind, ...]
) -> AsyncIterator[str]:
    def part(tx: Tx, after: int) -> DriftPage | None:
        return sweeps.drift(tx, number, kinds=kinds, after=after, limit=EXPORT_ROWS)

    yield MARK + csv_text([COLUMNS])
    after: int | None = 0
    while after is not None:
        found = await dashboard.read(partial(part, after=after), connection)
        if found is None:
            return
        yield csv_text(cells for line in found.lines for cells in cells_of(line))
        after = found.next


@router.post("/drift/sweeps")
async def begin(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    thorough: Annotated[bool, Form()] = False,
    report_only: Annotated[bool, Form()] = False,
) -> Response:
    number = await sweeping.begin(dashboard, who, connection, thorough=thorough, repairs=not report_only)
    return redirect(request, "/drift", notice=f"Sweep {number} begins as soon as the sync has a moment.")


@router.post("/drift/{number}/repair")
async def repair(
    request: Request,
    who: Operator,
    dashboard: Deps,
    connection: ConnectionName,
    number: int,
    record: Annotated[str, Form(max_length=40)] = "",
    kind: Annotated[DriftKind | None, Form()] = None,
) -> Response:
    """Have one contact looked at again, or all of one kind, or all."""
    queued = await sweeping.repair(
        dashboard,
        who,
        connection,
        number,
        kinds=(kind,) if kind else (),
        record_ids=(record,) if record else (),
    )
    word = "contact is" if queued == 1 else "contacts are"
    return redirect(request, "/drift", sweep=number, kind=kind, notice=f"{queued} {word} looked at again.")
