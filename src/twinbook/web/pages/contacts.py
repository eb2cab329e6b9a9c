"""The page Contacts: every contact that Twinbook knows, by what came of it, and why.

The model for other pages: parameters in, one read of a query, a template out. What people search for is sealed before
it stands in an address (`seal_state`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response, StreamingResponse

from twinbook.domain.reasons import Reason
from twinbook.spreadsheets.cells import csv_text
from twinbook.store import audit
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.guard import Viewer
from twinbook.web.cursors import open_position, seal_position
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.queries import contacts
from twinbook.web.queries.contacts import ContactPage, Position, Sort, State, Wanted
from twinbook.web.rendering import iso, open_state, redirect, render, seal_state

router = APIRouter()

ROWS = 50
EXPORT_ROWS = 1000
LONGEST_SEARCH = 200


class ListQuery:
    """What the address of a list says."""

    def __init__(
        self,
        request: Request,
        state: Annotated[State | None, Query()] = None,
        reason: Annotated[Reason | None, Query()] = None,
        sort: Annotated[Sort, Query()] = Sort.RECENT,
        search: Annotated[str | None, Query(max_length=2000)] = None,
        at: Annotated[str | None, Query(max_length=2000)] = None,
    ) -> None:
        self.state, self.reason, self.sort, self.search = state, reason, sort, search
        self.text = str(open_state(request, search) or "")
        self.at = open_position(request, sort, at)

    @property
    def wanted(self) -> Wanted:
        kinds = self.state.kinds if self.state else ()
        reasons = (self.reason,) if self.reason else ()
        return Wanted(kinds, reasons, self.text, self.sort)

    def link(self, **changed: Any) -> dict[str, Any]:
        """The same list with something changed, as the query of an address. It begins at the top."""
        same = {"state": self.state, "reason": self.reason, "search": self.search}
        same["sort"] = None if self.sort is Sort.RECENT else self.sort
        return same | changed


@router.get("/contacts")
async def contact_list(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    query: Annotated[ListQuery, Depends()],
) -> Response:
    cells = await dashboard.contact_counts.get(connection)
    found = await dashboard.read(
        lambda tx: contacts.page(tx, query.wanted, cells, limit=ROWS, at=query.at), connection
    )
    shown = query.state.kinds if query.state else ()
    return await render(
        request,
        "contacts.html",
        query=query,
        found=found,
        states=contacts.by_state(cells),
        known=sum(cell.number for cell in cells),
        reasons=[cell for cell in cells if cell.reason and (not shown or cell.kind in shown)],
        before=seal_position(request, query.sort, found.before),
        after=seal_position(request, query.sort, found.after),
        State=State,
        Sort=Sort,
    )


@router.post("/contacts/search")
async def search(
    request: Request,
    _: Viewer,
    text: Annotated[str, Form(max_length=LONGEST_SEARCH)] = "",
    state: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    sort: Annotated[str, Form()] = "",
) -> Response:
    """Turn what was typed into an address that does not show it."""
    sealed = seal_state(request, text.strip()) if text.strip() else None
    return redirect(request, "/contacts", state=state, reason=reason, sort=sort, search=sealed)


@router.get("/contacts.csv")
async def export(
    who: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    query: Annotated[ListQuery, Depends()],
) -> Response:
    """The whole list, whatever its length, written while it is read."""
    cells = await dashboard.contact_counts.get(connection)
    act = Act(who.login, "contacts.exported", connection=connection, detail=_filter(query))
    await dashboard.write(lambda tx: audit.note(tx, act, now=dashboard.now()))

    def more(tx: Tx, at: Position | None) -> ContactPage:
        return contacts.page(tx, query.wanted, cells, limit=EXPORT_ROWS, at=at)

    async def lines() -> AsyncIterator[str]:
        yield csv_text([HEADINGS])
        at: Position | None = None
        while True:
            part = await dashboard.read(partial(more, at=at), connection)
            yield csv_text(map(_cells, part.rows))
            at = part.after
            if at is None:
                return

    headers = {"Content-Disposition": f'attachment; filename="contacts-{connection}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


HEADINGS = (
    "name",
    "email",
    "outcome",
    "reason",
    "detail",
    "salesforce_id",
    "netsuite_id",
    "looked_at",
    "written_at",
    "written",
)


def _cells(row: contacts.ContactRow) -> tuple[object, ...]:
    times = (iso(row.looked_at), iso(row.written_at) if row.written_at else "")
    ids = (row.salesforce_id, row.netsuite_id)
    return (row.name, row.email, row.kind, row.reason, row.detail, *ids, *times, row.written)


def _filter(query: ListQuery) -> dict[str, Any]:
    """What was exported, for the audit: whether there was a search, not what for."""
    return {"state": query.state, "reason": query.reason, "search": bool(query.text)}
