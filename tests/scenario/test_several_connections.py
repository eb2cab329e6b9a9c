"""Two pairs of orgs in one installation: each is kept in step, and one that fails neither stops nor slows the other."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest_asyncio
import tomlkit
from tests.scenario.product import Product, product, until

from twinbook.store import conditions
from twinbook.store.database import Database, Role

PATIENCE = 40.0


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings that name two connections, `east` and `west`, each with systems of its own."""

    config: Path
    east: Product
    west: Product

    def break_login(self, name: str) -> None:
        """The org's client is unknown from now on: a refusal that does not pass by itself."""
        self.set(name, "salesforce", client_id="nobody")

    def set(self, name: str, table: str, **values: Any) -> None:
        document = tomlkit.parse(self.config.read_text())
        document["connections"][name][table].update(values)  # type: ignore[index,union-attr]
        self.config.write_text(tomlkit.dumps(document))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await self._start("run")
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 20)

    async def status(self) -> dict[str, dict[str, Any]]:
        process = await self._start("status", "--json")
        out, _ = await process.communicate()
        return {item["connection"]: item for item in orjson.loads(out)}

    async def _start(self, *arguments: str) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "twinbook.cli", "--config", str(self.config), *arguments]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)


@pytest_asyncio.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as stack:
        pairs = {}
        document = tomlkit.document()
        document["store"] = {"path": str(tmp_path / "both.db")}
        document["connections"] = {}
        for name in ("east", "west"):
            directory = tmp_path / name
            directory.mkdir()
            pairs[name] = await stack.enter_async_context(product(directory))
            own = tomlkit.parse((directory / "twinbook.toml").read_text())["connections"]["default"]  # type: ignore[index]
            for side in ("salesforce", "netsuite"):
                for key in ("private_key_file", "ca_file"):
                    if own[side].get(key):  # type: ignore[index,union-attr]
                        own[side][key] = str(directory / own[side][key])  # type: ignore[index]
            document["connections"][name] = own  # type: ignore[index]
        config = tmp_path / "twinbook.toml"
        config.write_text(tomlkit.dumps(document))
        config.chmod(0o600)
        yield Installation(config, pairs["east"], pairs["west"])


async def syncs(pair: Product, name: str) -> float:
    """Seconds until a new contact of a linked account is in NetSuite."""
    account, _ = await pair.linked_account(name)
    contact = await pair.contact(LastName=name, Email=f"{name.lower()}@acme.example", AccountId=account)

    async def there() -> bool:
        return await pair.in_netsuite(contact) is not None

    return await until(there, timeout=PATIENCE)


def state_of(installation: Installation, name: str) -> str | None:
    """As `status` would say it, without a process for each look."""
    database = Database.open_file(installation.config.parent / "both.db", Role.GUEST)
    try:
        condition = database.read_now(name, conditions.of)
    finally:
        database.close()
    return condition.state if condition else None


async def becomes(installation: Installation, name: str, state: str) -> None:
    async def so() -> bool:
        return state_of(installation, name) == state

    await until(so, timeout=PATIENCE)


async def test_both_are_kept_in_step(installation: Installation) -> None:
    async with installation.running():
        await becomes(installation, "east", "in-step")
        await becomes(installation, "west", "in-step")
        await asyncio.gather(syncs(installation.east, "Ost"), syncs(installation.west, "West"))
    assert (await installation.status())["east"]["condition"]["state"] == "stopped"


async def test_a_refused_login_of_one_does_not_stop_the_other(installation: Installation) -> None:
    installation.break_login("west")
    async with installation.running():
        await becomes(installation, "east", "in-step")
        await syncs(installation.east, "Ost")
        west = (await installation.status())["west"]["condition"]
        assert west["state"] == "retrying"
        assert west["code"] and west["detail"] and west["next_try_at"]


async def test_one_whose_org_is_down_at_the_start_comes_up_by_itself(installation: Installation) -> None:
    await installation.west.salesforce.add_fault("status", times=2, status=503)
    async with installation.running():
        await becomes(installation, "east", "in-step")
        await syncs(installation.east, "Ost")
        await becomes(installation, "west", "in-step")
        await syncs(installation.west, "West")
