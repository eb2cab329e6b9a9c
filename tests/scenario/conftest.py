"""One sandbox and one installation for each scenario test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from tests.scenario.product import Product, product


@pytest_asyncio.fixture
async def p(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as made:
        yield made
