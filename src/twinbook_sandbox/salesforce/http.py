"""Between HTTP and the org: Starlette routes, size limits, compression, JSON (salesforce.md 4)."""

from __future__ import annotations

import gzip
import zlib
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinbook_sandbox.salesforce.api import Api, Reply
from twinbook_sandbox.salesforce.oauth import OAuth, OAuthCall

LONGEST_URI = 16_384
_WORTH_COMPRESSING = 2_048
_FAST = 1
_ALL_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
_JSON = "application/json;charset=UTF-8"


def api_routes(api: Api, oauth: OAuth) -> list[BaseRoute]:
    """The org's routes."""

    async def answer_api(request: Request) -> Response:
        too_long = _too_long(request)
        if too_long:
            return too_long
        headers = dict(request.headers)
        body = await request.body()
        if headers.get("content-encoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                return _response(request, _error(400, "JSON_PARSER_ERROR", "the body is no gzip"))
        path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        reply = api.handle(request.method, path, request.url.query, headers, body)
        return _response(request, reply)

    async def answer_oauth(request: Request) -> Response:
        form = (await request.body()).decode("utf-8", "replace")
        parameters = dict(parse_qsl(request.url.query)) | dict(parse_qsl(form))
        host = f"{request.url.scheme}://{request.url.netloc}"
        call = OAuthCall(parameters, dict(request.headers), host)
        return _response(request, oauth.handle(request.path_params["endpoint"], call))

    return [
        Route("/services/oauth2/{endpoint}", answer_oauth, methods=["GET", "POST"]),
        Route("/services/data{rest:path}", answer_api, methods=_ALL_METHODS),
    ]


def refusal(status: int, code: str, message: str, _path: str) -> Response:
    """An error in the org's shape, for faults that the control plane injects."""
    return Response(orjson.dumps(_error(status, code, message).body), status, media_type=_JSON)


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, [{"message": message, "errorCode": code}])


def _too_long(request: Request) -> Response | None:
    uri = len(request.scope["raw_path"]) + len(request.scope["query_string"]) + 1
    if uri > LONGEST_URI:
        return Response("URI Too Long", 414)
    headers = sum(len(name) + len(value) + 4 for name, value in request.scope["headers"])
    return Response("Request Header Fields Too Large", 431) if uri + headers > LONGEST_URI else None


def _response(request: Request, reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    content = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
    if len(content) > _WORTH_COMPRESSING and "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, _FAST, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(content, reply.status, headers, reply.content_type or _JSON)
