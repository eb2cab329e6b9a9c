"""The API says of itself what it does: schemathesis makes requests of its OpenAPI document and holds the answers
against it, as an administrator and as nobody."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.dashboard.rig import Rig
from tests.dashboard.store import NOW, fill

from twinbook.store.database import Database
from twinbook.web.access.guard import COOKIE
from twinbook.web.access.roles import Role
from twinbook.web.app import API

UNREACHABLE = 503


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    database = Database.open_memory()
    fill(database, 200)
    generous = "requests_per_minute = 100000"
    return Rig.over(database, tmp_path_factory.mktemp("installation"), now=lambda: NOW, web=generous)


@pytest.fixture(scope="module")
def api(rig: Rig) -> BaseSchema:
    return schemathesis.openapi.from_asgi(f"{API}/openapi.json", rig.app)


def each_operation(api: BaseSchema, check: Callable[[schemathesis.Case], None], *, examples: int) -> int:
    """Hold `check` against requests made of every operation; how many operations there are. By hand, because the
    plugin of schemathesis does not fit this pytest."""
    operations = [found.ok() for found in api.get_all_operations()]
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                requests = operation.as_strategy(generation_mode=mode)
            except Unsatisfiable:
                continue

            @settings(
                max_examples=examples,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=requests)
            def hold(case: schemathesis.Case) -> None:
                check(case)

            with contextlib.suppress(Unsatisfiable):
                hold()
    return len(operations)


def test_answers_are_as_described(api: BaseSchema, rig: Rig) -> None:
    cookies = {COOKIE: rig.token(Role.ADMINISTRATOR)}

    def check(case: schemathesis.Case) -> None:
        # A connection or a cursor may be any text, and is refused all the same where there is none such.
        excluded = [positive_data_acceptance]
        response = case.call(cookies=cookies)
        if response.status_code == UNREACHABLE:
            # No fault of the server: this one has no way to the systems. It must be described, as any other answer.
            excluded.append(not_a_server_error)
        case.validate_response(response, excluded_checks=excluded)

    assert each_operation(api, check, examples=20) >= 5


def test_nobody_learns_anything(api: BaseSchema) -> None:
    def check(case: schemathesis.Case) -> None:
        # A body that is no JSON is refused before anybody looks at who sent it.
        assert case.call().status_code in (400, 401, 405, 422)

    each_operation(api, check, examples=3)
