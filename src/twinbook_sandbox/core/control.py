"""The control plane: what a tester sees and sets about one emulated system, under ``/_sandbox`` on its port.

It changes records as a *user* of that system would, so that all rules of the system apply and change events
are sent. ``docs/sandbox.md`` describes every route with an example.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.orders import (
    BadOrderError,
    FaultOrder,
    LatencyOrder,
    SeedOrder,
    TimeOrder,
    json_object,
    parse,
    whole_number,
)
from twinbook_sandbox.core.switches import SwitchBoard
from twinbook_sandbox.core.traffic import Fault, KindCount, Traffic

Action = Callable[[dict[str, Any]], Any]
"""A named act of a user or administrator: takes the request's arguments, answers with JSON or nothing."""


class SiteError(Exception):
    """An emulated system refused what a user wanted to do."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class Site(Protocol):
    """What an emulated system offers to the control plane and the record pages: the acts of one of its users.

    Refused acts raise :class:`SiteError`.
    """

    name: str
    switches: Any
    """A mutable dataclass: behaviours that differ from account to account, or that nobody has verified."""

    def reset(self) -> None:
        """Forget all data; credentials stay."""

    def insert(self, type_: str, fields: dict[str, Any], *, user: str | None = None) -> str:
        """Create a record; returns its id."""

    def update(self, type_: str, id_: str, fields: dict[str, Any], *, user: str | None = None) -> None:
        """Change the given fields of a record."""

    def delete(self, type_: str, id_: str, *, user: str | None = None) -> None:
        """Delete a record."""

    def read(self, type_: str, id_: str) -> dict[str, Any] | None:
        """One record, deleted ones too (marked so); ``None`` if there never was one."""

    def list(self, type_: str, where: dict[str, Any], limit: int, offset: int) -> list[dict[str, Any]]:
        """Records whose fields equal those given."""

    def count(self, type_: str) -> int:
        """How many live records there are of a type."""

    def actions(self) -> dict[str, Action]:
        """Further acts by name, such as undelete or merge."""

    def revoke_tokens(self) -> int:
        """End all sessions; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What the sandbox as a whole adds to the control plane of one system."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    """Added to the system's own actions."""
    switches: Sequence[Any] = ()
    """Further dataclasses of switches, shown and set together with the system's own."""
    seed: Callable[[SeedOrder], Awaitable[Any]] | None = None
    """Fills both systems with a fitting data set."""
    describe: Callable[[], dict[str, Any]] | None = None
    """The sandbox's addresses and credentials."""


def control_routes(
    site: Site, traffic: Traffic, clock: Clock, extras: Extras | None = None
) -> list[BaseRoute]:
    """The routes under ``/_sandbox`` for one emulated system."""
    return ControlPlane(site, traffic, clock, extras or Extras()).routes()


Endpoint = Callable[[Request], Awaitable[Any]]


