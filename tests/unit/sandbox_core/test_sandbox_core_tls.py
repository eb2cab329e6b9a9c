import ssl
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from twinbook_sandbox.core.server import HttpServer, bind
from twinbook_sandbox.core.tls import self_signed


async def test_clients_that_trust_the_certificate_are_served(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hi"))])
    server = HttpServer(bind("127.0.0.1", 0), app, files)
    await server.start()
    try:
        trust = ssl.create_default_context(cafile=str(files.certificate))
        trust.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ("127.0.0.1", "localhost"):
            url = f"https://{host}:{server.port}/"
            async with aiohttp.ClientSession() as session, session.get(url, ssl=trust) as response:
                assert await response.text() == "hi"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"https://127.0.0.1:{server.port}/")
    finally:
        await server.stop()


def test_the_certificate_is_kept_until_other_hosts_are_asked_for(tmp_path: Path) -> None:
    first = self_signed(tmp_path).certificate.read_bytes()
    assert self_signed(tmp_path).certificate.read_bytes() == first
    assert self_signed(tmp_path, ["sandbox.example"]).certificate.read_bytes() != first


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    assert self_signed(tmp_path).key.stat().st_mode & 0o077 == 0
