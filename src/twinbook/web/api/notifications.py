"""GET /api/v1/notifications: who is told what. Addresses are taken, and never given."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints

from twinbook.notify.due import Event
from twinbook.store.recipients import Kind
from twinbook.web.access.guard import Administrator
from twinbook.web.acts import notifications as acts
from twinbook.web.acts.notifications import Wishes
from twinbook.web.api.answers import CONFLICT, REFUSALS
from twinbook.web.dashboard import Deps
from twinbook.web.queries.notifications import notifications

router = APIRouter(tags=["notifications"], responses=REFUSALS)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Hour = Annotated[int, Field(ge=0, le=23)]


class RecipientAnswer(BaseModel):
    """`to` is what may be read of the address; `dropped` did not fit into the queue."""

    id: int
    kind: Kind
    name: str
    to: str
    rules: dict[str, Any]
    waiting: int
    dropped: int


class GivenUp(BaseModel):
    id: int
    recipient: str
    problem: str
    at: float


class NotificationsAnswer(BaseModel):
    recipients: list[RecipientAnswer]
    given_up: list[GivenUp]


class PeopleChanged(BaseModel):
    """Whom to tell by apprise, and what; without `url` the address stays. Quiet hours: both or none."""

    name: Name
    url: Url | None = None
    events: Annotated[list[Event], Field(min_length=1, max_length=len(Event))]
    failures_above: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    digest_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    quiet_from: Hour | None = None
    quiet_until: Hour | None = None

    def wishes(self) -> Wishes:
        events = tuple(dict.fromkeys(self.events))
        return Wishes(events, self.failures_above, self.digest_minutes, self.quiet_from, self.quiet_until)


class PeopleGiven(PeopleChanged):
    """Whom to tell by apprise, and what. Quiet hours: both or none."""

    url: Url


class WebhookGiven(BaseModel):
    name: Name
    url: Url


class WebhookChanged(BaseModel):
    """Without `url` the address stays; the secret stays in any case."""

    name: Name
    url: Url | None = None


class Saved(BaseModel):
    saved: bool = True


class Made(BaseModel):
    id: int


class WebhookMade(Made):
    """`secret` signs what is sent; it is told only now."""

    secret: str


class Queued(BaseModel):
    queued: bool = True


class Removed(BaseModel):
    removed: bool = True


@router.get("/notifications")
async def get_notifications(_: Administrator, dashboard: Deps) -> NotificationsAnswer:
    """Recipients, and what could not be sent."""
    found = await dashboard.read(notifications)
    return NotificationsAnswer(
        recipients=[
            RecipientAnswer(
                id=item.recipient.id,
                kind=item.recipient.kind,
                name=item.recipient.name,
                to=item.recipient.shown,
                rules=dict(item.recipient.rules),
                waiting=item.waiting,
                dropped=item.recipient.dropped,
            )
            for item in found.recipients
        ],
        given_up=[
            GivenUp(id=item.id, recipient=name, problem=item.problem, at=item.dead_at or 0.0)
            for name, item in found.given_up
        ],
    )


@router.post("/notifications/people", responses=CONFLICT)
async def add_people(who: Administrator, dashboard: Deps, given: PeopleGiven) -> Made:
    """Tell people by an apprise address."""
    return Made(id=await acts.add_people(dashboard, who, given.name, given.url, given.wishes()))


@router.post("/notifications/webhooks", responses=CONFLICT)
async def add_webhook(who: Administrator, dashboard: Deps, given: WebhookGiven) -> WebhookMade:
    """Tell a program of outcomes that change."""
    made, secret = await acts.add_webhook(dashboard, who, given.name, given.url)
    return WebhookMade(id=made, secret=secret)


@router.post("/notifications/people/{recipient_id}", responses=CONFLICT)
async def change_people(
    who: Administrator, dashboard: Deps, recipient_id: Number, given: PeopleChanged
) -> Saved:
    """Change whom an apprise address tells what."""
    await acts.change_people(dashboard, who, recipient_id, given.name, given.url or "", given.wishes())
    return Saved()


@router.post("/notifications/webhooks/{recipient_id}", responses=CONFLICT)
async def change_webhook(
    who: Administrator, dashboard: Deps, recipient_id: Number, given: WebhookChanged
) -> Saved:
    """Change where a program is told."""
    await acts.change_webhook(dashboard, who, recipient_id, given.name, given.url or "")
    return Saved()


@router.post("/notifications/{recipient_id}/test", responses=CONFLICT)
async def test(who: Administrator, dashboard: Deps, recipient_id: Number) -> Queued:
    """Send a test."""
    await acts.test(dashboard, who, recipient_id)
    return Queued()


@router.post("/notifications/{recipient_id}/remove")
async def remove(who: Administrator, dashboard: Deps, recipient_id: Number) -> Removed:
    """Tell it nothing any more."""
    await acts.remove(dashboard, who, recipient_id)
    return Removed()


@router.post("/notifications/given-up/{delivery_id}/retry")
async def retry(who: Administrator, dashboard: Deps, delivery_id: Number) -> Queued:
    """Try once more what was given up."""
    await acts.try_again(dashboard, who, delivery_id)
    return Queued()
