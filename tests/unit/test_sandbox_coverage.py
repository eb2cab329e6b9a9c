"""The table of what the sandbox does is complete, and each claim in it names a test that exists."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.coverage import SYSTEMS, Operation, State
from twinbook_sandbox.netsuite.kinds import classify
from twinbook_sandbox.netsuite.representation import RECORD_PATH
from twinbook_sandbox.reference import HOLDERS
from twinbook_sandbox.salesforce.org import SalesforceOrg

TESTS = Path(__file__).parents[1]
OPERATIONS = [each for operations in SYSTEMS.values() for each in operations]


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_what_is_done_is_shown_by_a_test(operation: Operation) -> None:
    if operation.state is State.NOT_DONE:
        assert not operation.test
        assert not operation.kinds
        return
    file, _, function = operation.test.partition("::")
    assert function.startswith("test_")
    assert function in functions(file)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_sources_are_sections_of_the_notes(operation: Operation) -> None:
    assert re.fullmatch(r"(salesforce|netsuite) \d+(\.\d+)?(, \d+(\.\d+)?)*", operation.source)
    assert operation.state is not State.PARTLY or operation.note, "say what is missing"


def test_every_kind_of_call_of_salesforce_is_in_the_table() -> None:
    org = SalesforceOrg(Clock())
    try:
        served = {resource.kind for resource in org._resources()}
    finally:
        org.close()
    listed = {kind for operation in SYSTEMS["Salesforce"] for kind in operation.kinds}
    assert served - listed == set()


COLLECTION, ONE = ("GET", "POST"), ("GET", "PATCH", "PUT", "DELETE")
CALLS = {
    f"{RECORD_PATH}/contact": COLLECTION,
    f"{RECORD_PATH}/contact/1": ONE,
    f"{RECORD_PATH}/customer": COLLECTION,
    f"{RECORD_PATH}/customer/1": ONE,
    f"{RECORD_PATH}/customer/1/!attach/contact/2": ("POST",),
    f"{RECORD_PATH}/customer/1/!detach/contact/2": ("POST",),
    f"{RECORD_PATH}/metadata-catalog": ("GET",),
    "/services/rest/auth/oauth2/v1/token": ("POST",),
    "/services/rest/query/v1/suiteql": ("POST",),
    "/services/rest/system/v1/serverTime": ("GET",),
    "/app/site/hosting/restlet.nl": ("POST",),
}


def test_every_kind_of_call_of_netsuite_is_in_the_table() -> None:
    served = {classify(method, path, "") for path, methods in CALLS.items() for method in methods}
    listed = {kind for operation in SYSTEMS["NetSuite"] for kind in operation.kinds}
    assert served == listed


def test_switches_that_the_page_on_real_systems_names_exist() -> None:
    page = (TESTS.parent / "docs" / "real-org.md").read_text(encoding="utf-8")
    cells = [
        row.rsplit("|", 2)[1] for row in page.splitlines() if row.startswith("| ") and "how to see" not in row
    ]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    known = {switch.name for holder in HOLDERS.values() for switch in fields(holder)}
    assert len(named) > 20
    assert named - known == set()
