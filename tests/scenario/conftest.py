"""One sandbox and one installation for each scenario test.

NetSuite is reached over REST, in the modules that matter most through the RESTlet too. The environment variable
TWINBOOK_TEST_TRANSPORT (rest or restlet) chooses one of them for all tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.postgres import Server
from tests.scenario.product import CHOSEN_TRANSPORT, Product, product
from tests.scenario.workers import Cluster, cluster

TRANSPORTS = ("rest", "restlet")
WITH_BOTH = frozenset({"test_main_job", "test_lifecycle", "test_from_netsuite"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "p" in metafunc.fixturenames:
        with_both = metafunc.module.__name__.rpartition(".")[2] in WITH_BOTH
        every = TRANSPORTS if with_both else TRANSPORTS[:1]
        metafunc.parametrize("p", [CHOSEN_TRANSPORT] if CHOSEN_TRANSPORT else every, indirect=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    rest_only = item.get_closest_marker("rest_only")
    if rest_only and CHOSEN_TRANSPORT == "restlet":
        pytest.skip(f"REST only: {rest_only.args[0]}")


@pytest_asyncio.fixture
async def p(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path, transport=request.param) as made:
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
