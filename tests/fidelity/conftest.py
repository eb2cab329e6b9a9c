"""An empty sandbox on real ports, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from twinbook_sandbox.launch import Sandbox, SandboxOptions


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(accounts=0, contacts=0)) as running:
        yield running


@pytest_asyncio.fixture
async def sandbox_over_tls() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(accounts=0, contacts=0, tls=True)) as running:
        yield running
