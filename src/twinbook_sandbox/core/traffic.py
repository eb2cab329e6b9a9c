"""What happens to calls on their way to an emulated system: counting, latency, limits and faults.

One :class:`Traffic` stands in front of each emulated system, as ASGI middleware. The control plane reads and
sets its state; the emulated system itself knows nothing of it. Paths under ``/_sandbox`` and ``/ui`` pass
untouched, so that looking at the sandbox never disturbs a measurement.

Order for one call: it is *in flight* from arrival to the last byte of the answer; the account-wide
concurrency limit; the first fault that matches; half of the latency; the handler; the other half; the answer.
Latency stands on both sides of the handler so that a client that gives up early leaves a committed write
behind, as it would in reality.
"""

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twinbook_sandbox.core.clock import Clock

EXEMPT_PREFIXES = ("/_sandbox", "/ui")
ABORT_KEY = "abort_connection"
"""Key in the ASGI scope's ``state`` under which the server puts a function that cuts the connection."""
MAX_HANG_S = 3600.0
LOGGED_CALLS = 10_000
"""How many of the latest calls are kept in the log."""


class Effect(StrEnum):
    """What a fault does to the call it meets."""

    STATUS = "status"
    """Answer with a status and body of the tester's choice; the handler does not run."""
    REJECT = "reject"
    """Answer with an error in the vendor's own shape; the handler does not run."""
    DELAY = "delay"
    """Add ``delay_ms`` to the latency of the call, half before and half after the handler."""
    HANG = "hang"
    """Never answer; the handler does not run. Ends when the client leaves or the faults are cleared."""
    DROP_BEFORE = "drop_before"
    """Cut the connection; the handler does not run."""
    DROP_AFTER_COMMIT = "drop_after_commit"
    """The handler runs to its end, then the connection is cut without an answer."""


@dataclass(slots=True)
class Fault:
    """A rule: the next ``times`` calls that match meet ``effect``. What the match leaves out matches all."""

    effect: Effect
    times: int | None = 1
    """Calls still to be met; ``None`` means until the rule is removed."""
    kind: re.Pattern[str] | None = None
    """Whole kind of call, such as ``contact\\.patch``."""
    method: str | None = None
    path: re.Pattern[str] | None = None
    """Found anywhere in the path with its query."""
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    delay_ms: float = 0.0
    hits: int = 0

    def matches(self, kind: str, method: str, target: str) -> bool:
        """Whether a call of this kind, to this path with query, is to be met."""
        return (
            self.times != 0
            and (self.kind is None or self.kind.fullmatch(kind) is not None)
            and (self.method is None or self.method == method)
            and (self.path is None or self.path.search(target) is not None)
        )

    def hit(self) -> None:
        """Count one call that was met."""
        self.hits += 1
        if self.times is not None:
            self.times -= 1


@dataclass(slots=True)
class KindCount:
    """Calls of one kind. ``refused`` are those that a limit or a fault kept from the handler."""

    calls: int = 0
    refused: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    """Answers by status; ``none`` are calls that got no answer."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call that ended. Times are the machine's, in epoch seconds, whatever the sandbox's clock shows."""

    kind: str
    method: str
    path: str
    """Without the query."""
    status: str
    arrived: float
    answered: float


@dataclass(slots=True)
class Latency:
    """Milliseconds a call takes beyond the work itself, by kind of call."""

    default_ms: float = 0.0
    by_kind: dict[str, float] = field(default_factory=dict)

    def seconds(self, kind: str) -> float:
        """Latency of one call of this kind, in seconds."""
        return self.by_kind.get(kind, self.default_ms) / 1000


Classify = Callable[[str, str, str], str]
"""(method, path, query string) to the kind of call, such as ``contact.patch``, ``suiteql`` or ``token``."""
Refusal = Callable[[int, str, str, str], Response]
"""(status, code, message, path) to an error answer in the vendor's shape."""


def method_and_path(method: str, path: str, _query: str) -> str:
    """Classify by method and path, for a system that names no kinds of its own."""
    return f"{method} {path}"


def plain_refusal(status: int, code: str, message: str, _path: str) -> Response:
    """An error answer in no vendor's shape, for a system that names none of its own."""
    return JSONResponse({"error": code, "message": message}, status_code=status)


