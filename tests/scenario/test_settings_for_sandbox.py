"""The settings that are written for a sandbox open all its doors: both logins and the change events."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinbook.composition import open_sides
from twinbook.domain.records import Entity
from twinbook.settings import load
from twinbook.settings.sandbox import from_sandbox
from twinbook_sandbox.launch import Sandbox, SandboxOptions


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_they_open_all_doors(tmp_path: Path, tls: bool) -> None:
    async with Sandbox(SandboxOptions(accounts=5, contacts=20, tls=tls)) as sandbox:
        settings = load(from_sandbox(sandbox.describe(), tmp_path)[0], {})
        async with open_sides(settings.connections["default"]) as sides:
            assert await sides.salesforce.count(Entity.CONTACT) == 20
            assert (await sides.netsuite.list_keys(Entity.CONTACT, None)).keys
            async for batch in sides.events.subscribe(Entity.CONTACT, None):
                assert batch.position
                break
