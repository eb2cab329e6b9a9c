"""What tests of several layers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.postgres import Server, server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    with server() as running:
        yield running
