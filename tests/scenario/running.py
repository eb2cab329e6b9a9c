"""`twinbook run` in a process of its own, with its API for an administrator."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.dashboard.served import Site
from tests.scenario.product import Product, until

from twinbook.cli.context import open_database
from twinbook.settings import load
from twinbook.store.database import Database, Role


@dataclass(slots=True)
class Running:
    """A `twinbook run` in a process of its own, and its API for an administrator."""

    process: asyncio.subprocess.Process
    api: httpx.AsyncClient
    database: Database

    async def get(self, path: str) -> Any:
        return (await self.api.get(f"/api/v1/{path}")).json()

    async def post(self, path: str, **json: Any) -> Any:
        answer = await self.api.post(f"/api/v1/{path}", json=json)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def save(self, **changes: Any) -> int:
        """Save a version; its number."""
        digest = (await self.get("settings"))["digest"]
        saved = await self.post(
            "settings", digest=digest, changes={f"contacts.{name}": v for name, v in changes.items()}
        )
        return int(saved["version"])

    async def versions(self) -> list[int | None]:
        return [item["version"] for item in (await self.get("overview"))["processes"]]

    async def works_with(self, version: int, processes: int = 1) -> float:
        async def reached() -> bool:
            return await self.versions() == [version] * processes

        return await until(reached, timeout=30)


@asynccontextmanager
async def run(p: Product, *arguments: str, said: str = "in step with") -> AsyncIterator[Running]:
    """From the moment it says so, or its dashboard answers."""
    process = await p.start("run", *arguments)
    assert process.stderr is not None
    lines: list[str] = []
    reading = asyncio.create_task(_read(process.stderr, lines))
    try:
        await until(lambda: _heard(lines, "dashboard: "), timeout=60)
        await until(lambda: _heard(lines, said), timeout=60)
        [url] = re.findall(r"dashboard: (\S+)", "\n".join(lines))
        database = _database(p)
        cookie = Site(url, None, database).cookie()
        async with httpx.AsyncClient(
            base_url=url, cookies={cookie["name"]: cookie["value"]}, timeout=30
        ) as api:
            yield Running(process, api, database)
        database.close()
    finally:
        if process.returncode is None:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0, "\n".join(lines)
        await reading


def _database(p: Product) -> Database:
    if p.store_url is None:
        return Database.open_file(p.directory / "twinbook.db", Role.GUEST)
    return open_database(load(p.config, p.environment()), Role.GUEST)


async def _read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    while line := await stream.readline():
        lines.append(line.decode())


async def _heard(lines: list[str], said: str) -> bool:
    return any(said in line for line in lines)


async def arrived(p: Product, contacts: list[str]) -> None:
    async def all_there() -> bool:
        return all([await p.in_netsuite(contact) for contact in contacts])

    await until(all_there, timeout=40)
