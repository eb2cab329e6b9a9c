"""`POST /ping/{connection}`: the scripts in NetSuite say that records changed, so that nobody waits for the next poll.

A ping carries no values and is believed in nothing but "look at these again": it marks keys dirty by the same path as
polling, and what polling finds does not depend on it. Whoever cannot sign learns nothing and causes no write.

    202  taken in            401  not signed with a secret of this connection, or too long ago
    400  no ping             404  no such connection, or no secret is set for it
    409  received before     413  larger than 64 kB        429  too many, see Retry-After
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twinbook.domain.ports import Changes
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.contacts import netsuite_arrivals
from twinbook.settings import ConnectionSettings, Settings, account_policy
from twinbook.signature import HEADER, Signature
from twinbook.store import pings
from twinbook.store.database import Database, Store, Tx
from twinbook.store.pings import Reception

VERSION: Final = 1
LARGEST_BODY: Final = 64 * 1024
MOST_RECORDS: Final = 1000
MOST_A_MINUTE: Final = 600
# How far (seconds) the sender's clock and the journey may put the time of a signature from ours.
WINDOW: Final = 300

# Leads and prospects are customers by another name in NetSuite.
_ENTITIES: Final = {
    "contact": Entity.CONTACT,
    "customer": Entity.ACCOUNT,
    "prospect": Entity.ACCOUNT,
    "lead": Entity.ACCOUNT,
}


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


class PingedRecord(_Message):
    """A record that changed, by type and internal id."""

    type: Literal["contact", "customer", "prospect", "lead"]
    id: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")]

    @property
    def key(self) -> Key:
        return Key(_ENTITIES[self.type], Side.NETSUITE, self.id)


class Ping(_Message):
    """The body of a ping."""

    v: Annotated[int, Field(ge=VERSION, le=VERSION)]
    connection: str
    records: Annotated[list[PingedRecord], Field(min_length=1, max_length=MOST_RECORDS)]


def ping_routes(
    database: Database, settings: Callable[[], Settings], now: Callable[[], float]
) -> list[Route]:
    """The route, for the application that serves it. `settings` gives those in force, `now` epoch seconds."""

    async def receive(request: Request) -> Response:
        name = request.path_params["connection"]
        connection = settings().connections.get(name)
        if connection is None or not connection.ping.secrets:
            return _refused(404, "there is no such connection, or no ping.secret is set for it")
        body = await _body(request)
        if body is None:
            return _refused(413, f"a ping is larger than {LARGEST_BODY} bytes")
        taker = _Taker(Store(database, name), connection, now)
        return await taker.take(request.headers.get(HEADER, ""), body)

    return [Route("/ping/{connection}", receive, methods=["POST"])]


async def _body(request: Request) -> bytes | None:
    """None when it is too large, which is noticed before it is all here."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


class _Taker:
    """Takes in the pings of one connection."""

    def __init__(self, store: Store, settings: ConnectionSettings, now: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._now = now

    async def take(self, header: str, body: bytes) -> Response:
        signature = Signature.parse(header)
        if signature is None or not signature.made_with(self._settings.ping.secrets, body):
            return _refused(401, f"{HEADER} is missing, or not made with a secret of this connection")
        now = self._now()
        if abs(now - signature.at) > WINDOW:
            return _refused(
                401, f"{HEADER} was made more than {WINDOW} seconds ago, or by a clock that is wrong"
            )
        try:
            ping = Ping.model_validate_json(body)
        except ValidationError as error:
            return _refused(400, _problem(error))
        if ping.connection != self._store.scope:
            return _refused(400, f"connection: the ping is for another connection than {self._store.scope}")
        return _answer(await self._store.run(lambda tx: self._mark(tx, signature, ping, now)))

    def _mark(self, tx: Tx, signature: Signature, ping: Ping, now: float) -> Reception:
        until = signature.at + WINDOW
        reception = pings.receive(tx, signature.nonce, until=until, most_a_minute=MOST_A_MINUTE, now=now)
        if reception is not Reception.NEW:
            return reception
        keys = dict.fromkeys(record.key for record in ping.records)
        contacts = tuple(key for key in keys if key.entity is Entity.CONTACT)
        customers = tuple(key for key in keys if key.entity is Entity.ACCOUNT)
        netsuite_arrivals.mark(tx, _changes(contacts), self._settings.contacts.direction, now=now)
        if account_policy(self._settings).reads_customers:
            netsuite_arrivals.mark_customers(tx, _changes(customers), now=now)
        return reception


def _changes(keys: tuple[Key, ...]) -> Changes:
    return Changes(keys, cursor="", more=False)


def _problem(error: ValidationError) -> str:
    """The first problem, by its place; the values are the sender's and are not repeated."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"])) or "body"
    return f"{place}: {first['msg']}"


def _refused(status: int, problem: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": problem}, status_code=status, headers=dict(headers or {}))


def _answer(reception: Reception) -> Response:
    match reception:
        case Reception.NEW:
            return JSONResponse({"taken": True}, status_code=202)
        case Reception.REPEATED:
            return _refused(409, "this ping was received before")
        case Reception.TOO_MANY:
            problem = f"more than {MOST_A_MINUTE} pings in a minute; polling finds what they say"
            return _refused(429, problem, {"Retry-After": "60"})