class Traffic:
    """ASGI middleware and its state: counters, latency, concurrency and faults of one emulated system.

    ``concurrency_limit`` is asked at each arrival (``None``: no limit); a call beyond it gets
    ``over_limit(path)``. Kinds in ``ungoverned`` (token requests) are neither in flight nor
    meet the limit.
    """

    def __init__(
        self,
        clock: Clock,
        classify: Classify = method_and_path,
        *,
        refusal: Refusal = plain_refusal,
        concurrency_limit: Callable[[], int | None] = lambda: None,
        over_limit: Callable[[str], Response] | None = None,
        ungoverned: frozenset[str] = frozenset({"token"}),
    ) -> None:
        self.clock = clock
        self.classify = classify
        self.refusal = refusal
        self.concurrency_limit = concurrency_limit
        self.over_limit = over_limit or (lambda path: refusal(429, "TOO_MANY_REQUESTS", "Too many.", path))
        self.ungoverned = ungoverned
        self.in_flight = 0
        self.high_water = 0
        self.counters: dict[str, KindCount] = {}
        self.log: deque[LoggedCall] = deque(maxlen=LOGGED_CALLS)
        self.latency = Latency()
        self.faults: dict[int, Fault] = {}
        self._next_fault = 1
        self._released = asyncio.Event()

    def add_fault(self, fault: Fault) -> int:
        """Arm a fault behind those already armed; returns its number."""
        number = self._next_fault
        self.faults[number] = fault
        self._next_fault += 1
        return number

    def clear_faults(self) -> int:
        """Disarm all faults and let go of calls that hang; returns how many faults there were."""
        count = len(self.faults)
        self.faults.clear()
        self._released.set()
        self._released = asyncio.Event()
        return count

    def reset_counters(self) -> None:
        """Start counting from zero, with an empty log; the high-water mark restarts at what is in flight now."""
        self.counters.clear()
        self.log.clear()
        self.high_water = self.in_flight

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """The emulated system's app, with this traffic in front of it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith(EXEMPT_PREFIXES):
                await app(scope, receive, send)
            else:
                await _Call(self, app, scope, receive, self._dated(send)).run()

        return guarded

    def _dated(self, send: Send) -> Send:
        """Answers bear the time of the emulated system, not that of this machine."""

        async def with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self.clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
            await send(message)

        return with_date

    def take_fault(self, kind: str, method: str, target: str) -> Fault | None:
        """The first armed fault that matches, counted as hit. Spent faults stay listed with their hits."""
        for fault in self.faults.values():
            if fault.matches(kind, method, target):
                fault.hit()
                return fault
        return None

    async def hang(self) -> None:
        """Wait until the faults are cleared, for an hour at most."""
        try:
            await asyncio.wait_for(self._released.wait(), MAX_HANG_S)
        except TimeoutError:
            return


class _Call:
    """One call on its way through: see the module's docstring for the order of things."""

    def __init__(self, traffic: Traffic, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.traffic = traffic
        self.app = app
        self.scope = scope
        self.receive = receive
        self.send = send
        self.path: str = scope["path"]
        query = scope["query_string"].decode("latin-1")
        self.kind = traffic.classify(scope["method"], self.path, query)
        self.target = f"{self.path}?{query}" if query else self.path
        self.count = traffic.counters.setdefault(self.kind, KindCount())
        self.status = "none"
        self.arrived = time.time()

    async def run(self) -> None:
        governed = self.kind not in self.traffic.ungoverned
        limit = self.traffic.concurrency_limit() if governed else None
        over_limit = limit is not None and self.traffic.in_flight >= limit
        self.traffic.in_flight += governed
        self.traffic.high_water = max(self.traffic.high_water, self.traffic.in_flight)
        self.count.calls += 1
        try:
            if over_limit:
                await self._refuse(self.traffic.over_limit(self.path))
            elif fault := self.traffic.take_fault(self.kind, self.scope["method"], self.target):
                await self._meet(fault)
            else:
                await self._serve()
        finally:
            self.traffic.in_flight -= governed
            self.count.statuses[self.status] += 1
            self.traffic.log.append(self._logged())

    def _logged(self) -> LoggedCall:
        method = self.scope["method"]
        return LoggedCall(self.kind, method, self.path, self.status, self.arrived, time.time())

    async def _meet(self, fault: Fault) -> None:
        match fault.effect:
            case Effect.STATUS:
                await self._pause()
                await self._refuse(_chosen_answer(fault))
            case Effect.REJECT:
                await self._pause()
                answer = self.traffic.refusal(fault.status, fault.code, fault.message, self.path)
                answer.headers.update(fault.headers)
                await self._refuse(answer)
            case Effect.HANG:
                self.count.refused += 1
                await self._hang()
            case Effect.DROP_BEFORE:
                self.count.refused += 1
                await self._cut()
            case Effect.DROP_AFTER_COMMIT:
                await self._pause()
                await self.app(self.scope, self.receive, _swallow)
                await self._cut()
            case Effect.DELAY:
                await self._serve(fault.delay_ms / 1000)

    async def _serve(self, extra_seconds: float = 0.0) -> None:
        async def slow_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = str(message["status"])
                await self._pause(extra_seconds)
            await self.send(message)

        await self._pause(extra_seconds)
        await self.app(self.scope, self.receive, slow_send)

    async def _refuse(self, answer: Response) -> None:
        self.count.refused += 1
        self.status = str(answer.status_code)
        # The body is taken in first: a server that answers early and closes can break the client's sending.
        await Request(self.scope, self.receive).body()
        await answer(self.scope, self.receive, self.send)

    async def _pause(self, extra_seconds: float = 0.0) -> None:
        seconds = (self.traffic.latency.seconds(self.kind) + extra_seconds) / 2
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def _hang(self) -> None:
        leaving = asyncio.ensure_future(_disconnected(self.receive))
        released = asyncio.ensure_future(self.traffic.hang())
        _, pending = await asyncio.wait({leaving, released}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await self._cut()

    async def _cut(self) -> None:
        abort: Callable[[], None] = self.scope["state"][ABORT_KEY]
        abort()
        await _disconnected(self.receive)


def _chosen_answer(fault: Fault) -> Response:
    if isinstance(fault.body, str) or fault.body is None:
        return Response(fault.body or "", fault.status, fault.headers, media_type="text/html")
    return JSONResponse(fault.body, fault.status, fault.headers)


async def _swallow(_message: Message) -> None:
    """Take a part of an answer that nobody is to see."""


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
