"""The bodies of control-plane requests, validated: a wrong one is answered by field, problem and remedy."""

import re
from datetime import datetime
from typing import Annotated, Any, Self, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.traffic import Effect, Fault, Latency


class BadOrderError(Exception):
    """A control-plane request that cannot be carried out as it stands."""

    def __init__(self, field: str | None, problem: str, remedy: str, *, status: int = 400) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem
        self.remedy = remedy
        self.status = status

    def json(self) -> dict[str, str | None]:
        """The body of the answer."""
        return {"field": self.field, "problem": self.problem, "remedy": self.remedy}


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return text


Pattern = Annotated[str, Field(max_length=1000), AfterValidator(_is_pattern)]
Milliseconds = Annotated[float, Field(ge=0, le=600_000)]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedOrder(_Order):
    """A data set, the same for the same numbers."""

    accounts: int = Field(200, ge=0, le=1_000_000)
    contacts: int = Field(2000, ge=0, le=1_000_000)
    seed: int = 1

    @model_validator(mode="after")
    def _contacts_need_accounts(self) -> Self:
        if self.contacts and not self.accounts:
            raise ValueError("contacts need at least one account to belong to")
        return self


class MatchOrder(_Order):
    """Which calls a fault meets; what is left out matches all."""

    kind: Pattern | None = None
    method: Annotated[str, Field(pattern="^[A-Z]+$")] | None = None
    path: Pattern | None = None


class FaultOrder(_Order):
    """A fault to arm."""

    effect: Effect
    times: Annotated[int, Field(ge=1)] | None = 1
    match: MatchOrder = MatchOrder()
    status: int = Field(500, ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    code: str = ""
    message: str = ""
    delay_ms: Milliseconds = 0.0

    def fault(self) -> Fault:
        """The rule that the traffic keeps."""
        return Fault(
            effect=self.effect,
            times=self.times,
            kind=re.compile(self.match.kind) if self.match.kind else None,
            method=self.match.method,
            path=re.compile(self.match.path) if self.match.path else None,
            status=self.status,
            body=self.body,
            headers=self.headers,
            code=self.code,
            message=self.message,
            delay_ms=self.delay_ms,
        )


class LatencyOrder(_Order):
    """The whole latency profile; kinds left out take the default."""

    default_ms: Milliseconds = 0.0
    by_kind: dict[str, Milliseconds] = Field(default_factory=dict)

    def latency(self) -> Latency:
        """The profile that the traffic keeps."""
        return Latency(self.default_ms, self.by_kind)


class TimeOrder(_Order):
    """Exactly one of: freeze ``at`` an instant (``null`` runs again), ``advance_s`` by seconds, ``reset``."""

    at: datetime | None = None
    advance_s: float = Field(0.0, ge=-1e9, le=1e9)
    reset: bool = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of at, advance_s, reset")
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("at needs a zone, such as 2026-10-01T09:15:00Z")
        return self

    def carry_out(self, clock: Clock) -> None:
        """Move the clock as ordered."""
        if "at" in self.model_fields_set:
            clock.set(self.at)
        elif self.reset:
            clock.reset()
        else:
            clock.advance(self.advance_s)


Order = TypeVar("Order", bound=BaseModel)


def parse(model: type[Order], given: dict[str, Any]) -> Order:
    """A validated request body. Raises :class:`BadOrderError` for the first thing that is wrong with it."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        known = ", ".join(model.model_fields)
        raise BadOrderError(field, first["msg"], f"known fields: {known}; see docs/sandbox.md") from error


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body; an empty body is an empty object."""
    body = await request.body()
    if not body:
        return {}
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadOrderError(None, f"the body is no JSON: {error}", "send a JSON object") from error
    if not isinstance(given, dict):
        raise BadOrderError(None, "the body is no JSON object", "send a JSON object, such as {}")
    return given


def whole_number(text: str, field: str, least: int, most: int) -> int:
    """A whole number from a query parameter."""
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadOrderError(field, f"{text!r} will not do", f"give a whole number from {least} to {most}")
    return int(text)
