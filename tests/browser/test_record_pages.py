"""The demo as a person tries it: edit on one system's page, see it on the other's. Narrow and wide, light and dark."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Demo

TIMEOUT_MS = 15_000
NAMES = itertools.count(1)


@pytest.fixture
def contact(demo: Demo, page: Page) -> Iterator[str]:
    """A contact made on the page of a customer's account; its last name, which nobody else has."""
    name = f"Lovelace{next(NAMES)}"
    page.goto(demo.page("salesforce", "/Account"))
    page.get_by_role("row").filter(has_text="Customer").first.get_by_role("link").first.click()
    page.get_by_role("region", name="Contacts").or_(
        page.locator("section", has_text="Contacts (")
    ).first.get_by_role("link", name="New").first.click()
    page.get_by_label("First Name").fill("Ada")
    page.get_by_label("Last Name").fill(name)
    page.get_by_label("Email").fill(f"{name.lower()}@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    yield name


def _open_in_netsuite(demo: Demo, page: Page, name: str) -> None:
    """Search until the contact is there, as a person would press reload."""
    for _ in range(60):
        page.goto(demo.page("netsuite", f"/contact?q={name}"))
        found = page.get_by_role("main").get_by_role("link", name=name)
        if found.count():
            found.first.click()
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{name} never appeared in NetSuite: {page.inner_text('main')}")


def test_a_new_contact_appears_in_netsuite_with_its_salesforce_id(
    demo: Demo, page: Page, contact: str
) -> None:
    salesforce_page = page.url
    _open_in_netsuite(demo, page, contact)
    expect(page.get_by_role("heading", level=1)).to_contain_text(contact)
    expect(page.get_by_role("main")).to_contain_text("Salesforce ID", ignore_case=True)
    salesforce_id = salesforce_page.rstrip("/").split("/")[-1]
    expect(page.get_by_role("main")).to_contain_text(salesforce_id)


def test_an_edit_travels(demo: Demo, page: Page, contact: str) -> None:
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Title").fill("Countess")
    page.get_by_role("button", name="Save").click()
    _open_in_netsuite(demo, page, contact)
    for _ in range(60):
        if page.get_by_text("Countess").count():
            return
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError("the title never arrived")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_their_window_in_both_schemes(demo: Demo, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for system, path in (("salesforce", "/Contact"), ("salesforce", "/Account"), ("netsuite", "/contact")):
        page.goto(demo.page(system, path))
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{system}{path} is wider than its window"
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in background.removeprefix("rgb(").rstrip(")").split(",")[:3])
        assert (brightness < 3 * 128) == (scheme == "dark"), f"{system}{path}: {background} in {scheme}"


def test_the_hidden_id_stands_on_the_integration_panel_only(demo: Demo, page: Page, contact: str) -> None:
    panel = page.locator("section, aside", has=page.get_by_role("heading", name="Integration"))
    for _ in range(60):
        if panel.get_by_text("Synced").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(panel).to_contain_text("NetSuite Id")
    page.goto(demo.page("salesforce", "/Contact"))
    expect(page.get_by_text("NetSuite Id")).to_have_count(0)
    page.goto(demo.page("salesforce", "/Account"))
    expect(page.get_by_text("NetSuite Id")).to_have_count(0)