class ControlPlane:
    """The endpoints of the control plane of one system. Each returns JSON, or ``None`` for an empty 204."""

    def __init__(self, site: Site, traffic: Traffic, clock: Clock, extras: Extras) -> None:
        self.site = site
        self.traffic = traffic
        self.clock = clock
        self.extras = extras
        self.switchboard = SwitchBoard([site.switches, *extras.switches])

    def routes(self) -> list[BaseRoute]:
        """All routes, with their full paths."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/health", self.health),
            ("GET", "/describe", self.describe),
            ("POST", "/reset", self.reset),
            ("POST", "/seed", self.seed),
            ("GET", "/records/{type}", self.list_records),
            ("POST", "/records/{type}", self.insert_record),
            ("GET", "/records/{type}/{id}", self.read_record),
            ("PATCH", "/records/{type}/{id}", self.update_record),
            ("DELETE", "/records/{type}/{id}", self.delete_record),
            ("GET", "/actions", self.list_actions),
            ("POST", "/actions/{name}", self.act),
            ("GET", "/faults", self.list_faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("DELETE", "/faults/{number:int}", self.remove_fault),
            ("GET", "/latency", self.read_latency),
            ("PUT", "/latency", self.set_latency),
            ("GET", "/counters", self.read_counters),
            ("DELETE", "/counters", self.reset_counters),
            ("GET", "/calls", self.read_calls),
            ("GET", "/time", self.read_time),
            ("POST", "/time", self.set_time),
            ("GET", "/switches", self.read_switches),
            ("PATCH", "/switches", self.set_switches),
        ]
        return [
            Route("/_sandbox" + path, _answered(endpoint), methods=[verb]) for verb, path, endpoint in table
        ]

    async def health(self, _request: Request) -> Any:
        return {"site": self.site.name, "status": "ok", "time": self.clock.now().isoformat()}

    async def describe(self, _request: Request) -> Any:
        if self.extras.describe is None:
            raise BadOrderError(None, "nothing to describe", "start the sandbox by its command", status=404)
        return self.extras.describe()

    async def reset(self, _request: Request) -> Any:
        self.site.reset()

    async def seed(self, request: Request) -> Any:
        if self.extras.seed is None:
            raise BadOrderError(None, "there is no data set", "start the sandbox by its command", status=404)
        return await self.extras.seed(parse(SeedOrder, await json_object(request)))

    async def list_records(self, request: Request) -> Any:
        type_ = request.path_params["type"]
        query = dict(request.query_params)
        limit = whole_number(query.pop("limit", "100"), "limit", 1, 10_000)
        offset = whole_number(query.pop("offset", "0"), "offset", 0, 10_000_000)
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        where = {name: words.get(text, text) for name, text in query.items()}
        records = self.site.list(type_, where, limit, offset)
        return {"count": self.site.count(type_), "records": records}

    async def insert_record(self, request: Request) -> Any:
        fields = await json_object(request)
        id_ = self.site.insert(request.path_params["type"], fields, user=request.query_params.get("user"))
        return JSONResponse({"id": id_}, status_code=201)

    async def read_record(self, request: Request) -> Any:
        type_, id_ = request.path_params["type"], request.path_params["id"]
        record = self.site.read(type_, id_)
        if record is None:
            raise BadOrderError(
                "id", f"there is no {type_} {id_}", "list the records of the type", status=404
            )
        return record

    async def update_record(self, request: Request) -> Any:
        type_, id_ = request.path_params["type"], request.path_params["id"]
        self.site.update(type_, id_, await json_object(request), user=request.query_params.get("user"))

    async def delete_record(self, request: Request) -> Any:
        type_, id_ = request.path_params["type"], request.path_params["id"]
        self.site.delete(type_, id_, user=request.query_params.get("user"))

    def actions(self) -> dict[str, Action]:
        """All actions by name: the site's own, what the sandbox adds, and the end of all sessions."""
        return {"revoke_tokens": self.revoke_tokens, **self.site.actions(), **self.extras.actions}

    def revoke_tokens(self, _arguments: dict[str, Any]) -> dict[str, int]:
        """End all sessions of the API: tokens handed out so far get 401."""
        return {"revoked": self.site.revoke_tokens()}

    async def list_actions(self, _request: Request) -> Any:
        return {name: _first_line(action.__doc__) for name, action in self.actions().items()}

    async def act(self, request: Request) -> Any:
        name, actions = request.path_params["name"], self.actions()
        if name not in actions:
            known = ", ".join(sorted(actions))
            raise BadOrderError("name", f"there is no action {name}", f"choose one of {known}", status=404)
        try:
            return actions[name](await json_object(request))
        except (KeyError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise BadOrderError(None, problem, f"see the action {name} in docs/sandbox.md") from error

    async def list_faults(self, _request: Request) -> Any:
        return {"faults": [_fault_json(number, fault) for number, fault in self.traffic.faults.items()]}

    async def add_fault(self, request: Request) -> Any:
        number = self.traffic.add_fault(parse(FaultOrder, await json_object(request)).fault())
        return JSONResponse({"id": number}, status_code=201)

    async def clear_faults(self, _request: Request) -> Any:
        return {"cleared": self.traffic.clear_faults()}

    async def remove_fault(self, request: Request) -> Any:
        number = request.path_params["number"]
        if self.traffic.faults.pop(number, None) is None:
            raise BadOrderError("id", f"there is no fault {number}", "list the faults", status=404)

    async def read_latency(self, _request: Request) -> Any:
        return {"default_ms": self.traffic.latency.default_ms, "by_kind": self.traffic.latency.by_kind}

    async def set_latency(self, request: Request) -> Any:
        self.traffic.latency = parse(LatencyOrder, await json_object(request)).latency()
        return await self.read_latency(request)

    async def read_counters(self, _request: Request) -> Any:
        counters = self.traffic.counters
        return {
            "calls": sum(count.calls for count in counters.values()),
            "kinds": {kind: _count_json(count) for kind, count in counters.items()},
            "in_flight": self.traffic.in_flight,
            "high_water": self.traffic.high_water,
            "concurrency_limit": self.traffic.concurrency_limit(),
        }

    async def reset_counters(self, _request: Request) -> Any:
        self.traffic.reset_counters()

    async def read_calls(self, _request: Request) -> Any:
        return {"calls": [asdict(call) for call in self.traffic.log]}

    async def read_time(self, _request: Request) -> Any:
        return {"now": self.clock.now().isoformat(), "frozen": self.clock.frozen}

    async def set_time(self, request: Request) -> Any:
        parse(TimeOrder, await json_object(request)).carry_out(self.clock)
        return await self.read_time(request)

    async def read_switches(self, _request: Request) -> Any:
        return self.switchboard.values()

    async def set_switches(self, request: Request) -> Any:
        self.switchboard.set(await json_object(request))
        return self.switchboard.values()


def _answered(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            result = await endpoint(request)
        except BadOrderError as error:
            return JSONResponse({"error": error.json()}, status_code=error.status)
        except SiteError as error:
            told = {"code": error.code, "field": error.field, "problem": error.message}
            return JSONResponse({"error": told}, status_code=error.status)
        if isinstance(result, Response):
            return result
        return Response(status_code=204) if result is None else JSONResponse(result)

    return answer


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _count_json(count: KindCount) -> dict[str, Any]:
    return {"calls": count.calls, "refused": count.refused, "statuses": count.statuses}


def _fault_json(number: int, fault: Fault) -> dict[str, Any]:
    return {
        "id": number,
        "effect": fault.effect,
        "times": fault.times,
        "hits": fault.hits,
        "match": {
            "kind": fault.kind.pattern if fault.kind else None,
            "method": fault.method,
            "path": fault.path.pattern if fault.path else None,
        },
        "status": fault.status,
        "body": fault.body,
        "headers": fault.headers,
        "code": fault.code,
        "message": fault.message,
        "delay_ms": fault.delay_ms,
    }
