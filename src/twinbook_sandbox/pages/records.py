"""List, record page, forms: the same handlers for both systems, which differ in layouts, templates and desk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from twinbook_sandbox.core.control import SiteError
from twinbook_sandbox.pages.layout import FieldView, Layout, Record, Related, Widget

PAGE_SIZE = 25
RELATED_SIZE = 20
CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class Desk(Protocol):
    """What the pages need of one system: acts of its user, with flat records."""

    name: str
    """Folder of its templates, and name of its style sheet."""
    heading: str
    layouts: Mapping[str, Layout]
    undeletes: bool
    """Whether deleted records can be brought back."""

    def find(self, layout: Layout, text: str, limit: int, offset: int) -> tuple[list[Record], int]:
        """Live records with this text in a searched field, last changed first, and how many there are."""

    def read(self, type_: str, id_: str) -> Record | None:
        """One record, deleted ones too."""

    def related(self, related: Related, id_: str, limit: int) -> list[Record]:
        """Records that refer to this one."""

    def insert(self, type_: str, values: dict[str, Any]) -> str:
        """Create; returns the id. Raises `SiteError`."""

    def update(self, record: Record, layout: Layout, values: dict[str, Any]) -> None:
        """Change the values given. Raises `SiteError`."""

    def delete(self, type_: str, id_: str) -> None:
        """Delete. Raises `SiteError`."""

    def undelete(self, type_: str, id_: str) -> None:
        """Bring back. Raises `SiteError`."""


@dataclass(frozen=True, slots=True)
class Page:
    """Numbers of a page of a list."""

    number: int
    total: int

    @property
    def first(self) -> int:
        return (self.number - 1) * PAGE_SIZE + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.number * PAGE_SIZE, self.total)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


class RecordPages:
    """The record site of one system, under ``/ui``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._templates = Environment(
            loader=PackageLoader("twinbook_sandbox.pages"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(desk=desk, Widget=Widget)

    def routes(self) -> list[BaseRoute]:
        """All routes of the site."""
        return [
            # Browsers ask for it by themselves, and an answer of 404 would stand as an error in their console.
            Route("/favicon.ico", _no_icon),
            Route("/ui", self._home),
            Mount("/ui/static", StaticFiles(packages=[("twinbook_sandbox.pages", "static")])),
            Route("/ui/{type}", self._list),
            Route("/ui/{type}/new", self._new),
            Route("/ui/{type}/new", self._create, methods=["POST"]),
            Route("/ui/{type}/{id}", self._record),
            Route("/ui/{type}/{id}/edit", self._edit),
            Route("/ui/{type}/{id}/edit", self._save, methods=["POST"]),
            Route("/ui/{type}/{id}/delete", self._delete, methods=["POST"]),
            Route("/ui/{type}/{id}/undelete", self._undelete, methods=["POST"]),
        ]

    async def _home(self, _request: Request) -> Response:
        return RedirectResponse(f"/ui/{next(iter(self._desk.layouts))}")

    async def _list(self, request: Request) -> Response:
        layout = self._desk.layouts.get(request.path_params["type"])
        if layout is None:
            return self._missing()
        sought = request.query_params.get("q", "").strip()[:100]
        asked = request.query_params.get("page", "1")
        number = min(int(asked), 100_000) if asked.isascii() and asked.isdigit() and int(asked) else 1
        records, total = self._desk.find(layout, sought, PAGE_SIZE, (number - 1) * PAGE_SIZE)
        return self._page(
            "list.html", layout=layout, records=records, sought=sought, page=Page(number, total)
        )

    async def _record(self, request: Request) -> Response:
        found = self._found(request)
        return self._missing() if found is None else self._show(request, *found)

    async def _new(self, request: Request) -> Response:
        layout = self._desk.layouts.get(request.path_params["type"])
        if layout is None:
            return self._missing()
        given = {view.name: request.query_params.get(view.name) for view in layout.fields()}
        return self._form(layout, Record("", {name: value for name, value in given.items() if value}))

    async def _create(self, request: Request) -> Response:
        layout = self._desk.layouts.get(request.path_params["type"])
        if layout is None or not _from_here(request):
            return self._missing()
        values = form_values(layout, await _sent_form(request))
        given = {name: value for name, value in values.items() if value not in (None, False)}
        try:
            id_ = self._desk.insert(layout.type, given)
        except SiteError as error:
            return self._form(layout, Record("", values), error)
        return RedirectResponse(f"/ui/{layout.type}/{id_}", 303)

    async def _edit(self, request: Request) -> Response:
        found = self._found(request)
        return self._missing() if found is None else self._form(*found)

    async def _save(self, request: Request) -> Response:
        found = self._found(request)
        if found is None or not _from_here(request):
            return self._missing()
        layout, record = found
        values = form_values(layout, await _sent_form(request))
        changed = {name: value for name, value in values.items() if not _same(record.values.get(name), value)}
        try:
            if changed:
                self._desk.update(record, layout, changed)
        except SiteError as error:
            return self._form(layout, Record(record.id, record.values | values, names=record.names), error)
        return RedirectResponse(f"/ui/{layout.type}/{record.id}", 303)

    async def _delete(self, request: Request) -> Response:
        return await self._change(request, self._desk.delete)

    async def _undelete(self, request: Request) -> Response:
        return await self._change(request, self._desk.undelete)

    async def _change(self, request: Request, act: Any) -> Response:
        found = self._found(request)
        if found is None or not _from_here(request):
            return self._missing()
        layout, record = found
        try:
            act(layout.type, record.id)
        except SiteError as error:
            return self._show(request, layout, record, error)
        return RedirectResponse(f"/ui/{layout.type}/{record.id}", 303)

    def _found(self, request: Request) -> tuple[Layout, Record] | None:
        layout = self._desk.layouts.get(request.path_params["type"])
        try:
            record = self._desk.read(layout.type, request.path_params["id"]) if layout else None
        except SiteError:
            return None
        return (layout, record) if layout and record else None

    def _show(
        self, request: Request, layout: Layout, record: Record, error: SiteError | None = None
    ) -> Response:
        related = [(each, self._desk.related(each, record.id, RELATED_SIZE + 1)) for each in layout.related]
        return self._page(
            "record.html",
            status=400 if error else 200,
            layout=layout,
            record=record,
            related=related,
            shown=RELATED_SIZE,
            tab=request.query_params.get("tab", ""),
            error=error,
        )

    def _form(self, layout: Layout, record: Record, error: SiteError | None = None) -> Response:
        return self._page(
            "form.html", status=400 if error else 200, layout=layout, record=record, error=error
        )

    def _missing(self) -> Response:
        return self._page("missing.html", status=404, layout=None)

    def _page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        html = self._templates.get_template(f"{self._desk.name}/{template}").render(**context)
        return HTMLResponse(html, status, {"Content-Security-Policy": CONTENT_SECURITY})


async def _sent_form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))


def _no_icon(_: Request) -> Response:
    return Response(status_code=204)


def form_values(layout: Layout, form: Mapping[str, str]) -> dict[str, Any]:
    """What a sent form says about the fields of a layout; ``None`` for an emptied field."""
    return {view.name: _form_value(view, form) for view in layout.fields() if view.editable}


def _form_value(view: FieldView, form: Mapping[str, str]) -> Any:
    sent = form.get(view.name)
    if view.widget is Widget.CHECKBOX:
        return sent is not None
    value = (sent or "").replace("\r\n", "\n").strip()
    if view.widget is Widget.NUMBER and value:
        try:
            return float(value)
        except ValueError:
            return value
    return value or None


def _same(old: Any, new: Any) -> bool:
    return (old or None) == (new or None) if not isinstance(new, float) else old == new


def _from_here(request: Request) -> bool:
    """Whether a form was sent from these pages, and not from some other site that the browser has open."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
