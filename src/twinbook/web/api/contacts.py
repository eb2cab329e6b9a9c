"""GET /api/v1/contacts and what belongs to it: the same lists as on the page Contacts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from twinbook.domain.reasons import CATALOGUE, OutcomeKind, Reason
from twinbook.domain.records import Side
from twinbook.web.access.guard import Viewer
from twinbook.web.api.answers import REFUSALS
from twinbook.web.cursors import open_position, seal_position
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.problems import Fault, Problem
from twinbook.web.queries import contacts
from twinbook.web.queries.contacts import ContactRow, Position, Sort, Wanted

router = APIRouter(tags=["contacts"], responses=REFUSALS)

Limit = Annotated[int, Query(ge=1, le=500, description="Most contacts in one answer.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of an earlier answer.")]


class Contact(BaseModel):
    """One contact: where it stands and why. `side` and `id` name it: a NetSuite contact without a link has its own."""

    model_config = ConfigDict(from_attributes=True)

    side: Side
    id: str = Field(validation_alias="record_id")
    salesforce_id: str | None
    netsuite_id: str | None
    name: str
    email: str | None
    outcome: OutcomeKind = Field(validation_alias="kind")
    reason: Reason | None
    detail: str = Field(description="What exactly was found, with values where they help.")
    looked_at: float
    written_at: float | None
    written: str | None = Field(description="What the last write was: created, adopted or updated.")


class ContactList(BaseModel):
    """Some contacts. `next` leads on to those after them; null at the end. `total` is null for a search, which looks at
    1,000 matches at most."""

    contacts: list[Contact]
    total: int | None
    next: str | None


class Count(BaseModel):
    """How many contacts have this outcome for this reason, and what that means."""

    outcome: OutcomeKind
    reason: Reason | None
    number: int
    meaning: str
    remedy: str


class Counts(BaseModel):
    """All contacts by outcome and reason. They are counted anew every few seconds."""

    counts: list[Count]
    total: int


class Search(BaseModel):
    """What to look for. It stands in the body because names and emails do not belong into addresses."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        min_length=1,
        max_length=200,
        description="Beginnings of words of a name or an email, or an id of either side.",
    )
    outcome: list[OutcomeKind] = Field(default_factory=list, max_length=len(OutcomeKind))
    reason: list[Reason] = Field(default_factory=list, max_length=len(Reason))
    sort: Sort = Sort.RECENT
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=2000)


@router.get("/contacts")
async def list_contacts(
    request: Request,
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    outcome: Annotated[list[OutcomeKind], Query(default_factory=list, max_length=len(OutcomeKind))],
    reason: Annotated[list[Reason], Query(default_factory=list, max_length=len(Reason))],
    sort: Sort = Sort.RECENT,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ContactList:
    """Contacts by what came of them."""
    wanted = Wanted(tuple(outcome), tuple(reason), "", sort)
    return await _page(request, dashboard, connection, wanted, limit=limit, cursor=cursor)


@router.post("/contacts/search")
async def search_contacts(
    request: Request, _: Viewer, dashboard: Deps, connection: ConnectionName, search: Search
) -> ContactList:
    """Contacts by name, email or id."""
    wanted = Wanted(tuple(search.outcome), tuple(search.reason), search.text, search.sort)
    return await _page(request, dashboard, connection, wanted, limit=search.limit, cursor=search.cursor)


@router.get("/contacts/counts")
async def count_contacts(_: Viewer, dashboard: Deps, connection: ConnectionName) -> Counts:
    """How many contacts there are of each outcome and reason."""
    cells = await dashboard.contact_counts.get(connection)
    found = []
    for cell in cells:
        said = CATALOGUE[cell.reason] if cell.reason else None
        meaning, remedy = (said.meaning, said.remedy) if said else ("", "")
        found.append(
            Count(outcome=cell.kind, reason=cell.reason, number=cell.number, meaning=meaning, remedy=remedy)
        )
    return Counts(counts=found, total=sum(cell.number for cell in cells))


async def _page(
    request: Request, dashboard: Dashboard, connection: str, wanted: Wanted, *, limit: int, cursor: str | None
) -> ContactList:
    at = _opened(request, wanted, cursor) if cursor else None
    cells = await dashboard.contact_counts.get(connection)
    found = await dashboard.read(lambda tx: contacts.page(tx, wanted, cells, limit=limit, at=at), connection)
    onward = seal_position(request, wanted.sort, found.after)
    return ContactList(contacts=list(map(_contact, found.rows)), total=found.total, next=onward)


def _contact(row: ContactRow) -> Contact:
    return Contact.model_validate(row)


def _opened(request: Request, wanted: Wanted, cursor: str) -> Position:
    found = open_position(request, wanted.sort, cursor)
    if found is None:
        said = "It is not one of this list. Take `next` of an answer in the same order, or leave it out."
        raise Problem(400, "The cursor does not fit", faults=[Fault("cursor", said)])
    return found
