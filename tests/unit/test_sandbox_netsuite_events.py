"""User events of `packages/netsuite` in the sandbox: they fire whoever saves, and no save waits or fails for them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from tests.unit.sandbox_netsuite_rig import Rig

from twinbook.packaged import folder
from twinbook.signature import HEADER, Signature

SECRET = "a secret that nobody guesses, of 43 letters"
SCRIPT = "customscript_twinbook_ping"


class Endpoint:
    """Takes pings, and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.delay = 202, 0.0
        self.records: list[dict[str, str]] = []
        self.signed = True

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        signature = Signature.parse(request.headers[HEADER])
        self.signed = self.signed and signature is not None and signature.made_with([SECRET], body)
        told = orjson.loads(body)
        assert told.keys() == {"v", "connection", "records"}
        self.records += told["records"]
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status)


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[Endpoint, str]]:
    endpoint, app = Endpoint(), web.Application()
    app.router.add_post("/ping", endpoint.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield endpoint, f"http://127.0.0.1:{runner.addresses[0][1]}/ping"
    await runner.cleanup()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("netsuite") / "account.sqlite"
    Rig(str(path)).account.close()
    return path


@pytest.fixture
async def rig(keys: Path, tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(shutil.copy(keys, tmp_path / "account.sqlite")) as rig:
        rig.account.scripts.deploy(folder("netsuite"))
        act(rig, "keep_secret", script_id="custsecret_twinbook_ping", value=SECRET)
        yield rig


def act(rig: Rig, action: str, **arguments: Any) -> Any:
    return rig.account.actions()[action](arguments)


def tell(rig: Rig, url: str) -> None:
    act(rig, "set_script_parameter", script=SCRIPT, name="custscript_twinbook_url", value=url)


async def contact(rig: Rig, last_name: str) -> str:
    """A person makes a contact, and waits for what the save brings with it."""
    made = rig.account.insert("contact", {"lastName": last_name, "subsidiary": "1"})
    await rig.account.scripts.settled()
    return made


async def test_saves_by_page_api_and_import_are_told(rig: Rig, endpoint: tuple[Endpoint, str]) -> None:
    told, url = endpoint
    acme = await rig.customer()
    tell(rig, url)
    made = await contact(rig, "Page")
    for context in ("CSVIMPORT", "RESTWEBSERVICES", "WORKFLOW", "RESTLET"):
        act(rig, "edit", type="contact", id=made, fields={"title": context}, context=context)
    rig.account.delete("contact", made)
    rig.account.update("customer", acme, {"phone": "030 1234567"})
    await rig.account.scripts.settled()
    assert told.records == [*[{"type": "contact", "id": made}] * 6, {"type": "customer", "id": acme}]
    assert told.signed


async def test_what_the_integration_saves_is_no_news_to_it(rig: Rig, endpoint: tuple[Endpoint, str]) -> None:
    tell(rig, endpoint[1])
    await rig.contact()
    assert endpoint[0].records == []


async def test_nothing_is_told_without_an_address(rig: Rig, endpoint: tuple[Endpoint, str]) -> None:
    await contact(rig, "Lovelace")
    assert endpoint[0].records == []


async def test_saves_do_not_fail_for_an_endpoint_that_does(rig: Rig, endpoint: tuple[Endpoint, str]) -> None:
    told, url = endpoint
    tell(rig, url)
    told.status = 503
    for number in range(5):
        await contact(rig, f"Number {number}")
    assert len(told.records) == 1, "after one failure nobody waits again"
    told.status = 202
    rig.clock.advance(301)
    await contact(rig, "Later")
    assert len(told.records) == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/ping", "nonsense", "http://"])
async def test_saves_do_not_fail_for_an_endpoint_that_is_not_there(rig: Rig, url: str) -> None:
    tell(rig, url)
    await contact(rig, "First")
    await contact(rig, "Second")
    assert rig.account.count("contact") == 2
    assert rig.account.scripts.calls["https.post"] == 1


async def test_saves_do_not_fail_for_a_missing_secret(rig: Rig, endpoint: tuple[Endpoint, str]) -> None:
    tell(rig, endpoint[1])
    act(
        rig, "set_script_parameter", script=SCRIPT, name="custscript_twinbook_secret", value="custsecret_lost"
    )
    await rig.contact()
    assert (rig.account.count("contact"), endpoint[0].records) == (1, [])


async def test_the_event_subscriber_tells_after_the_save(
    rig: Rig, endpoint: tuple[Endpoint, str], tmp_path: Path
) -> None:
    told, url = endpoint
    shutil.copytree(folder("netsuite") / "src", tmp_path / "src")
    option = folder("netsuite") / "options" / "event-subscriber" / "custevsub_twinbook.xml"
    shutil.copy(option, tmp_path / "src" / "Objects")
    rig.account.scripts.deploy(tmp_path)
    tell(rig, url)
    rig.switches.release = "2025.2"
    await contact(rig, "Old")
    assert len(told.records) == 1, "the user event alone"
    rig.switches.release = "2026.2"
    await contact(rig, "New")
    await rig.account.scripts.settled()
    assert len(told.records) == 3, "both tell: a ping more does no harm"
