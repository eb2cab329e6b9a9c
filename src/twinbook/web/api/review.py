"""GET /api/v1/review: what waits for a person; previewing and taking one choice for many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.store.outcomes import Outcome
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import review as acts
from twinbook.web.api.answers import REFUSALS
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.queries import review
from twinbook.web.queries.review import Foreseen, Wanted

router = APIRouter(tags=["review"], responses=REFUSALS)

Id = Annotated[str, StringConstraints(min_length=1, max_length=18, pattern="^[0-9A-Za-z]+$")]


class PileAnswer(BaseModel):
    """So many records wait for this reason."""

    entity: Entity
    reason: Reason
    number: int
    meaning: str
    remedy: str


class Waiting(BaseModel):
    """One record that waits, and what there is to choose."""

    side: Side
    id: str
    name: str
    detail: str
    choices: list[str]
    looked_at: float


class KeyGiven(BaseModel):
    side: Side
    id: Id


class Choice(BaseModel):
    """One choice for these records, or for all that wait for the reason. `until` leaves out what was looked at later:
    take it from a preview, so that nothing is decided that the preview did not show."""

    entity: Entity = Entity.CONTACT
    reason: Reason
    choice: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    keys: Annotated[list[KeyGiven], Field(max_length=review.MOST)] | None = None
    until: float | None = None


class NotDecided(BaseModel):
    side: Side
    id: str
    why: str


class DecisionAnswer(BaseModel):
    """What is decided and what is not. `more`: the pile is larger than one decision may be; decide again."""

    until: float
    decided: list[Waiting]
    not_decided: list[NotDecided]
    more: bool


@router.get("/review")
async def get_piles(_: Viewer, dashboard: Deps, connection: ConnectionName) -> list[PileAnswer]:
    """What waits for a person, by reason."""
    found = await dashboard.read(review.piles, connection)
    return [
        PileAnswer(
            entity=pile.entity,
            reason=pile.reason,
            number=pile.number,
            meaning=CATALOGUE[pile.reason].meaning,
            remedy=CATALOGUE[pile.reason].remedy,
        )
        for pile in found
    ]


@router.get("/review/{reason}")
async def get_pile(
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    reason: Reason,
    entity: Entity = Entity.CONTACT,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[Waiting]:
    """Those that wait longest for one reason."""
    found = await dashboard.read(lambda tx: review.pile(tx, entity, reason, limit=limit), connection)
    return [_waiting(item) for item in found]


@router.post("/review/preview")
async def preview(_: Operator, dashboard: Deps, connection: ConnectionName, given: Choice) -> DecisionAnswer:
    """What a choice would do; nothing is stored."""
    wanted = _wanted(given, dashboard.now())
    return _answer(wanted, await dashboard.read(lambda tx: review.foresee(tx, wanted), connection))


@router.post("/review/decide")
async def decide(who: Operator, dashboard: Deps, connection: ConnectionName, given: Choice) -> DecisionAnswer:
    """Take the choice for all that it fits, in one transaction."""
    wanted = _wanted(given, dashboard.now())
    return _answer(wanted, await acts.decide(dashboard, who, connection, wanted))


def _wanted(given: Choice, now: float) -> Wanted:
    keys = None if given.keys is None else tuple(Key(given.entity, item.side, item.id) for item in given.keys)
    until = now if given.until is None else given.until
    return Wanted(given.entity, given.reason, given.choice, until, keys)


def _answer(wanted: Wanted, found: Foreseen) -> DecisionAnswer:
    return DecisionAnswer(
        until=wanted.until,
        decided=[_waiting(item) for item in found.fitting],
        not_decided=[
            NotDecided(side=item.outcome.key.side, id=item.outcome.key.id, why=item.why)
            for item in found.unfit
        ],
        more=found.more,
    )


def _waiting(item: Outcome) -> Waiting:
    return Waiting(
        side=item.key.side,
        id=item.key.id,
        name=item.name,
        detail=item.detail,
        choices=list(item.choices),
        looked_at=item.looked_at,
    )
