"""docs/sandbox.md names every route of the control plane, every effect of a fault and every switch."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click import Option
from starlette.routing import Route

from twinbook_sandbox.command import sandbox
from twinbook_sandbox.core.control import control_routes
from twinbook_sandbox.core.traffic import Effect
from twinbook_sandbox.reference import HOLDERS

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_every_route(running: Any) -> None:
    routes = control_routes(running.site, running.traffic, running.clock)
    paths = {re.sub(r"\{number:int\}", "{id}", route.path) for route in routes if isinstance(route, Route)}
    assert {path for path in paths if path not in PAGE} == set()


def test_every_effect() -> None:
    assert [effect for effect in Effect if f"| `{effect}` |" not in PAGE] == []


def test_every_option_of_the_command() -> None:
    options = [option.opts[-1] for option in sandbox.params if isinstance(option, Option)]
    assert [option for option in options if option not in PAGE] == []


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=lambda holder: holder.__name__)
def test_every_switch(holder: type) -> None:
    assert [switch.name for switch in fields(holder) if f"| `{switch.name}` |" not in PAGE] == []
