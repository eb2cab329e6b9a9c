"""Making pages: the templates, what every one of them can use, and the frame around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from twinbook.domain.reasons import CATALOGUE
from twinbook.web.access.guard import identify
from twinbook.web.access.principal import Principal
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import connection_of, dashboard_of
from twinbook.web.problems import Problem
from twinbook.web.static import StaticFiles

TEMPLATES = Path(__file__).parent / "templates"
NOTICE = "twinbook_notice"
NOTICE_SECONDS = 60
REGION_HEADER = "X-Region"

_UNITS = ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    path: str
    label: str
    icon: str
    role: Role = Role.VIEWER


# Every page that stands in the navigation, in its order. Who adds a page adds it here.
NAVIGATION = (
    Place("/overview", "Overview", "overview"),
    Place("/contacts", "Contacts", "people"),
    Place("/review", "Review", "review"),
    Place("/errors", "Errors", "errors"),
    Place("/match", "Back-fill", "match"),
    Place("/drift", "Drift", "drift"),
    Place("/settings", "Settings", "settings"),
    Place("/install", "Set-up", "plug", Role.ADMINISTRATOR),
    Place("/people", "People", "access", Role.ADMINISTRATOR),
    Place("/notifications", "Notifications", "bell", Role.ADMINISTRATOR),
    Place("/audit", "Audit", "audit", Role.ADMINISTRATOR),
)


class Pages:
    """Renders templates. One for each application."""

    def __init__(self, static: StaticFiles) -> None:
        self.static = static
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(number=number, iso=iso, moment=moment, lasting=lasting)
        self._templates.globals.update(static=static.url, CATALOGUE=CATALOGUE, Role=Role)

    def text(self, template: str, values: Mapping[str, Any]) -> str:
        return self._templates.get_template(template).render(values)


async def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, with the frame that fits who is asking."""
    pages: Pages = request.app.state.pages
    who = await identify(request)
    frame = _frame(request, who)
    answer = HTMLResponse(pages.text(template, frame | values), status_code=status)
    if frame["notice"]:
        answer.delete_cookie(NOTICE)
    return answer


def redirect(request: Request, path: str, *, notice: str = "", secret: str = "", **query: Any) -> Response:
    """Send the browser on, after a form. The notice is shown on top of the next page, once; so is a secret, which the
    reader has to copy from there."""
    answer = RedirectResponse(link_to(request, path, **query), status_code=303)
    if notice:
        sealed = seal_state(request, [notice, secret])
        answer.set_cookie(
            NOTICE,
            sealed,
            max_age=NOTICE_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return answer


def link_to(request: Request, path: str, **query: Any) -> str:
    """The address of a page about the same connection. Empty values are left out."""
    named = request.query_params.get("connection")
    given = {"connection": named} | query
    wanted = {name: value for name, value in given.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(wanted, doseq=True)}" if wanted else path


def _frame(request: Request, who: Principal | None) -> dict[str, Any]:
    dashboard = dashboard_of(request)
    notice, secret = open_state(request, request.cookies.get(NOTICE)) or ("", "")
    now = dashboard.now()
    return {
        "path": request.url.path,
        "who": who,
        "places": [place for place in NAVIGATION if who and who.role.covers(place.role)],
        "connections": list(dashboard.settings.connections),
        "connection": _connection(request),
        "to_be_set_up": not dashboard.in_force.finished.is_set(),
        "notice": notice,
        "secret": secret,
        "link": lambda path, **query: link_to(request, path, **query),
        "ago": lambda at: ago(at, now),
        "due": lambda at: due(at, now),
        "now": now,
    }


def _connection(request: Request) -> str:
    """The connection for the frame of a page: the error page about a wrong one needs a right one."""
    try:
        return connection_of(request)
    except Problem:
        return next(iter(dashboard_of(request).settings.connections))


def seal_state(request: Request, value: Any) -> str:
    """What must not be read in an address (a search term, a name): only this installation can read it."""
    return dashboard_of(request).sealer.seal(orjson.dumps(value).decode())


def open_state(request: Request, sealed: str | None) -> Any:
    """What was sealed, None where there is nothing or it is not ours."""
    text = dashboard_of(request).sealer.open(sealed) if sealed else None
    return None if text is None else orjson.loads(text)


def number(value: float) -> str:
    """A number with thin spaces between the thousands, so that large ones can be read."""
    return f"{value:,}".replace(",", "\u202f")


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def moment(at: float) -> str:
    """A time as people read it. The script shows it in the reader's own zone."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(at: float, now: float) -> str:
    """How long ago, in the largest unit that fits."""
    passed = max(0.0, now - at)
    for seconds, unit in _UNITS:
        if passed >= seconds:
            many = int(passed // seconds)
            return f"{many} {unit}{'s' if unit == 'day' and many != 1 else ''} ago"
    return "just now"


def lasting(seconds: float) -> str:
    """How long something takes, roughly, as people say it."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{max(1, round(seconds))} s"


def due(at: float, now: float) -> str:
    """When something is to happen, in the largest unit that fits."""
    ahead = at - now
    for seconds, unit in _UNITS:
        if ahead >= seconds:
            many = round(ahead / seconds)
            return f"in {many} {unit}{'s' if unit == 'day' and many != 1 else ''}"
    return "now"
