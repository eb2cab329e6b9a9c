"""Every form of the dashboard with what nobody meant to send: answered or refused, never an accident of ours.

Names of fields are taken from the templates, values are naughty texts, ids and numbers. Who sends is an administrator,
so that nothing is refused for a want of rights alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dashboard.rig import Rig
from tests.dashboard.store import NOW, fill
from tests.hard.naughty import NAUGHTY

import twinbook.web
import twinbook.web.pages
from twinbook.store.database import Database
from twinbook.web.access.roles import Role

TEMPLATES = Path(twinbook.web.__file__).parent / "templates"
NAMES = sorted(
    {
        name
        for path in TEMPLATES.glob("**/*.html")
        for name in re.findall(r'\bname="([\w.-]+)"', path.read_text(encoding="utf-8"))
    }
)
# Signing out ends the session that all others need.
PATHS = sorted(
    route.path
    for router in twinbook.web.pages.ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "POST" in route.methods and route.path != "/sign-out"
)
IDS = ("1", "0", "-1", "9" * 30, "salesforce", "netsuite", "contact", "default", "0035g00000QwErTAAV")
TEXTS = st.sampled_from((*NAUGHTY, *IDS, "on", "true", "")) | st.text(max_size=40)
APART = 503
"""A page that needs the two systems, of a dashboard that runs without them."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    database = Database.open_memory()
    fill(database, 50)
    return Rig.over(database, tmp_path_factory.mktemp("forms"), now=lambda: NOW)


def test_forms_and_fields_were_found() -> None:
    assert len(PATHS) > 20
    assert len(NAMES) > 20


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    filled=st.lists(TEXTS, min_size=4, max_size=4),
    form=st.dictionaries(st.sampled_from(NAMES) | st.text(min_size=1, max_size=8), TEXTS, max_size=8),
)
def test_any_form_is_answered_or_refused(
    rig: Rig, path: str, filled: list[str], form: dict[str, str]
) -> None:
    values = iter(filled)
    address = re.sub(
        r"\{[^}]+\}", lambda _: quote(next(values).encode(errors="replace"), safe="") or "x", path
    )
    client = rig.client(Role.ADMINISTRATOR)
    answer = client.post(address, data={name: text.encode(errors="replace") for name, text in form.items()})
    assert answer.status_code < 500 or answer.status_code == APART, (address, form, answer.text[:300])
