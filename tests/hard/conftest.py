"""One sandbox and one installation for each test."""

from tests.scenario.conftest import p

__all__ = ["p"]
