"""One sandbox and one installation for each scenario test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.postgres import Server
from tests.scenario.product import Product, product
from tests.scenario.workers import Cluster, cluster


@pytest_asyncio.fixture
async def p(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    """One for a whole module, whose tests keep to accounts of their own."""
    async with product(tmp_path_factory.mktemp("twinbook")) as made:
        yield made


@pytest.fixture
def shared(installation: Product) -> Product:
    """The installation of the module, with the settings that `init` writes."""
    installation.changed.clear()
    return installation


@pytest_asyncio.fixture
async def c(p: Product, postgresql: Server) -> AsyncIterator[Cluster]:
    async with cluster(p, postgresql) as made:
        yield made
