"""A small emulated system on a real socket, to try on it what all systems share."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twinbook_sandbox.client import SandboxClient
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import Action, SiteError, control_routes
from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.core.traffic import Traffic


@dataclass
class Switches:
    name_scope: Literal["company", "off"] = "company"
    concurrency_limit: int | None = None
    seen_fields: list[str] = field(default_factory=list)
    oneworld: bool = True


class Notes:
    """A system with one type of record, ``note``, of which ``text`` is required."""

    name = "notes"

    def __init__(self) -> None:
        self.switches = Switches()
        self.notes: dict[str, dict[str, Any]] = {}
        self.users: list[str | None] = []
        self.concurrently = 0

    def reset(self) -> None:
        self.notes.clear()

    def insert(self, type_: str, fields: dict[str, Any], *, user: str | None = None) -> str:
        if not fields.get("text"):
            raise SiteError(422, "REQUIRED_FIELD_MISSING", "text is required", "text")
        id_ = str(len(self.notes) + 1)
        self.notes[id_] = {"id": id_, **fields}
        self.users.append(user)
        return id_

    def update(self, type_: str, id_: str, fields: dict[str, Any], *, user: str | None = None) -> None:
        self.notes[id_] |= fields
        self.users.append(user)

    def delete(self, type_: str, id_: str, *, user: str | None = None) -> None:
        self.notes[id_]["deleted"] = True

    def read(self, type_: str, id_: str) -> dict[str, Any] | None:
        return self.notes.get(id_)

    def list(self, type_: str, where: dict[str, Any], limit: int, offset: int) -> list[dict[str, Any]]:
        found = [n for n in self.notes.values() if all(n.get(k) == v for k, v in where.items())]
        return found[offset : offset + limit]

    def count(self, type_: str) -> int:
        return len([note for note in self.notes.values() if not note.get("deleted")])

    def actions(self) -> dict[str, Action]:
        return {"shout": self.shout}

    def shout(self, arguments: dict[str, Any]) -> Any:
        """Say a word loudly."""
        return {"said": arguments["word"].upper()}

    def revoke_tokens(self) -> int:
        return 3

    async def post(self, request: Request) -> Response:
        await asyncio.sleep(0)
        id_ = self.insert("note", await request.json())
        return JSONResponse({"id": id_}, status_code=201)

    async def get(self, request: Request) -> Response:
        return JSONResponse(self.notes)

    def routes(self) -> Sequence[Route]:
        return [Route("/notes", self.post, methods=["POST"]), Route("/notes", self.get, methods=["GET"])]


class Running:
    """The system on its port, with what stands around it."""

    def __init__(self) -> None:
        self.site = Notes()
        self.clock = Clock()
        self.traffic = Traffic(
            self.clock,
            lambda method, path, query: f"{path.strip('/')}.{method.lower()}",
            refusal=lambda status, code, message, path: JSONResponse(
                [{"errorCode": code, "message": message, "path": path}], status_code=status
            ),
            concurrency_limit=lambda: self.site.switches.concurrency_limit,
            over_limit=lambda path: JSONResponse({"over": path}, status_code=429),
        )
        routes = [*self.site.routes(), *control_routes(self.site, self.traffic, self.clock)]
        self.server = HttpServer(bind("127.0.0.1", 0), self.traffic.wrap(Starlette(routes=routes)))
        self.url = f"http://127.0.0.1:{self.server.port}"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    system = Running()
    await system.server.start()
    yield system
    system.traffic.clear_faults()
    await system.server.stop()


@pytest.fixture
async def control(running: Running) -> AsyncIterator[SandboxClient]:
    async with SandboxClient(running.url, timeout_s=10) as client:
        yield client
