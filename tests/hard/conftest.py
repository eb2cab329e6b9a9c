"""One sandbox and one installation for each test."""

from tests.scenario.conftest import p, pytest_generate_tests

__all__ = ["p", "pytest_generate_tests"]
