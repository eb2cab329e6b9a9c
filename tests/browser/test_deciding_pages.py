"""Deciding about many, and acting on the errors of one cause, in a real Chromium without scripts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.seeing import Open, findings, fits
from tests.dashboard.served import Site, site
from tests.dashboard.store import fill

from twinbook.store.database import Database


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Site]:
    database = Database.open_memory()
    fill(database, 300, now=time.time())
    with site(database, tmp_path) as running:
        yield running
    database.close()


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1400, "light")])
def test_many_are_decided_after_a_preview(served: Site, open_page: Open, width: int, scheme: str) -> None:
    page = open_page(served, "/review?reason=AMBIGUOUS_MATCH", width=width, scheme=scheme, scripts=False)
    page.get_by_label("Decide about many").select_option("new")
    page.locator("input[name=key]").first.check()
    page.get_by_role("button", name="Preview for the ticked").click()
    expect(page.get_by_role("heading", name="Decide about 1 record?")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Decided: 1")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1400, "light")])
def test_errors_of_a_cause_are_tagged(served: Site, open_page: Open, width: int, scheme: str) -> None:
    page = open_page(served, "/errors/1", width=width, scheme=scheme)
    assert findings(page) == []
    assert fits(page)
    page.get_by_label("Do", exact=True).select_option("tag")
    page.get_by_label("Login, tag or note").fill("for HR")
    page.get_by_role("button", name="For all of this cause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tag:")
    assert findings(page) == []
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("for HR").first).to_be_visible()
