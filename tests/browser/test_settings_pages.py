"""The settings and the mapping editor in a real Chromium: by keyboard alone, without scripts, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.dashboard import trying
from tests.dashboard.served import Site, site

from twinbook.settings import load

SERIOUS = ("serious", "critical")
Scheme = Literal["light", "dark"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Site]:
    """An installation with two contacts in Salesforce."""
    with (
        trying.systems() as made,
        site(made.store.database, tmp_path, open_connection=trying.over(made)) as found,
    ):
        yield found


def opened(browser: Browser, served: Site, *, width: int, scheme: Scheme, scripts: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
    )
    cookies: list[Any] = [served.cookie()]
    context.add_cookies(cookies)
    return context.new_page()


def in_order(page: Page) -> None:
    """Nothing is wider than the window, and axe finds nothing serious."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = [item for item in Axe().run(page).response["violations"] if item["impact"] in SERIOUS]
    assert [(item["id"], [node["target"] for node in item["nodes"]]) for item in found] == []


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_a_change_from_the_form_to_a_version(
    browser: Browser, served: Site, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    page = opened(browser, served, width=width, scheme=scheme)
    page.goto(f"{served.url}/settings")
    page.locator("summary", has_text="Advanced settings").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Batch size").fill("0")
    in_order(page)
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_role("alert")).to_contain_text("1 value does not fit")
    expect(page.get_by_label("Batch size")).to_have_attribute("aria-invalid", "true")
    in_order(page)
    page.get_by_label("Batch size").fill("150")
    page.get_by_label("Role filter").fill("Decision Maker")
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_text("2 of 3 accounts and contacts")).to_be_visible()
    in_order(page)
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Saved as version 2")
    page.goto(f"{served.url}/settings/versions")
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    in_order(page)
    assert load(tmp_path / "twinbook.toml", {}).connections["default"].limits.batch_size == 150


@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (400, "light")])
def test_a_row_of_the_map_without_scripts(
    browser: Browser, served: Site, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    page = opened(browser, served, width=width, scheme=scheme, scripts=False)
    page.goto(f"{served.url}/settings/mapping")
    page.get_by_role("link", name="Add a row").click()
    page.get_by_label("Salesforce", exact=True).fill("Department")
    page.get_by_label("NetSuite", exact=True).fill("comments")
    page.get_by_role("button", name="Keep this row").click()
    page.get_by_role("button", name="Take out Fax – fax").click()
    expect(page.get_by_text("taken out")).to_be_visible()
    page.get_by_role("link", name="See what they do, and save").click()
    page.get_by_role("button", name="Save").click()
    rows = load(tmp_path / "twinbook.toml", {}).connections["default"].contacts.mapping
    assert [(row.salesforce, row.enabled) for row in rows] == [("Department", True), ("Fax", False)]


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_the_mapping_editor_is_in_order(browser: Browser, served: Site, width: int, scheme: Scheme) -> None:
    page = opened(browser, served, width=width, scheme=scheme)
    for path in ("/settings/mapping", "/settings/mapping?of=account", "/settings/mapping/row"):
        page.goto(served.url + path)
        in_order(page)
    assert page.locator("#fields-salesforce option").count() > 5
    page.goto(f"{served.url}/settings/mapping")
    page.get_by_label("Id of either system, or email").fill("hopper@acme.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hopper")).to_be_visible()
    in_order(page)
