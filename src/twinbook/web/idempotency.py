"""`Idempotency-Key` on POSTs to the API: a request that is sent again gets the same answer and is not done again.

Kept are answers that say that something was done; what was refused changed nothing, and is looked at anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from fastapi.requests import HTTPConnection
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twinbook.store import answered
from twinbook.store.answered import Answered
from twinbook.web.access.guard import identify
from twinbook.web.access.principal import Principal
from twinbook.web.dashboard import Dashboard, dashboard_of
from twinbook.web.problems import Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_FORM = re.compile(r"[!-~]{1,200}")


class IdempotencyKeys:
    """Stands innermost, where bodies are whole (`BodyLimit`) and answers are not packed yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        concerns = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/api/")
        key = Headers(scope=scope).get(HEADER) if concerns else None
        who = await _caller(scope) if key is not None else None
        if key is None or who is None:
            # Nobody that is known: the guard refuses it.
            await self._app(scope, receive, send)
        elif not _FORM.fullmatch(key):
            detail = f"{HEADER} has 1 to 200 printable ASCII characters without blanks, such as a UUID."
            await _refusal(400, "The key cannot be used", detail)(scope, receive, send)
        else:
            await self._once(scope, receive, send, _name(who), key)

    async def _once(self, scope: Scope, receive: Receive, send: Send, caller: str, key: str) -> None:
        dashboard = dashboard_of(HTTPConnection(scope))
        whole = await receive()
        hashed, now = _hash(scope, whole.get("body", b"")), dashboard.now()
        before = await dashboard.write(lambda tx: answered.begin(tx, caller, key, hashed, now=now))
        if before is not None:
            await _again(dashboard, before, hashed)(scope, receive, send)
            return
        said: list[Message] = []
        pending = [whole]

        async def replayed() -> Message:
            return pending.pop() if pending else await receive()

        async def heard(message: Message) -> None:
            said.append(message)
            await send(message)

        try:
            await self._app(scope, replayed, heard)
        finally:
            await _note(dashboard, caller, key, said)


async def _caller(scope: Scope) -> Principal | None:
    try:
        return await identify(HTTPConnection(scope))
    except Problem:
        # Too many requests: the route says so itself, when it asks anew.
        del HTTPConnection(scope).state.principal
        return None


def _name(who: Principal) -> str:
    return f"token {who.token_id}" if who.token_id is not None else f"person {who.person_id}"


def _hash(scope: Scope, body: bytes) -> str:
    target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}\n"
    return hashlib.sha256(target.encode() + body).hexdigest()


async def _note(dashboard: Dashboard, caller: str, key: str, said: Sequence[Message]) -> None:
    status = next((item["status"] for item in said if item["type"] == "http.response.start"), 500)
    body = b"".join(item.get("body", b"") for item in said if item["type"] == "http.response.body")
    if 200 <= status < 300:
        sealed = dashboard.sealer.seal(body.decode())
        await dashboard.write(lambda tx: answered.finish(tx, caller, key, status, sealed))
    else:
        await dashboard.write(lambda tx: answered.forget(tx, caller, key))


def _again(dashboard: Dashboard, before: Answered, hashed: str) -> Response:
    if before.request_hash != hashed:
        detail = f"{HEADER} was used for another request. Take a fresh key for each request."
        return _refusal(422, "The key was used before", detail)
    if before.status is None:
        detail = "The first request with this key is still worked on. Send it again in a moment."
        return _refusal(409, "Not answered yet", detail)
    body = dashboard.sealer.open(before.sealed)
    if body is None:
        return _refusal(409, "The answer is lost", "It was done, but the key file has changed since.")
    return Response(body, before.status, {REPLAYED: "true"}, media_type="application/json")


def _refusal(status: int, title: str, detail: str) -> Response:
    problem = Problem(status, title, detail)
    return JSONResponse(problem.as_json(), status_code=status, media_type="application/problem+json")
