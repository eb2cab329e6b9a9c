"""The HTTP seam over real sockets: what each kind of failure becomes, and what never leaves the machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import HttpResponse, HttpSettings, HttpTransport, encode_query

NOW = 1_790_000_000.0
SETTINGS = HttpSettings(connect_timeout=2, read_timeout=0.2, total_timeout=3, max_response_bytes=10_000)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server for a handler and give its address."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def http() -> AsyncIterator[HttpTransport]:
    async with HttpTransport(SETTINGS, lambda: NOW) as transport:
        yield transport


async def test_sends_json_and_reads_it_back(serve: Serve, http: HttpTransport) -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.headers["Content-Type"].startswith("application/json")
        return web.json_response({"got": await request.json(), "accept": request.headers["Accept-Encoding"]})

    response = await http.request("POST", await serve(echo) + "/x", json={"name": "Zoë"})
    assert response.status == 200
    assert response.json() == {"got": {"name": "Zoë"}, "accept": "gzip"}


async def test_query_reaches_the_server_unchanged(serve: Serve, http: HttpTransport) -> None:
    async def show(request: web.Request) -> web.Response:
        return web.json_response({"q": request.query["q"], "raw": request.rel_url.raw_query_string})

    statement = "SELECT Id FROM Contact WHERE Email IN ('o\\'neil+x@example.com','ü 100%&')"
    answer = (await http.request("GET", await serve(show), params={"q": statement})).json()
    assert answer["q"] == statement
    assert answer["raw"] == encode_query({"q": statement})
    assert "+" not in answer["raw"]


async def test_gzip_is_unpacked_and_errors_are_answers(serve: Serve, http: HttpTransport) -> None:
    async def zipped(request: web.Request) -> web.Response:
        response = web.Response(status=503, text="<html>busy</html>" * 50, headers={"Retry-After": "7"})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    response = await http.request("GET", await serve(zipped))
    assert (response.status, response.text()[:6], response.retry_after) == (503, "<html>", 7.0)
    with pytest.raises(ValueError, match=r".*"):
        response.json()


async def test_redirects_are_not_followed(serve: Serve, http: HttpTransport) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/stolen")

    assert (await http.request("GET", await serve(elsewhere))).status == 302


@pytest.mark.parametrize(("method", "unknown"), [("GET", False), ("POST", True), ("PATCH", True)])
async def test_silence_is_a_timeout(serve: Serve, http: HttpTransport, method: str, unknown: bool) -> None:
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    with pytest.raises(TemporaryError) as caught:
        await http.request(method, await serve(hang))
    release.set()
    assert (caught.value.code, caught.value.outcome_unknown) == ("TIMEOUT", unknown)


async def test_a_dropped_connection_leaves_the_outcome_open(serve: Serve, http: HttpTransport) -> None:
    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with pytest.raises(TemporaryError) as caught:
        await http.request("PATCH", await serve(drop) + "/secret-path?email=a@b.example", json={"a": 1})
    assert (caught.value.code, caught.value.outcome_unknown) == ("CONNECTION_LOST", True)
    assert "secret" not in str(caught.value)
    assert "a@b" not in str(caught.value)


async def test_a_half_sent_body_is_a_lost_connection(serve: Serve, http: HttpTransport) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"only a part")
        assert request.transport is not None
        request.transport.abort()
        return response

    with pytest.raises(TemporaryError, match="CONNECTION_LOST"):
        await http.request("GET", await serve(half))


async def test_nothing_listens(http: HttpTransport) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(TemporaryError) as caught:
        await http.request("POST", url, json={})
    assert (caught.value.code, caught.value.outcome_unknown) == ("CONNECTION_FAILED", False)


async def test_an_endless_answer_is_cut_off(serve: Serve, http: HttpTransport) -> None:
    async def endless(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (SETTINGS.max_response_bytes + 1))

    with pytest.raises(PermanentError, match="RESPONSE_TOO_LARGE"):
        await http.request("GET", await serve(endless))


async def test_nothing_is_sent_after_closing(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    url = await serve(answer)
    http = HttpTransport(SETTINGS, lambda: NOW)
    assert (await http.request("GET", url)).status == 200
    await http.close()
    with pytest.raises(TemporaryError, match="CONNECTION_CLOSED"):
        await http.request("GET", url)


@pytest.mark.parametrize("url", ["acme.my.salesforce.com/x", "ftp://acme.example/", "https:///x", ""])
async def test_what_is_no_address(http: HttpTransport, url: str) -> None:
    with pytest.raises(PermanentError, match="INVALID_URL"):
        await http.request("GET", url)


async def test_an_unreadable_ca_file_is_named() -> None:
    settings = replace(SETTINGS, ca_file=Path("missing.pem"))
    async with HttpTransport(settings, lambda: NOW) as http:
        with pytest.raises(PermanentError, match=r"CA_FILE.*missing\.pem"):
            await http.request("GET", "https://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Mon, 21 Sep 2026 13:33:50 GMT", 30.0),
        ("Mon, 21 Sep 2026 13:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_both_forms(header: str, seconds: float | None) -> None:
    now = 1_789_997_600.0  # 2026-09-21 13:33:20 UTC
    assert HttpResponse(503, CIMultiDict({"retry-after": header}), b"", now).retry_after == seconds


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"a": "cut \\ud83d", "b": ["\\uDE00x"]}', {"a": "cut \ufffd", "b": ["\ufffdx"]}),
        (b'{"a": "\\ud83c\\udf89"}', {"a": "\U0001f389"}),
        (b'{"\\ud83d": null}', {"\ufffd": None}),
    ],
)
def test_half_a_character_does_not_spoil_an_answer(body: bytes, read: object) -> None:
    assert HttpResponse(200, CIMultiDict(), body, NOW).json() == read


@pytest.mark.parametrize("body", [b"<html>\\ud83d</html>", b"", b'{"a": "\xff"}', b'{"a": "\\ud83d"'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        HttpResponse(200, CIMultiDict(), body, NOW).json()
