"""The page Notifications: who is told what, by apprise or by webhook; trying it, and what could not be sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from twinbook.notify.due import Event
from twinbook.store import recipients
from twinbook.store.recipients import Kind
from twinbook.web.access.guard import Administrator
from twinbook.web.acts import notifications as acts
from twinbook.web.acts.notifications import Wishes
from twinbook.web.dashboard import Dashboard, Deps
from twinbook.web.problems import NotFound, Problem
from twinbook.web.queries.notifications import notifications
from twinbook.web.rendering import redirect, render

router = APIRouter()

PAGE = "/notifications"
Text = Annotated[str, Form(max_length=2000)]
Hour = Annotated[str, Form(pattern="^([0-9]|1[0-9]|2[0-3])?$")]
MEANING = {
    Event.SAFETY_STOP: "A safety valve stops a connection until a person confirms.",
    Event.CONNECTION_FAILING: "A connection fails and is tried again.",
    Event.FAILURES: "More records have failed than the number below.",
    Event.NEEDS_PERSON: "More records wait for a person than before.",
}


@router.get("/notifications")
async def notifications_page(request: Request, _: Administrator, dashboard: Deps) -> Response:
    return await _shown(request, dashboard)


async def wishes_of(
    events: Annotated[list[Event], Form()] = [],  # noqa: B006 - FastAPI copies it
    failures_above: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
    digest_minutes: Annotated[int, Form(ge=0, le=10_080)] = 60,
    quiet_from: Hour = "",
    quiet_until: Hour = "",
) -> Wishes:
    """What a form says that people want to be told."""
    return Wishes(tuple(events), failures_above, digest_minutes, _hour(quiet_from), _hour(quiet_until))


Wished = Annotated[Wishes, Depends(wishes_of)]


@router.post("/notifications/people")
async def add_people(
    request: Request, who: Administrator, dashboard: Deps, name: Text, url: Text, wishes: Wished
) -> Response:
    try:
        await acts.add_people(dashboard, who, name, url, wishes)
    except Problem as problem:
        return await _shown(request, dashboard, problem, Kind.PEOPLE, name)
    return redirect(
        request, PAGE, notice=f"{name} is told from now on. Send a test to see whether it arrives."
    )


@router.get("/notifications/{recipient_id}")
async def edit_page(request: Request, _: Administrator, dashboard: Deps, recipient_id: int) -> Response:
    return await _edited(request, dashboard, recipient_id)


@router.post("/notifications/people/{recipient_id}")
async def change_people(
    request: Request,
    who: Administrator,
    dashboard: Deps,
    recipient_id: int,
    name: Text,
    wishes: Wished,
    url: Text = "",
) -> Response:
    try:
        await acts.change_people(dashboard, who, recipient_id, name, url, wishes)
    except Problem as problem:
        return await _edited(request, dashboard, recipient_id, problem, wishes)
    return redirect(request, PAGE, notice=f"{name}: saved.")


@router.post("/notifications/webhooks/{recipient_id}")
async def change_webhook(
    request: Request, who: Administrator, dashboard: Deps, recipient_id: int, name: Text, url: Text = ""
) -> Response:
    try:
        await acts.change_webhook(dashboard, who, recipient_id, name, url)
    except Problem as problem:
        return await _edited(request, dashboard, recipient_id, problem)
    return redirect(request, PAGE, notice=f"{name}: saved. It is signed with the same secret as before.")


@router.post("/notifications/webhooks")
async def add_webhook(
    request: Request, who: Administrator, dashboard: Deps, name: Text, url: Text
) -> Response:
    try:
        _, secret = await acts.add_webhook(dashboard, who, name, url)
    except Problem as problem:
        return await _shown(request, dashboard, problem, Kind.WEBHOOK, name)
    notice = "This secret signs what is sent. Give it to the program that receives it; it is shown only now."
    return redirect(request, PAGE, notice=notice, secret=secret)


@router.post("/notifications/{recipient_id}/test")
async def test(request: Request, who: Administrator, dashboard: Deps, recipient_id: int) -> Response:
    found = await acts.test(dashboard, who, recipient_id)
    notice = f"A test for {found.name} is on its way. What cannot be sent is tried again, and shown below in the end."
    return redirect(request, PAGE, notice=notice)


@router.post("/notifications/{recipient_id}/remove")
async def remove(request: Request, who: Administrator, dashboard: Deps, recipient_id: int) -> Response:
    found = await acts.remove(dashboard, who, recipient_id)
    return redirect(request, PAGE, notice=f"{found.name} is told nothing any more.")


@router.post("/notifications/given-up/{delivery_id}/retry")
async def retry(request: Request, who: Administrator, dashboard: Deps, delivery_id: int) -> Response:
    await acts.try_again(dashboard, who, delivery_id)
    return redirect(request, PAGE, notice="It is tried again.")


def _hour(text: str) -> int | None:
    return int(text) if text else None


async def _shown(
    request: Request,
    dashboard: Dashboard,
    problem: Problem | None = None,
    kind: Kind | None = None,
    name: str = "",
) -> Response:
    """The page, after a form that was refused with what was wrong. Addresses are not shown again."""
    found = await dashboard.read(notifications)
    faults = {fault.field: fault.message for fault in problem.faults} if problem else {}
    return await render(
        request,
        "notifications.html",
        status=problem.status if problem else 200,
        found=found,
        meaning=MEANING,
        faults=faults,
        refused=f"{problem.title}. {problem.detail}" if problem and not faults else "",
        faulty=kind,
        name=name,
        usual=Wishes(tuple(Event)),
        Kind=Kind,
    )


async def _edited(
    request: Request,
    dashboard: Dashboard,
    recipient_id: int,
    problem: Problem | None = None,
    typed: Wishes | None = None,
) -> Response:
    """The form of one recipient. Its address is not shown again. A refusal that is about no field is a page."""
    if problem and not problem.faults:
        raise problem
    found = await dashboard.read(lambda tx: recipients.by_id(tx, recipient_id))
    if found is None:
        raise NotFound("recipient")
    return await render(
        request,
        "notifications_edit.html",
        status=problem.status if problem else 200,
        to=found,
        meaning=MEANING,
        wishes=typed or Wishes.of(found.rules),
        faults={fault.field: fault.message for fault in problem.faults} if problem else {},
        Kind=Kind,
    )
